"""Whom the pools of an LMA's file serve, and which fixed home addresses they would give; asked very often."""

from functools import cache

import attrs

from pmip_tw.addresses import Ipv4, Prefix, ipv4_text
from pmip_tw.config.draft import Draft
from pmip_tw.config.locate import Path
from pmip_tw.config.settings.address_spaces import POOLS, domain_for, gateway_of, pools_of_domain
from pmip_tw.config.settings.redirects import redirected_realms

_REDIRECTS: Path = ("lma", "redirects")


@attrs.frozen(slots=True)
class _Pool:
    """``lines``: where each address stands that it excludes; ``reserved``: what its other own addresses are."""

    prefix: Prefix
    reserved: dict[Ipv4, str]
    lines: dict[Ipv4, int]


class PoolsInFile:
    """Of a ``draft``; what is wrong with the pools themselves is reported elsewhere."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._domain_of = cache(self._domain_of_realm)
        self._pools_of = cache(self._read)
        self._why_realm = cache(self._why_realm_is_not_served)

    def domain_of(self, nai: str) -> str:
        """The address space of ``nai``."""
        return self._domain_of(_realm(nai))

    def why_not_served(self, nai: str) -> str:
        """A mobile node without a fixed home address is served by some pool, or sent to another home agent (DY7)."""
        return self._why_realm(_realm(nai))

    def why_not_fixed(self, address: Ipv4, domain: str) -> str:
        """A fixed home address lies in a pool of its domain that would give it."""
        pools, all_readable = self._pools_of(domain)
        text = ipv4_text(address)
        for pool in pools:
            if address not in pool.prefix:
                continue
            if address in pool.reserved:
                return f"{text} is the {pool.reserved[address]} address of {pool.prefix}"
            if address in pool.lines:
                return f"{text} is excluded from {pool.prefix} on line {pool.lines[address]}"
            return ""
        where = f" of the domain {domain!r}" if domain else ""
        return f"{text} is in none of the pools{where}" if all_readable else ""

    def _domain_of_realm(self, realm: str) -> str:
        return domain_for(self._draft, f"@{realm}" if realm else "")

    def _read(self, domain: str) -> tuple[list[_Pool], bool]:
        """The pools of ``domain`` that make sense, and whether all do."""
        draft = self._draft
        pools, all_readable = [], True
        for at in pools_of_domain(draft, domain):
            prefix: Prefix | None = draft.value((*at, "prefix"), Prefix)
            if prefix is None:
                all_readable = False
                continue
            reserved = {
                prefix.network: "network",
                gateway_of(draft, at, prefix): "gateway",
                prefix.broadcast: "broadcast",
            }
            lines = {draft.value(one, Ipv4): draft.line(one) for one in draft.elements((*at, "exclude"))}
            pools.append(_Pool(prefix, reserved, lines))
        return pools, all_readable

    def _why_realm_is_not_served(self, realm: str) -> str:
        draft = self._draft
        if realm.lower() in redirected_realms(draft, _REDIRECTS):
            return ""
        served: list[str] = []
        for pool in draft.elements(POOLS):
            realms = [draft.value(name, str) for name in draft.elements((*pool, "realms"))]
            if not realms or None in realms:
                return ""
            served += [name.lower() for name in realms if name is not None]
        if not served or realm.lower() in served:
            return ""
        return f"no pool serves its realm {realm!r}; the pools serve {', '.join(sorted(set(served)))}"


def _realm(nai: str) -> str:
    return nai.rpartition("@")[2] if "@" in nai else ""
