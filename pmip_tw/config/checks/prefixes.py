"""Which home prefixes can stand beside each other, and which gateways they can have, at either role."""

from collections.abc import Iterator

from pmip_tw.addresses import Ipv4, Prefix, ipv4_text
from pmip_tw.config.draft import Draft
from pmip_tw.config.locate import Path
from pmip_tw.config.structure import Mistake

SMALLEST_HOME_PREFIX = 30
"""A longer prefix has no room for a gateway and a mobile node."""


def prefix_mistakes(draft: Draft, tables: list[Path]) -> Iterator[Mistake]:
    """Prefixes that overlap, are too small for a gateway and a mobile node, or have addresses of no machine.

    And gateways beside them that are none of theirs.
    """
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
        gateway = draft.value((*table, "gateway"), Ipv4)
        if gateway is not None and (gateway not in prefix or gateway in (prefix.network, prefix.broadcast)):
            text = f"gateway: {ipv4_text(gateway)} is not the address of a machine in {prefix}"
            yield Mistake((*table, "gateway"), text)


def _around(prefix: Prefix, length: int) -> Prefix:
    return Prefix(Ipv4(prefix.network & Prefix(prefix.network, length).mask), length)
