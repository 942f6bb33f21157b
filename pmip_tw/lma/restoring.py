"""After a restart: from the journal's rows to what the LMA knew, less what is over by now.

Rows come newest first, so that the first record about a thing is the truth about it. Nobody is asked and nothing is
sent: what a former process has promised stands, as long as the configuration still allows it.
"""

from collections.abc import Iterable, Sequence

from pmip_tw.addresses import ALL_ONES, UNSPECIFIED, Endpoint, Ipv4
from pmip_tw.errors import WireError
from pmip_tw.lma import observed
from pmip_tw.lma.bindings import Binding, BindingTable, NegotiatedRevocation, Place, together
from pmip_tw.lma.commitment import Asked
from pmip_tw.lma.intake import Intake
from pmip_tw.lma.negotiating import offered
from pmip_tw.lma.pools import Pools
from pmip_tw.lma.records import (
    Bound,
    LeaseEnded,
    RefusedAhead,
    RevocationOver,
    RevokedByMag,
    Revoking,
    Spent,
    Unbound,
    shifted,
)
from pmip_tw.lma.registrations import Registrations
from pmip_tw.lma.revocation_proof import RevocationProof
from pmip_tw.lma.revoked import Revoked
from pmip_tw.lma.revoking import Revoker
from pmip_tw.lma.tunnelling import direct_tunnel
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Observe
from pmip_tw.mobility.records import Record
from pmip_tw.mobility.replay import ReplayFloors, later
from pmip_tw.mobility.tunnels import AnchorKey, Encapsulation, Tunnel

Rows = Iterable[tuple[float, Sequence[Record]]]
"""See IBindingStore.load."""


class Restorer:
    """Used once, before anything is heard. ``local``: our address, at which tunnels end.

    ``latest``: the latest valid Identification, None if there is none.
    """

    def __init__(
        self,
        *,
        local: Ipv4,
        intake: Intake,
        bindings: BindingTable,
        registrations: Registrations,
        pools: Pools,
        floors: ReplayFloors,
        revoker: Revoker,
        revoked: Revoked,
    ) -> None:
        self.latest: int | None = None
        self._local = local
        self._intake = intake
        self._bindings = bindings
        self._registrations = registrations
        self._pools = pools
        self._floors = floors
        self._revoker = revoker
        self._revoked = revoked
        # What newer records have told about already.
        self._owners: set[bytes] = set()
        self._revocations: set[tuple[bytes, int, int]] = set()
        self._addresses: set[AnchorKey] = set()
        # What is forgotten by age must be told in order of age: (since when, what).
        self._held: list[tuple[float, AnchorKey, bytes]] = []
        self._leases_ended: list[tuple[float, AnchorKey]] = []
        self._spent: list[tuple[float, bytes, int]] = []
        self._identifiers: list[tuple[float, Ipv4, Ipv4, int]] = []
        self._notes: list[Observe] = []

    def restore(self, rows: Rows, now: Now) -> list[Observe]:
        """Everything that ``rows`` tell of and that is not over; what is to be observed."""
        for shift, records in rows:
            for record in reversed(records):
                self._take(shifted(record, shift) if shift else record, now)
        for since, owner, identification in sorted(self._spent):
            self._note_latest(identification)
            self._floors.note(owner, identification, since)
        for since, key, owner in sorted(self._held):
            self._pools.hold(key, owner, since)
        for since, key in sorted(self._leases_ended):
            self._pools.end_hold(key, since)
        for since, home_address, peer, identifier in sorted(self._identifiers):
            self._revoker.recall_identifier(home_address, peer, identifier, since)
        if not (self._bindings or self._notes):
            return []
        return [*self._notes, observed.restored(len(self._bindings), len(self._notes))]

    def _take(self, record: Record, now: Now) -> None:
        if isinstance(record, Bound):
            if record.owner not in self._owners:
                self._owners.add(record.owner)
                self._bound(record, now)
        elif isinstance(record, Unbound):
            if record.owner not in self._owners:
                self._owners.add(record.owner)
                self._spent.append((record.ended_at, record.owner, record.identification))
            self._hold(_key(record), record.owner, record.ended_at)
        elif isinstance(record, Spent):
            self._spent.append((record.spent_at, record.owner, record.identification))
        elif isinstance(record, RefusedAhead):
            self._intake.recall_refused(record.owner, record.identification, now.wall)
        elif isinstance(record, Revoking | RevocationOver):
            self._revocation(record, now)
        elif isinstance(record, RevokedByMag):
            if record.deadline > now.monotonic:
                self._revoked.recall(record)
        elif isinstance(record, LeaseEnded) and _key(record) not in self._addresses:
            self._leases_ended.append((record.ended_at, _key(record)))

    # Bindings

    def _bound(self, record: Bound, now: Now) -> None:
        every = (record, *record.others)
        key = _key(record)
        if all(one.deadline <= now.monotonic for one in every):
            self._expired(record, key, max(one.deadline for one in every))
            return
        bindings = tuple(
            binding
            for one in every
            if one.deadline > now.monotonic and (binding := self._binding(one, key)) is not None
        )
        problem = self._objection(record, key, bindings)
        if problem:
            self._notes.append(observed.not_restored(record.owner, key, problem))
            return
        newest = together(bindings)
        self._addresses.add(key)
        self._pools.take(key, newest.nai, newest.owner)
        self._bindings.put(newest)
        self._note_latest(newest.identification)

    def _note_latest(self, identification: int) -> None:
        if self.latest is None or later(identification, self.latest):
            self.latest = identification

    def _objection(self, record: Bound, key: AnchorKey, bindings: tuple[Binding, ...]) -> str:
        if not bindings:
            return "no key or MAG that is configured now proves its request, or our address is another one"
        if any(binding.owner != record.owner for binding in bindings):
            return "binding_key is another one now"
        user = self._pools.user(key)
        if user is not None:
            # A write that was said to have failed may be there all the same.
            return f"its address has been given to {user.decode(errors='replace')!r} since"
        return self._pools.objection(key, bindings[0].nai)

    def _expired(self, record: Bound, key: AnchorKey, ended_at: float) -> None:
        self._hold(key, record.owner, ended_at)
        asked = self._recall(record.request, record.source_address, record.source_port)
        if asked is not None:
            self._spent.append((ended_at, record.owner, asked.request.identification))

    def _binding(self, record: Bound, key: AnchorKey) -> Binding | None:
        asked = self._recall(record.request, record.source_address, record.source_port)
        if asked is None:
            return None
        revocation, offer = None, offered(asked)
        if record.own_timestamp is not None and offer is not None:
            revocation = NegotiatedRevocation(
                own_timestamp=record.own_timestamp, peer_timestamp=offer.timestamp, inform=record.inform
            )
        encapsulation = Encapsulation(record.encapsulation)
        if record.remote_port or record.key_in is not None:
            tunnel = Tunnel(
                local=self._local,
                remote=record.remote,
                remote_port=record.remote_port,
                encapsulation=encapsulation,
                key_in=record.key_in,
                key_out=record.key_out,
            )
        else:
            tunnel = direct_tunnel(self._local, record.remote, encapsulation)
        binding = self._registrations.binding(
            asked,
            key,
            tunnel,
            record.lifetime,
            record.deadline,
            moved_at=record.moved_at,
            revocation=revocation,
        )
        binding.restored = True
        return binding

    def _recall(self, request: bytes, source_address: Ipv4, source_port: int) -> Asked | None:
        """The request once more; None: by today's configuration it is nobody's, or not for us."""
        try:
            asked = self._intake.recall(request, Endpoint(source_address, source_port), self._local)
        except WireError:
            return None
        if asked is None or asked.request.home_agent not in (self._local, UNSPECIFIED, ALL_ONES):
            return None
        return asked

    def _hold(self, key: AnchorKey, owner: bytes, since: float) -> None:
        if key not in self._addresses:
            self._addresses.add(key)
            self._held.append((since, key, owner))

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
        asked = self._recall(record.request, record.seen_from, record.source_port)
        if asked is not None:
            proof = RevocationProof.of(asked.association, asked.fa_ha)
            self._revoker.resume(record, proof, asked.nai, now)


def _key(record: Bound | Unbound | LeaseEnded) -> AnchorKey:
    return AnchorKey(record.home_address, record.domain)
