"""Revocations that an LMA sends to a MAG (RFC 3543 3.5, 4.2.2.2)."""

from itertools import islice

import attrs

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.mag import observed
from pmip_tw.mag.visitors import Visitor, VisitorList
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Observe, Send
from pmip_tw.wire.revocation import Revocation, RevocationAck

WINDOW = 300
"""Seconds around the LMA's clock in which an identifier must lie (RV17)."""

_HALF = 1 << 31


@attrs.frozen(slots=True, kw_only=True)
class Tombstone:
    """A registration that is over: what is needed to acknowledge its revocation again (RV37)."""

    nai: str
    association: SecurityAssociation
    identifier: int
    until: float


@attrs.frozen(slots=True, kw_only=True)
class Judgement:
    """``visitor``: whom to remove, first of all (RV32); then ``effects``, the acknowledgment among them."""

    visitor: Visitor | None
    effects: list[Send | Observe]


def later(one: int, other: int) -> bool:
    """Strictly after, in 32-bit serial arithmetic (RV16)."""
    return 0 < (one - other) & 0xFFFFFFFF < _HALF


class Revocations:
    """Decides about revocations received; keeps tombstones until the old lifetime would have ended."""

    def __init__(self, address: Ipv4, visitors: VisitorList) -> None:
        self._address = address
        self._visitors = visitors
        self._tombstones: dict[tuple[Ipv4, Ipv4], Tombstone] = {}

    def received(self, payload: bytes, source: Endpoint, local: Ipv4, now: Now) -> Judgement:
        """A revocation message; raises WireError for octets that are none."""
        message = Revocation.decode(payload)
        if not message.from_home_agent:
            return _discard("reflected", source, "it claims to come from a foreign agent (RV18)")
        if message.foreign_domain != self._address or not message.home_domain:
            return _discard("not-ours", source, "its domain addresses are not ours and an LMA's (RV32, RV38)")
        visitor = self._visitors.at(message.home_domain, message.home_address)
        if visitor is not None and visitor.grant is not None and _means(message, visitor.nai):
            return self._about_visitor(payload, message, visitor, source, local, now)
        stone = self._tombstones.get((message.home_domain, message.home_address))
        if stone is not None and stone.until > now.monotonic and _means(message, stone.nai):
            return self._about_tombstone(payload, message, stone, source, local)
        return _discard("no-such-binding", source, "no registration here has that home address and NAI")

    def bury(self, visitor: Visitor, identifier: int, monotonic: float) -> None:
        """``visitor`` was revoked by ``identifier``, or left: remember what is needed to answer once more.

        Two old ones go for each that comes, so that burying costs the same however many lie there.
        """
        assert visitor.profile is not None and visitor.grant is not None
        self._tombstones.pop((visitor.lma, visitor.home_address), None)
        for key in list(islice(self._tombstones, 2)):
            if self._tombstones[key].until <= monotonic:
                del self._tombstones[key]
        self._tombstones[visitor.lma, visitor.home_address] = Tombstone(
            nai=visitor.nai,
            association=visitor.profile.mn_ha,
            identifier=identifier,
            until=visitor.grant.ends_at,
        )

    def _about_visitor(
        self, payload: bytes, message: Revocation, visitor: Visitor, source: Endpoint, local: Ipv4, now: Now
    ) -> Judgement:
        assert visitor.profile is not None and visitor.grant is not None
        nai, association, grant = visitor.nai, visitor.profile.mn_ha, visitor.grant
        session = str(visitor.key)
        if grant.lma_timestamp is None:
            return _discard("not-negotiated", source, "revocation was not negotiated (RV1)", nai, session)
        if not _authentic(payload, message, association):
            return _discard("bad-authenticator", source, "the revocation does not verify (RV9)", nai, session)
        stone = self._tombstones.get((visitor.lma, visitor.home_address))
        if stone is not None and stone.nai == nai and not later(message.identifier, stone.identifier):
            # About an earlier stay: it is answered, and the present registration stays (RV17).
            return self._about_tombstone(payload, message, stone, source, local)
        if not later(message.identifier, grant.lma_timestamp):
            return _discard("stale", source, "it is older than the present registration (RV16)", nai, session)
        elapsed = int(now.monotonic - grant.accepted_at)
        clock = grant.lma_timestamp + elapsed
        if later(message.identifier, clock + WINDOW) or later(clock - WINDOW, message.identifier):
            cause = f"its identifier is more than {WINDOW} s off (RV17)"
            return _discard("outside-window", source, cause, nai, session)
        self.bury(visitor, message.identifier, now.monotonic)
        effects: list[Send | Observe] = [
            observed.visitor_event("revocation-received", visitor, lma=str(source)),
            _acknowledge(message, association, nai, source, local),
        ]
        return Judgement(visitor=visitor, effects=effects)

    def _about_tombstone(
        self, payload: bytes, message: Revocation, stone: Tombstone, source: Endpoint, local: Ipv4
    ) -> Judgement:
        if not _authentic(payload, message, stone.association):
            return _discard("bad-authenticator", source, "the revocation does not verify (RV9)", stone.nai)
        if later(stone.identifier, message.identifier):
            return _discard(
                "replayed", source, "it is older than one that was acknowledged (RV17)", stone.nai
            )
        return Judgement(
            visitor=None, effects=[_acknowledge(message, stone.association, stone.nai, source, local)]
        )


def _means(message: Revocation, nai: str) -> bool:
    """An address may have had several owners; a revocation need not name the one that it means (RV13)."""
    return message.nai in (b"", nai.encode())


def _authentic(payload: bytes, message: Revocation, association: SecurityAssociation) -> bool:
    found = message.mn_ha
    return (
        found is not None
        and found.spi == association.spi
        and association.verify(payload[: found.covered], found.value)
    )


def _acknowledge(
    message: Revocation, association: SecurityAssociation, nai: str, source: Endpoint, local: Ipv4
) -> Send:
    """To where the revocation came from (RFC 3543 3.4); I is 0: the mobile node is not told (RV33)."""
    ack = RevocationAck(home_address=message.home_address, identifier=message.identifier, nai=nai.encode())
    return Send(ack.encode(mn_ha=association), source, local)


def _discard(reason: str, source: Endpoint, cause: str, nai: str = "", session: str = "") -> Judgement:
    note = observed.discarded(reason, source, cause, nai=nai, session=session)
    return Judgement(visitor=None, effects=[note])
