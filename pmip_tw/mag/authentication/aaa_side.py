"""The MAG's side towards AAA: who is asked about, how, and what the verdicts mean for visitors."""

from collections.abc import Callable, Iterator
from functools import partial

from pmip_tw.aaa.verdicts import AuthorizeOnly, MacCredential, Verdict
from pmip_tw.mag.addressing.answers import Addressing
from pmip_tw.mag.authentication.admissions import Admissions
from pmip_tw.mag.authentication.admitting import Admitting
from pmip_tw.mag.authentication.attaching import Attaching
from pmip_tw.mag.authentication.dot1x import Dot1x
from pmip_tw.mag.authentication.elsewhere import Elsewhere
from pmip_tw.mag.authentication.gate import Gate
from pmip_tw.mag.authentication.mac_authentication import MAC, MacAuthentication
from pmip_tw.mag.authentication.moving import Moving
from pmip_tw.mag.authentication.questions import Questions
from pmip_tw.mag.authentication.reauthorizing import Reauthorizing, set_limits
from pmip_tw.mag.effects import MagEffect, Save
from pmip_tw.mag.journal.recording import Recording, admission
from pmip_tw.mag.links import HomeLinks
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.registration.asking import Asking
from pmip_tw.mag.registration.lmas import Lmas
from pmip_tw.mag.registration.registering import Registrations
from pmip_tw.mag.session.allowing import Allowing
from pmip_tw.mag.session.departures import Departures
from pmip_tw.mag.session.sessions import Sessions
from pmip_tw.mag.uplink import Store
from pmip_tw.mag.visitors import State, Visitor, VisitorList
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.due import Due


class AaaSide:
    """Wires the rooms that ask AAA; ``attaching`` is where frames of nodes go that are not registered yet, ``dot1x``
    where EAPOL goes, ``elsewhere`` what access points say, ``reauthorizing`` where new verdicts on visitors go,
    ``sessions`` what AAA wants by itself; ``allowing`` knows what it allows, ``admissions`` whom access points do.
    """

    def __init__(
        self,
        *,
        policy: MagPolicy,
        visitors: VisitorList,
        gate: Gate,
        addressing: Addressing,
        lmas: Lmas,
        links: HomeLinks,
        asking: Asking,
        registrations: Registrations,
        recording: Recording,
        departures: Departures,
        held: Store,
        schedule: Callable[[Visitor], None],
    ) -> None:
        self._policy = policy
        self._visitors = visitors
        self._schedule = schedule
        self._questions = questions = Questions(gate)
        self.allowing = Allowing(policy=policy, links=links, departures=departures)
        admitting = Admitting(
            policy=policy,
            visitors=visitors,
            gate=gate,
            addressing=addressing,
            allowing=self.allowing,
            registrations=registrations,
            departures=departures,
            held=held,
            schedule=schedule,
        )
        self.reauthorizing = Reauthorizing(
            visitors=visitors,
            lmas=lmas,
            allowing=self.allowing,
            questions=questions,
            asking=asking,
            recording=recording,
            departures=departures,
            schedule=schedule,
            limit=self._limit,
        )
        by_mac = MacAuthentication(
            policy=policy,
            visitors=visitors,
            gate=gate,
            questions=questions,
            admitting=admitting,
            departures=departures,
        )
        self.dot1x = Dot1x(
            policy=policy,
            visitors=visitors,
            gate=gate,
            questions=questions,
            admitting=admitting,
            by_mac=by_mac,
            reauthorizing=self.reauthorizing,
            departures=departures,
        )
        self.admissions = admissions = Admissions(policy.access.behind_access_points)
        moving = Moving(policy=policy, registrations=registrations, dot1x=self.dot1x, schedule=schedule)
        self.elsewhere = Elsewhere(
            visitors=visitors,
            admissions=admissions,
            addressing=addressing,
            admitting=admitting,
            reauthorizing=self.reauthorizing,
            departures=departures,
            moving=moving,
            schedule=schedule,
        )
        self.sessions = Sessions(
            policy=policy,
            visitors=visitors,
            gate=gate,
            allowing=self.allowing,
            elsewhere=self.elsewhere,
            dot1x=self.dot1x,
            recording=recording,
            departures=departures,
            schedule=schedule,
        )
        self.attaching = Attaching(
            policy=policy,
            visitors=visitors,
            gate=gate,
            admissions=admissions,
            addressing=addressing,
            registrations=registrations,
            departures=departures,
            admitting=admitting,
            by_mac=by_mac,
            dot1x=self.dot1x,
            moving=moving,
        )

    def answered(self, attempt: int, verdict: Verdict, now: Now) -> list[MagEffect]:
        """AAA's verdict on what Authenticate asked."""
        return self._questions.answered(attempt, self.allowing.judged(verdict), now)

    def due(self, visitor: Visitor, now: Now) -> list[MagEffect]:
        """AAA may have to be asked about ``visitor`` again, or allows it no more silence."""
        return self._asked_again(visitor, now) or self.allowing.due(visitor, now)

    def wake(self, now: Now) -> Iterator[Due[MagEffect]]:
        """Time has passed, or something is to be written down."""
        yield Due("admissions", partial(self._write_down, now))
        yield from self.dot1x.wake(now)

    def _write_down(self, now: Now) -> list[MagEffect]:
        words = self.admissions.words(now.monotonic)
        return [Save(tuple(map(admission, words)))] if words else []

    def next_deadline(self) -> float | None:
        """When to call ``wake`` at the latest, monotonic."""
        deadlines = (self.admissions.next_deadline(), self.dot1x.next_deadline())
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def _limit(self, visitor: Visitor, now: Now) -> None:
        """By what AAA has said of it last."""
        if not self.elsewhere.limit(visitor, now):
            set_limits(visitor, self._policy.access.dot1x, now)

    def _asked_again(self, visitor: Visitor, now: Now) -> list[MagEffect]:
        is_due = visitor.reauthorize_at is not None and visitor.reauthorize_at <= now.monotonic
        if not is_due or visitor.state in (State.AUTHENTICATING, State.LEAVING):
            return []
        state, visitor.reauthorize_with = visitor.reauthorize_with, None
        if state is not None:
            wanted = AuthorizeOnly(
                mac=visitor.mac,
                port=visitor.key.port,
                nai=visitor.nai,
                state=state,
                aaa_session=b"" if visitor.profile is None else visitor.profile.aaa_session_id,
            )
            return self.reauthorizing.ask(visitor, wanted, now)
        if visitor.by_eap:
            return self.dot1x.reauthenticate(visitor, now)
        if visitor.method == MAC:
            credential = MacCredential(mac=visitor.mac, port=visitor.key.port)
            return self.reauthorizing.ask(visitor, credential, now)
        visitor.reauthorize_at = None
        return []  # whoever has authenticated it does so again
