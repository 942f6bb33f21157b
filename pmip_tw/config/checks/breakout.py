"""Which networks nodes may reach past their tunnels (N58), beside everything else in a MAG's file."""

from collections.abc import Iterator

from pmip_tw.addresses import Ipv4, Prefix, ipv4_text
from pmip_tw.config.draft import Draft
from pmip_tw.config.locate import Path
from pmip_tw.config.settings.value_types import Interface
from pmip_tw.config.structure import Mistake

_LISTED: Path = ("mag", "local_breakout")
_LOOPBACK = 127


def breakout_mistakes(draft: Draft) -> Iterator[Mistake]:
    """What would lead everything, home addresses or this MAG's own peers past the tunnel, or nowhere."""
    seen: set[Prefix] = set()
    for path in draft.elements(_LISTED):
        prefix = draft.value(path, Prefix)
        if prefix is None:
            continue
        twice = ("is there twice",) if prefix in seen else ()
        seen.add(prefix)
        for text in (*_of_itself(prefix), *_beside_others(draft, prefix), *twice):
            yield Mistake(path, f"local_breakout[{path[-1]}]: {prefix} {text}")
    device = draft.value(("mag", "local_breakout_device"), Interface)
    if device is not None and device in _interfaces(draft):
        text = f"{device} is one of this MAG's interfaces; the device is made by the daemon, give it a name of its own"
        yield Mistake(("mag", "local_breakout_device"), f"local_breakout_device: {text}")


def listed_networks_of(mag: Draft) -> list[Prefix]:
    """Those that can be read."""
    found = (mag.value(path, Prefix) for path in mag.elements(_LISTED))
    return [prefix for prefix in found if prefix is not None]


def nearby_lma_mistakes(user: Path, lmas: list[Ipv4], listed: list[Prefix]) -> Iterator[Mistake]:
    """The LMAs of a ``user`` that are in the ``listed`` networks, where its MAG finds none."""
    for lma in lmas:
        for prefix in listed:
            if lma in prefix:
                text = f"the LMA {ipv4_text(lma)} is in {prefix} of local_breakout, but knows the MAG by its address"
                yield Mistake(user, text)


def _of_itself(prefix: Prefix) -> Iterator[str]:
    if prefix.length == 0:
        yield "would lead everything past the tunnels; list the networks nearby that nodes are to reach"
    elif prefix.network >> 24 in (0, _LOOPBACK) or prefix.broadcast >> 28 >= 0xE:
        yield "has addresses that no machine nearby can have"


def _beside_others(draft: Draft, prefix: Prefix) -> Iterator[str]:
    if prefix.length == 0:
        return
    for table in draft.elements(("mag", "home_prefixes")):
        home = draft.value((*table, "prefix"), Prefix)
        if home is not None and (home.network in prefix or prefix.network in home):
            line = draft.line((*table, "prefix"))
            yield f"overlaps the home prefix {home} on line {line}: nodes are reached through their LMA"
    for path in (
        *draft.elements(("mag", "default_lmas")),
        *((*table, "address") for table in draft.elements(("mag", "lmas"))),
    ):
        lma = draft.value(path, Ipv4)
        if lma is not None and lma in prefix:
            yield f"has the LMA {ipv4_text(lma)} (line {draft.line(path)}), which knows this MAG by its address"
    for path in (
        *((*table, "address") for table in draft.elements(("mag", "radius", "servers"))),
        *((*table, "address") for table in draft.elements(("mag", "diameter", "peers"))),
        *draft.elements(("mag", "dhcp_relay", "servers")),
    ):
        if prefix.length == 32 and draft.value(path, Ipv4) == prefix.network:
            line = draft.line(path)
            yield f"is the server on line {line}, which knows this MAG by its address: it cannot be reached that way"


def _interfaces(draft: Draft) -> list[object]:
    access = (draft.value((*table, "interface"), Interface) for table in draft.elements(("mag", "access")))
    return [*access, draft.value(("mag", "uplink"), str)]
