"""What single settings cannot show: duplicates, overlaps, what excludes or needs another setting.

The checks look at each value by itself, so that a mistake elsewhere in the file hides none of theirs.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from pmip_tw.addresses import Ipv4, Mac, Prefix, ipv4_text, mac_text
from pmip_tw.config.locate import Path, Positions
from pmip_tw.config.settings import RADIUS_PORT, Interface, MobileNodeNai, Port, Spi
from pmip_tw.config.structure import Mistake, structure

SMALLEST_HOME_PREFIX = 30
"""A longer prefix has no room for a gateway and a mobile node."""


@attrs.frozen(slots=True)
class Draft:
    """A document as ``tomllib`` gave it, with what is wrong in it, and where each value stands."""

    document: Mapping[str, Any]
    positions: Positions

    def value(self, path: Path, kind: Any) -> Any:
        """The setting at ``path`` as a ``kind``; None if it is absent or wrong (which is reported elsewhere)."""
        raw = self._raw(path)
        return None if raw is None else structure(raw, kind)[0]

    def has(self, path: Path) -> bool:
        return self._raw(path) is not None

    def elements(self, path: Path) -> list[Path]:
        """The paths of the elements of the list at ``path``."""
        raw = self._raw(path)
        return [(*path, index) for index in range(len(raw))] if isinstance(raw, list) else []

    def line(self, path: Path) -> int:
        return self.positions.of(path).line

    def _raw(self, path: Path) -> Any:
        found: Any = self.document
        for step in path:
            if not isinstance(found, Mapping | list):
                return None
            try:
                found = found[step]  # type: ignore[index]
            except (KeyError, IndexError, TypeError):
                return None
        return found


class _Once:
    """Notices the second use of what may be used once, and says where the first was."""

    def __init__(self, draft: Draft, what: str) -> None:
        self._draft = draft
        self._what = what
        self._first: dict[object, Path] = {}

    def use(self, key: object, text: str, path: Path) -> Iterator[Mistake]:
        first = self._first.setdefault(key, path)
        if first != path:
            line = self._draft.line(first)
            yield Mistake(path, f"{path[-1]}: {self._what} {text} is already used on line {line}")


def mag_mistakes(draft: Draft) -> Iterator[Mistake]:
    mag: Path = ("mag",)
    if draft.has((*mag, "radius")) and draft.has((*mag, "local")):
        yield Mistake((*mag, "local"), "[mag.local] and [mag.radius] exclude each other: keep one of them")
    elif not draft.has((*mag, "radius")) and not draft.has((*mag, "local")):
        yield Mistake(mag, "no AAA: add [[mag.radius.servers]], or [mag.local] with a file of users")
    if draft.value((*mag, "radius", "servers"), list) == []:
        yield Mistake((*mag, "radius", "servers"), "servers: add at least one [[mag.radius.servers]]")
    yield from _radius_servers_once(draft, (*mag, "radius", "servers"))
    yield from _access(draft, (*mag, "access"))
    yield from _home_prefixes(draft, (*mag, "home_prefixes"))


def _radius_servers_once(draft: Draft, servers: Path) -> Iterator[Mistake]:
    seen = _Once(draft, "the server")
    for path in draft.elements(servers):
        address = draft.value((*path, "address"), Ipv4)
        port = draft.value((*path, "port"), Port) or RADIUS_PORT
        if address is not None:
            yield from seen.use((address, port), f"{ipv4_text(address)}:{port}", (*path, "address"))


def _access(draft: Draft, access: Path) -> Iterator[Mistake]:
    if not draft.elements(access) and draft.value(access, list) in (None, []):
        yield Mistake(access[:-1], 'no access interface: add [[mag.access]] with interface = "..."')
    seen = _Once(draft, "the interface")
    for path in draft.elements(access):
        name = draft.value((*path, "interface"), Interface)
        if name is not None:
            yield from seen.use(name, name, (*path, "interface"))


def _home_prefixes(draft: Draft, home_prefixes: Path) -> Iterator[Mistake]:
    if not draft.elements(home_prefixes) and draft.value(home_prefixes, list) in (None, []):
        yield Mistake(home_prefixes[:-1], 'no home prefix: add [[mag.home_prefixes]] with prefix = "..."')
    yield from _prefixes(draft, draft.elements(home_prefixes))
    for path in draft.elements(home_prefixes):
        prefix = draft.value((*path, "prefix"), Prefix)
        gateway = draft.value((*path, "gateway"), Ipv4)
        if prefix is None or gateway is None:
            continue
        if gateway not in prefix or gateway in (prefix.network, prefix.broadcast):
            text = f"gateway: {ipv4_text(gateway)} is not the address of a machine in {prefix}"
            yield Mistake((*path, "gateway"), text)


def lma_mistakes(draft: Draft) -> Iterator[Mistake]:
    pools: Path = ("lma", "pools")
    if not draft.elements(pools) and draft.value(pools, list) in (None, []):
        yield Mistake(("lma",), 'no home addresses: add [[lma.pools]] with prefix = "..."')
    yield from _prefixes(draft, draft.elements(pools))
    for path in draft.elements(pools):
        prefix = draft.value((*path, "prefix"), Prefix)
        for excluded_at in draft.elements((*path, "exclude")):
            excluded = draft.value(excluded_at, Ipv4)
            if prefix is not None and excluded is not None and excluded not in prefix:
                yield Mistake(
                    excluded_at, f"exclude[{excluded_at[-1]}]: {ipv4_text(excluded)} is not in {prefix}"
                )
    yield from _own_address(draft, ("lma", "address"))
    yield from _mobile_nodes(draft, ("lma", "mobile_nodes"))


def _own_address(draft: Draft, path: Path) -> Iterator[Mistake]:
    """All of a pool is behind the tunnels: neither the LMA nor the link it stands on can be there."""
    address = draft.value(path, Ipv4)
    for pool in draft.elements(("lma", "pools")):
        at = (*pool, "prefix")
        prefix = draft.value(at, Prefix)
        if address is not None and prefix is not None and address in prefix:
            text = f"{ipv4_text(address)} is in the pool {prefix} on line {draft.line(at)}"
            yield Mistake(path, f"address: {text}, which is for mobile nodes alone: change one of them")


def _prefixes(draft: Draft, tables: list[Path]) -> Iterator[Mistake]:
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


def _mobile_nodes(draft: Draft, mobile_nodes: Path) -> Iterator[Mistake]:
    associations = _Once(draft, "the association")
    owners: dict[Ipv4, tuple[str, Path]] = {}
    addresses: dict[str, tuple[Ipv4, Path]] = {}
    for node in draft.elements(mobile_nodes):
        nai = draft.value((*node, "nai"), MobileNodeNai)
        spi = draft.value((*node, "spi"), Spi)
        if nai is not None and spi is not None:
            yield from associations.use((nai, spi), f"of {nai} with SPI {spi}", (*node, "spi"))
        path = (*node, "home_address")
        address = draft.value(path, Ipv4)
        if address is None:
            if nai is not None and not draft.has(path):
                yield from _pool_of_realm(draft, nai, (*node, "nai"))
            continue
        yield from _home_address(draft, address, path)
        if nai is None:
            continue
        owner, where = owners.setdefault(address, (nai, path))
        if owner != nai:
            text = f"{ipv4_text(address)} is already the home address of {owner} on line {draft.line(where)}"
            yield Mistake(path, f"home_address: {text}")
        other, where = addresses.setdefault(nai, (address, path))
        if other != address:
            text = f"{nai} already has {ipv4_text(other)} on line {draft.line(where)}"
            yield Mistake(path, f"home_address: {text}")


def _pool_of_realm(draft: Draft, nai: str, path: Path) -> Iterator[Mistake]:
    """A mobile node without a fixed home address is served by some pool."""
    realm = nai.rpartition("@")[2] if "@" in nai else ""
    served: list[str] = []
    for pool in draft.elements(("lma", "pools")):
        realms = [draft.value(name, str) for name in draft.elements((*pool, "realms"))]
        if not realms or None in realms:
            return
        served += [name.lower() for name in realms if name is not None]
    if served and realm.lower() not in served:
        text = f"no pool serves its realm {realm!r}; the pools serve {', '.join(sorted(set(served)))}"
        yield Mistake(path, f"nai: {text}")


def _home_address(draft: Draft, address: Ipv4, path: Path) -> Iterator[Mistake]:
    """A fixed home address lies in a pool that would give it."""
    text = ipv4_text(address)
    all_readable = True
    for pool in draft.elements(("lma", "pools")):
        prefix = draft.value((*pool, "prefix"), Prefix)
        if prefix is None:
            all_readable = False
        elif address in prefix:
            reserved = {
                prefix.network: "network",
                prefix.first_host: "gateway",
                prefix.broadcast: "broadcast",
            }
            if address in reserved:
                yield Mistake(path, f"home_address: {text} is the {reserved[address]} address of {prefix}")
            for excluded in draft.elements((*pool, "exclude")):
                if draft.value(excluded, Ipv4) == address:
                    line = draft.line(excluded)
                    yield Mistake(path, f"home_address: {text} is excluded from {prefix} on line {line}")
            return
    if all_readable:
        yield Mistake(path, f"home_address: {text} is in none of the pools")


def home_prefixes_of(mag: Draft) -> list[Prefix] | None:
    """The readable home prefixes of a MAG's file; None if some are not, so that nothing follows from their absence."""
    tables = mag.elements(("mag", "home_prefixes"))
    found = [mag.value((*table, "prefix"), Prefix) for table in tables]
    return None if not found or None in found else found


def user_mistakes(draft: Draft, home_prefixes: list[Prefix] | None) -> Iterator[Mistake]:
    """A file of users beside the ``home_prefixes`` of its MAG."""
    if not draft.elements(("users",)) and draft.value(("users",), list) in (None, []):
        yield Mistake((), "no users: add [[users]] with mac, nai, lma, spi and key")
    stations = _Once(draft, "the MAC")
    owners: dict[tuple[Ipv4, Ipv4], tuple[str, Path]] = {}
    for user in draft.elements(("users",)):
        mac = draft.value((*user, "mac"), Mac)
        if mac is not None:
            yield from stations.use(mac, mac_text(mac), (*user, "mac"))
        nai, lma = draft.value((*user, "nai"), MobileNodeNai), draft.value((*user, "lma"), Ipv4)
        path = (*user, "home_address")
        address = draft.value(path, Ipv4)
        if address is None:
            continue
        if home_prefixes is not None and not any(address in prefix for prefix in home_prefixes):
            yield Mistake(path, f"home_address: {ipv4_text(address)} is in none of the MAG's home prefixes")
        if nai is None or lma is None:
            continue
        owner, where = owners.setdefault((lma, address), (nai, path))
        if owner != nai:
            text = f"{ipv4_text(address)} is already the home address of {owner} on line {draft.line(where)}"
            yield Mistake(path, f"home_address: {text}")
