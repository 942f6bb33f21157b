"""AAA acts on visitors: it ends their visit, changes what they may, or wants to be asked about them (RFC 5176).

Everybody whom AAA has accepted and who is not leaving has a session. What is asked of several is done to all of them,
or to none.
"""

from collections.abc import Callable, Iterator

import attrs

from pmip_tw.aaa.accounting.records import TerminateCause, common_id
from pmip_tw.aaa.dynamic_authorization import (
    NOT_FOUND,
    Change,
    Done,
    ErrorCause,
    Outcome,
    Refused,
    Selection,
    SessionIdentity,
)
from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.addresses import Mac, mac, mac_text
from pmip_tw.mag import observed
from pmip_tw.mag.authentication.admissions import Admission
from pmip_tw.mag.authentication.dot1x import Dot1x
from pmip_tw.mag.authentication.elsewhere import Elsewhere
from pmip_tw.mag.authentication.gate import Gate
from pmip_tw.mag.authentication.reauthorizing import set_limits
from pmip_tw.mag.effects import MagEffect, SessionChanged
from pmip_tw.mag.journal.recording import Recording
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.session.allowing import Allowing
from pmip_tw.mag.session.departures import Departures
from pmip_tw.mag.visitors import State, Visitor, VisitorList
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.tunnels import AccessKey

Decided = tuple[Outcome, list[MagEffect]]
"""What to answer when the effects, and what is saved with them, have happened."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Sessions:
    """``schedule``: to be called with every visitor for which another instant counts now."""

    _policy: MagPolicy
    _visitors: VisitorList
    _gate: Gate
    _allowing: Allowing
    _elsewhere: Elsewhere
    _dot1x: Dot1x
    _recording: Recording
    _departures: Departures
    _schedule: Callable[[Visitor], None]

    def disconnect(self, selection: Selection, now: Now) -> Decided:
        """End their visits (AA17). Who is still there is not asked about at once: AAA might have nothing against it.

        Whom an access point has let in and who sleeps would be served again without a word to AAA: it is meant, too.
        """
        found, asleep = self._selected(selection), self._asleep(selection, now)
        effects: list[MagEffect] = []
        for visitor in found:
            effects += self._departures.leave(
                visitor, "disconnected by AAA", now, terminate_cause=TerminateCause.ADMIN_RESET
            )
            self._gate.hold_off(visitor.mac, now.monotonic, self._policy.reject_hold)
            effects += [*self._elsewhere.expel(visitor.key, now), *self._dot1x.expel(visitor.key, now)]
            self._schedule(visitor)
        for key in asleep:
            self._gate.hold_off(key.mac, now.monotonic, self._policy.reject_hold)
            effects += self._elsewhere.expel(key, now)
        ended = len(found) + len(asleep)
        return (Done(ended) if ended else NOT_FOUND), effects

    def change(self, selection: Selection, change: Change, now: Now) -> Decided:
        """Let something be different from now on (AA18), for all of them or for none (AA16)."""
        found = self._selected(selection)
        if not found:
            return NOT_FOUND, []
        unknown = self._allowing.unknown(change.filter_ids or ())
        if unknown:
            why = f"there is no [[mag.filters]] of the name {unknown[0]!r}"
            return Refused(ErrorCause.INVALID_ATTRIBUTE_VALUE, why), []  # AA25
        effects: list[MagEffect] = []
        for visitor in found:
            effects += self._changed(visitor, change, now)
            self._schedule(visitor)
        return Done(len(found)), effects

    def reauthorize(self, selection: Selection, state: bytes, now: Now) -> Decided:
        """AAA is asked about them with ``state`` (RFC 5176 3.2), in a moment: it is to hear first that it will be."""
        found = [one for one in self._selected(selection) if one.state is not State.AUTHENTICATING]
        for visitor in found:
            visitor.reauthorize_at, visitor.reauthorize_with = now.monotonic, state
            self._schedule(visitor)
        return (Done(len(found)) if found else NOT_FOUND), []

    def _changed(self, visitor: Visitor, change: Change, now: Now) -> list[MagEffect]:
        assert visitor.profile is not None
        said = attrs.asdict(change, recurse=False)
        profile = attrs.evolve(
            visitor.profile, **{name: value for name, value in said.items() if value is not None}
        )
        visitor.profile = profile
        if change.session_timeout is None:
            self._elsewhere.keep(visitor, now)
        elif not self._elsewhere.limit(visitor, now):
            set_limits(visitor, self._policy.access.dot1x, now)
        effects: list[MagEffect] = self._elsewhere.write_down(visitor.key, now)
        effects.append(observed.visitor_event("authorization-changed", visitor, **_told(said)))
        effects += self._allowing.allow(visitor, profile, now)
        if visitor.grant is not None:
            effects += [self._recording.registered(visitor, []), SessionChanged(visitor.key)]
        return effects

    def _selected(self, selection: Selection) -> list[Visitor]:
        return [
            visitor
            for visitor in self._perhaps(selection)
            if visitor.profile is not None
            and visitor.state is not State.LEAVING
            and selection.includes(self._identity(visitor, visitor.profile))
        ]

    def _perhaps(self, selection: Selection) -> Iterator[Visitor]:
        """Nobody else can be meant: mostly one, if what it is called by is how it is found."""
        if selection.home_address is not None:
            home_address = selection.home_address
            yield from [visitor for visitor in self._visitors if visitor.home_address == home_address]
            return
        found = None
        if selection.calling_station is not None:
            found = self._visitors.with_mac(_mac(selection.calling_station))
        elif selection.accounting_session is not None:
            found = self._visitors.with_accounting_id(selection.accounting_session)
        elif selection.user_name is not None:
            found = self._visitors.with_nai(selection.user_name)
            if found is None:
                yield from self._visitors  # another name of it, or in other letters
                return
        else:
            yield from self._visitors
            return
        if found is not None:
            yield found

    def _asleep(self, selection: Selection, now: Now) -> list[AccessKey]:
        """What a visit has been called by ended with it."""
        if selection.home_address is not None or selection.accounting_session is not None:
            return []
        station = None if selection.calling_station is None else _mac(selection.calling_station)
        name = (selection.user_name or "").lower()
        named = _mac(name)
        # There may be tens of thousands: who has another name, as nearly all, costs little.
        return [
            key
            for key, one in self._elsewhere.let_in(station, now)
            if (not name or one.profile.nai.lower() == name or key.mac == named)
            and selection.includes(_identity(key, one))
            and self._elsewhere.is_asleep(key)
        ]

    def _identity(self, visitor: Visitor, profile: Profile) -> SessionIdentity:
        """As access and accounting have called it towards AAA."""
        return SessionIdentity(
            nai=profile.nai,
            mac=visitor.mac,
            home_address=visitor.home_address,
            port=visitor.key.port,
            called_station=self._called_station(visitor),
            accounting_session=visitor.accounting_id,
            multi_session=common_id(profile.nai.encode(), visitor.home_address),
            chargeable_identity=profile.chargeable_identity,
            aaa_session=profile.aaa_session_id,
            correlation=profile.correlation_id,
        )

    def _called_station(self, visitor: Visitor) -> str:
        """Its access point's own name, which AAA was asked with; else what nodes know us by."""
        if visitor.examined is not None and visitor.examined.called_station:
            return visitor.examined.called_station.decode(errors="replace")
        return mac_text(self._policy.gateway_mac, "-").upper()


def _identity(key: AccessKey, admission: Admission) -> SessionIdentity:
    """Of whom an access point has let in and who is not here."""
    profile = admission.profile
    return SessionIdentity(
        nai=profile.nai,
        mac=key.mac,
        port=key.port,
        called_station=admission.examined.called_station.decode(errors="replace"),
        chargeable_identity=profile.chargeable_identity,
        aaa_session=profile.aaa_session_id,
        correlation=profile.correlation_id,
    )


def _mac(text: str) -> Mac:
    digits = text.replace("-", "").replace(":", "").replace(".", "")
    try:
        return mac(":".join(digits[at : at + 2] for at in range(0, 12, 2)) if len(digits) == 12 else "")
    except ValueError:
        return Mac(b"")


def _told(said: dict[str, object]) -> dict[str, str]:
    return {
        name: ", ".join(value) if isinstance(value, tuple) else str(value)
        for name, value in said.items()
        if value is not None
    }
