"""An LMA's bindings as AAA sees them: what it asks for goes into the engine, and is answered when it is saved."""

from collections.abc import Callable, Iterable

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from pmip_tw.aaa.dynamic_authorization import Change, Done, ErrorCause, Outcome, Refused, Selection
from pmip_tw.interfaces import IClock, ISessions
from pmip_tw.lma.engine import LmaEngine
from pmip_tw.lma.registration.commitment import Effect
from pmip_tw.lma.sessions import Decided
from pmip_tw.mobility.clock import Now

_NOT_SAVED = Refused(ErrorCause.RESOURCES_UNAVAILABLE, "the journal cannot be written: the log says why")
_ASKS_NOTHING = Refused(ErrorCause.UNSUPPORTED_SERVICE, "an LMA does not ask AAA about its sessions again")


@implementer(ISessions)
class SessionsAtLma:
    """``run(effects, now)`` and ``finish(now)``: the agent's. ``when_saved(told)`` tells whether everything so far is
    durable, as soon as that is known.
    """

    def __init__(
        self,
        engine: LmaEngine,
        clock: IClock,
        *,
        run: Callable[[Iterable[Effect], Now], None],
        finish: Callable[[Now], None],
        when_saved: Callable[[Callable[[bool], None]], None],
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._run = run
        self._finish = finish
        self._when_saved = when_saved

    def disconnect(self, selection: Selection) -> Deferred[Outcome]:
        """Nobody can refuse that: it is over even if the journal fails, which is tried again."""
        return self._decided(
            lambda now: self._engine.sessions.disconnect(selection, now), unsaved=lambda done: done
        )

    def change(self, selection: Selection, change: Change) -> Deferred[Outcome]:
        """What cannot be saved is as before."""
        return self._decided(
            lambda now: self._engine.sessions.change(selection, change, now), unsaved=lambda done: _NOT_SAVED
        )

    def reauthorize(self, selection: Selection, state: bytes) -> Deferred[Outcome]:
        return succeed(self._engine.sessions.missing(selection) or _ASKS_NOTHING)

    def _decided(
        self, decide: Callable[[Now], Decided], unsaved: Callable[[Outcome], Outcome]
    ) -> Deferred[Outcome]:
        now = self._clock.now()
        outcome, effects = decide(now)
        self._run(effects, now)
        self._finish(now)
        if not isinstance(outcome, Done):
            return succeed(outcome)
        answer: Deferred[Outcome] = Deferred()
        self._when_saved(lambda saved: answer.callback(outcome if saved else unsaved(outcome)))
        return answer
