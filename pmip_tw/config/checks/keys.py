"""What single settings of ``[lma.radius]`` and ``[lma.keys]`` cannot show."""

from collections.abc import Iterator

from pmip_tw.config.checks.diameter import diameter_mistakes
from pmip_tw.config.checks.radius import radius_mistakes
from pmip_tw.config.draft import Draft
from pmip_tw.config.locate import Path
from pmip_tw.config.settings.radius import Purpose
from pmip_tw.config.structure import Mistake


def lma_aaa_mistakes(draft: Draft, lma: Path) -> Iterator[Mistake]:
    """RADIUS servers of an LMA, and the keys that it gets from them."""
    yield from radius_mistakes(draft, (*lma, "radius"))
    yield from diameter_mistakes(draft, lma)
    keys: Path = (*lma, "keys")
    if draft.has(keys) and not _is_anybody_asked(draft, lma):
        text = "[lma.keys] is about keys from AAA, and nobody is asked for any: add [[lma.radius.servers]] or"
        yield Mistake(keys, f'{text} [lma.diameter], with "authentication" among their purposes')
    first: dict[str, Path] = {}
    for table in draft.elements((*keys, "realms")):
        for at in draft.elements((*table, "realms")):
            realm = draft.value(at, str)
            earlier = at if realm is None else first.setdefault(realm.lower(), at)
            if earlier != at:
                text = f"realms[{at[-1]}]: {realm!r} has its algorithm on line {draft.line(earlier)} already"
                yield Mistake(at, text)


def _is_anybody_asked(draft: Draft, lma: Path) -> bool:
    diameter: Path = (*lma, "diameter")
    tables = [*draft.elements((*lma, "radius", "servers")), *([diameter] if draft.has(diameter) else [])]
    for table in tables:
        purposes: Path = (*table, "purposes")
        found = draft.value(purposes, tuple[Purpose, ...]) if draft.has(purposes) else None
        if found is None or "authentication" in found:
            return True
    return False
