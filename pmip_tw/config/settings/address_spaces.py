"""``[[lma.pools]]`` and ``[[lma.domains]]``: home addresses and their address spaces, and what may be wrong there."""

from collections.abc import Iterator
from typing import Annotated, Literal

import attrs

from pmip_tw.addresses import UNSPECIFIED, Ipv4, Prefix, ipv4_text
from pmip_tw.config.checks.prefixes import prefix_mistakes
from pmip_tw.config.draft import Draft, Once
from pmip_tw.config.limits import AtMost, Realm, RoutingTable
from pmip_tw.config.locate import Path
from pmip_tw.config.settings.value_types import HostAddress, Interface, Name
from pmip_tw.config.structure import Mistake, suggestion

AssignedBy = Literal["lma", "dhcp"]
Table = Annotated[int, RoutingTable()]

MAIN_DEVICE = "mip0"
POOLS: Path = ("lma", "pools")
DOMAINS: Path = ("lma", "domains")


@attrs.frozen(slots=True, kw_only=True)
class Domain:
    """``[[lma.domains]]``: an address space besides the main one, behind ``device`` and routed by ``table`` (P85)."""

    name: Name
    device: Interface
    table: Table


@attrs.frozen(slots=True, kw_only=True)
class Pool:
    """``[[lma.pools]]``: home addresses for the NAIs of ``realms``, for every NAI if that is empty.

    ``gateway`` and ``dns`` are told to MAGs that ask (P70); ``domain`` "": the main address space. ``assigned_by``: who
    says which node gets which address; ``giaddr``: by what DHCP servers know the prefix, 0: by that of
    ``[lma.dhcp_relay]``.
    """

    prefix: Prefix
    realms: tuple[Annotated[str, Realm()], ...] = ()
    exclude: tuple[Ipv4, ...] = ()
    domain: str = ""
    gateway: Ipv4 = attrs.field()
    dns: Annotated[tuple[HostAddress, ...], AtMost(2)] = ()
    assigned_by: AssignedBy = "lma"
    giaddr: HostAddress = UNSPECIFIED

    @gateway.default
    def _first_host(self) -> Ipv4:
        return self.prefix.first_host


def address_space_mistakes(draft: Draft) -> Iterator[Mistake]:
    if not draft.elements(POOLS) and draft.value(POOLS, list) in (None, []):
        yield Mistake(("lma",), 'no home addresses: add [[lma.pools]] with prefix = "..."')
    yield from _domains(draft)
    by_domain: dict[str, list[Path]] = {}
    for pool in draft.elements(POOLS):
        by_domain.setdefault(_domain_of(draft, pool), []).append(pool)
        yield from _exclusions(draft, pool)
    for pools in by_domain.values():
        yield from prefix_mistakes(draft, pools)
    yield from _one_domain_for_each_realm(draft)


def pools_for(draft: Draft, nai: str) -> list[Path]:
    """The pools that serve ``nai``: those of its realm, then those for all in the same domain."""
    realm = nai.rpartition("@")[2].lower() if "@" in nai else ""
    own, for_all = [], []
    for pool in draft.elements(POOLS):
        realms = _realms(draft, pool)
        if realm in realms:
            own.append(pool)
        elif not draft.elements((*pool, "realms")):
            for_all.append(pool)
    if not own:
        return for_all
    domain = _domain_of(draft, own[0])
    return own + [pool for pool in for_all if _domain_of(draft, pool) == domain]


def domain_for(draft: Draft, nai: str) -> str:
    """The address space of ``nai``."""
    pools = pools_for(draft, nai)
    return _domain_of(draft, pools[0]) if pools else ""


def pools_of_domain(draft: Draft, domain: str) -> list[Path]:
    return [pool for pool in draft.elements(POOLS) if _domain_of(draft, pool) == domain]


def gateway_of(draft: Draft, pool: Path, prefix: Prefix) -> Ipv4:
    gateway: Ipv4 | None = draft.value((*pool, "gateway"), Ipv4)
    return prefix.first_host if gateway is None else gateway


def _domains(draft: Draft) -> Iterator[Mistake]:
    names, devices, tables = Once(draft, "the name"), Once(draft, "the device"), Once(draft, "the table")
    main = draft.value(("lma", "device"), Interface) or MAIN_DEVICE
    known = []
    for domain in draft.elements(DOMAINS):
        name = draft.value((*domain, "name"), Name)
        device = draft.value((*domain, "device"), Interface)
        table = draft.value((*domain, "table"), Table)
        if name is not None:
            known.append(name)
            yield from names.use(name, repr(name), (*domain, "name"))
        if device == main:
            yield Mistake((*domain, "device"), f"device: {device} is that of the main address space")
        elif device is not None:
            yield from devices.use(device, device, (*domain, "device"))
        if table is not None:
            yield from tables.use(table, str(table), (*domain, "table"))
    for pool in draft.elements(POOLS):
        domain_name = _domain_of(draft, pool)
        if domain_name and domain_name not in known:
            text = f"domain: no [[lma.domains]] has the name {domain_name!r}{suggestion(domain_name, known)}"
            yield Mistake((*pool, "domain"), text)


def _exclusions(draft: Draft, pool: Path) -> Iterator[Mistake]:
    prefix = draft.value((*pool, "prefix"), Prefix)
    if prefix is None:
        return
    for at in draft.elements((*pool, "exclude")):
        excluded = draft.value(at, Ipv4)
        if excluded is not None and excluded not in prefix:
            yield Mistake(at, f"exclude[{at[-1]}]: {ipv4_text(excluded)} is not in {prefix}")


def _one_domain_for_each_realm(draft: Draft) -> Iterator[Mistake]:
    """A mobile node's address space must be clear from its realm."""
    first: dict[str, Path] = {}
    for pool in draft.elements(POOLS):
        domain = _domain_of(draft, pool)
        for realm in _realms(draft, pool) or ([] if draft.elements((*pool, "realms")) else [""]):
            earlier = first.setdefault(realm, pool)
            other = _domain_of(draft, earlier)
            if other != domain:
                whose = f"of the realm {realm!r}" if realm else "without realms"
                there = f"that on line {draft.line(earlier)} is in {_called(other)}"
                mend = "a realm has one address space" if realm else "give one of them realms"
                yield Mistake(pool, f"a pool {whose} in {_called(domain)}, but {there}: {mend}")


def _called(domain: str) -> str:
    return f"the domain {domain!r}" if domain else "the main address space"


def _realms(draft: Draft, pool: Path) -> list[str]:
    realms = [draft.value(at, str) for at in draft.elements((*pool, "realms"))]
    return [realm.lower() for realm in realms if realm is not None]


def _domain_of(draft: Draft, pool: Path) -> str:
    return draft.value((*pool, "domain"), str) or ""
