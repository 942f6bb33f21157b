"""How a mobile node arrives: a frame that shows it, one question to AAA, and what is kept meanwhile (P15, P78, P83)."""

from collections.abc import Callable

import attrs

from pmip_tw.aaa.accounting import TerminateCause, new_id
from pmip_tw.aaa.profile import Profile
from pmip_tw.aaa.verdicts import Accept, Challenge, MacCredential, Reject, Verdict
from pmip_tw.access.evidence import Evidence, evidence
from pmip_tw.addresses import Ipv4
from pmip_tw.dhcp import requests
from pmip_tw.errors import WireError
from pmip_tw.mag import observed
from pmip_tw.mag.addressing import Addressing
from pmip_tw.mag.admissions import Admissions
from pmip_tw.mag.departures import Departures
from pmip_tw.mag.effects import Authenticate, MagEffect
from pmip_tw.mag.gate import Gate
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.registering import Registrations
from pmip_tw.mag.uplink import MAX_AGE, HeldFrames, Store
from pmip_tw.mag.visitors import State, Visitor, VisitorList
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.tunnels import AccessKey
from pmip_tw.wire.ethernet import EthernetFrame

_AAA_DOWN_HOLD = 1.0
"""Seconds between two questions about one MAC to an AAA that does not answer."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Attaching:
    """Makes visitors, and looks after them until they are registered.

    ``held``: where visitors keep frames. ``schedule``: to be called with every visitor for which another instant
    counts now.
    """

    _policy: MagPolicy
    _visitors: VisitorList
    _gate: Gate
    _admissions: Admissions
    _addressing: Addressing
    _registrations: Registrations
    _departures: Departures
    _held: Store
    _schedule: Callable[[Visitor], None]

    def stranger(
        self, key: AccessKey, leaving: Visitor | None, frame: EthernetFrame, octets: bytes, now: Now
    ) -> list[MagEffect]:
        """Attachment (P15): the frame must be evidence, and AAA not overrun (P83)."""
        found = evidence(frame, self._policy.gateway_mac)
        if found is None or not self._addressing.attaches(found, now):
            return []
        elsewhere = self._visitors.with_mac(key.mac)
        if elsewhere is not None and elsewhere is not leaving and not self._may_move(elsewhere):
            self._registrations.contest(elsewhere, now)
            self._schedule(elsewhere)
            return [observed.duplicate_mac(key, elsewhere.key)]
        effects: list[MagEffect] = []
        if elsewhere is not None and elsewhere is not leaving:
            effects += self._departures.forget(
                elsewhere,
                "visitor-removed",
                terminate_cause=TerminateCause.LOST_CARRIER,
                continues=True,
                cause=f"moved to {key.port}",
            )
        if leaving is not None:
            self._visitors.remove(leaving)
        return effects + self._attach(key, found, frame, octets, now)

    def authenticated(self, key: AccessKey, attempt: float, verdict: Verdict, now: Now) -> list[MagEffect]:
        """AAA's verdict on what Authenticate asked."""
        self._gate.ended()
        visitor = self._visitors.get(key)
        if visitor is None or visitor.state is not State.AUTHENTICATING or visitor.since != attempt:
            return []
        if isinstance(verdict, Challenge):
            verdict = Reject("AAA asks for an answer by EAP, and this node has not come by 802.1X")
        if not isinstance(verdict, Accept):
            rejected = isinstance(verdict, Reject)
            hold = self._policy.reject_hold if rejected else _AAA_DOWN_HOLD
            self._gate.hold_off(key.mac, now.monotonic, hold)
            name = "access-rejected" if rejected else "aaa-unavailable"
            return self._departures.forget(
                visitor, name, terminate_cause=TerminateCause.SERVICE_UNAVAILABLE, cause=verdict.cause
            )
        return self.accepted(visitor, verdict.profile, session_ends(verdict.profile, now), now)

    def accepted(
        self, visitor: Visitor, profile: Profile, ends_at: float | None, now: Now
    ) -> list[MagEffect]:
        """AAA has accepted who has just come, however it was asked: until ``ends_at`` it may be served."""
        visitor.profile, visitor.session_ends = profile, ends_at
        visitor.accounting_id = new_id(str(visitor.key), now)
        effects: list[MagEffect] = []
        former = self._visitors.with_nai(visitor.nai)
        if former is not None:
            cause = f"its NAI is now at {visitor.key}: each mobile node needs a name of its own"
            effects += self._departures.forget(
                former,
                "visitor-removed",
                terminate_cause=TerminateCause.NAS_REQUEST,
                continues=former.mac == visitor.mac,
                cause=cause,
            )
            if former.mac != visitor.mac and former.state is not State.LEAVING:
                # Two nodes with one name would take it from each other with every frame.
                self._gate.hold_off(former.mac, now.monotonic, self._policy.reject_hold)
        self._visitors.identified(visitor)
        effects.append(observed.visitor_event("access-accepted", visitor))
        effects += self._registrations.follow(visitor, self._addressing.admitted(visitor, now), now)
        self._schedule(visitor)
        return effects

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

    def _may_move(self, elsewhere: Visitor) -> bool:
        """Whether a MAC that is served at another port may be served at this one now (AA24).

        While AAA is being asked it may not: there is one authentication per MAC (P83).
        """
        if elsewhere.state is State.LEAVING:
            return True
        return self._policy.duplicate_mac == "move" and elsewhere.state is not State.AUTHENTICATING

    def come(self, key: AccessKey, hint: Ipv4, configured: bool, now: Now) -> Visitor:
        """A visitor that nobody has been asked about; ``hint``, ``configured``: see ``Visitor``."""
        visitor = Visitor(
            key=key,
            since=now.monotonic,
            hint=hint,
            configured=configured,
            heard_at=now.monotonic,
            shows_dhcp=self._addressing.shows_dhcp,
            frames=HeldFrames(self._held),
        )
        self._visitors.add(visitor)
        return visitor

    def _attach(
        self, key: AccessKey, found: Evidence, frame: EthernetFrame, octets: bytes, now: Now
    ) -> list[MagEffect]:
        visitor = self.come(key, found.address, found.in_use, now)
        effects = [
            observed.visitor_event("attached", visitor, evidence=found.kind.value),
            *self.frame(visitor, frame, octets, now),
        ]
        admission = self._admissions.get(key, now.monotonic)
        if admission is not None:
            return effects + self.accepted(visitor, admission.profile, admission.until, now)
        self._gate.began(now.monotonic)
        return [*effects, Authenticate(key, MacCredential(mac=key.mac, port=key.port), visitor.since)]


def session_ends(profile: Profile, now: Now) -> float | None:
    """When the session of who is accepted now is over, monotonic; None: AAA has set no end."""
    return now.monotonic + profile.session_timeout if profile.session_timeout else None
