"""What single settings of an LMA cannot show: duplicates, overlaps, what excludes or needs another."""

from collections.abc import Iterator

from pmip_tw.addresses import Ipv4, Prefix, ipv4_text
from pmip_tw.config.draft import Draft, Once
from pmip_tw.config.known_mags import known_mag_mistakes
from pmip_tw.config.locate import Path
from pmip_tw.config.prefix_checks import prefix_mistakes
from pmip_tw.config.settings import MobileNodeNai, Spi
from pmip_tw.config.structure import Mistake


def lma_mistakes(draft: Draft) -> Iterator[Mistake]:
    pools: Path = ("lma", "pools")
    if not draft.elements(pools) and draft.value(pools, list) in (None, []):
        yield Mistake(("lma",), 'no home addresses: add [[lma.pools]] with prefix = "..."')
    yield from prefix_mistakes(draft, draft.elements(pools))
    for path in draft.elements(pools):
        prefix = draft.value((*path, "prefix"), Prefix)
        for excluded_at in draft.elements((*path, "exclude")):
            excluded = draft.value(excluded_at, Ipv4)
            if prefix is not None and excluded is not None and excluded not in prefix:
                yield Mistake(
                    excluded_at, f"exclude[{excluded_at[-1]}]: {ipv4_text(excluded)} is not in {prefix}"
                )
    yield from _own_address(draft, ("lma", "address"))
    yield from known_mag_mistakes(draft, ("lma", "mags"))
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


def _mobile_nodes(draft: Draft, mobile_nodes: Path) -> Iterator[Mistake]:
    associations = Once(draft, "the association")
    owners: dict[Ipv4, tuple[str, Path]] = {}
    addresses: dict[str, tuple[Ipv4, Path]] = {}
    for node in draft.elements(mobile_nodes):
        nai = draft.value((*node, "nai"), MobileNodeNai)
        spi = draft.value((*node, "spi"), Spi)
        if nai is not None and spi is not None:
            yield from associations.use((nai, spi), f"of {nai} with SPI {spi}", (*node, "spi"))
        yield from _keys_in_pairs(draft, node)
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


def _keys_in_pairs(draft: Draft, node: Path) -> Iterator[Mistake]:
    for name, other in (
        ("aaa_spi", "aaa_key"),
        ("aaa_key", "aaa_spi"),
        ("previous_algorithm", "previous_key"),
    ):
        if draft.has((*node, name)) and not draft.has((*node, other)):
            yield Mistake((*node, name), f"{name}: means nothing without {other!r}")


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
