"""Who AAA has accepted becomes a visitor with a profile, however it was asked (P15, AA2, AA27)."""

from collections.abc import Callable

import attrs

from pmip_tw.aaa.accounting.records import TerminateCause, new_id
from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.addresses import UNSPECIFIED, Ipv4
from pmip_tw.mag import observed
from pmip_tw.mag.addressing.answers import Addressing
from pmip_tw.mag.authentication.admissions import Admission
from pmip_tw.mag.authentication.gate import Gate
from pmip_tw.mag.authentication.reauthorizing import set_limits
from pmip_tw.mag.effects import MagEffect
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.registration.registering import Registrations
from pmip_tw.mag.session.allowing import Allowing
from pmip_tw.mag.session.departures import Departures
from pmip_tw.mag.uplink import HeldFrames, Store
from pmip_tw.mag.visitors import State, Visitor, VisitorList
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.tunnels import AccessKey

ACCESS_POINT = "access-point"
"""What it is called as a method where others have examined a node (AA27)."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Admitting:
    """``held``: where visitors keep frames. ``schedule``: to be called with every visitor for which another instant
    counts now.
    """

    _policy: MagPolicy
    _visitors: VisitorList
    _gate: Gate
    _addressing: Addressing
    _allowing: Allowing
    _registrations: Registrations
    _departures: Departures
    _held: Store
    _schedule: Callable[[Visitor], None]

    def newcomer(
        self, key: AccessKey, now: Now, hint: Ipv4 = UNSPECIFIED, configured: bool = False
    ) -> Visitor:
        """A visitor about whom AAA says something now or later; ``hint``, ``configured``: see ``Visitor``."""
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

    def make_room(self, key: AccessKey, nai: str, now: Now) -> list[MagEffect]:
        """``nai`` has proven itself with this MAC: whoever had it, here or at another port, is no visitor any more."""
        leaving = self._visitors.get(key)
        if leaving is not None and leaving.state is State.LEAVING:
            self.step_aside(leaving)
        elsewhere = self._visitors.with_mac(key.mac)
        if elsewhere is None or elsewhere.key == key:
            return []
        if elsewhere.nai != nai:
            why = f"its MAC has proven on {key.port} that it is {nai}"
            gone = self._departures.leave(elsewhere, why, now, terminate_cause=TerminateCause.PORT_PREEMPTED)
            self._schedule(elsewhere)
            return gone
        return self._departures.forget(
            elsewhere,
            "visitor-removed",
            terminate_cause=TerminateCause.LOST_CARRIER,
            continues=True,
            cause=f"moved to {key.port}",
        )

    def step_aside(self, leaving: Visitor) -> None:
        """Its place is another's now. It may be one with another name: what it says to its LMA is repeated as ever."""
        self._visitors.step_aside(leaving)
        self._schedule(leaving)

    def admit(
        self, visitor: Visitor, profile: Profile, method: str, now: Now, identity: str = ""
    ) -> list[MagEffect]:
        """AAA has accepted ``visitor``, by ``method``: its registration begins. ``identity``: what it called itself."""
        visitor.profile, visitor.method, visitor.identity = profile, method, identity
        set_limits(visitor, self._policy.access.dot1x, now)
        return self._accepted(visitor, profile, now)

    def let_in(self, visitor: Visitor, admission: Admission, now: Now) -> list[MagEffect]:
        """The same of one whom its access point examines."""
        visitor.method, visitor.examined = ACCESS_POINT, admission.examined
        visitor.profile, visitor.session_ends = admission.profile, admission.until
        return self._accepted(visitor, admission.profile, now)

    def _accepted(self, visitor: Visitor, profile: Profile, now: Now) -> list[MagEffect]:
        key = visitor.key
        visitor.accounting_id = new_id(str(key), now)
        effects = self._allowing.allow(visitor, profile, now)
        former = self._visitors.with_nai(profile.nai)
        if former is not None and former.state is State.LEAVING and former.mac == key.mac:
            self._visitors.remove(former)  # it has come back
        elif former is not None and former is not visitor:
            cause = f"its NAI is now at {key}: each mobile node needs a name of its own"
            effects += self._departures.forget(
                former,
                "visitor-removed",
                terminate_cause=TerminateCause.NAS_REQUEST,
                continues=former.mac == key.mac,
                cause=cause,
            )
            if former.mac != key.mac and former.state is not State.LEAVING:
                # Two nodes with one name would take it from each other with every frame.
                self._gate.hold_off(former.mac, now.monotonic, self._policy.reject_hold)
        self._visitors.identified(visitor)
        effects.append(observed.believed("access-accepted", visitor, profile))
        effects += self._registrations.follow(visitor, self._addressing.admitted(visitor, now), now)
        self._schedule(visitor)
        return effects
