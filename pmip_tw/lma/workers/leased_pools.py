"""The home addresses of one of several workers: what it has is lent, and there may be more where that came from."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from pmip_tw.addresses import Ipv4
from pmip_tw.lma.addresses.address_pool import AddressPool, HomeLink
from pmip_tw.lma.addresses.pools import Pools
from pmip_tw.lma.workers.leased_pool import LeasedPool
from pmip_tw.lma.workers.leases import Ask, InUse, Lease, Returned, Spare
from pmip_tw.mobility.tunnels import AnchorKey


class LeasedPools(Pools):
    """As Pools; nobody is refused before worker 0 was asked."""

    def __init__(
        self,
        pools: Iterable[tuple[LeasedPool, Collection[str]]],
        static: Mapping[str, Ipv4] | None = None,
    ) -> None:
        pools = list(pools)
        super().__init__(pools, static)
        self._leased = [pool for pool, _ in pools]

    @property
    def links(self) -> list[HomeLink]:
        """Of each pool, in the order of the configuration."""
        return [pool.link for pool in self._leased]

    def in_use(self, monotonic: float) -> InUse:
        """What a restart has brought back."""
        numbered = list(enumerate(self._leased))
        held = [(number, address) for number, pool in numbered for address in pool.held(monotonic)]
        held += [
            (number, lease.key.home_address) for lease in self.leases for number, _ in self._of(lease.key)
        ]
        return InUse([(number, address) for number, pool in numbered for address in pool.used()], held)

    def lent(self, lease: Lease, monotonic: float) -> None:
        """Worker 0 has told what this one has from now on."""
        pool = self._leased[lease.pool]
        pool.lent(lease.blocks, lease.singles)
        if lease.wanted is not None:
            found = bool(lease.blocks or lease.singles)
            pool.answered(lease.wanted, monotonic, found=found, held=lease.held)

    def fresh(self, pool: int) -> int:
        """How many addresses there are, at the most, that no node has had."""
        return self._leased[pool].most_fresh

    def spare(self, wanted: Spare, unsettled: Collection[AnchorKey], monotonic: float) -> Returned:
        """What this worker does not need, another does; but for ``unsettled``, which may be put back."""
        pool = self._leased[wanted.pool]
        kept = {key.home_address for key in unsettled if key.domain == pool.link.domain}
        spared = pool.spare(wanted.wanted, kept, monotonic)
        if wanted.held and not any(spared):
            spared = pool.spare_held(kept, monotonic)
        return Returned(wanted.pool, wanted.wanted, *spared, wanted.held)

    def keys_of(self, returned: Returned) -> list[AnchorKey]:
        """The single addresses that are given away."""
        domain = self._leased[returned.pool].link.domain
        return [AnchorKey(address, domain) for address in returned.singles]

    def keep(self, returned: Returned) -> None:
        """It is not given away after all."""
        self._leased[returned.pool].lent(returned.blocks, returned.singles)

    def ask_ahead(self, key: AnchorKey, monotonic: float) -> Ask | None:
        for number, pool in enumerate(self._leased):
            if pool.link.domain != key.domain or pool.by_dhcp or not pool.has(key.home_address):
                continue
            if pool.runs_short(monotonic):
                return Ask(number)
        return None

    def ask_for(self, key: AnchorKey, monotonic: float) -> Ask | None:
        for number, pool in self._of(key):
            if pool.lacks(key.home_address, monotonic):
                return Ask(number, key.home_address)
        return None

    def is_here(self, key: AnchorKey) -> bool:
        pools = self._of(key)
        return not pools or any(pool.has(key.home_address) for _, pool in pools)

    def _of(self, key: AnchorKey) -> list[tuple[int, LeasedPool]]:
        """Which pools DHCP may give ``key`` from, with their numbers; none if it is fixed, which is never lent."""
        home_address, domain = key
        return [
            (number, pool)
            for number, pool in enumerate(self._leased)
            if pool.by_dhcp and pool.link.domain == domain and pool.gives(home_address)
        ]

    def _ask(
        self, pools: Sequence[AddressPool], wanted: Ipv4, monotonic: float, *, held: bool = False
    ) -> Ask | None:
        for number, pool in enumerate(self._leased):
            if pool in pools and pool.lacks(wanted, monotonic, held=held):
                return Ask(number, wanted, held)
        return None
