"""What an LMA's agent does with AAA: the engine's questions about keys go out, the answers come back as events."""

from collections import deque
from collections.abc import Callable, Iterable

from twisted.internet.defer import maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from pmip_tw.aaa.node_keys import Brought, KeyAnswer, KeyGiven, KeyQuestion, KeyUnavailable
from pmip_tw.agents.accounting_at_lma import AccountingAtLma
from pmip_tw.interfaces import IClock, INodeKeys
from pmip_tw.lma.engine import LmaEngine
from pmip_tw.lma.registration.commitment import Commit, Effect, Fetch, Wait
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.effects import Send


class KeysAtLma:
    """``run`` carries out what follows from an answer, and ``finish`` ends it. ``node_keys``: None if nobody asks."""

    _log = Logger(namespace="pmip.lma")

    def __init__(
        self,
        engine: LmaEngine,
        node_keys: INodeKeys | None,
        clock: IClock,
        accounting: AccountingAtLma | None = None,
        *,
        run: Callable[[Iterable[Effect], Now], None],
        finish: Callable[[Now], None],
    ) -> None:
        self._engine = engine
        self._node_keys = node_keys
        self._clock = clock
        self._run = run
        self._finish = finish
        self._accounting = accounting
        self._stopped = False
        self._answers: deque[tuple[KeyQuestion, KeyAnswer]] = deque()
        self._answering = False

    def fetch(self, effect: Fetch) -> None:
        assert self._node_keys is not None
        question = effect.question
        asked = maybeDeferred(self._node_keys.fetch, question)
        asked.addErrback(self._defect)
        asked.addCallback(lambda answer: self._answered(question, answer))

    def _defect(self, failure: Failure) -> KeyUnavailable:
        """Of ours: a question that is never answered would keep its place among those that are asked at a time."""
        self._log.failure("a question about a key met a defect", failure)
        return KeyUnavailable("the answer met a defect, which the log of this LMA shows")

    def _answered(self, about: KeyQuestion, found: KeyAnswer) -> None:
        """What follows may be the next question, which may be answered at once: one after the other, not inside."""
        self._answers.append((about, found))
        if self._answering:
            return
        self._answering = True
        try:
            while self._answers and not self._stopped:
                now = self._clock.now()
                question, answer = self._answers.popleft()
                try:
                    self._run(self._engine.key_answered(question, answer, now), now)
                    if self._accounting is not None and isinstance(answer, KeyGiven):
                        self._accounting.key_given(question.nai)
                except Exception:
                    # A defect of ours costs what has waited for this key, not the answers behind it.
                    self._log.failure("an answer about a key met a defect")
                self._finish(now)
        finally:
            self._answering = False

    def bring(self, question: KeyQuestion, brought: Brought) -> bool:
        """AAA has a registration (RFC 4004 5.3). Whether there is, or may be, a reply."""
        if self._stopped:
            return False
        now = self._clock.now()
        effects = self._engine.key_answered(question, brought, now)
        self._run(effects, now)
        self._finish(now)
        return any(isinstance(effect, Send | Commit | Wait) for effect in effects)

    def stop(self) -> None:
        """What is outstanding is of no use any more."""
        self._stopped = True
        if self._node_keys is not None:
            self._node_keys.stop()
