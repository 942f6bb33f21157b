"""All home addresses of an LMA: which pool serves a mobile node, and in which address space (P30, P85)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import combinations

from pmip_tw.addresses import UNSPECIFIED, Ipv4, Prefix, ipv4_text
from pmip_tw.lma.addresses.address_pool import AddressPool, HomeLink
from pmip_tw.lma.dhcp.leases import DhcpLeases
from pmip_tw.lma.journal.records import Bound
from pmip_tw.lma.realms import realm_key, realm_of
from pmip_tw.lma.workers.leases import Ask
from pmip_tw.mobility.tunnels import AnchorKey


class Pools:
    """The pools by realm, with the mobile nodes that always have the same address.

    All pools of a realm are of one domain, and so are those for every realm; their prefixes overlap only across
    domains.
    """

    def __init__(
        self,
        pools: Iterable[tuple[AddressPool, Collection[str]]],
        static: Mapping[str, Ipv4] | None = None,
    ) -> None:
        """``pools``: each with the realms it serves, none meaning all. ``static``: home addresses by NAI."""
        self._pools: list[AddressPool] = []
        self._by_realm: dict[bytes, list[AddressPool]] = {}
        self._for_all: list[AddressPool] = []
        for pool, realms in pools:
            self._pools.append(pool)
            if realms:
                for realm in realms:
                    self._by_realm.setdefault(realm_key(realm), []).append(pool)
            else:
                self._for_all.append(pool)
        # By domain; and by realm, who serves it: its own pools, then those for all in the same domain.
        self._of_domain: dict[str, list[AddressPool]] = {}
        for pool in self._pools:
            self._of_domain.setdefault(pool.link.domain, []).append(pool)
        self._serving: dict[bytes | None, list[AddressPool]] = {
            realm: own + [pool for pool in self._for_all if pool.link.domain == own[0].link.domain]
            for realm, own in self._by_realm.items()
        }
        # That of whom no pool serves is the main one.
        self._domains = tuple(dict.fromkeys(("", *(pool.link.domain for pool in self._pools))))
        self._by_dhcp = any(pool.by_dhcp for pool in self._pools)
        self.leases = DhcpLeases()
        """Who may have which address of the pools that DHCP servers assign (N54)."""
        self._static = {nai.encode(): address for nai, address in (static or {}).items()}
        self._static_users: dict[AnchorKey, bytes] = {}
        for nai, address in self._static.items():
            domain = self.domain_of(nai)
            for pool in self._pools:
                if pool.link.domain == domain and address in pool:
                    pool.reserve(address)
        self.overlapping = len({pool.link.domain for pool in self._pools}) > 1 and any(
            one.link.domain != other.link.domain and _overlap(one.link.prefix, other.link.prefix)
            for one, other in combinations(self._pools, 2)
        )
        """Whether an address may be in use more than once (P45)."""

    def choose(self, nai: bytes, owner: bytes, wanted: Ipv4, monotonic: float) -> AnchorKey | Ask | None:
        """An address that ``owner`` may have: ``wanted`` if that is not 0, else the one it had, else a fresh one.

        From the pools of the NAI's realm, in the order of the configuration. Addresses held for others are given
        away only when no pool has anything else, the oldest first (P80). None: ``wanted`` is not to be had, or the
        pools are empty. A fixed address of the NAI has one owner at a time. It is nobody's until it is taken. An Ask:
        that depends on what else is lent to this worker (``leased_pools.py``).
        """
        fixed = self._static.get(nai)
        if fixed is not None:
            key = AnchorKey(fixed, self.domain_of(nai))
            free = wanted in (0, fixed) and self._static_users.get(key, owner) == owner
            return key if free else None
        pools: Sequence[AddressPool] = self._candidates(nai)
        if self._by_dhcp:
            pools, wanted = self._by_lease(nai, wanted, pools, monotonic)
        if wanted:
            for pool in pools:
                if pool.free_for(owner, wanted, monotonic):
                    return AnchorKey(wanted, pool.link.domain)
            return self._ask(pools, wanted, monotonic)
        for pool in pools:
            address = pool.former(owner)
            if address is not None:
                return AnchorKey(address, pool.link.domain)
        for pool in pools:
            address = pool.fresh()
            if address is not None:
                return AnchorKey(address, pool.link.domain)
        ask = self._ask(pools, UNSPECIFIED, monotonic)
        if ask is not None:
            return ask
        for pool in sorted(pools, key=lambda pool: pool.oldest_hold):
            address = pool.oldest()
            if address is not None:
                return AnchorKey(address, pool.link.domain)
        return self._ask(pools, UNSPECIFIED, monotonic, held=True)

    def _by_lease(
        self, nai: bytes, wanted: Ipv4, pools: Sequence[AddressPool], monotonic: float
    ) -> tuple[Sequence[AddressPool], Ipv4]:
        """N54: of what DHCP assigns a node gets what is leased to it, also if it may have any; else nothing."""
        key = self.leased_to(nai, monotonic)
        if key is not None and wanted in (UNSPECIFIED, key.home_address):
            own = [pool for pool in pools if pool.by_dhcp and pool.link.domain == key.domain]
            own = [pool for pool in own if key.home_address in pool]
            if own:
                return own, key.home_address
        return [pool for pool in pools if not pool.by_dhcp], wanted

    def leased_to(self, nai: bytes, monotonic: float) -> AnchorKey | None:
        """What DHCP gave ``nai`` through this LMA, if that is not over."""
        lease = self.leases.of(nai)
        return None if lease is None or lease.deadline <= monotonic else lease.key

    @property
    def giaddrs(self) -> set[Ipv4]:
        """Those that pools have of their own."""
        return {pool.link.giaddr for pool in self._pools if pool.link.giaddr}

    def dhcp_link(self, nai: bytes) -> HomeLink | None:
        """Where DHCP servers are to find an address for ``nai``; None: it does not get its address from them."""
        return next((pool.link for pool in self._candidates(nai) if pool.by_dhcp), None)

    def assigned_by_dhcp(self, nai: bytes, home_address: Ipv4) -> AnchorKey | None:
        """An address that a DHCP server may give ``nai``, with its domain; None: it may not.

        Who has a fixed one gets that there, too, and no other.
        """
        fixed = self._static.get(nai)
        for pool in self._candidates(nai):
            may = pool.gives(home_address) if fixed is None else home_address == fixed and fixed in pool
            if pool.by_dhcp and may:
                return AnchorKey(home_address, pool.link.domain)
        return None

    def _ask(
        self, pools: Sequence[AddressPool], wanted: Ipv4, monotonic: float, *, held: bool = False
    ) -> Ask | None:
        """What to ask for before anybody is refused; ``held``: before what is kept for others is too. All is here."""
        return None

    def ask_ahead(self, key: AnchorKey, monotonic: float) -> Ask | None:
        """What to ask for when ``key`` was taken, so that the next need not wait."""
        return None

    def ask_for(self, key: AnchorKey, monotonic: float) -> Ask | None:
        """What to ask for before DHCP may give ``key`` to a node; None: it is known whether it may."""
        return None

    def is_here(self, key: AnchorKey) -> bool:
        """Whether nobody else gives ``key`` to nodes. All is here."""
        return True

    def take(self, key: AnchorKey, nai: bytes, owner: bytes) -> None:
        """What was chosen is ``owner``'s from now on."""
        if nai in self._static:
            self._static_users[key] = owner
        else:
            home_address, domain = key
            for pool in self._of_domain.get(domain, ()):
                if home_address in pool:
                    pool.take(home_address, owner)

    def release(self, key: AnchorKey, monotonic: float) -> None:
        """As AddressPool.release."""
        self._static_users.pop(key, None)
        for pool in self._around(key):
            pool.release(key.home_address, monotonic)

    def end_hold(self, key: AnchorKey, monotonic: float) -> None:
        """As AddressPool.end_hold."""
        for pool in self._around(key):
            pool.end_hold(key.home_address, monotonic)

    def hold(self, key: AnchorKey, owner: bytes, since: float) -> None:
        """As AddressPool.hold."""
        for pool in self._around(key):
            pool.hold(key.home_address, owner, since)

    def take_over_plain(self, records: Iterable[Bound]) -> list[Bound]:
        """``take`` what a former process gave, of as many as can be done at once: those, of which each is of a NAI.

        ``take_over`` takes the others, or says why not.
        """
        if self._static:
            return []
        # By what follows the @, as it is written.
        by_realm: dict[bytes, list[Bound]] = {}
        for record in records:
            by_realm.setdefault(record.owner.rpartition(b"@")[2], []).append(record)
        taken: list[Bound] = []
        for alike in by_realm.values():
            for pool in self._candidates(alike[0].owner):
                taken += pool.take_over(alike)
        return taken

    def take_over(self, key: AnchorKey, nai: bytes, owner: bytes) -> str:
        """``take`` what a former process gave; why it cannot be kept, "" if it is."""
        user = self.user(key)
        if user is not None:
            # A write that was said to have failed may be there all the same: the newest counts.
            return f"its address has been given to {user.decode(errors='replace')!r} since"
        problem = self._objection(key, nai)
        if not problem:
            self.take(key, nai, owner)
        return problem

    def _objection(self, key: AnchorKey, nai: bytes) -> str:
        """Why ``nai`` may not keep an address that it was given by a former configuration; "" if it may."""
        fixed = self._static.get(nai)
        if fixed is not None:
            same = key == AnchorKey(fixed, self.domain_of(nai))
            return "" if same else "its fixed home address is another one now"
        pools = self._candidates(nai)
        if any(pool.link.domain == key.domain and pool.gives(key.home_address) for pool in pools):
            return ""
        return "its address is in no pool of its realm now"

    def link(self, key: AnchorKey) -> HomeLink | None:
        """The home link that an address belongs to; None for a fixed one outside of all pools."""
        return next((pool.link for pool in self._around(key)), None)

    def user(self, key: AnchorKey) -> bytes | None:
        """Whose an address is at present."""
        users = (pool.user(key.home_address) for pool in self._around(key))
        return self._static_users.get(key) or next((user for user in users if user is not None), None)

    def users(self, home_address: Ipv4) -> list[bytes]:
        """Whose an address is at present, in whatever domain."""
        found = (self.user(AnchorKey(home_address, domain)) for domain in self._domains)
        return [user for user in found if user is not None]

    def is_of_several_domains(self, home_address: Ipv4) -> bool:
        """Whether it alone does not say whose it is, even if only one has it at present (P85)."""
        keys = (AnchorKey(home_address, domain) for domain in self._domains)
        return sum(1 for key in keys if self._around(key) or key in self._static_users) > 1

    def namesakes(self, key: AnchorKey) -> list[bytes]:
        """Whose the same address is in other domains (P45)."""
        others = (AnchorKey(key.home_address, domain) for domain in self._domains if domain != key.domain)
        return [user for user in map(self.user, others) if user is not None]

    def domain_of(self, nai: bytes) -> str:
        """The address space of a mobile node: that of its realm's pools."""
        pools = self._candidates(nai)
        return pools[0].link.domain if pools else ""

    def why_not(self, nai: bytes, wanted: Ipv4) -> str:
        """Why ``nai`` does not get the address that it asks for."""
        if self._by_dhcp and nai not in self._static and self.assigned_by_dhcp(nai, wanted) is not None:
            return f"{ipv4_text(wanted)} is assigned by DHCP, and not leased to it through this LMA (N54)"
        return f"{ipv4_text(wanted)} is in no pool of this realm, or belongs to someone else (H10)"

    def why_none(self, nai: bytes) -> str:
        """Why ``nai`` gets no address although it may have any, and what to do about it (H10)."""
        if nai in self._static:
            return "its fixed home address is in use over another access technology (H10, P23)"
        pools = self._candidates(nai)
        if pools and all(pool.by_dhcp for pool in pools):
            return "DHCP assigns its addresses, and no server has given it one through this LMA (N54)"
        if pools:
            return "no home address is left: enlarge the pool of this realm (H10)"
        realm = (realm_of(nai) or b"").decode(errors="replace")
        served = ", ".join(sorted(name.decode() for name in self._by_realm)) or "none"
        return (
            f"no pool serves the realm {realm!r}; served are: {served}. Add it to the realms of a pool (H10)"
        )

    def _candidates(self, nai: bytes) -> list[AddressPool]:
        """The pools of its realm, then those for all in the same domain."""
        return self._serving.get(realm_of(nai), self._for_all) if self._serving else self._for_all

    def _around(self, key: AnchorKey) -> list[AddressPool]:
        """Usually one; several if several realms have addresses of one prefix."""
        home_address, domain = key
        return [pool for pool in self._of_domain.get(domain, ()) if home_address in pool]


def _overlap(one: Prefix, other: Prefix) -> bool:
    return one.network in other or other.network in one
