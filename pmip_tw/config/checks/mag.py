"""What single settings of a MAG cannot show: duplicates, overlaps, what excludes or needs another."""

from collections.abc import Iterator

from pmip_tw.addresses import Ipv4, Prefix, ipv4_text
from pmip_tw.config.checks.aaa import aaa_mistakes
from pmip_tw.config.checks.accounting import accounting_mistakes
from pmip_tw.config.checks.breakout import breakout_mistakes
from pmip_tw.config.checks.dhcp_relay import dhcp_relay_mistakes
from pmip_tw.config.checks.dot1x import dot1x_mistakes
from pmip_tw.config.checks.dynamic_authorization import dynamic_authorization_mistakes, filter_mistakes
from pmip_tw.config.checks.lma_peers import lma_peer_mistakes
from pmip_tw.config.checks.prefixes import prefix_mistakes
from pmip_tw.config.checks.profile import profile_mistakes
from pmip_tw.config.checks.radius_proxy import radius_proxy_mistakes
from pmip_tw.config.draft import Draft, Once
from pmip_tw.config.locate import Path
from pmip_tw.config.settings.mag import DhcpMethod
from pmip_tw.config.settings.value_types import Interface
from pmip_tw.config.structure import Mistake
from pmip_tw.wire.pretunnel import DEFAULT_REPLY_TYPE, DEFAULT_REQUEST_TYPE


def mag_mistakes(draft: Draft) -> Iterator[Mistake]:
    mag: Path = ("mag",)
    yield from aaa_mistakes(draft, mag)
    yield from profile_mistakes(draft, (*mag, "profile"))
    yield from accounting_mistakes(draft, mag)
    yield from _own_address(draft, mag)
    yield from lma_peer_mistakes(draft, mag)
    yield from _access(draft, (*mag, "access"))
    yield from dot1x_mistakes(draft, mag)
    yield from radius_proxy_mistakes(draft, mag)
    yield from _home_prefixes(draft, (*mag, "home_prefixes"))
    yield from _dhcp(draft, mag)
    yield from breakout_mistakes(draft)
    yield from dynamic_authorization_mistakes(draft, mag)
    yield from filter_mistakes(draft, mag)


def _own_address(draft: Draft, mag: Path) -> Iterator[Mistake]:
    uplink = bool(draft.value((*mag, "uplink"), str))
    if uplink and draft.has((*mag, "address")):
        text = "uplink: stands in place of address, which is read from that interface: keep one of them"
        yield Mistake((*mag, "uplink"), text)
    elif not draft.has((*mag, "address")) and not draft.has((*mag, "uplink")):
        yield Mistake(
            mag, "missing setting 'address', the care-of address, or 'uplink', the interface that has it"
        )


def _access(draft: Draft, access: Path) -> Iterator[Mistake]:
    if not draft.elements(access) and draft.value(access, list) in (None, []):
        yield Mistake(access[:-1], 'no access interface: add [[mag.access]] with interface = "..."')
    seen = Once(draft, "the interface")
    for path in draft.elements(access):
        name = draft.value((*path, "interface"), Interface)
        if name is not None:
            yield from seen.use(name, name, (*path, "interface"))


def _home_prefixes(draft: Draft, home_prefixes: Path) -> Iterator[Mistake]:
    if not draft.elements(home_prefixes) and draft.value(home_prefixes, list) in (None, []):
        yield Mistake(home_prefixes[:-1], 'no home prefix: add [[mag.home_prefixes]] with prefix = "..."')
    yield from prefix_mistakes(draft, draft.elements(home_prefixes))


def _dhcp(draft: Draft, mag: Path) -> Iterator[Mistake]:
    """The DHCP method, and the relay that one of them needs."""
    relay: Path = (*mag, "dhcp_relay")
    method = draft.value((*mag, "dhcp"), DhcpMethod) if draft.has((*mag, "dhcp")) else "server"
    if method in ("ack-trigger", "relay") and not draft.has(relay):
        yield Mistake((*mag, "dhcp"), f'dhcp: "{method}" needs [mag.dhcp_relay] with servers = ["..."]')
    elif method in ("server", "independent") and draft.has(relay):
        text = f'[mag.dhcp_relay] is for dhcp = "ack-trigger" and "relay", but dhcp is "{method}"'
        yield Mistake(relay, text)
    elif method == "tunnel":
        yield from _tunnel(draft, mag)
    own = draft.value((*mag, "address"), Ipv4)
    why = "" if draft.has((*mag, "radius")) else "needs [mag.radius]: a file of users has no Access-Accept"
    yield from dhcp_relay_mistakes(draft, relay, own, "this MAG's own address", no_radius=why)
    if draft.value((*relay, "giaddr"), Ipv4) and draft.has((*mag, "uplink")):
        text = "giaddr: with uplink it is the address of that interface, whatever it becomes: leave it out"
        yield Mistake((*relay, "giaddr"), text)
    subnet, prefixes = draft.value((*relay, "subnet"), Ipv4), home_prefixes_of(draft)
    if subnet is not None and prefixes is not None and subnet not in [prefix.network for prefix in prefixes]:
        networks = ", ".join(ipv4_text(prefix.network) for prefix in prefixes)
        text = f"{ipv4_text(subnet)} is not the network of a home prefix ({networks})"
        yield Mistake((*relay, "subnet"), f"subnet: {text}")


def _tunnel(draft: Draft, mag: Path) -> Iterator[Mistake]:
    """What DHCP through the LMA excludes."""
    if draft.has((*mag, "dhcp_relay")):
        text = 'with dhcp = "tunnel" the LMA is the relay: its file has [lma.dhcp_relay]; leave [mag.dhcp_relay] out'
        yield Mistake((*mag, "dhcp_relay"), text)
    if draft.value((*mag, "dynamic_home_agent"), bool):
        text = (
            'dynamic_home_agent: with dhcp = "tunnel" an LMA is asked for DHCP before anything is registered: AAA or'
            " default_lmas must name it"
        )
        yield Mistake((*mag, "dynamic_home_agent"), text)
    request = draft.value((*mag, "pre_tunnel_request_type"), int)
    reply = draft.value((*mag, "pre_tunnel_reply_type"), int)
    if (request or DEFAULT_REQUEST_TYPE) == (reply or DEFAULT_REPLY_TYPE):
        name = "pre_tunnel_reply_type" if reply else "pre_tunnel_request_type"
        yield Mistake((*mag, name), f"{name}: request and reply need a number each")


def home_prefixes_of(mag: Draft) -> list[Prefix] | None:
    """The readable home prefixes of a MAG's file; None if some are not, so that nothing follows from their absence."""
    tables = mag.elements(("mag", "home_prefixes"))
    found = [mag.value((*table, "prefix"), Prefix) for table in tables]
    return None if not found or None in found else found
