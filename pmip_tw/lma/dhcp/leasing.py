"""Leases and bindings in step: what a DHCP server gives, takes back or refuses, and what time ends (D31, D37, P38)."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from pmip_tw.addresses import Mac
from pmip_tw.lma.addresses.pools import Pools
from pmip_tw.lma.bindings import Binding, BindingTable
from pmip_tw.lma.dhcp import observed as dhcp_observed
from pmip_tw.lma.dhcp.leases import DhcpLease
from pmip_tw.lma.journal.records import LeaseEnded
from pmip_tw.lma.registration.commitment import Effect, Save
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.due import Due
from pmip_tw.mobility.effects import SendThrough
from pmip_tw.mobility.tunnels import AnchorKey

FOR_EVER = 0xFFFFFFFF
"""A lease time (RFC 2131 3.3)."""

End = Callable[[Binding, Now], list[Effect]]
"""Ends what an owner has, and tells its MAGs."""


class Leasing:
    """``pools.leases`` are the leases; ``end`` ends bindings."""

    def __init__(self, pools: Pools, bindings: BindingTable, end: End) -> None:
        self._pools = pools
        self._leases = pools.leases
        self._bindings = bindings
        self._end_binding = end

    def granted(
        self,
        nai: bytes,
        mac: Mac,
        key: AnchorKey,
        seconds: int,
        since: float,
        then: SendThrough,
        now: Now,
        *,
        seen: bool,
    ) -> list[Effect]:
        """A server has given ``key``, or extended it, for ``seconds`` from monotonic ``since`` on (D34).

        Whoever had the address before has it no more. ``then``: the ACK, which goes down
        when the lease is durable. ``seen``: see DhcpLease.
        """
        deadline = float("inf") if seconds == FOR_EVER else since + seconds
        lease = DhcpLease(nai, mac, key, deadline, seen, now.monotonic)
        effects: list[Effect] = []
        for former in (self._leases.of(nai), self._leases.at(key)):
            if former is not None and (former.nai, former.key) != (nai, key):
                effects += self.over(former, "replaced", now)
        bound = self._bound(key)
        if bound is not None and bound.nai != nai:
            effects += self._end_binding(bound, now)
        self._leases.put(lease)
        return [*effects, dhcp_observed.leased(lease, seconds), Save(lease.record, then)]

    def over(self, lease: DhcpLease, why: str, now: Now, *, declined: bool = False) -> list[Effect]:
        """Whoever is bound by it is bound no more, and its MAG is told; ``declined``: somebody else has the address."""
        self._leases.remove(lease)
        effects: list[Effect] = [dhcp_observed.lease_ended(lease, why)]
        bound = self._bound(lease.key)
        if bound is not None and bound.nai == lease.nai:
            effects += self._end_binding(bound, now)
        if declined:
            self._leases.decline(lease.key, now.monotonic)
        effects.append(Save(LeaseEnded(*lease.key, now.monotonic, declined)))
        return effects

    def given_up(self, keys: Iterable[AnchorKey], now: Now) -> list[Effect]:
        """A server has given them to nodes of another worker: as in ``granted``."""
        effects: list[Effect] = []
        for key in keys:
            lease = self._leases.at(key)
            if lease is not None:
                effects += self.over(lease, "replaced", now)
        return effects

    def wake(self, now: Now) -> Iterator[Due[Effect]]:
        """Leases end; or go on, as far as we know, with the binding that somebody keeps alive (P65)."""
        for lease in self._leases.due(now.monotonic):
            put_off = partial(self._leases.put_off, lease, now.monotonic)
            yield Due(lease.nai, partial(self._due, lease, now), put_off)

    def _due(self, lease: DhcpLease, now: Now) -> list[Effect]:
        if lease.deadline > now.monotonic:
            lease.saved_at = now.monotonic
            self._leases.look_again(lease)
            return [Save(lease.record)]
        bound = None if lease.seen else self._bound(lease.key)
        if bound is not None and bound.nai == lease.nai and bound.deadline > now.monotonic:
            lease.deadline = bound.deadline
            self._leases.look_again(lease)
            return []
        return self.over(lease, "expired", now)

    def next_deadline(self) -> float | None:
        return self._leases.next_deadline()

    def _bound(self, key: AnchorKey) -> Binding | None:
        owner = self._pools.user(key)
        return None if owner is None else self._bindings.get(owner)
