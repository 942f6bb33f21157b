"""Why a message is not relayed, as words for counters, and as sentences for people."""

from enum import StrEnum
from typing import Final


class Discarded(StrEnum):
    """The first six are a client's fault, or somebody's who pretends to be one; the others of who answers."""

    IGNORED = "dhcp-ignored"
    """Not what a client says to a server."""
    TOO_OFTEN = "dhcp-too-often"
    TOO_MANY_HOPS = "dhcp-too-many-hops"
    """It has come through more relays than may be, or goes in circles (D3)."""
    SPOOFED_RELAY = "dhcp-spoofed-relay"
    """Its giaddr is ours, or nobody's (D4)."""
    UNTRUSTED = "dhcp-untrusted-circuit"
    """With option 82, but through no relay (D7)."""
    BROKEN_INFORMATION = "dhcp-broken-option-82"
    UNKNOWN_SERVER = "dhcp-unknown-server"
    """From an address that is none of the servers'."""
    NOT_A_REPLY = "dhcp-not-a-reply"
    OTHER_RELAY = "dhcp-other-relay"
    """Its giaddr is not ours (D9)."""
    OTHER_CIRCUIT = "dhcp-other-circuit"
    """It names another circuit than the client's (D10), or its option 82 is broken."""
    UNEXPECTED = "dhcp-unexpected-reply"
    """It answers nothing that was asked here lately, or what has an answer already, or comes from a server that the
    client did not choose (D10)."""
    OTHER_TUNNEL = "dhcp-other-tunnel"
    """It came out of another tunnel than that of its node (N52)."""
    TOO_LONG = "dhcp-too-long"
    """For the client, which has said how much it takes (D8); or for every tunnel (N52)."""
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
    Discarded.OTHER_CIRCUIT: "it names another circuit in option 82 than the one where the client is",
    Discarded.UNEXPECTED: "it answers nothing that a node asked here in the last 30 s",
    Discarded.OTHER_TUNNEL: "it did not come through the tunnel that was opened for its node",
    Discarded.TOO_LONG: "it is longer than the client takes (option 57)",
    Discarded.SUBNET_IGNORED: "it does not confirm the subnet: does the server know option 118 (RFC 3011)?",
    Discarded.INCOMPLETE: "it gives no address, or no lease time",
}
