"""What single settings of an LMA cannot show: duplicates, overlaps, what excludes or needs another."""

from collections.abc import Iterator

from pmip_tw.addresses import Ipv4, Prefix, ipv4_text
from pmip_tw.config.address_spaces import (
    POOLS,
    address_space_mistakes,
    domain_for,
    gateway_of,
    pools_of_domain,
)
from pmip_tw.config.draft import Draft, Once
from pmip_tw.config.known_mags import known_mag_mistakes
from pmip_tw.config.locate import Path
from pmip_tw.config.redirects import redirect_mistakes, redirected_realms
from pmip_tw.config.settings import MobileNodeNai, Spi
from pmip_tw.config.structure import Mistake

REDIRECTS: Path = ("lma", "redirects")


def lma_mistakes(draft: Draft) -> Iterator[Mistake]:
    yield from address_space_mistakes(draft)
    yield from _own_address(draft, ("lma", "address"))
    yield from _broadcast_addresses(draft, ("lma", "broadcast_addresses"))
    yield from redirect_mistakes(draft, REDIRECTS)
    yield from known_mag_mistakes(draft, ("lma", "mags"))
    yield from _mobile_nodes(draft, ("lma", "mobile_nodes"))


def _own_address(draft: Draft, path: Path) -> Iterator[Mistake]:
    """All of a pool is behind the tunnels: neither the LMA nor the link it stands on can be there."""
    address = draft.value(path, Ipv4)
    for pool in draft.elements(POOLS):
        at = (*pool, "prefix")
        prefix = draft.value(at, Prefix)
        if address is not None and prefix is not None and address in prefix:
            text = f"{ipv4_text(address)} is in the pool {prefix} on line {draft.line(at)}"
            yield Mistake(path, f"address: {text}, which is for mobile nodes alone: change one of them")


def _broadcast_addresses(draft: Draft, path: Path) -> Iterator[Mistake]:
    """Each is bound once, beside our own (H7)."""
    seen = {draft.value(("lma", "address"), Ipv4)}
    for at in draft.elements(path):
        address = draft.value(at, Ipv4)
        if address is not None and address in seen:
            text = f"{ipv4_text(address)} is this LMA's own address, or named twice"
            yield Mistake(at, f"{path[-1]}[{at[-1]}]: {text}")
        seen.add(address)


def _mobile_nodes(draft: Draft, mobile_nodes: Path) -> Iterator[Mistake]:
    associations = Once(draft, "the association")
    owners: dict[tuple[str, Ipv4], tuple[str, Path]] = {}
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
        domain = "" if nai is None else domain_for(draft, nai)
        yield from _home_address(draft, address, domain, path)
        if nai is None:
            continue
        owner, where = owners.setdefault((domain, address), (nai, path))
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
    """A mobile node without a fixed home address is served by some pool, or sent to another home agent (DY7)."""
    realm = nai.rpartition("@")[2] if "@" in nai else ""
    if realm.lower() in redirected_realms(draft, REDIRECTS):
        return
    served: list[str] = []
    for pool in draft.elements(POOLS):
        realms = [draft.value(name, str) for name in draft.elements((*pool, "realms"))]
        if not realms or None in realms:
            return
        served += [name.lower() for name in realms if name is not None]
    if served and realm.lower() not in served:
        text = f"no pool serves its realm {realm!r}; the pools serve {', '.join(sorted(set(served)))}"
        yield Mistake(path, f"nai: {text}")


def _home_address(draft: Draft, address: Ipv4, domain: str, path: Path) -> Iterator[Mistake]:
    """A fixed home address lies in a pool of its domain that would give it."""
    text = ipv4_text(address)
    all_readable = True
    for pool in pools_of_domain(draft, domain):
        prefix = draft.value((*pool, "prefix"), Prefix)
        if prefix is None:
            all_readable = False
        elif address in prefix:
            reserved = {
                prefix.network: "network",
                gateway_of(draft, pool, prefix): "gateway",
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
        where = f" of the domain {domain!r}" if domain else ""
        yield Mistake(path, f"home_address: {text} is in none of the pools{where}")
