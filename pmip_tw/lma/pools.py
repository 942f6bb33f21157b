"""Home addresses: who has which, and for how long an address that was given back is kept from others (P80)."""

from collections import OrderedDict
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
        self._never = set(exclude) | {prefix.network, prefix.first_host, prefix.broadcast}
        self._next = prefix.network
        self._users: dict[Ipv4, bytes] = {}
        # In the order in which the holds end: every hold is equally long.
        self._held: OrderedDict[Ipv4, _Hold] = OrderedDict()
        self._held_for: dict[bytes, Ipv4] = {}

    def take(self, nai: bytes, wanted: Ipv4, monotonic: float) -> Ipv4 | None:
        """``wanted`` for ``nai``; None if it is not this pool's, somebody's, or held for another."""
        return self._take(wanted, nai) if self._free_for(nai, wanted, monotonic) else None

    def take_former(self, nai: bytes) -> Ipv4 | None:
        """The address that is held for ``nai``; None if there is none."""
        former = self._held_for.get(nai)
        return None if former is None else self._take(former, nai)

    def take_fresh(self, nai: bytes) -> Ipv4 | None:
        """An address that nobody had before; None if there is none left."""
        while self._next < self.prefix.broadcast:
            address = self._next
            self._next = Ipv4(address + 1)
            if address not in self._never and address not in self._users and address not in self._held:
                return self._take(address, nai)
        return None

    def take_oldest(self, nai: bytes) -> Ipv4 | None:
        """The address that has been held the longest, whoever had it; None if none is held."""
        for oldest in self._held:
            return self._take(oldest, nai)
        return None

    @property
    def oldest_hold(self) -> float:
        """When the oldest hold ends or ended, monotonic; infinity if none is held."""
        for hold in self._held.values():
            return hold.until
        return float("inf")

    def reserve(self, address: Ipv4) -> None:
        """Set ``address`` aside for good: a mobile node with a static home address."""
        self._never.add(address)

    def release(self, address: Ipv4, monotonic: float) -> None:
        """``address`` has no binding any more: keep it from others for a while."""
        nai = self._users.get(address)
        if nai is None:
            return
        del self._users[address]
        self._held[address] = _Hold(nai, monotonic + self._hold)
        self._held_for[nai] = address

    def _free_for(self, nai: bytes, address: Ipv4, monotonic: float) -> bool:
        if address not in self.prefix or address in self._never or address in self._users:
            return False
        hold = self._held.get(address)
        return hold is None or hold.nai == nai or hold.until <= monotonic

    def _take(self, address: Ipv4, nai: bytes) -> Ipv4:
        hold = self._held.pop(address, None)
        if hold is not None and self._held_for.get(hold.nai) == address:
            del self._held_for[hold.nai]
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
        for address in self._static.values():
            for pool in self._pools:
                if address in pool.prefix:
                    pool.reserve(address)

    def allocate(self, nai: bytes, wanted: Ipv4, monotonic: float) -> Ipv4 | None:
        """An address for ``nai``: ``wanted`` if that is not 0, else the one it had, else a fresh one.

        From the pools of the NAI's realm, in the order of the configuration. Addresses held for others are given
        away only when no pool has anything else, the oldest first (P80). None: ``wanted`` is not to be had, or the
        pools are empty.
        """
        fixed = self._static.get(nai)
        if fixed is not None:
            return fixed if wanted in (0, fixed) else None
        pools = self._candidates(nai)
        if wanted:
            return _first(pool.take(nai, wanted, monotonic) for pool in pools)
        return (
            _first(pool.take_former(nai) for pool in pools)
            or _first(pool.take_fresh(nai) for pool in pools)
            or _first(pool.take_oldest(nai) for pool in sorted(pools, key=lambda pool: pool.oldest_hold))
        )

    def release(self, address: Ipv4, monotonic: float) -> None:
        """As AddressPool.release."""
        for pool in self._pools:
            if address in pool.prefix:
                pool.release(address, monotonic)

    def why_none(self, nai: bytes) -> str:
        """Why ``nai`` gets no address although it may have any, and what to do about it (H10)."""
        if self._candidates(nai):
            return "no home address is left: enlarge the pool of this realm (H10)"
        realm = nai.rpartition(b"@")[2].decode(errors="replace")
        served = ", ".join(sorted(name.decode() for name in self._by_realm)) or "none"
        return (
            f"no pool serves the realm {realm!r}; served are: {served}. Add it to the realms of a pool (H10)"
        )

    def _candidates(self, nai: bytes) -> list[AddressPool]:
        _, at, realm = nai.rpartition(b"@")
        return (self._by_realm.get(realm.lower(), []) if at else []) + self._for_all


def _first(addresses: Iterable[Ipv4 | None]) -> Ipv4 | None:
    return next((address for address in addresses if address is not None), None)
