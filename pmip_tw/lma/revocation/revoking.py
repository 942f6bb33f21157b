"""The LMA tells a MAG that a mobile node is no longer its visitor (RFC 3543 3.5, 4.2.2.1)."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from msgspec import Struct

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.lma.bindings import Binding
from pmip_tw.lma.journal.records import RevocationOver, Revoking
from pmip_tw.lma.keys.asking import Keys
from pmip_tw.lma.place import Place
from pmip_tw.lma.registration.commitment import Save, Told
from pmip_tw.lma.registration.underway import Underway
from pmip_tw.lma.revocation.attempts import Attempt, Key, Pending
from pmip_tw.lma.revocation.proof import RevocationProof
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.due import PUT_OFF, Due
from pmip_tw.mobility.effects import Observe, ObserveAlike, Send
from pmip_tw.mobility.observations import Alike, Detail, Observation
from pmip_tw.mobility.timers import Wheel
from pmip_tw.mobility.tunnels import SIGNALLING_PORT
from pmip_tw.wire.revocation import RevocationAck, acknowledged_in

RETRANSMIT_AFTER = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each further try; the last one has as long again, then give up (RV23)."""

_TRIES = len(RETRANSMIT_AFTER)

_GRANULARITY = 0.125
"""Seconds that a retransmission may be late."""

_REMEMBERED = 600.0
"""Seconds for which the last identifier used towards a peer is kept (RV6); any clock is past it by then."""

_LAST_IDENTIFIER = 0xFFFFFFFF

_NEVER = (0, 0.0)


class Revoker:
    """All revocations on their way. ``send``, ``acknowledged`` and ``wake`` return effects.

    A try leaves when it is durable: what a MAG has ended must not be there again after a crash, and no process may
    use its identifier once more. So there are two steps, ``prepare`` and ``send``.
    """

    def __init__(self, underway: Underway, keys: Keys | None = None) -> None:
        self._underway = underway
        self._keys = keys
        self._pending: dict[Key, Pending] = {}
        # Every identifier that an acknowledgment may name; none is used twice towards a peer (RV15, RV20).
        self._outstanding: dict[tuple[Ipv4, Ipv4, int], Pending] = {}
        self._next_tries: Wheel[Key] = Wheel(_GRANULARITY, self._next_try)
        self._last_identifiers: OrderedDict[tuple[Ipv4, Ipv4], tuple[int, float]] = OrderedDict()
        # One object for all that are registered in a second.
        self._last_timestamp = 0

    def __len__(self) -> int:
        """How many are on their way."""
        return len(self._pending)

    def prepare(self, binding: Binding, local: Ipv4, now: Now, *, inform: bool = False) -> Attempt | None:
        """To revoke ``binding``, which moves or ends early; None: revocation was not negotiated (RV1, RV21).

        ``inform``: the node should be told; only said where the I bit was agreed upon (RV22), whatever D is: a MAG is
        the node's agent and not the node.
        """
        if binding.own_timestamp is None or binding.deadline <= now.monotonic:  # RV24
            return None
        terms = binding.terms
        source, form = terms.source, terms.form
        port = terms.tunnel.remote_port or SIGNALLING_PORT  # RV41: through a NAT only the seen port works
        pending = Pending(
            key=(binding.owner, terms.place),
            nai=binding.nai,
            home_address=binding.home_address,
            destination=source if source.port == port else Endpoint(source.address, port),
            local=local,
            proof=RevocationProof.of(binding.association, terms.fa_ha),
            request=binding.request,
            source_port=source.port,
            registered_with=binding.own_timestamp,
            registered_at=binding.registered_at,
            inform=inform and terms.inform,
            binding_ends=binding.deadline,
            behind=b"" if form is None else form.name_and_proof(binding.request),
        )
        return self._attempt(pending, now, first=True)

    def send(self, attempts: Iterable[Attempt], now: Now) -> list[Told]:
        """They are durable, and so is what they tell of."""
        effects: list[Told] = []
        sent: list[_Moment] = []
        for attempt in attempts:
            pending = attempt.pending
            key = pending.key
            if attempt.first:
                self._drop(key)
                self._pending[key] = pending
            elif self._pending.get(key) is not pending:
                continue  # meanwhile it was acknowledged, or there is nothing to revoke any more
            if key[0] in self._underway:
                self._later(pending, now)
                continue
            identifier = attempt.identifier
            self._outstanding[pending.home_address, pending.destination.address, identifier] = pending
            pending.tries += 1
            pending.next_try = now.monotonic + RETRANSMIT_AFTER[min(pending.tries, _TRIES) - 1]
            self._next_tries.file(key, pending.next_try)
            association = pending.proof.association
            if association is not None and association.is_missing:
                # It is as good as lost: the next try has the key, or the one after that.
                assert self._keys is not None
                effects += self._keys.missing(pending.nai, association, pending.place.care_of_address, now)
                continue
            effects.append(Send(pending.signed(identifier), pending.destination, pending.local))
            sent.append(_Moment(pending, pending.tries))
        if sent:
            effects.append(ObserveAlike(Alike("revocation-sent", sent, _sent, _whose)))
        return effects

    def resume(self, record: Revoking, proof: RevocationProof, nai: bytes, now: Now) -> None:
        """A former process has begun it."""
        peer = record.seen_from
        pending = Pending(
            key=(record.owner, Place(record.care_of_address, peer)),
            nai=nai,
            home_address=record.home_address,
            destination=Endpoint(peer, record.port),
            local=record.local,
            proof=proof,
            request=record.request,
            source_port=record.source_port,
            registered_with=record.registered_with,
            registered_at=record.registered_at,
            inform=record.inform,
            binding_ends=record.deadline,
            tries=record.tries,
            # That process may have used more of them, and written none down; the last one may still be answered.
            identifiers=[record.identifier],
            next_try=now.monotonic,
        )
        self._pending[pending.key] = pending
        self._outstanding[pending.home_address, peer, record.identifier] = pending
        self._next_tries.file(pending.key, pending.next_try)

    def recall_identifier(self, home_address: Ipv4, peer: Ipv4, identifier: int, sent_at: float) -> None:
        """A former process has used it; told in the order of ``sent_at``."""
        self._last_identifiers.pop((home_address, peer), None)
        self._last_identifiers[home_address, peer] = (identifier, sent_at + _REMEMBERED)

    def cancel(self, owner: bytes, place: Place) -> None:
        """There is nothing to revoke there any more.

        The mobile node is back at that MAG, and a later identifier would end its new registration (RV26); or that
        MAG has ended the registration by itself (RV27).
        """
        if self._pending:
            self._drop((owner, place))

    def _drop(self, key: Key) -> None:
        pending = self._pending.pop(key, None)
        if pending is not None:
            for identifier in pending.identifiers:
                self._outstanding.pop((pending.home_address, pending.destination.address, identifier), None)

    def timestamp_for(self, home_address: Ipv4, peer: Ipv4, now: Now) -> int:
        """What our 137 to ``peer`` carries: later than every identifier used before for that address (RV6)."""
        clock = int(now.wall)
        if self._last_identifiers:
            used = self._last_identifiers.get((home_address, peer))
            if used is not None and used[0] > clock:
                clock = used[0]
        if clock != self._last_timestamp:
            self._last_timestamp = clock & _LAST_IDENTIFIER
        return self._last_timestamp

    def echoed(self, payload: bytes, source: Endpoint, now: Now) -> list[Told] | None:
        """An acknowledgment came in that ends as what it answers, as nearly all do (RV20, RV12); None: look closer."""
        found = acknowledged_in(payload)
        if found is None:
            return None
        home_address, identifier, inform = found
        pending = self._outstanding.get((home_address, source.address, identifier))
        if pending is None or not pending.is_echoed_in(payload):
            return None
        return self._acknowledged(pending, inform, now)

    def acknowledged(self, payload: bytes, source: Endpoint, now: Now) -> list[Told]:
        """The same of any acknowledgment. WireError: it cannot be read."""
        ack = RevocationAck.decode(payload)
        pending = self._outstanding.get((ack.home_address, source.address, ack.identifier))
        if pending is None or ack.nai not in (b"", pending.nai):
            return [_discarded("no-such-revocation", source, "it answers nothing that was sent there (RV20)")]
        objection = pending.proof.objection(payload, ack)
        if objection is not None:
            return [_discarded(objection[0], source, objection[1])]
        return self._acknowledged(pending, ack.inform, now)

    def _acknowledged(self, pending: Pending, inform: bool, now: Now) -> list[Told]:
        over = self._over(pending, now)
        # An I bit that was not asked for says nothing (RV36).
        informed = inform if pending.inform else None
        subject = _Moment(pending, pending.tries, informed)
        return [ObserveAlike(Alike("revocation-acknowledged", (subject,), _acknowledged, _whose)), over]

    def _over(self, pending: Pending, now: Now) -> Save:
        """It is not repeated any more, whatever the reason, which must outlive us."""
        self._drop(pending.key)
        identifier = pending.identifiers[-1]
        owner, place = pending.key
        return Save(RevocationOver(owner, *place, pending.home_address, identifier, now.monotonic))

    def wake(self, now: Now) -> Iterator[Due[Told]]:
        """Retransmit what is due."""
        for key in self._next_tries.due(now.monotonic):
            pending = self._pending.get(key)
            if pending is not None:
                put_off = partial(self._later, pending, now, PUT_OFF)
                yield Due(pending.nai, partial(self._due, pending, now), put_off)
        while self._last_identifiers:
            peer, (_, until) = next(iter(self._last_identifiers.items()))
            if until > now.monotonic:
                break
            del self._last_identifiers[peer]

    def _due(self, pending: Pending, now: Now) -> list[Told]:
        if pending.owner in self._underway:
            self._later(pending, now)
            return []
        if pending.tries > _TRIES or pending.binding_ends <= now.monotonic:
            return [self._over(pending, now), _unanswered(pending)]
        attempt = self._attempt(pending, now, first=False)
        return [Save(attempt.record, attempt)]

    def next_deadline(self) -> float | None:
        """When to call ``wake`` next."""
        return self._next_tries.next_deadline()

    def _next_try(self, key: Key) -> float | None:
        pending = self._pending.get(key)
        return None if pending is None else pending.next_try

    def _later(self, pending: Pending, now: Now, seconds: float = RETRANSMIT_AFTER[0]) -> None:
        """Its node may be coming back to that MAG with a timestamp that no identifier must be later than (RV6)."""
        pending.next_try = now.monotonic + seconds
        self._next_tries.file(pending.key, pending.next_try)

    def _attempt(self, pending: Pending, now: Now, *, first: bool) -> Attempt:
        peer = (pending.home_address, pending.destination.address)
        used, _ = self._last_identifiers.pop(peer, _NEVER)
        # By the clock of the registration that it ends, which no step of ours moves out of the peer's window (RV17);
        # strictly after it, and never the same twice (RV14, RV15).
        clock = pending.registered_with + int(now.monotonic - pending.registered_at)
        identifier = max(clock, pending.registered_with + 1, used + 1) & _LAST_IDENTIFIER
        self._last_identifiers[peer] = (identifier, now.monotonic + _REMEMBERED)
        pending.identifiers.append(identifier)
        return Attempt(pending, identifier, first, now.monotonic)


class _Moment(Struct, eq=False, gc=False):
    """A revocation, and what will not be true of it any more when somebody looks."""

    pending: Pending
    tries: int
    informed: bool | None = None


def _sent(moment: _Moment) -> Observation:
    return _observation("revocation-sent", moment.pending, {"tries": moment.tries})


def _acknowledged(moment: _Moment) -> Observation:
    told: dict[str, Detail] = {"tries": moment.tries}
    if moment.informed is not None:
        told["informed"] = moment.informed
    return _observation("revocation-acknowledged", moment.pending, told)


def _whose(moment: _Moment) -> str:
    return moment.pending.nai.decode(errors="replace")


def _unanswered(pending: Pending) -> Observe:
    return Observe(
        _observation("revocation-unanswered", pending, {"tries": pending.tries}, reason="no-answer")
    )


def _observation(
    name: str, pending: Pending, details: Mapping[str, Detail], *, reason: str = ""
) -> Observation:
    return Observation(
        name=name,
        reason=reason,
        nai=pending.nai.decode(errors="replace"),
        session=str(pending.destination),
        details=details,
    )


def _discarded(reason: str, source: Endpoint, cause: str) -> Observe:
    return Observe(
        Observation(
            name="message-discarded",
            reason=reason,
            cause=f"a revocation acknowledgment from {source}: {cause}",
            details={"source": str(source)},
        )
    )
