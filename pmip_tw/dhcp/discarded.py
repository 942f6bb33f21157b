"""Why a DHCP message is not passed on."""

from enum import StrEnum
from typing import Final


class Discarded(StrEnum):
    """Why a message is not relayed, as a word for counters."""

    IGNORED = "dhcp-ignored"
    """Not what a client says to a server."""
    TOO_OFTEN = "dhcp-too-often"
    UNKNOWN_SERVER = "dhcp-unknown-server"
    """From an address that is none of the servers'."""
    NOT_A_REPLY = "dhcp-not-a-reply"
    OTHER_RELAY = "dhcp-other-relay"
    """Its giaddr is not ours (D9)."""
    UNEXPECTED = "dhcp-unexpected-reply"
    """It answers nothing that was asked here lately, or what has an answer already, or comes from a server that the
    client did not choose (D10)."""
    SUBNET_IGNORED = "dhcp-subnet-ignored"
    """Without a copy of the subnet selection option: the address is from another subnet (D17)."""
    INCOMPLETE = "dhcp-incomplete-reply"
    """No address, or no lease time."""

    @property
    def cause(self) -> str:
        """For people."""
        return _CAUSES.get(self, "")


_CAUSES: Final = {
    Discarded.UNKNOWN_SERVER: "it is none of the DHCP servers that are configured",
    Discarded.NOT_A_REPLY: "it is no answer of a DHCP server",
    Discarded.OTHER_RELAY: "it is for another relay: giaddr is not our address",
    Discarded.UNEXPECTED: "it answers nothing that a node asked here in the last 30 s",
    Discarded.SUBNET_IGNORED: "it does not confirm the subnet: does the server know option 118 (RFC 3011)?",
    Discarded.INCOMPLETE: "it gives no address, or no lease time",
}
