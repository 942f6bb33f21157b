"""What single settings of an LMA cannot show: duplicates, overlaps, what excludes or needs another."""

from collections.abc import Iterator

from pmip_tw.aaa.key_hierarchy import MobilityKeys
from pmip_tw.addresses import Ipv4, Prefix, ipv4_text
from pmip_tw.config.checks.accounting import accounting_mistakes
from pmip_tw.config.checks.dynamic_authorization import dynamic_authorization_mistakes, filter_mistakes
from pmip_tw.config.checks.emsk import emsk_mistakes
from pmip_tw.config.checks.keys import lma_aaa_mistakes
from pmip_tw.config.checks.lma_dhcp import lma_dhcp_mistakes
from pmip_tw.config.draft import Draft, Once
from pmip_tw.config.locate import Path
from pmip_tw.config.pools_in_file import PoolsInFile
from pmip_tw.config.settings.address_spaces import POOLS, address_space_mistakes
from pmip_tw.config.settings.known_mags import known_mag_mistakes
from pmip_tw.config.settings.redirects import redirect_mistakes
from pmip_tw.config.settings.value_types import MobileNodeEmsk, MobileNodeNai, Spi
from pmip_tw.config.structure import Mistake


def lma_mistakes(draft: Draft) -> Iterator[Mistake]:
    yield from address_space_mistakes(draft)
    yield from _own_address(draft, ("lma", "address"))
    yield from _broadcast_addresses(draft, ("lma", "broadcast_addresses"))
    yield from redirect_mistakes(draft, ("lma", "redirects"))
    yield from known_mag_mistakes(draft, ("lma", "mags"))
    yield from dynamic_authorization_mistakes(draft, ("lma",))
    yield from filter_mistakes(draft, ("lma",))
    yield from lma_dhcp_mistakes(draft)
    yield from lma_aaa_mistakes(draft, ("lma",))
    yield from accounting_mistakes(draft, ("lma",))
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
    associations, pools = Once(draft, "the association"), PoolsInFile(draft)
    owners: dict[tuple[str, Ipv4], tuple[str, Path]] = {}
    addresses: dict[str, tuple[Ipv4, Path]] = {}
    for node in draft.elements(mobile_nodes):
        nai = draft.value((*node, "nai"), MobileNodeNai)
        spi, named = _spi(draft, node)
        if nai is not None and spi is not None:
            yield from associations.use((nai, spi), f"of {nai} with SPI {spi}", named)
        yield from _proof_mistakes(draft, node)
        yield from _keys_in_pairs(draft, node)
        path = (*node, "home_address")
        address = draft.value(path, Ipv4)
        if address is None:
            if nai is not None and not draft.has(path) and (unserved := pools.why_not_served(nai)):
                yield Mistake((*node, "nai"), f"nai: {unserved}")
            continue
        domain = "" if nai is None else pools.domain_of(nai)
        unfit = pools.why_not_fixed(address, domain)
        if unfit:
            yield Mistake(path, f"home_address: {unfit}")
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


def _spi(draft: Draft, node: Path) -> tuple[int | None, Path]:
    """Of its key, and where that stands or follows from."""
    emsk = draft.value((*node, "emsk"), MobileNodeEmsk)
    if emsk is not None:
        return MobilityKeys.of(emsk).spi_of_proxy, (*node, "emsk")
    return draft.value((*node, "spi"), Spi), (*node, "spi")


def _proof_mistakes(draft: Draft, node: Path) -> Iterator[Mistake]:
    if draft.has((*node, "emsk")):
        yield from emsk_mistakes(draft, node)
    else:
        for name in ("spi", "key"):
            if not draft.has((*node, name)):
                yield Mistake(node, f"missing setting {name!r}")


def _keys_in_pairs(draft: Draft, node: Path) -> Iterator[Mistake]:
    for name, other in (
        ("aaa_spi", "aaa_key"),
        ("aaa_key", "aaa_spi"),
        ("previous_algorithm", "previous_key"),
    ):
        if draft.has((*node, name)) and not draft.has((*node, other)):
            yield Mistake((*node, name), f"{name}: means nothing without {other!r}")
