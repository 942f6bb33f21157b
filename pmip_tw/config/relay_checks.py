"""What single settings of a DHCP relay by itself cannot show."""

from collections.abc import Iterator

from pmip_tw.config.dhcp_relay_checks import dhcp_relay_mistakes
from pmip_tw.config.dhcp_relay_settings import Option82Name
from pmip_tw.config.draft import Draft, Once
from pmip_tw.config.locate import Path
from pmip_tw.config.structure import Mistake


def relay_mistakes(draft: Draft) -> Iterator[Mistake]:
    relay: Path = ("dhcp_relay",)
    why = "is for a MAG, which asks AAA about its nodes: leave it out"
    yield from dhcp_relay_mistakes(draft, relay, None, "", no_radius=why)
    links: Path = (*relay, "links")
    if draft.has(links) and not draft.elements(links):
        yield Mistake(links, 'links: add [[dhcp_relay.links]] with interface = "..."')
    seen = Once(draft, "the interface")
    for path in draft.elements(links):
        name = draft.value((*path, "interface"), str)
        if name is not None:
            yield from seen.use(name, name, (*path, "interface"))
    for path in draft.elements((*relay, "option_82")):
        if draft.value(path, Option82Name) == "subscriber-id" and not any(
            draft.value((*link, "subscriber_id"), str) for link in draft.elements(links)
        ):
            text = "'subscriber-id': no [[dhcp_relay.links]] has a subscriber_id"
            yield Mistake(path, f"option_82[{path[-1]}]: {text}")
