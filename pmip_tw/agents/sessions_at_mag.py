"""A MAG's sessions as AAA sees them: what it asks for goes into the engine, and is answered when it has happened."""

from collections.abc import Callable, Iterable

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from pmip_tw.aaa.dynamic_authorization import Change, ErrorCause, Outcome, Refused, Selection
from pmip_tw.interfaces import ISessions
from pmip_tw.mag.effects import Conclude, MagEffect, Save
from pmip_tw.mag.engine import MagEngine
from pmip_tw.mag.session.sessions import Decided
from pmip_tw.mobility.clock import Now

STOPPING = Refused(ErrorCause.RESOURCES_UNAVAILABLE, "this MAG is being stopped")


@implementer(ISessions)
class SessionsAtMag:
    """``happen``: lets the agent give an event to the engine, now, and carry out what it causes."""

    def __init__(
        self, engine: MagEngine, happen: Callable[[Callable[[Now], Iterable[MagEffect]]], None]
    ) -> None:
        self._engine = engine
        self._happen = happen
        self._asked: dict[int, Deferred[Outcome]] = {}
        self._last = 0
        self._stopped = False

    def disconnect(self, selection: Selection) -> Deferred[Outcome]:
        return self._decided(lambda now: self._engine.sessions.disconnect(selection, now))

    def change(self, selection: Selection, change: Change) -> Deferred[Outcome]:
        return self._decided(lambda now: self._engine.sessions.change(selection, change, now))

    def reauthorize(self, selection: Selection, state: bytes) -> Deferred[Outcome]:
        return self._decided(lambda now: self._engine.sessions.reauthorize(selection, state, now))

    def conclude(self, effect: Conclude) -> None:
        """It has happened."""
        answer = self._asked.pop(effect.number, None)
        if answer is not None:
            answer.callback(effect.outcome)

    def stop(self) -> None:
        """Nobody is asked any more, and who waits hears so: what was begun may not be on the disk. Idempotent."""
        self._stopped = True
        asked, self._asked = self._asked, {}
        for answer in asked.values():
            answer.callback(STOPPING)

    def _decided(self, decide: Callable[[Now], Decided]) -> Deferred[Outcome]:
        if self._stopped:
            return succeed(STOPPING)
        self._last += 1
        number = self._last
        answer = self._asked[number] = Deferred[Outcome]()

        def event(now: Now) -> list[MagEffect]:
            outcome, effects = decide(now)
            # What has been sent rests on what was saved, and so does the answer (AA17).
            return [*effects, Save((), (Conclude(number, outcome),))]

        self._happen(event)
        return answer
