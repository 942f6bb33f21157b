"""The DHCP methods by name: how the nodes of a MAG get their addresses."""

from collections.abc import Callable

from pmip_tw.mag.addressing.answers import Addressing
from pmip_tw.mag.addressing.independent import Independent
from pmip_tw.mag.addressing.pretunnel import PreTunnels
from pmip_tw.mag.addressing.registered_first import RegisteredFirst
from pmip_tw.mag.addressing.relayed import Relayed
from pmip_tw.mag.addressing.served import Served
from pmip_tw.mag.addressing.tunneled import Tunneled
from pmip_tw.mag.links import HomeLinks
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.visitors import VisitorList

_METHODS: dict[str, type[Addressing]] = {
    "server": Served,
    "independent": Independent,
    "ack-trigger": Relayed,
    "relay": RegisteredFirst,
}


def addressing_of(
    policy: MagPolicy, links: HomeLinks, visitors: VisitorList, pre_tunnels: Callable[[], PreTunnels]
) -> Addressing:
    """The one that ``policy`` names. ``pre_tunnels``: makes what one of them needs."""
    if policy.dhcp == "tunnel":
        return Tunneled(policy, links, visitors, pre_tunnels())
    return _METHODS[policy.dhcp](policy, links, visitors)
