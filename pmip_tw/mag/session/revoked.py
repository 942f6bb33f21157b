"""Revocations that an LMA sends to a MAG (RFC 3543 3.5, 4.2.2.2)."""

from itertools import islice

import attrs

from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.mag import observed
from pmip_tw.mag.effects import MagEffect, Save
from pmip_tw.mag.journal.recording import buried, mn_ha_of
from pmip_tw.mag.journal.records import Buried
from pmip_tw.mag.registration.care_of import CareOf
from pmip_tw.mag.registration.lmas import Lmas
from pmip_tw.mag.registration.proof import verifies
from pmip_tw.mag.registration.protection import Protection
from pmip_tw.mag.visitors import State, Visitor, VisitorList
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Send
from pmip_tw.wire.revocation import Revocation, RevocationAck, later

WINDOW = 300
"""Seconds around the LMA's clock in which an identifier must lie (RV17)."""

_UNDER_WAY = "the registration that it may mean is still being asked for (RV16)"


@attrs.frozen(slots=True, kw_only=True)
class Tombstone:
    """A registration that is over: what is needed to acknowledge its revocation again (RV37)."""

    nai: str
    protection: Protection
    identifier: int
    until: float


@attrs.frozen(slots=True, kw_only=True)
class Judgement:
    """``visitor``: whom to remove, first of all (RV32); then ``effects``, the acknowledgment among them.

    ``inform``: the node is to be told, which the acknowledgment promises (RV33). ``goes_on_elsewhere``: nobody wants
    it told: it has moved (P35), as far as anybody says.
    """

    visitor: Visitor | None
    effects: list[MagEffect]
    inform: bool = False
    goes_on_elsewhere: bool = False


@attrs.frozen(slots=True, kw_only=True)
class _Arrived:
    """A revocation and where it came from."""

    message: Revocation
    payload: bytes
    source: Endpoint
    local: Ipv4

    def proven_by(self, protection: Protection) -> "_Proof | None":
        """RV9, RV11: FA-HA between agents, MN-HA where the node's association is what we have."""
        for association, found, is_fa_ha in (
            (protection.fa_ha, self.message.fa_ha, True),
            (protection.mn_ha, self.message.mn_ha, False),
        ):
            if association is not None and found is not None:
                right = verifies(self.payload, found, association)
                return _Proof(association, is_fa_ha) if right else None
        by_ipsec = protection.mode is AuthenticationMode.IPSEC
        return _Proof(None, False) if by_ipsec and self.source.address == self.message.home_domain else None

    def acknowledged(self, proof: "_Proof", nai: bytes, *, inform: bool = False) -> Send:
        """To where it came from (RFC 3543 3.4), under the association that it came under."""
        ack = RevocationAck(
            home_address=self.message.home_address,
            identifier=self.message.identifier,
            nai=nai,
            inform=inform,
        )
        datagram = ack.encode(
            mn_ha=None if proof.is_fa_ha else proof.association,
            fa_ha=proof.association if proof.is_fa_ha else None,
        )
        return Send(datagram, self.source, self.local)

    def discarded(self, reason: str, cause: str, nai: str = "", session: str = "") -> Judgement:
        note = observed.discarded(reason, self.source, cause, nai=nai, session=session)
        return Judgement(visitor=None, effects=[note])


@attrs.frozen(slots=True)
class _Proof:
    association: SecurityAssociation | None
    is_fa_ha: bool


class Revocations:
    """Decides about revocations received; keeps tombstones until the old lifetime would have ended."""

    def __init__(self, care_of: CareOf, visitors: VisitorList, lmas: Lmas) -> None:
        self._care_of = care_of
        self._visitors = visitors
        self._lmas = lmas
        self._tombstones: dict[tuple[Ipv4, Ipv4], tuple[Tombstone, ...]] = {}

    def received(self, payload: bytes, source: Endpoint, local: Ipv4, now: Now) -> Judgement:
        """A revocation message; raises WireError for octets that are none."""
        message = Revocation.decode(payload)
        arrived = _Arrived(message=message, payload=payload, source=source, local=local)
        if not message.from_home_agent:
            return arrived.discarded("reflected", "it claims to come from a foreign agent (RV18)")
        if not message.home_domain:
            return arrived.discarded("not-ours", "its home domain address is nobody's (RV32)")
        meant = [
            visitor
            for visitor in self._visitors.with_home(message.home_domain, message.home_address)
            if visitor.grant is not None
            and visitor.grant.care_of_address == message.foreign_domain
            and _means(message, visitor.nai)
        ]
        if len(meant) > 1:
            return arrived.discarded("ambiguous", "several nodes have that address, and it names none (RV13)")
        if meant:
            return self._about_visitor(arrived, meant[0], now)
        stones = self._tombstones.get((message.home_domain, message.home_address), ())
        for stone in stones:
            if stone.until > now.monotonic and _means(message, stone.nai):
                return self._about_tombstone(arrived, stone)
        if message.foreign_domain != self._care_of.address:
            return arrived.discarded("not-ours", "its foreign domain address is not ours (RV38)")
        return self._about_nobody(arrived)

    def bury(self, visitor: Visitor, monotonic: float, identifier: int | None = None) -> tuple[Buried, ...]:
        """``visitor`` was revoked by ``identifier``, or left: remember what is needed to answer once more.

        Gives what is to be written down of that; nothing where no revocation was negotiated.
        """
        if visitor.grant is None or visitor.grant.lma_timestamp is None:
            return ()
        assert visitor.tunnel is not None
        stone = Tombstone(
            nai=visitor.nai,
            protection=visitor.grant.protection,
            identifier=visitor.grant.lma_timestamp if identifier is None else identifier,
            until=visitor.grant.ends_at,
        )
        place = (visitor.tunnel.remote, visitor.home_address)
        self._raise(place, stone, monotonic)
        return (buried(visitor, stone.identifier),)

    def recall(self, record: Buried, monotonic: float) -> None:
        """What a former process has buried. By another association of ours with that LMA it is not answered."""
        known = Profile(nai=record.nai, mn_ha=mn_ha_of(record))
        protection = self._lmas.protection(record.lma, known)
        if isinstance(protection, Protection):
            stone = Tombstone(
                nai=record.nai,
                protection=protection,
                identifier=record.identifier,
                until=record.deadline,
            )
            self._raise((record.home_agent, record.home_address), stone, monotonic)

    def _raise(self, place: tuple[Ipv4, Ipv4], stone: Tombstone, monotonic: float) -> None:
        """Two old ones go for each that comes, so that burying costs the same however many lie there."""
        others = self._tombstones.pop(place, ())
        for key in list(islice(self._tombstones, 2)):
            if all(old.until <= monotonic for old in self._tombstones[key]):
                del self._tombstones[key]
        kept = (other for other in others if other.nai != stone.nai and other.until > monotonic)
        self._tombstones[place] = (stone, *kept)

    def _is_under_way(self, message: Revocation, nai: str) -> bool:
        """Whether ``message`` may end a registration of ``nai`` whose reply has not arrived yet.

        Who acknowledged that would take the reply for a registration all the same. It will come again (RV23), and say
        which it means: the LMA forgets one that was about an earlier stay (RV26).
        """
        visitor = self._visitors.with_nai(nai)
        return (
            visitor is not None and visitor.state is State.REGISTERING and visitor.lma == message.home_domain
        )

    def _about_visitor(self, arrived: _Arrived, visitor: Visitor, now: Now) -> Judgement:
        message, grant = arrived.message, visitor.grant
        assert grant is not None
        nai, session = visitor.nai, str(visitor.key)
        if grant.lma_timestamp is None:
            return arrived.discarded("not-negotiated", "revocation was not negotiated (RV1)", nai, session)
        proof = arrived.proven_by(grant.protection)
        if proof is None:
            cause = "the revocation does not verify (RV9)"
            return arrived.discarded("bad-authenticator", cause, nai, session)
        for stone in self._tombstones.get((message.home_domain, message.home_address), ()):
            if stone.nai == nai and not later(message.identifier, stone.identifier):
                # About an earlier stay: it is answered, and the present registration stays (RV17).
                return self._about_tombstone(arrived, stone)
        if not later(message.identifier, grant.lma_timestamp):
            cause = "it is older than the present registration (RV16)"
            return arrived.discarded("stale", cause, nai, session)
        clock = grant.lma_timestamp + int(now.monotonic - grant.accepted_at)
        if later(message.identifier, clock + WINDOW) or later(clock - WINDOW, message.identifier):
            cause = f"its identifier is more than {WINDOW} s off (RV17)"
            return arrived.discarded("outside-window", cause, nai, session)
        inform = message.inform and grant.inform
        records = self.bury(visitor, now.monotonic, message.identifier)
        effects: list[MagEffect] = [
            observed.visitor_event("revocation-received", visitor, lma=str(arrived.source), inform=inform),
            Save(records, (arrived.acknowledged(proof, nai.encode(), inform=inform),)),
        ]
        return Judgement(
            visitor=visitor, effects=effects, inform=inform, goes_on_elsewhere=not message.inform
        )

    def _about_tombstone(self, arrived: _Arrived, stone: Tombstone) -> Judgement:
        proof = arrived.proven_by(stone.protection)
        if proof is None:
            return arrived.discarded("bad-authenticator", "the revocation does not verify (RV9)", stone.nai)
        if later(stone.identifier, arrived.message.identifier):
            cause = "it is older than one that was acknowledged (RV17)"
            return arrived.discarded("replayed", cause, stone.nai)
        if stone.identifier != arrived.message.identifier and self._is_under_way(arrived.message, stone.nai):
            return arrived.discarded("under-way", _UNDER_WAY, stone.nai)
        # The end that it means may be on its way to the disk.
        return Judgement(visitor=None, effects=[Save((), (arrived.acknowledged(proof, stone.nai.encode()),))])

    def _about_nobody(self, arrived: _Arrived) -> Judgement:
        """What we know nothing of, perhaps because we were restarted, is over as well: who can prove that it is the
        LMA is told so, or it would ask until the lifetime ends (RV37).
        """
        protection = self._lmas.own_protection(arrived.message.home_domain)
        proof = None if protection is None else arrived.proven_by(protection)
        if proof is None:
            cause = "no registration here has that home address and NAI"
            return arrived.discarded("no-such-binding", cause)
        nai = arrived.message.nai
        if self._is_under_way(arrived.message, nai.decode(errors="replace")):
            return arrived.discarded("under-way", _UNDER_WAY, nai.decode(errors="replace"))
        noted = observed.revoked_nobody(nai.decode(errors="replace"), arrived.source)
        return Judgement(visitor=None, effects=[noted, arrived.acknowledged(proof, nai)])


def _means(message: Revocation, nai: str) -> bool:
    """An address may have had several owners; a revocation need not name the one that it means (RV13)."""
    return message.nai in (b"", nai.encode())
