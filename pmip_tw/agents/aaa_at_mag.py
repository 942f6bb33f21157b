"""What a MAG's agent does with AAA: the engine's questions go out, the answers come back as events."""

from collections.abc import Callable, Container, Iterable

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.aaa.examined import Examined
from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.aaa.verdicts import Accept, AuthorizeOnly, Unavailable, Verdict
from pmip_tw.agents.accounts import Accounts
from pmip_tw.agents.sessions_at_mag import SessionsAtMag
from pmip_tw.interfaces import IAaaSessions, IAccessPoints, IAccessPointsReceiver, IAuthenticator
from pmip_tw.mag.effects import Authenticate, Conclude, Expel, MagEffect, SessionChanged, SessionOver
from pmip_tw.mag.engine import MagEngine
from pmip_tw.mag.session.accounted import session_of
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.tunnels import AccessKey, Counters, EntryKey

Happen = Callable[[Callable[[Now], Iterable[MagEffect]]], None]
"""Lets the agent give an event to the engine, now, and carry out what it causes."""


@implementer(IAccessPointsReceiver)
class AaaAtMag:
    """``happen``: the agent's. ``access_points``: where nodes are authenticated elsewhere, None if nowhere."""

    _log = Logger(namespace="pmip.mag")

    def __init__(
        self,
        engine: MagEngine,
        authenticator: IAuthenticator,
        happen: Happen,
        access_points: IAccessPoints | None = None,
        accounts: Accounts[AccessKey] | None = None,
    ) -> None:
        self._engine = engine
        self._authenticator = authenticator
        self._happen = happen
        self._access_points = access_points
        self._accounts = accounts
        self.sessions = SessionsAtMag(engine, happen)
        self._stopping = False

    def prepare(self) -> Container[str] | None:
        """Before anybody is brought back: which sessions may go on, None if AAA hears of none.

        StoreError: what accounting has left cannot be read, and why.
        """
        if self._accounts is None:
            return None
        self._accounts.start()
        return {record.session_id for record in self._accounts.sessions.not_resumed}

    def start(self) -> None:
        """Whoever is authenticated elsewhere may come now, who was here is back. PmipError: why not."""
        if self._accounts is not None:
            self._accounts.begun([(one.key, one.accounting_id) for one in self._engine.visitors])
        if self._access_points is not None:
            self._access_points.start(self)

    def carry_out(self, effect: Authenticate | Conclude | Expel | SessionChanged | SessionOver) -> None:
        match effect:
            case Authenticate():
                self._authenticate(effect)
            case Conclude():
                self.sessions.conclude(effect)
            case Expel():
                if self._access_points is not None:
                    self._access_points.expel(effect.key)
            case SessionChanged() if self._accounts is not None and self._accounts.sessions.of(effect.key):
                self.serves(effect.key)
            case SessionOver():
                self._session_over(effect)

    def _session_over(self, over: SessionOver) -> None:
        if self._accounts is not None:
            self._accounts.over(over.accounting_id, over.terminate_cause, continues=over.continues)
        if IAaaSessions.providedBy(self._authenticator):
            self._authenticator.session_over(over.aaa_session, over.terminate_cause, continues=over.continues)

    def _authenticate(self, effect: Authenticate) -> None:
        def concluded(verdict: Verdict) -> None:
            if self._stopping:
                return
            self._happen(
                lambda now: self._engine.authenticated(effect.attempt, verdict, now),
            )
            if isinstance(verdict, Accept) and not isinstance(effect.credential, AuthorizeOnly):
                self._end_if_unused(effect.key, verdict.profile.aaa_session_id)

        def failed(failure: Failure) -> Verdict:
            # A question without an answer would be counted for ever, and keep others out in the end (P83).
            self._log.failure("AAA's answer about {key} met a defect", failure, key=str(effect.key))
            return Unavailable("a defect of ours, which the log has")

        asked = maybeDeferred(self._authenticator.authenticate, effect.credential)
        asked.addErrback(failed).addCallback(concluded)

    def _end_if_unused(self, key: AccessKey, aaa_session: bytes) -> None:
        """Who was to be served has gone meanwhile, or cannot be as AAA says: it must not count the session for ever."""
        visitor = self._engine.visitors.get(key)
        profile = None if visitor is None else visitor.profile
        if profile is not None and profile.aaa_session_id == aaa_session:
            return
        if aaa_session and IAaaSessions.providedBy(self._authenticator):
            self._authenticator.session_over(aaa_session, TerminateCause.SERVICE_UNAVAILABLE)

    def judged(self, verdict: Verdict) -> Verdict:
        return self._engine.judged(verdict)

    def attached_elsewhere(self, key: AccessKey, profile: Profile, examined: Examined) -> None:
        self._happen(lambda now: self._engine.attached_elsewhere(key, profile, examined, now))

    def detached_elsewhere(self, key: AccessKey, why: str, terminate_cause: TerminateCause) -> None:
        self._happen(lambda now: self._engine.detached_elsewhere(key, why, terminate_cause, now))

    def serves(self, key: AccessKey) -> None:
        """The packet plane has the entry of a registered visitor."""
        visitor = None if self._accounts is None else self._engine.visitors.get(key)
        if self._accounts is not None and visitor is not None and visitor.grant is not None:
            self._accounts.serves(key, session_of(visitor))

    def removed(self, key: EntryKey, counters: Counters) -> None:
        """The packet plane does not have it any more."""
        if self._accounts is not None:
            assert isinstance(key, AccessKey)
            self._accounts.removed(key, counters)

    def close(self, *, survive: bool) -> "Deferred[None] | None":
        """Before the packet plane closes: what it has counted is saved. Not ``survive``: no session comes back."""
        if self._accounts is None:
            return None
        told = self._accounts.stop(survive=survive)
        if told is None:
            self._authenticator.stop()
            return None
        return Deferred.fromCoroutine(self._close_after(told))

    async def _close_after(self, told: "Deferred[None]") -> None:
        """Servers may be common to both."""
        try:
            await told
        finally:
            self._authenticator.stop()

    def stop(self) -> None:
        """What is outstanding is answered now; nobody hears what AAA says from now on."""
        self.sessions.stop()
        if self._access_points is not None:
            self._access_points.stop()
        self._stopping = True
        if self._accounts is None:
            self._authenticator.stop()
