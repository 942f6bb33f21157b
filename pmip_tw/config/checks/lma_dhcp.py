"""What single settings cannot show of an LMA that relays DHCP: pools, the relay, and the numbers of two messages."""

from collections.abc import Iterator

from pmip_tw.addresses import Ipv4
from pmip_tw.config.checks.dhcp_relay import dhcp_relay_mistakes
from pmip_tw.config.draft import Draft
from pmip_tw.config.locate import Path
from pmip_tw.config.settings.address_spaces import POOLS, AssignedBy
from pmip_tw.config.structure import Mistake
from pmip_tw.wire.pretunnel import DEFAULT_REPLY_TYPE, DEFAULT_REQUEST_TYPE

_LMA: Path = ("lma",)
_RELAY: Path = ("lma", "dhcp_relay")


def lma_dhcp_mistakes(draft: Draft) -> Iterator[Mistake]:
    by_dhcp = [
        pool for pool in draft.elements(POOLS) if draft.value((*pool, "assigned_by"), AssignedBy) == "dhcp"
    ]
    if draft.value((*_LMA, "pre_tunnel"), bool):
        if not draft.has(_RELAY):
            text = 'pre_tunnel: DHCP out of these tunnels is relayed: add [lma.dhcp_relay] with servers = ["..."]'
            yield Mistake((*_LMA, "pre_tunnel"), text)
        if not by_dhcp:
            text = 'pre_tunnel: for nodes of pools with assigned_by = "dhcp", of which there is none'
            yield Mistake((*_LMA, "pre_tunnel"), text)
        if draft.value((*_LMA, "binding_key"), str) == "nai+tech":
            text = "binding_key: with pre_tunnel a node has one lease, and so one home address: use nai"
            yield Mistake((*_LMA, "binding_key"), text)
    else:
        if draft.has(_RELAY):
            yield Mistake(_RELAY, "[lma.dhcp_relay] means nothing without pre_tunnel = true")
        for pool in by_dhcp:
            text = 'assigned_by: leases come by this LMA, or nobody gets an address: "dhcp" needs pre_tunnel = true'
            yield Mistake((*pool, "assigned_by"), text)
    yield from _numbers(draft)
    yield from _giaddrs(draft)
    own = draft.value((*_LMA, "address"), Ipv4)
    why = "is for MAGs: an LMA does not ask AAA"
    yield from dhcp_relay_mistakes(draft, _RELAY, own, "this LMA's own address", no_radius=why)


def _numbers(draft: Draft) -> Iterator[Mistake]:
    request = draft.value((*_LMA, "pre_tunnel_request_type"), int)
    reply = draft.value((*_LMA, "pre_tunnel_reply_type"), int)
    if (request or DEFAULT_REQUEST_TYPE) == (reply or DEFAULT_REPLY_TYPE):
        name = "pre_tunnel_reply_type" if reply else "pre_tunnel_request_type"
        yield Mistake((*_LMA, name), f"{name}: request and reply need a number each")


def _giaddrs(draft: Draft) -> Iterator[Mistake]:
    """Of pools: they are for DHCP."""
    for pool in draft.elements(POOLS):
        path = (*pool, "giaddr")
        if draft.has(path) and draft.value((*pool, "assigned_by"), AssignedBy) != "dhcp":
            yield Mistake(path, 'giaddr: is for DHCP servers, and means nothing without assigned_by = "dhcp"')
