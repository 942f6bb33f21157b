"""Keys that follow from a node's EMSK, in an LMA's file and in a MAG's file of users: what may be wrong with that."""

from collections.abc import Iterator

from pmip_tw.config.draft import Draft
from pmip_tw.config.locate import Path
from pmip_tw.config.structure import Mistake

REPLACED = ("spi", "key", "previous_key", "previous_algorithm")


def emsk_mistakes(draft: Draft, node: Path) -> Iterator[Mistake]:
    """``node``: what has an emsk."""
    for name in REPLACED:
        if draft.has((*node, name)):
            yield Mistake((*node, name), f"{name}: follows from emsk: keep one of them")
