"""What single settings of a DHCP relay cannot show."""

from collections.abc import Iterator

from pmip_tw.addresses import Ipv4, ipv4_text
from pmip_tw.config.draft import Draft
from pmip_tw.config.locate import Path
from pmip_tw.config.settings.dhcp_relay import Option82Name, ServerSpread
from pmip_tw.config.structure import Mistake


def dhcp_relay_mistakes(
    draft: Draft, relay: Path, own: Ipv4 | None, whose: str, *, no_radius: str = ""
) -> Iterator[Mistake]:
    """Of the table at ``relay``. ``own``: the address where the relay has port 67, ``whose`` it is in words.
    ``no_radius``: why there is nothing of an Access-Accept to be told, if so (D16).
    """
    servers = draft.elements((*relay, "servers"))
    if draft.has((*relay, "servers")) and not servers:
        yield Mistake((*relay, "servers"), "servers: name at least one DHCP server")
    seen: set[Ipv4] = set()
    for path in servers:
        server = draft.value(path, Ipv4)
        if server is None:
            continue
        if server in seen:
            yield Mistake(path, f"servers[{path[-1]}]: {ipv4_text(server)} is there twice")
        seen.add(server)
        if server in (own, draft.value((*relay, "giaddr"), Ipv4)):
            address = whose if server == own else "giaddr"
            text = f"{ipv4_text(server)} is {address}, where the relay has port 67"
            yield Mistake(path, f"servers[{path[-1]}]: {text}")
    told: set[str] = set()
    for path in draft.elements((*relay, "option_82")):
        name = draft.value(path, Option82Name)
        if name in told:
            yield Mistake(path, f"option_82[{path[-1]}]: {name!r} is there twice")
        if name == "server-id-override" and draft.value((*relay, "spread"), ServerSpread) == "hash":
            text = 'needs spread = "all": servers that go by one name must all hear what a client says (RFC 5107 4)'
            yield Mistake(path, f"option_82[{path[-1]}]: {name!r} {text}")
        if name == "radius" and no_radius:
            yield Mistake(path, f"option_82[{path[-1]}]: 'radius' {no_radius}")
        if name is not None:
            told.add(name)
