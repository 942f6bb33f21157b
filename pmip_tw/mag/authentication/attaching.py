"""How a mobile node arrives: a frame that shows it, one question to AAA, and what is kept meanwhile (P15, P78, P83)."""

import attrs

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.access.evidence import Evidence, evidence
from pmip_tw.dhcp import requests
from pmip_tw.errors import WireError
from pmip_tw.mag import observed
from pmip_tw.mag.addressing.answers import Addressing
from pmip_tw.mag.authentication.admissions import Admissions
from pmip_tw.mag.authentication.admitting import Admitting
from pmip_tw.mag.authentication.dot1x import Dot1x
from pmip_tw.mag.authentication.gate import Gate
from pmip_tw.mag.authentication.mac_authentication import MacAuthentication
from pmip_tw.mag.authentication.moving import Moving
from pmip_tw.mag.authentication.strangers import Strangers
from pmip_tw.mag.effects import Expel, MagEffect
from pmip_tw.mag.observed import BadFrames
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.registration.registering import Registrations
from pmip_tw.mag.session.departures import Departures
from pmip_tw.mag.uplink import MAX_AGE
from pmip_tw.mag.visitors import State, Visitor, VisitorList
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.tunnels import AccessKey
from pmip_tw.wire.ethernet import EthernetFrame


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Attaching:
    """Looks after nodes until they are registered."""

    _policy: MagPolicy
    _visitors: VisitorList
    _gate: Gate
    _admissions: Admissions
    _addressing: Addressing
    _registrations: Registrations
    _departures: Departures
    _admitting: Admitting
    _by_mac: MacAuthentication
    _dot1x: Dot1x
    _moving: Moving
    _turned_away: BadFrames = attrs.field(factory=lambda: BadFrames("authentication-limit"), init=False)
    _strangers: Strangers = attrs.field(factory=Strangers, init=False)
    _not_let_in: BadFrames = attrs.field(factory=lambda: BadFrames("not-authenticated"), init=False)

    def turns_away(self, key: AccessKey, now: Now) -> list[MagEffect] | None:
        """Whether no packet of this stranger is worth a look, and what that means; None if one is (P83)."""
        if self._policy.access.of(key.port).by_eap:
            return self._dot1x.turns_away(key, now)
        if self._gate.is_held_off(key.mac, now.monotonic):
            return []
        if self._admissions.counts_at(key.port):
            if self._admissions.get(key, now.monotonic) is not None:
                return None
            stays = self._strangers.stays(key.mac, now)
            return [self._not_let_in[key.port], *([Expel(key)] if stays else [])]
        return [self._turned_away[key.port]] if self._gate.is_full(now.monotonic) else None

    def stranger(
        self, key: AccessKey, leaving: Visitor | None, frame: EthernetFrame, octets: bytes, now: Now
    ) -> list[MagEffect]:
        """Attachment (P15): the frame must be evidence, and AAA not overrun (P83)."""
        found = evidence(frame, self._policy.gateway_mac)
        if found is None or not self._addressing.attaches(found, now):
            return []
        elsewhere = self._visitors.with_mac(key.mac)
        if elsewhere is leaving:
            elsewhere = None
        effects: list[MagEffect] = []
        if elsewhere is not None and self._policy.access.of(key.port).by_eap:
            return self._dot1x.stranger(key, now)  # only its proof takes it away from there
        if elsewhere is not None and not self._moving.may_move(elsewhere):
            return self._moving.contest(elsewhere, key, now)
        if elsewhere is not None:
            effects += self._departures.forget(
                elsewhere,
                "visitor-removed",
                terminate_cause=TerminateCause.LOST_CARRIER,
                continues=True,
                cause=f"moved to {key.port}",
            )
        if leaving is not None:
            self._admitting.step_aside(leaving)
        return effects + self._attach(key, found, frame, octets, now)

    def frame(self, visitor: Visitor, frame: EthernetFrame, octets: bytes, now: Now) -> list[MagEffect]:
        """A frame of a node that is not registered yet: the last DHCP message, and the first others (P78)."""
        try:
            message = self._addressing.read(visitor, frame)
        except WireError as error:
            return [observed.frame_dropped(visitor, error.reason, str(error))]
        if isinstance(message, requests.Refusal):
            return [observed.frame_dropped(visitor, message)]
        if message is not None:
            told = self._addressing.before(visitor, message, now)
            self._registrations.hurry(visitor, message, now)
            return self._registrations.follow(visitor, told, now)
        found = evidence(frame, self._policy.gateway_mac)
        if found is None or not self._addressing.attaches(found, now):
            return []
        told = self._addressing.heard(visitor, found, now)
        late = visitor.frames.forget_old(now.monotonic)
        if visitor.state is State.WAITING and visitor.retry_at > now.monotonic + MAX_AGE:
            kept, late = True, late + 1  # it would be too old by then, and there may be thousands who wait
        else:
            kept = visitor.frames.hold(octets, now.monotonic)
        effects = self._registrations.follow(visitor, told, now)
        effects += [observed.frame_dropped(visitor, "held-too-long")] * late
        if not kept:
            effects.append(observed.frame_dropped(visitor, "held-too-many"))
        return effects

    def _attach(
        self, key: AccessKey, found: Evidence, frame: EthernetFrame, octets: bytes, now: Now
    ) -> list[MagEffect]:
        visitor = self._admitting.newcomer(key, now, found.address, found.in_use)
        effects = [
            observed.visitor_event("attached", visitor, evidence=found.kind.value),
            *self.frame(visitor, frame, octets, now),
        ]
        if self._policy.access.of(key.port).by_eap:
            return effects + self._dot1x.stranger(key, now)
        admission = self._admissions.get(key, now.monotonic)
        if admission is not None:
            self._admissions.withdraw_elsewhere(key)
            return effects + self._admitting.let_in(visitor, admission, now)
        return effects + self._by_mac.ask(visitor, now)
