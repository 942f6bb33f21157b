"""The settings of a DHCP relay, which are the same wherever one is: in a MAG, in an LMA, by itself."""

from typing import Annotated, Literal

import attrs

from pmip_tw.addresses import UNSPECIFIED, Ipv4
from pmip_tw.config.limits import AtMost, Host, Within

Option82Name = Literal[
    "circuit-id", "remote-id", "subscriber-id", "link-selection", "server-id-override", "radius"
]
ServerSpread = Literal["all", "hash"]

RelayServer = Annotated[Ipv4, Host()]
OurAddress = Annotated[Ipv4, Host(may_be_zero=True)]


@attrs.frozen(slots=True, kw_only=True)
class DhcpRelay:
    """What all of them have. ``giaddr``: where servers answer to, 0: the address that the relay has anyway.

    ``option_82``: what servers are told of the place where a client is (D1). ``max_size``: octets of a packet to the
    servers; option 82 is left out of longer ones (D8).
    """

    servers: Annotated[tuple[RelayServer, ...], AtMost(16)]
    spread: ServerSpread = "all"
    giaddr: OurAddress = UNSPECIFIED
    max_hops: Annotated[int, Within(0, 16)] = 4
    option_82: tuple[Option82Name, ...] = ()
    max_size: Annotated[int, Within(576, 65_535)] = 1500
    client_subnet_selection: bool = False


@attrs.frozen(slots=True, kw_only=True)
class MagDhcpRelay(DhcpRelay):
    """``[mag.dhcp_relay]``, for ``dhcp = "ack-trigger"`` and ``"relay"``.

    ``subnet``: the network of the home prefix in which the servers are to find addresses, 0: the first one's; with
    ``"relay"`` it is that of the home address. ``follow_dhcp``: D28.
    """

    subnet: Annotated[Ipv4, Host()] = UNSPECIFIED
    subnet_selection: bool = True
    follow_dhcp: bool = True

    @property
    def names_subnet(self) -> bool:
        """Whether the servers are told of it, in one way or the other (D13, D17)."""
        return self.subnet_selection or "link-selection" in self.option_82
