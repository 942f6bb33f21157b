"""What single settings of dynamic authorization and filters cannot show: duplicates, and nobody who could ask."""

from collections.abc import Iterator

from pmip_tw.addresses import Ipv4, ipv4_text
from pmip_tw.config.draft import Draft, Once
from pmip_tw.config.locate import Path
from pmip_tw.config.structure import Mistake


def dynamic_authorization_mistakes(draft: Draft, role: Path) -> Iterator[Mistake]:
    """Of ``role``, ("mag",) or ("lma",)."""
    clients: Path = (*role, "dynamic_authorization", "clients")
    if draft.value(clients, list) == []:
        yield Mistake(clients, f"clients: add at least one [[{'.'.join(map(str, clients))}]]")
    seen = Once(draft, "the client")
    for path in draft.elements(clients):
        address = draft.value((*path, "address"), Ipv4)
        if address is not None:
            yield from seen.use(address, ipv4_text(address), (*path, "address"))


def filter_mistakes(draft: Draft, role: Path) -> Iterator[Mistake]:
    """Of ``role``, as above."""
    seen = Once(draft, "the filter")
    for path in draft.elements((*role, "filters")):
        name = draft.value((*path, "name"), str)
        if name is not None:
            yield from seen.use(name, name, (*path, "name"))
