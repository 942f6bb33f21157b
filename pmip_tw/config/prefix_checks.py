"""Which home prefixes can stand beside each other, at either role."""

from collections.abc import Iterator

from pmip_tw.addresses import Ipv4, Prefix
from pmip_tw.config.draft import Draft
from pmip_tw.config.locate import Path
from pmip_tw.config.structure import Mistake

SMALLEST_HOME_PREFIX = 30
"""A longer prefix has no room for a gateway and a mobile node."""


def prefix_mistakes(draft: Draft, tables: list[Path]) -> Iterator[Mistake]:
    """Prefixes that overlap, are too small for a gateway and a mobile node, or have addresses of no machine."""
    earlier: dict[Prefix, Path] = {}
    within: dict[Prefix, Prefix] = {}  # what holds an earlier one, with that
    for table in tables:
        path = (*table, "prefix")
        prefix = draft.value(path, Prefix)
        if prefix is None:
            continue
        if not 1 <= prefix.length <= SMALLEST_HOME_PREFIX:
            yield Mistake(
                path, f"prefix: {prefix} must be /1 to /{SMALLEST_HOME_PREFIX}: gateway and mobile nodes"
            )
        elif prefix.network >> 24 == 0 or prefix.broadcast >> 28 >= 0xE:
            yield Mistake(path, f"prefix: {prefix} has addresses that no machine can have")
        around = [_around(prefix, length) for length in range(prefix.length + 1)]
        other = within.get(prefix) or next((wider for wider in around if wider in earlier), None)
        if other is not None:
            yield Mistake(path, f"prefix: {prefix} overlaps {other} on line {draft.line(earlier[other])}")
        earlier.setdefault(prefix, path)
        for wider in around:
            within.setdefault(wider, prefix)


def _around(prefix: Prefix, length: int) -> Prefix:
    return Prefix(Ipv4(prefix.network & Prefix(prefix.network, length).mask), length)
