"""Who says whether a node may be served: servers, or a file of users where there are none."""

from collections.abc import Iterator

from pmip_tw.config.checks.diameter import diameter_mistakes
from pmip_tw.config.checks.radius import radius_mistakes
from pmip_tw.config.draft import Draft
from pmip_tw.config.locate import Path
from pmip_tw.config.settings.radius import Purpose
from pmip_tw.config.structure import Mistake


def aaa_mistakes(draft: Draft, mag: Path) -> Iterator[Mistake]:
    """``mag``: the table of a MAG."""
    if not draft.has((*mag, "local")) and not asks_servers(draft, mag):
        text = (
            "no AAA: add [[mag.radius.servers]], [[mag.diameter.peers]], or [mag.local] with a file of users"
        )
        yield Mistake(mag, text)
    yield from radius_mistakes(draft, (*mag, "radius"))
    yield from diameter_mistakes(draft, mag)
    yield from _somebody_authenticates(draft, mag)


def asks_servers(draft: Draft, mag: Path) -> bool:
    """Whether they say who may be served; a file of users then only says more of whom they let in (AA1)."""
    return draft.has((*mag, "radius")) or draft.has((*mag, "diameter"))


def _somebody_authenticates(draft: Draft, mag: Path) -> Iterator[Mistake]:
    servers: Path = (*mag, "radius", "servers")
    found = [draft.value((*path, "purposes"), tuple[Purpose, ...]) for path in draft.elements(servers)]
    radius = any(purposes is None or "authentication" in purposes for purposes in found)
    at: Path = (*mag, "diameter", "purposes")
    purposes = draft.value(at, tuple[Purpose, ...]) if draft.has(at) else None
    diameter = draft.has((*mag, "diameter")) and (purposes is None or "authentication" in purposes)
    if found and not radius and not diameter:
        yield Mistake(servers, 'servers: none of them has "authentication" among its purposes')
    elif not found and purposes is not None and not diameter:
        yield Mistake(at, 'purposes: without "authentication" nobody says who may be served')
