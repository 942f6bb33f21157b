"""A visitor that is served gets a new verdict: it was examined again, or AAA was asked again (RFC 5176 3.2).

Its service goes on while AAA is asked, and without a gap if it may stay. What has changed is taken over at once: a new
key, or another LMA, means a registration that takes the place of the one there is when it is accepted, not before.
"""

from collections.abc import Callable

import attrs

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.aaa.verdicts import Accept, AuthorizeOnly, Credential, Reject, Unavailable, Verdict
from pmip_tw.mag import observed
from pmip_tw.mag.authentication.access_policy import Dot1xPolicy
from pmip_tw.mag.authentication.questions import Questions
from pmip_tw.mag.effects import AskPresence, MagEffect, SessionChanged
from pmip_tw.mag.journal.recording import Recording
from pmip_tw.mag.registration.asking import Asking
from pmip_tw.mag.registration.lmas import Lmas
from pmip_tw.mag.session.allowing import Allowing
from pmip_tw.mag.session.departures import Departures
from pmip_tw.mag.visitors import State, Visitor, VisitorList
from pmip_tw.mobility.clock import Now

UNDECIDED = 180.0
"""Seconds after which it is tried anew if nothing has come of it at all: a restart may have been in between."""

POSTPONED = 30.0
"""Seconds after which AAA is asked again that had no verdict; meanwhile the visitor is served."""

APART = 0.1
"""Part of such a time by which one visitor differs from another: who came together does not come together for ever."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Reauthorizing:
    """``schedule``: to be called with every visitor for which another instant counts now; ``limit``: with every one
    that has another profile, on which depends how long it may go on.
    """

    _visitors: VisitorList
    _lmas: Lmas
    _allowing: Allowing
    _questions: Questions
    _asking: Asking
    _recording: Recording
    _departures: Departures
    _schedule: Callable[[Visitor], None]
    _limit: Callable[[Visitor, Now], None]

    def ask(self, visitor: Visitor, credential: Credential, now: Now) -> list[MagEffect]:
        """AAA is asked about it by something other than EAP."""

        def then(verdict: Verdict, now: Now) -> list[MagEffect]:
            if self._visitors.get(visitor.key) is not visitor or visitor.state is State.LEAVING:
                return []
            if isinstance(verdict, Unavailable) and isinstance(credential, AuthorizeOnly):
                # What AAA wants to see is not known to anybody else.
                visitor.reauthorize_with = visitor.reauthorize_with or credential.state
            return self.answered(visitor, verdict, now)

        visitor.reauthorize_at = now.monotonic + UNDECIDED
        return [self._questions.ask(visitor.key, credential, then, now)]

    def answered(self, visitor: Visitor, verdict: Verdict, now: Now) -> list[MagEffect]:
        """AAA's word on a visitor that is not leaving."""
        if isinstance(verdict, Accept):
            return self.accepted(visitor, verdict.profile, now)
        if isinstance(verdict, Unavailable):
            return self.postponed(visitor, verdict.cause, now)
        cause = verdict.cause if isinstance(verdict, Reject) else "AAA wants EAP of a node that has none"
        return self.refused(visitor, cause, now)

    def accepted(self, visitor: Visitor, profile: Profile, now: Now) -> list[MagEffect]:
        """It may stay, by ``profile``. A home address stays what it is until the visit ends: the node uses it."""
        former = visitor.profile
        assert former is not None
        if profile.nai != former.nai:
            return self.refused(visitor, f"AAA calls it {profile.nai} now", now)
        visitor.profile = profile
        self._limit(visitor, now)
        effects: list[MagEffect] = [observed.believed("reauthorized", visitor, profile)]
        effects += self._allowing.allow(visitor, profile, now)
        if visitor.grant is not None:
            effects += [self._recording.registered(visitor, []), SessionChanged(visitor.key)]
        if _asks_otherwise(former, profile):
            effects += self._register_anew(visitor, now)
        self._schedule(visitor)
        return effects

    def _register_anew(self, visitor: Visitor, now: Now) -> list[MagEffect]:
        """What is registered goes on until the LMA has accepted what takes its place."""
        assert visitor.profile is not None
        if visitor.state is State.REGISTERED:
            visitor.exchange = None
            if visitor.lma in self._lmas.candidates(visitor.profile):
                return [AskPresence(visitor.key)]  # for a node that has moved away nothing is asked (P15)
            return self._asking.begin(visitor, visitor.home_address, now)
        if visitor.state is State.REGISTERING:
            visitor.exchange = None
            withdrawn = self._asking.withdraw(visitor)
            return withdrawn + self._asking.begin(visitor, visitor.home_address or visitor.hint, now)
        return []  # it is used when there is something to ask for

    def refused(self, visitor: Visitor, cause: str, now: Now) -> list[MagEffect]:
        """It may not stay."""
        noted = observed.visitor_event("reauthorization-refused", visitor, cause=cause, reason="rejected")
        why = f"AAA does not accept it any more: {cause}"
        return [noted, *self.over(visitor, why, TerminateCause.REAUTHENTICATION_FAILURE, now)]

    def over(self, visitor: Visitor, why: str, terminate_cause: TerminateCause, now: Now) -> list[MagEffect]:
        """Its visit ends, whoever wants that."""
        gone = self._departures.leave(visitor, why, now, terminate_cause=terminate_cause)
        self._schedule(visitor)
        return gone

    def postponed(self, visitor: Visitor, cause: str, now: Now) -> list[MagEffect]:
        """AAA does not say: nobody is put off the network because a server is down."""
        visitor.reauthorize_at = now.monotonic + POSTPONED * (1 + APART * now.random_fraction())
        self._schedule(visitor)
        return [
            observed.visitor_event(
                "reauthorization-postponed", visitor, cause=cause, reason="aaa-unavailable"
            )
        ]


def set_limits(visitor: Visitor, policy: Dot1xPolicy, now: Now) -> None:
    """When AAA has the visit end, and when it is to be asked again: the sooner of its word and ours (RFC 3580 3.17)."""
    profile = visitor.profile
    assert profile is not None
    # What AAA wants to see again it has not seen yet.
    wanted_at = None if visitor.reauthorize_with is None else visitor.reauthorize_at
    visitor.session_ends = visitor.reauthorize_at = None
    ends_at = now.monotonic + profile.session_timeout
    again_at = [] if wanted_at is None else [wanted_at]
    if policy.reauth_period and visitor.by_eap:
        again_at.append(now.monotonic + policy.reauth_period * (1 - APART * now.random_fraction()))
    if profile.session_timeout and profile.reauthenticate:
        again_at.append(ends_at)
    elif profile.session_timeout:
        visitor.session_ends = ends_at
    visitor.reauthorize_at = min(again_at, default=None)


def _asks_otherwise(former: Profile, profile: Profile) -> bool:
    return (former.mn_ha, former.mn_aaa, former.lmas) != (profile.mn_ha, profile.mn_aaa, profile.lmas)
