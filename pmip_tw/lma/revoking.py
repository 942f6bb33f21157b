"""The LMA tells a MAG that a mobile node is no longer its visitor (RFC 3543 3.5, 4.2.2.1)."""

from collections import OrderedDict
from collections.abc import Mapping

import attrs

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.lma.bindings import Binding, Place
from pmip_tw.lma.revocation_proof import RevocationProof
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Observe, Send
from pmip_tw.mobility.observations import Detail, Observation
from pmip_tw.mobility.timers import Wheel
from pmip_tw.mobility.tunnels import SIGNALLING_PORT
from pmip_tw.wire.revocation import Revocation, RevocationAck

RETRANSMIT_AFTER = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each further try; the last one has as long again, then give up (RV23)."""

_GRANULARITY = 0.125
"""Seconds that a retransmission may be late."""

_REMEMBERED = 600.0
"""Seconds for which the last identifier used towards a peer is kept (RV6); any clock is past it by then."""

_LAST_IDENTIFIER = 0xFFFFFFFF

_Key = tuple[bytes, Place]
"""The owner of a binding and its MAG: who is no longer where."""


@attrs.define(slots=True, kw_only=True)
class _Pending:
    """A revocation not yet acknowledged (RV25)."""

    owner: bytes
    nai: bytes
    home_address: Ipv4
    place: Place
    destination: Endpoint
    local: Ipv4
    proof: RevocationProof
    registered_with: int
    registered_at: float
    binding_ends: float
    inform: bool
    identifiers: list[int] = attrs.field(factory=list)
    next_try: float = 0.0


class Revoker:
    """All revocations on their way. ``begin``, ``acknowledged`` and ``wake`` return effects."""

    def __init__(self) -> None:
        self._pending: dict[_Key, _Pending] = {}
        # Every identifier that an acknowledgment may name; none is used twice towards a peer (RV15, RV20).
        self._outstanding: dict[tuple[Ipv4, Ipv4, int], _Pending] = {}
        self._next_tries: Wheel[_Key] = Wheel(_GRANULARITY, self._next_try)
        self._last_identifiers: OrderedDict[tuple[Ipv4, Ipv4], tuple[int, float]] = OrderedDict()

    def __len__(self) -> int:
        """How many are on their way."""
        return len(self._pending)

    def begin(self, binding: Binding, local: Ipv4, now: Now, *, inform: bool = False) -> list[Send | Observe]:
        """Revoke ``binding``, which has moved or ended early; nothing if revocation was not negotiated (RV1, RV21).

        ``inform``: the node should be told; only said where the I bit was agreed upon (RV22), whatever D is: a MAG is
        the node's agent and not the node.
        """
        if binding.revocation is None or binding.deadline <= now.monotonic:  # RV24
            return []
        port = binding.tunnel.remote_port or SIGNALLING_PORT  # RV41: through a NAT only the seen port works
        pending = _Pending(
            owner=binding.owner,
            nai=binding.nai,
            home_address=binding.home_address,
            place=binding.place,
            destination=Endpoint(binding.source.address, port),
            local=local,
            proof=RevocationProof.of(binding.association, binding.fa_ha),
            registered_with=binding.revocation.own_timestamp,
            registered_at=binding.registered_at,
            inform=inform and binding.revocation.inform,
            binding_ends=binding.deadline,
        )
        self.cancel(binding.owner, binding.place)
        self._pending[binding.owner, binding.place] = pending
        return self._try(pending, now)

    def cancel(self, owner: bytes, place: Place) -> None:
        """There is nothing to revoke there any more.

        The mobile node is back at that MAG, and a later identifier would end its new registration (RV26); or that
        MAG has ended the registration by itself (RV27).
        """
        pending = self._pending.pop((owner, place), None)
        if pending is not None:
            for identifier in pending.identifiers:
                del self._outstanding[pending.home_address, pending.destination.address, identifier]

    def timestamp_for(self, home_address: Ipv4, peer: Ipv4, now: Now) -> int:
        """What our 137 to ``peer`` carries: later than every identifier used before for that address (RV6)."""
        used, _ = self._last_identifiers.get((home_address, peer), (0, 0.0))
        return max(int(now.wall), used) & _LAST_IDENTIFIER

    def acknowledged(self, payload: bytes, ack: RevocationAck, source: Endpoint) -> list[Send | Observe]:
        """An acknowledgment came in: RV20, RV12."""
        pending = self._outstanding.get((ack.home_address, source.address, ack.identifier))
        if pending is None or ack.nai not in (b"", pending.nai):
            return [_discarded("no-such-revocation", source, "it answers nothing that was sent there (RV20)")]
        objection = pending.proof.objection(payload, ack)
        if objection is not None:
            return [_discarded(objection[0], source, objection[1])]
        self.cancel(pending.owner, pending.place)
        # An I bit that was not asked for says nothing (RV36).
        told: dict[str, Detail] = {"informed": ack.inform} if pending.inform else {}
        return [_observed("revocation-acknowledged", pending, told)]

    def wake(self, now: Now) -> list[Send | Observe]:
        """Retransmit what is due."""
        effects: list[Send | Observe] = []
        for key in self._next_tries.due(now.monotonic):
            pending = self._pending[key]
            if len(pending.identifiers) > len(RETRANSMIT_AFTER) or pending.binding_ends <= now.monotonic:
                self.cancel(*key)
                effects.append(_observed("revocation-unanswered", pending, reason="no-answer"))
            else:
                effects += self._try(pending, now)
        while self._last_identifiers:
            peer, (_, until) = next(iter(self._last_identifiers.items()))
            if until > now.monotonic:
                break
            del self._last_identifiers[peer]
        return effects

    def next_deadline(self) -> float | None:
        """When to call ``wake`` next."""
        return self._next_tries.next_deadline()

    def _next_try(self, key: _Key) -> float | None:
        pending = self._pending.get(key)
        return None if pending is None else pending.next_try

    def _try(self, pending: _Pending, now: Now) -> list[Send | Observe]:
        peer = (pending.home_address, pending.destination.address)
        used, _ = self._last_identifiers.pop(peer, (0, 0.0))
        # By the clock of the registration that it ends, which no step of ours moves out of the peer's window (RV17);
        # strictly after it, and never the same twice (RV14, RV15).
        clock = pending.registered_with + int(now.monotonic - pending.registered_at)
        identifier = max(clock, pending.registered_with + 1, used + 1) & _LAST_IDENTIFIER
        self._last_identifiers[peer] = (identifier, now.monotonic + _REMEMBERED)
        self._outstanding[*peer, identifier] = pending
        pending.identifiers.append(identifier)
        tries = len(pending.identifiers)
        wait = RETRANSMIT_AFTER[min(tries, len(RETRANSMIT_AFTER)) - 1]
        pending.next_try = now.monotonic + wait
        self._next_tries.file((pending.owner, pending.place), pending.next_try)
        revocation = Revocation(
            from_home_agent=True,
            inform=pending.inform,
            nai=pending.nai,
            home_address=pending.home_address,
            home_domain=pending.local,
            foreign_domain=pending.place.care_of_address,
            identifier=identifier,
        )
        return [
            Send(pending.proof.sign(revocation), pending.destination, pending.local),
            _observed("revocation-sent", pending),
        ]


def _observed(
    name: str, pending: _Pending, details: Mapping[str, Detail] | None = None, *, reason: str = ""
) -> Observe:
    return Observe(
        Observation(
            name=name,
            reason=reason,
            nai=pending.nai.decode(errors="replace"),
            session=str(pending.destination),
            details={"tries": len(pending.identifiers), **(details or {})},
        )
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
