"""Nodes that were authenticated elsewhere: by an access point that has this MAG for its RADIUS server (AA27).

Its Accept is the attachment. Where the LMA gives the address, the node is registered before its first frame; where it
has to bring one, that frame finds everything decided.
"""

from collections.abc import Callable, Iterator

import attrs
from msgspec.structs import replace

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.aaa.examined import Examined
from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.addresses import UNSPECIFIED, Mac
from pmip_tw.mag import observed
from pmip_tw.mag.addressing.answers import Addressing
from pmip_tw.mag.authentication.admissions import Admission, Admissions
from pmip_tw.mag.authentication.admitting import ACCESS_POINT, Admitting
from pmip_tw.mag.authentication.moving import Moving
from pmip_tw.mag.authentication.reauthorizing import Reauthorizing
from pmip_tw.mag.effects import Expel, MagEffect, Save
from pmip_tw.mag.journal import recording
from pmip_tw.mag.session.departures import Departures
from pmip_tw.mag.visitors import State, Visitor, VisitorList
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.tunnels import AccessKey

REAUTHENTICATION_GRACE = 30.0
"""Seconds after the end of a session in which its access point may have it authenticated anew (RFC 2865 5.29)."""


_SERVED = (State.ADDRESSING, State.REGISTERING, State.WAITING, State.REGISTERED)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Elsewhere:
    """What access points say of their stations."""

    _visitors: VisitorList
    _admissions: Admissions
    _addressing: Addressing
    _admitting: Admitting
    _reauthorizing: Reauthorizing
    _departures: Departures
    _moving: Moving
    _schedule: Callable[[Visitor], None]

    def accepted(self, key: AccessKey, profile: Profile, examined: Examined, now: Now) -> list[MagEffect]:
        """AAA accepts ``key``: who is new comes, who is here goes on."""
        until = _until(profile, now)
        served = self._visitors.with_mac(key.mac)
        if served is not None and not examined.by_eap:
            if served.key == key and served.proven and _is_served(served):
                if served.nai != profile.nai:
                    return [_not_believed(served, profile)]
                # Who has proven itself once is not less proven by its MAC, in its next visit neither.
                examined = replace(examined, by_eap=True)
            if served.key != key and not self._may_move(served):
                self._admissions.admit(key, profile, examined, until)
                return self._moving.contest(served, key, now)
        admission = self._admissions.admit(key, profile, examined, until)
        self._admissions.withdraw_elsewhere(key)
        if served is not None and not _is_served(served):
            served = None
        effects: list[MagEffect] = []
        hint, configured = UNSPECIFIED, False
        if served is not None and served.nai != profile.nai:
            why = f"its station is {profile.nai} now"
            effects += self._departures.leave(served, why, now, terminate_cause=TerminateCause.USER_REQUEST)
            if served.state is State.LEAVING:
                self._admitting.step_aside(served)
        elif served is not None and served.key == key:
            return self._goes_on(served, admission, now)
        elif served is not None:
            # It keeps its address, wherever it goes on.
            hint, configured = served.home_address or served.hint, served.configured
        effects += self._admitting.make_room(key, profile.nai, now)
        if not self._addressing.lma_assigns and not hint:
            return effects  # it has an address of its own, which its first frame shows
        visitor = self._admitting.newcomer(key, now, hint, configured)
        attached = observed.visitor_event("attached", visitor, evidence="access-point")
        return [*effects, attached, *self._admitting.let_in(visitor, admission, now)]

    def _may_move(self, served: Visitor) -> bool:
        """Whether an Accept of its MAC alone takes ``served`` to another interface.

        As a frame does at ports of our own; and besides from where nothing more has let it in: stations roam faster
        than access points notice.
        """
        roams = served.examined is not None and not served.examined.by_eap
        return roams or self._moving.may_move(served)

    def _goes_on(self, visitor: Visitor, admission: Admission, now: Now) -> list[MagEffect]:
        """It is where it was, and was examined again."""
        visitor.method, visitor.examined = ACCESS_POINT, admission.examined
        effects = self._reauthorizing.accepted(visitor, admission.profile, now)
        visitor.session_ends = admission.until
        self._schedule(visitor)
        return effects

    def limit(self, visitor: Visitor, now: Now) -> bool:
        """AAA has said how long, or with what, a visitor may go on; whether it is one whom an access point has let in.

        What was said counts for its next visit as well, until its access point says something else.
        """
        if visitor.examined is None or visitor.profile is None:
            return False
        visitor.session_ends = _until(visitor.profile, now)
        self.keep(visitor, now)
        return True

    def keep(self, visitor: Visitor, now: Now) -> None:
        """Its profile is another one."""
        admission = self._admissions.get(visitor.key, now.monotonic)
        if visitor.profile is not None and admission is not None:
            self._admissions.admit(visitor.key, visitor.profile, admission.examined, visitor.session_ends)

    def ended(self, key: AccessKey, why: str, terminate_cause: TerminateCause, now: Now) -> list[MagEffect]:
        """Its access point does not serve it any more."""
        self._admissions.withdraw(key)
        visitor = self._visitors.get(key)
        if visitor is None:
            return []
        effects = self._departures.leave(visitor, why, now, terminate_cause=terminate_cause)
        self._schedule(visitor)
        return effects

    def expel(self, key: AccessKey, now: Now) -> list[MagEffect]:
        """It is not to be served any more: its access point has to authenticate it anew before it is."""
        return [*self.write_down(key, now), Expel(key)] if self._admissions.withdraw(key) else []

    def write_down(self, key: AccessKey, now: Now) -> list[MagEffect]:
        """What has become of its admission, now: somebody is answered that it is so."""
        words = self._admissions.words_of(key, now.monotonic)
        return [Save(tuple(map(recording.admission, words)))] if words else []

    def let_in(self, station: Mac | None, now: Now) -> Iterator[tuple[AccessKey, Admission]]:
        """Whoever is, or ``station`` alone, wherever that is."""
        return (
            self._admissions.all(now.monotonic)
            if station is None
            else self._admissions.of(station, now.monotonic)
        )

    def is_asleep(self, key: AccessKey) -> bool:
        """Whether who is let in is no visitor: with its next frame it is one, and nobody is asked."""
        visitor = self._visitors.get(key)
        return visitor is None or visitor.state is State.LEAVING

    def restored(self) -> None:
        """The visitors of an older version's process, which did not write down whom access points had let in."""
        for visitor in self._visitors:
            examined, profile = visitor.examined, visitor.profile
            if examined is None or profile is None or not self._admissions.counts_at(visitor.key.port):
                continue
            if not self._admissions.has(visitor.key):
                self._admissions.admit(visitor.key, profile, examined, visitor.session_ends)


def _is_served(visitor: Visitor) -> bool:
    return visitor.state in _SERVED


def _not_believed(served: Visitor, profile: Profile) -> MagEffect:
    """It stays who it has proven to be: whoever can put its MAC on the air has not proven anything."""
    cause = f"AAA calls its MAC {profile.nai}, and it has proven by EAP that it is {served.nai}"
    return observed.visitor_event("accept-not-believed", served, cause=cause, reason="proven-by-eap")


def _until(profile: Profile, now: Now) -> float | None:
    """When the session of who is accepted now is over, monotonic; None: AAA has set no end."""
    if not profile.session_timeout:
        return None
    grace = REAUTHENTICATION_GRACE if profile.reauthenticate else 0.0
    return now.monotonic + profile.session_timeout + grace
