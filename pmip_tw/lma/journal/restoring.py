"""After a restart: from the journal's rows to what the LMA knew, less what is over by now.

Rows come newest first, so that the first record about a thing is the truth about it. Nobody is asked and nothing is
sent: what a former process has promised stands, as long as the configuration still allows it.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import cast

from pmip_tw.addresses import Ipv4
from pmip_tw.lma import observed
from pmip_tw.lma.addresses.pools import Pools
from pmip_tw.lma.bindings import Binding, BindingTable, together
from pmip_tw.lma.dhcp.leases import DhcpLease
from pmip_tw.lma.journal.former import Former
from pmip_tw.lma.journal.records import (
    Bound,
    Leased,
    LeaseEnded,
    RefusedAhead,
    RevocationOver,
    RevokedByMag,
    Revoking,
    Spent,
    Unbound,
    shifted,
)
from pmip_tw.lma.place import Place
from pmip_tw.lma.registration.intake import Intake
from pmip_tw.lma.revocation.proof import RevocationProof
from pmip_tw.lma.revocation.revoked import Revoked
from pmip_tw.lma.revocation.revoking import Revoker
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Observe
from pmip_tw.mobility.records import Record
from pmip_tw.mobility.replay import ReplayFloors, later, seconds_between
from pmip_tw.mobility.tunnels import AnchorKey
from pmip_tw.wire.renewal import identification_of, latest_identification

Rows = Iterable[tuple[float, Sequence[Record]]]
"""See IBindingStore.load."""


class Restorer:
    """Used once, before anything is heard.

    ``window``: seconds around our clock in which an Identification is in time (I6). ``latest``: the latest valid one,
    None if there is none.
    """

    def __init__(
        self,
        *,
        intake: Intake,
        bindings: BindingTable,
        former: Former,
        pools: Pools,
        floors: ReplayFloors,
        revoker: Revoker,
        revoked: Revoked,
        window: float,
    ) -> None:
        self.latest: int | None = None
        self._intake = intake
        self._bindings = bindings
        self._former = former
        self._pools = pools
        self._floors = floors
        self._revoker = revoker
        self._revoked = revoked
        self._window = window
        # What newer records have told about already, besides those who have a binding.
        self._owners: set[bytes] = set()
        self._revocations: set[tuple[bytes, int, int]] = set()
        self._addresses: set[AnchorKey] = set()
        # What is forgotten by age must be told in order of age: (since when, what).
        self._held: list[tuple[float, AnchorKey, bytes]] = []
        self._leases_ended: list[tuple[float, AnchorKey]] = []
        self._leases: dict[AnchorKey, Leased | LeaseEnded] = {}
        self._spent: list[tuple[float, bytes, int]] = []
        self._refused_ahead: list[tuple[bytes, int]] = []
        self._identifiers: list[tuple[float, Ipv4, Ipv4, int]] = []
        self._notes: list[Observe] = []

    def restore(self, rows: Rows, now: Now) -> list[Observe]:
        """Everything that ``rows`` tell of and that is not over; what is to be observed."""
        for shift, records in rows:
            for kind, alike in _alike(records):
                if kind is Bound:
                    self._bound_many(cast("list[Bound]", alike), shift, now)
                else:
                    for record in alike:
                        self._take(_of_now(record, shift), now)
        for since, owner, identification in sorted(self._spent):
            self._note_identification(identification)
            self._floors.note(owner, identification, since)
        for owner, identification in reversed(self._refused_ahead):
            self._intake.recall_refused(owner, identification, now.wall)
        for since, key, owner in sorted(self._held):
            self._pools.hold(key, owner, since)
        for since, key in sorted(self._leases_ended):
            self._pools.end_hold(key, since)
        self._restore_leases(now)
        for since, home_address, peer, identifier in sorted(self._identifiers):
            self._revoker.recall_identifier(home_address, peer, identifier, since)
        if not (self._bindings or self._notes):
            return []
        return [*self._notes, observed.restored(len(self._bindings), len(self._notes))]

    def _take(self, record: Record, now: Now) -> None:
        if isinstance(record, Unbound):
            if record.owner not in self._owners and record.owner not in self._bindings.owners:
                self._owners.add(record.owner)
                self._spend(record.owner, record.identification, record.ended_at, now)
            self._hold(_key(record), record.owner, record.ended_at)
        elif isinstance(record, Spent):
            self._spend(record.owner, record.identification, record.spent_at, now)
        elif isinstance(record, RefusedAhead):
            self._refused_ahead.append((record.owner, record.identification))
        elif isinstance(record, Revoking | RevocationOver):
            self._revocation(record, now)
        elif isinstance(record, RevokedByMag):
            if record.deadline > now.monotonic:
                self._revoked.recall(record)
        elif isinstance(record, LeaseEnded):
            self._leases.setdefault(_key(record), record)
            if not self._is_told(_key(record)):
                self._leases_ended.append((record.ended_at, _key(record)))
        elif isinstance(record, Leased):
            self._leases.setdefault(_key(record), record)

    # Bindings

    def _bound_many(self, records: list[Bound], shift: float, now: Now) -> None:
        """Of one row, newest first. A million of them are read at a start, so that they are taken many at a time."""
        known, bindings, bound = self._owners, self._bindings, self._bindings.owners
        records = [one for one in records if one.owner not in bound and one.owner not in known]
        if shift:
            records = [cast("Bound", shifted(one, shift)) for one in records]
        if len({one.owner for one in records}) == len(records):
            live = (one for one in records if one.deadline > now.monotonic)
            taken = self._pools.take_over_plain(self._former.may_wait(live))
            bindings.restore(taken, self._former)
            self._note_latest([one.request for one in taken])
            if len(taken) == len(records):
                return
        for record in records:
            if record.owner not in bound and record.owner not in known:
                self._bound(record, now)

    def _bound(self, record: Bound, now: Now) -> None:
        """The newest record of its owner."""
        self._owners.add(record.owner)
        if record.deadline > now.monotonic and self._former.may_wait((record,)):
            key = _key(record)
            problem = self._pools.take_over(key, record.owner, record.owner)
            if not problem:
                self._bindings.restore((record,), self._former)
                self._note_latest([record.request])
                return
            self._drop(record, key, problem, now)
        else:
            self._bound_otherwise(record, now)

    def _bound_otherwise(self, record: Bound, now: Now) -> None:
        """One that has ended, or that must be looked at."""
        every = (record, *record.others)
        key = _key(record)
        if all(one.deadline <= now.monotonic for one in every):
            self._expired(record, key, max(one.deadline for one in every), now)
            return
        live = [self._former.binding(one) for one in every if one.deadline > now.monotonic]
        bindings = tuple(binding for binding in live if binding is not None)
        problem = _misfit(record, bindings) or self._pools.take_over(key, bindings[0].nai, record.owner)
        if problem:
            self._drop(record, key, problem, now)
            return
        newest = together(bindings)
        self._bindings.put(newest)
        self._note_latest([newest.request])

    def _note_latest(self, requests: Sequence[bytes]) -> None:
        if requests:
            self._note_identification(latest_identification(requests))

    def _note_identification(self, identification: int) -> None:
        if self.latest is None or later(identification, self.latest):
            self.latest = identification

    def _expired(self, record: Bound, key: AnchorKey, ended_at: float, now: Now) -> None:
        self._hold(key, record.owner, ended_at)
        self._spend(record.owner, identification_of(record.request), ended_at, now)

    def _drop(self, record: Bound, key: AnchorKey, problem: str, now: Now) -> None:
        self._notes.append(observed.not_restored(record.owner, key, problem))
        self._spend(record.owner, identification_of(record.request), now.monotonic, now)

    def _spend(self, owner: bytes, identification: int, since: float, now: Now) -> None:
        """``owner`` has used it, and has no binding of it. If our clock was set back it may be in time again."""
        if seconds_between(identification, now.wall) >= -self._window:
            since = now.monotonic
        if self._floors.still_count(since, now.monotonic):
            self._spent.append((since, owner, identification))

    def _hold(self, key: AnchorKey, owner: bytes, since: float) -> None:
        if not self._is_told(key):
            self._addresses.add(key)
            self._held.append((since, key, owner))

    def _is_told(self, key: AnchorKey) -> bool:
        """Whether a newer record says whose an address is, or was."""
        return key in self._addresses or self._pools.user(key) is not None

    # Leases

    def _restore_leases(self, now: Now) -> None:
        """Those that run, and those whose end has to be told to who is bound by them.

        Not those of what DHCP does not assign to their nodes by today's configuration.
        """
        leases = self._pools.leases
        for key, record in reversed(self._leases.items()):
            if isinstance(record, LeaseEnded):
                if record.declined:
                    leases.decline(key, record.ended_at)
            elif self._pools.assigned_by_dhcp(record.nai, key.home_address) == key and (
                record.deadline > now.monotonic or self._pools.user(key) is not None
            ):
                leases.put(DhcpLease.of(record))

    # Revocations

    def _revocation(self, record: Revoking | RevocationOver, now: Now) -> None:
        place = Place(record.care_of_address, record.seen_from)
        self._identifiers.append((record.sent_at, record.home_address, place.seen_from, record.identifier))
        if (record.owner, *place) in self._revocations:
            return
        self._revocations.add((record.owner, *place))
        if isinstance(record, RevocationOver) or record.deadline <= now.monotonic:
            return
        bound = self._bindings.get(record.owner)
        if bound is not None and bound.at(place) is not None:
            return  # it is back there (RV26)
        asked = self._former.recall(record.request, record.seen_from, record.source_port)
        if asked is not None:
            proof = RevocationProof.of(asked.association, asked.fa_ha)
            self._revoker.resume(record, proof, asked.nai, now)


def _alike(records: Sequence[Record]) -> Iterator[tuple[type[Record], Sequence[Record]]]:
    """What follows each other and is of one kind, newest first; nearly always that is all."""
    if len(set(map(type, records))) == 1:
        yield type(records[0]), records[::-1]
    else:
        for kind, alike in groupby(reversed(records), type):
            yield kind, [*alike]


def _of_now(record: Record, shift: float) -> Record:
    return shifted(record, shift) if shift else record


def _misfit(record: Bound, bindings: tuple[Binding, ...]) -> str:
    """What today's configuration has against a record of which it allows ``bindings``."""
    if not bindings:
        return "no key or MAG that is configured now proves its request, or our address is another one"
    if any(binding.owner != record.owner for binding in bindings):
        return "binding_key is another one now"
    return ""


def _key(record: Bound | Unbound | LeaseEnded | Leased) -> AnchorKey:
    return AnchorKey(record.home_address, record.domain)
