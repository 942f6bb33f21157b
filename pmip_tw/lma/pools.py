"""Home addresses: who has which, and for how long an address that was given back is kept from others (P80)."""

from collections.abc import Collection, Iterable, Mapping

import attrs

from pmip_tw.addresses import Ipv4, Prefix


@attrs.frozen(slots=True)
class _Hold:
    nai: bytes
    until: float


class AddressPool:
    """The addresses of one prefix, less network, gateway (first host), broadcast and ``exclude``."""

    def __init__(self, prefix: Prefix, *, exclude: Collection[Ipv4] = (), hold: float = 3600.0) -> None:
        self.prefix = prefix
        self._hold = hold
        self._never = frozenset(exclude) | {prefix.network, prefix.first_host, prefix.broadcast}
        self._next = prefix.network
        self._users: dict[Ipv4, bytes] = {}
        # In the order in which the holds end: every hold is equally long.
        self._held: dict[Ipv4, _Hold] = {}
        self._held_for: dict[bytes, Ipv4] = {}

    def allocate(self, nai: bytes, wanted: Ipv4, monotonic: float) -> Ipv4 | None:
        """An address for ``nai``: ``wanted`` if that is not 0, else the one it had, else a fresh one.

        None: ``wanted`` is not to be had, or the pool is empty. Held addresses of others are given away only when
        nothing else is left, the oldest first.
        """
        if wanted:
            return self._take(wanted, nai) if self._free_for(nai, wanted, monotonic) else None
        former = self._held_for.get(nai)
        if former is not None:
            return self._take(former, nai)
        fresh = self._fresh()
        if fresh is not None:
            return self._take(fresh, nai)
        for oldest in self._held:
            return self._take(oldest, nai)
        return None

    def reserve(self, address: Ipv4, nai: bytes) -> None:
        """Set ``address`` aside for good: a mobile node with a static home address."""
        self._never |= {address}
        self._users.setdefault(address, nai)

    def release(self, address: Ipv4, monotonic: float, *, held: bool = True) -> None:
        """``address`` has no binding any more; ``held``: keep it from others for a while."""
        nai = self._users.get(address)
        if nai is None or address in self._never:
            return
        del self._users[address]
        if held:
            self._held[address] = _Hold(nai, monotonic + self._hold)
            self._held_for[nai] = address
        elif address < self._next:
            # Nothing to keep it for: first in line, as one whose hold is over.
            self._held = {address: _Hold(b"", monotonic)} | self._held

    @property
    def in_use(self) -> int:
        return len(self._users)

    def _free_for(self, nai: bytes, address: Ipv4, monotonic: float) -> bool:
        if address not in self.prefix or address in self._never or address in self._users:
            return False
        hold = self._held.get(address)
        return hold is None or hold.nai == nai or hold.until <= monotonic

    def _fresh(self) -> Ipv4 | None:
        while self._next < self.prefix.broadcast:
            address = self._next
            self._next = Ipv4(address + 1)
            if address not in self._never and address not in self._users and address not in self._held:
                return address
        return None

    def _take(self, address: Ipv4, nai: bytes) -> Ipv4:
        hold = self._held.pop(address, None)
        if hold is not None:
            self._held_for.pop(hold.nai, None)
        former = self._held_for.pop(nai, None)
        if former is not None and former != address:
            del self._held[former]
            self._held[former] = _Hold(b"", 0.0)
        self._users[address] = nai
        return address


class Pools:
    """All pools of an LMA, by realm, with the mobile nodes that always have the same address."""

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
                    self._by_realm.setdefault(realm.encode().lower(), []).append(pool)
            else:
                self._for_all.append(pool)
        self._static = {nai.encode(): address for nai, address in (static or {}).items()}
        for nai, address in self._static.items():
            for pool in self._pools:
                if address in pool.prefix:
                    pool.reserve(address, nai)

    def allocate(self, nai: bytes, wanted: Ipv4, monotonic: float) -> Ipv4 | None:
        """As AddressPool.allocate, from the pools of the NAI's realm in the order of the configuration."""
        fixed = self._static.get(nai)
        if fixed is not None:
            return fixed if wanted in (0, fixed) else None
        for pool in self._candidates(nai):
            if wanted and wanted not in pool.prefix:
                continue
            address = pool.allocate(nai, wanted, monotonic)
            if address is not None:
                return address
        return None

    def release(self, address: Ipv4, monotonic: float, *, held: bool = True) -> None:
        for pool in self._pools:
            if address in pool.prefix:
                pool.release(address, monotonic, held=held)

    def _candidates(self, nai: bytes) -> list[AddressPool]:
        realm = nai.rpartition(b"@")[2].lower()
        return self._by_realm.get(realm, []) + self._for_all
