"""What AAA allows a visitor besides being served: how long it may be silent, and what may pass (AA25)."""

from collections.abc import Sequence

import attrs

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.aaa.verdicts import Accept, Reject, Verdict
from pmip_tw.mag.effects import AskTraffic, MagEffect
from pmip_tw.mag.links import HomeLinks
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.session.departures import Departures
from pmip_tw.mag.visitors import State, Visitor
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Install
from pmip_tw.mobility.packet_filters import chosen
from pmip_tw.mobility.silence import Silence


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Allowing:
    """Looks after it while the visit lasts. The end of the session is a deadline of the visitor itself."""

    _policy: MagPolicy
    _links: HomeLinks
    _departures: Departures

    def objection(self, names: Sequence[str]) -> str:
        """Why nobody can be served with filters of these ``names``; "": everybody can."""
        _, unknown = chosen(self._policy.filters, names)
        if not unknown or self._policy.ignores_unknown_filters:
            return ""
        return f"there is no [[mag.filters]] of the name {unknown[0]!r}"

    def judged(self, verdict: Verdict) -> Verdict:
        """An Accept to which there is an objection is a reject."""
        objection = self.objection(verdict.profile.filter_ids) if isinstance(verdict, Accept) else ""
        return Reject(objection) if objection else verdict

    def unknown(self, names: Sequence[str]) -> tuple[str, ...]:
        """Those of ``names`` that no filter has."""
        return chosen(self._policy.filters, names)[1]

    def allow(self, visitor: Visitor, profile: Profile, now: Now) -> list[MagEffect]:
        """From now on what ``profile`` says, to which there is no objection; what the packet plane is to know of it."""
        timeout = profile.idle_timeout
        if timeout != (visitor.silence.timeout if visitor.silence else 0):
            visitor.silence = Silence.begins(timeout, now.monotonic)
        filters, _ = chosen(self._policy.filters, profile.filter_ids)
        if filters == visitor.filters:
            return []
        visitor.filters = filters
        return self._entry_anew(visitor)

    def _entry_anew(self, visitor: Visitor) -> list[MagEffect]:
        """That which the packet plane has, with other filters."""
        if visitor.placed is None:
            return []
        served = visitor.state is State.REGISTERED
        prefix = self._links.broadcasts_of(visitor.home_address) if served else None
        entry = visitor.entry(upstream=served, broadcasts_on=prefix)
        return [] if entry is None else [Install(entry)]

    def due(self, visitor: Visitor, now: Now) -> list[MagEffect]:
        """Something of ``visitor`` may be due."""
        silence = visitor.silence
        if silence is None or silence.check_at > now.monotonic or visitor.state is State.LEAVING:
            return []
        return [AskTraffic(visitor.key)]

    def traffic(self, visitor: Visitor, moved: int, now: Now) -> list[MagEffect]:
        """The packet plane's answer: packets in both directions since it is there."""
        silence = visitor.silence
        if silence is None or visitor.state is State.LEAVING:
            return []
        if not silence.is_over(moved, visitor.state is State.REGISTERED, now.monotonic):
            return []
        why = f"idle for {now.monotonic - silence.since:.0f} s, longer than AAA allows"
        return self._departures.leave(visitor, why, now, terminate_cause=TerminateCause.IDLE_TIMEOUT)
