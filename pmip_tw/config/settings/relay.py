"""The settings of a DHCP relay by itself; names and defaults are those that ``conf/dhcp-relay.toml`` explains."""

from typing import Annotated

import attrs

from pmip_tw.addresses import UNSPECIFIED, Ipv4
from pmip_tw.config.limits import AtMost, Host, Identity, InterfaceName, OptionText, SocketPath
from pmip_tw.config.settings.dhcp_relay import DhcpRelay, OurAddress

MOST_LINKS = 1024
"""Each has a packet socket."""


ToldText = Annotated[str, OptionText()]


@attrs.frozen(slots=True, kw_only=True)
class RelayLink:
    """``[[dhcp_relay.links]]``: an interface with clients behind it.

    ``giaddr``: our address there, 0: that of the whole relay, or else the interface's own. ``subnet``: of which clients
    are to get addresses, 0: the interface's own. ``circuit_id``: empty for identity:interface.
    """

    interface: Annotated[str, InterfaceName()]
    giaddr: OurAddress = UNSPECIFIED
    subnet: Annotated[Ipv4, Host(may_be_zero=True)] = UNSPECIFIED
    circuit_id: ToldText = ""
    subscriber_id: ToldText = ""
    trusted: bool = False


@attrs.frozen(slots=True, kw_only=True)
class RelaySettings(DhcpRelay):
    """``[dhcp_relay]``."""

    identity: Annotated[str, Identity()]
    subnet_selection: bool = False
    control: Annotated[str, SocketPath()] = "/run/pmip-dhcp-relay.sock"
    links: Annotated[tuple[RelayLink, ...], AtMost(MOST_LINKS)]
