"""The LMA tells a MAG that a mobile node is no longer its visitor (RFC 3543; revocation.md sections 4, 5)."""

import attrs

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.lma.bindings import Binding
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Observe, Send
from pmip_tw.mobility.observations import Observation
from pmip_tw.mobility.tunnels import SIGNALLING_PORT
from pmip_tw.wire.revocation import Revocation, RevocationAck

RETRANSMIT_AFTER = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds after each try; then give up (RV23)."""

_REMEMBERED = 600.0
"""Seconds for which the last identifier used towards a peer is kept (RV6); it is past any clock by then."""


@attrs.define(slots=True, kw_only=True)
class _Pending:
    """A revocation not yet acknowledged (RV25)."""

    nai: bytes
    home_address: Ipv4
    care_of_address: Ipv4
    destination: Endpoint
    local: Ipv4
    association: SecurityAssociation
    registered_with: int
    binding_ends: float
    identifiers: list[int] = attrs.field(factory=list)
    next_try: float = 0.0


class Revoker:
    """All revocations on their way. ``begin``, ``cancel``, ``acknowledged`` and ``wake`` return effects."""

    def __init__(self) -> None:
        self._pending: dict[tuple[bytes, Ipv4], _Pending] = {}
        self._last_identifiers: dict[tuple[Ipv4, Ipv4], tuple[int, float]] = {}

    def begin(self, binding: Binding, local: Ipv4, now: Now) -> list[Send | Observe]:
        """Revoke ``binding``, which has moved or ended early; nothing if revocation was not negotiated (RV1, RV21)."""
        if binding.revocation is None or binding.deadline <= now.monotonic:  # RV24
            return []
        port = binding.tunnel.remote_port or SIGNALLING_PORT  # RV41: through a NAT only the seen port works
        pending = _Pending(
            nai=binding.nai,
            home_address=binding.home_address,
            care_of_address=binding.care_of_address,
            destination=Endpoint(binding.source.address, port),
            local=local,
            association=binding.association,
            registered_with=binding.revocation.own_timestamp,
            binding_ends=binding.deadline,
        )
        self._pending[binding.nai, binding.care_of_address] = pending
        return self._try(pending, now)

    def cancel(self, nai: bytes, care_of_address: Ipv4) -> None:
        """The mobile node is back at that MAG: a later identifier would end its new registration (RV26)."""
        self._pending.pop((nai, care_of_address), None)

    def timestamp_for(self, home_address: Ipv4, peer: Ipv4, now: Now) -> int:
        """What our 137 to ``peer`` carries: later than every identifier used before for that address (RV6)."""
        used, _ = self._last_identifiers.get((home_address, peer), (0, 0.0))
        return max(int(now.wall), used)

    def acknowledged(self, payload: bytes, ack: RevocationAck, source: Endpoint) -> list[Send | Observe]:
        """An acknowledgment came in: RV20, RV12."""
        pending = self._outstanding(ack, source)
        if pending is None:
            return [_discarded("no-such-revocation", source)]
        found = ack.mn_ha
        association = pending.association
        if found is None or found.spi != association.spi:
            return [_discarded("no-authenticator", source)]
        if not association.verify(payload[: found.covered], found.value):
            return [_discarded("bad-authenticator", source)]
        self.cancel(pending.nai, pending.care_of_address)
        return [_observed("revocation-acknowledged", pending, tries=len(pending.identifiers))]

    def wake(self, now: Now) -> list[Send | Observe]:
        """Retransmit what is due."""
        effects: list[Send | Observe] = []
        for key, pending in list(self._pending.items()):
            if pending.next_try > now.monotonic:
                continue
            if len(pending.identifiers) > len(RETRANSMIT_AFTER) or pending.binding_ends <= now.monotonic:
                del self._pending[key]
                effects.append(_observed("revocation-unanswered", pending, tries=len(pending.identifiers)))
            else:
                effects += self._try(pending, now)
        for name, (_, until) in list(self._last_identifiers.items()):
            if until > now.monotonic:
                break
            del self._last_identifiers[name]
        return effects

    def next_deadline(self) -> float | None:
        return min((pending.next_try for pending in self._pending.values()), default=None)

    def _outstanding(self, ack: RevocationAck, source: Endpoint) -> _Pending | None:
        """The revocation that ``ack`` answers: any identifier that it was sent with counts (RV20)."""
        for pending in self._pending.values():
            if (
                pending.destination.address == source.address
                and pending.home_address == ack.home_address
                and ack.identifier in pending.identifiers
                and ack.nai in (b"", pending.nai)
            ):
                return pending
        return None

    def _try(self, pending: _Pending, now: Now) -> list[Send | Observe]:
        peer = (pending.home_address, pending.destination.address)
        used, _ = self._last_identifiers.pop(peer, (0, 0.0))
        # Strictly after the registration that it ends, and never the same twice (RV14, RV15).
        identifier = max(int(now.wall), pending.registered_with + 1, used + 1) & 0xFFFFFFFF
        self._last_identifiers[peer] = (identifier, now.monotonic + _REMEMBERED)
        pending.identifiers.append(identifier)
        tries = len(pending.identifiers)
        wait = RETRANSMIT_AFTER[min(tries, len(RETRANSMIT_AFTER)) - 1]
        pending.next_try = now.monotonic + wait
        revocation = Revocation(
            from_home_agent=True,
            nai=pending.nai,
            home_address=pending.home_address,
            home_domain=pending.local,
            foreign_domain=pending.care_of_address,
            identifier=identifier,
        )
        datagram = revocation.encode(mn_ha=pending.association)
        return [
            Send(datagram, pending.destination, pending.local),
            _observed("revocation-sent", pending, tries=tries),
        ]


def _observed(name: str, pending: _Pending, tries: int) -> Observe:
    return Observe(
        Observation(
            name=name,
            nai=pending.nai.decode(errors="replace"),
            session=str(pending.destination),
            details={"tries": tries},
        )
    )


def _discarded(reason: str, source: Endpoint) -> Observe:
    return Observe(
        Observation(
            name="message-discarded",
            reason=reason,
            cause=f"a revocation acknowledgment from {source} matches nothing that was sent",
        )
    )
