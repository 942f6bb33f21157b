"""What single settings of a DHCP relay by itself cannot show."""

from collections.abc import Iterator

from pmip_tw.addresses import Ipv4
from pmip_tw.config.checks.dhcp_relay import dhcp_relay_mistakes
from pmip_tw.config.draft import Draft, Once
from pmip_tw.config.locate import Path
from pmip_tw.config.settings.dhcp_relay import Option82Name
from pmip_tw.config.settings.relay import ToldText
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
    told = {draft.value(path, Option82Name) for path in draft.elements((*relay, "option_82"))}
    yield from _untold(draft, links, told, selects=bool(draft.value((*relay, "subnet_selection"), bool)))
    for path in draft.elements((*relay, "option_82")):
        if draft.value(path, Option82Name) == "subscriber-id" and not any(
            draft.value((*link, "subscriber_id"), str) for link in draft.elements(links)
        ):
            text = "'subscriber-id': no [[dhcp_relay.links]] has a subscriber_id"
            yield Mistake(path, f"option_82[{path[-1]}]: {text}")


def _untold(draft: Draft, links: Path, told: set[str | None], *, selects: bool) -> Iterator[Mistake]:
    """What a link is called, and no server hears."""
    for link in draft.elements(links):
        for setting, name in (("circuit_id", "circuit-id"), ("subscriber_id", "subscriber-id")):
            if draft.value((*link, setting), ToldText) and name not in told:
                text = f'{setting}: servers are told of it with "{name}" in option_82 only'
                yield Mistake((*link, setting), text)
        if draft.value((*link, "subnet"), Ipv4) and "link-selection" not in told and not selects:
            text = 'subnet: servers are told of it with "link-selection" in option_82, or subnet_selection = true, only'
            yield Mistake((*link, "subnet"), text)
