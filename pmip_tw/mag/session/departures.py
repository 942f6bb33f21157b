"""How a visit ends: with a de-registration, or without a word to the LMA (P21, RFC 5563 6.3)."""

import attrs

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.mag import observed
from pmip_tw.mag.effects import MagEffect, Save, SessionOver
from pmip_tw.mag.journal.recording import departed
from pmip_tw.mag.journal.records import MagRecord
from pmip_tw.mag.registration.judging import Answer, Outcome
from pmip_tw.mag.registration.lmas import Lmas
from pmip_tw.mag.registration.registrar import Registrar
from pmip_tw.mag.session.revoked import Revocations
from pmip_tw.mag.visitors import State, Visitor, VisitorList
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Remove
from pmip_tw.wire.codes import Code

WORTH_WAITING = (Code.HA_RESOURCES, Code.HA_ID_MISMATCH)
"""Refusals that time may cure; all others last until somebody changes something."""


@attrs.frozen(eq=False, repr=False)
class Departures:
    """Takes visitors off the list, and out of the packet plane first."""

    _visitors: VisitorList
    _registrar: Registrar
    _lmas: Lmas
    _revocations: Revocations

    def forget(
        self,
        visitor: Visitor,
        name: str,
        *,
        terminate_cause: TerminateCause,
        continues: bool = False,
        cause: str = "",
        reason: str = "",
    ) -> list[MagEffect]:
        """The visitor is no more; the LMA is not told. ``continues``: the node is served elsewhere."""
        self._visitors.remove(visitor)
        return [
            Remove(visitor.key),
            *written_off(visitor, terminate_cause, continues=continues),
            observed.visitor_event(name, visitor, cause=cause, reason=reason),
            *frames_lost(visitor),
        ]

    def leave(
        self, visitor: Visitor, why: str, now: Now, *, terminate_cause: TerminateCause
    ) -> list[MagEffect]:
        """De-register (P21): its packets stop here at once.

        A request that is still out may have been accepted: its binding is given up as well.
        """
        if visitor.state is State.LEAVING:
            return []
        asked = visitor.exchange if visitor.grant is None else None
        address = visitor.home_address or (asked.home_address if asked is not None else visitor.hint)
        farewell = None
        if visitor.grant is not None or asked is not None:
            farewell = self._registrar.farewell(visitor, address, asked, now)
        if farewell is None or self._lmas.blocked_for(farewell.lma, visitor.nai, now.monotonic):
            return self.forget(visitor, "visitor-left", terminate_cause=terminate_cause, cause=why)
        effects: list[MagEffect] = [
            Remove(visitor.key),
            observed.visitor_event("visitor-left", visitor, cause=why),
            *frames_lost(visitor),
        ]
        # A revocation that is already on its way wants an acknowledgment all the same (RV37).
        records: tuple[MagRecord, ...] = departed(visitor)
        records += self._revocations.bury(visitor, now.monotonic)
        over = session_over(visitor, terminate_cause)
        visitor.state = State.LEAVING
        visitor.grant = visitor.lease_ends = visitor.session_ends = visitor.check_at = None
        visitor.recorded_until = None
        visitor.exchange = farewell
        return [*effects, Save(records, (*over, *self._registrar.attempt(visitor, farewell, now)))]

    def answered(self, visitor: Visitor, answer: Answer) -> list[MagEffect]:
        """The answer to a de-registration. One that is worth waiting for is waited for as if there were none."""
        if answer.outcome is Outcome.ACCEPTED:
            self._visitors.remove(visitor)
            return [observed.visitor_event("deregistered", visitor)]
        noted = observed.visitor_event(
            "deregistration-refused", visitor, cause=answer.cause, reason=answer.reason
        )
        if answer.code not in WORTH_WAITING:
            self._visitors.remove(visitor)
        return [noted]


def written_off(
    visitor: Visitor, terminate_cause: TerminateCause, *, continues: bool = False
) -> list[MagEffect]:
    """Who is no visitor any more does not come back by a restart: AAA is told of the end when that is sure."""
    records, over = departed(visitor), session_over(visitor, terminate_cause, continues=continues)
    return [Save(records, over)] if records else [*over]


def session_over(
    visitor: Visitor, terminate_cause: TerminateCause, *, continues: bool = False
) -> tuple[SessionOver, ...]:
    """Who was never accepted has no session, and whose has ended has one no more."""
    if not visitor.accounting_id or visitor.state is State.LEAVING:
        return ()
    named = b"" if visitor.profile is None else visitor.profile.aaa_session_id
    return (SessionOver(visitor.accounting_id, terminate_cause, continues, named),)


def frames_lost(visitor: Visitor) -> list[MagEffect]:
    """Held frames that go nowhere are dropped and counted (P78)."""
    frames, old = visitor.frames.take(0.0)
    lost = observed.frame_dropped(visitor, "never-registered")
    return [lost] * (len(frames) + old)
