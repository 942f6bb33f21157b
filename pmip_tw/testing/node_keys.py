"""The twin of AAA for an LMA: keys that the test gives, when the test gives them."""

from collections.abc import Mapping

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from pmip_tw.aaa.node_keys import KeyAnswer, KeyQuestion, KeyRefused, KeyUnavailable
from pmip_tw.interfaces import INodeKeys


@implementer(INodeKeys)
class FakeNodeKeys:
    """Answers from ``answers``, by NAI and SPI; whoever is not there is refused.

    ``down``: nobody answers. ``held`` true: nothing is answered until ``release``. ``asked``: every question so far.
    """

    def __init__(
        self, answers: Mapping[tuple[bytes, int], KeyAnswer] | None = None, *, held: bool = False
    ) -> None:
        self.answers: dict[tuple[bytes, int], KeyAnswer] = dict(answers or {})
        self.down = False
        self.held = held
        self.asked: list[KeyQuestion] = []
        self._outstanding: list[tuple[KeyQuestion, Deferred[KeyAnswer]]] = []
        self._stopped = False

    @property
    def outstanding(self) -> tuple[KeyQuestion, ...]:
        """What waits for ``release``, in order."""
        return tuple(question for question, _ in self._outstanding)

    def fetch(self, question: KeyQuestion) -> Deferred[KeyAnswer]:
        self.asked.append(question)
        if self._stopped:
            return succeed(KeyUnavailable("the fake AAA is stopped"))
        if not self.held:
            return succeed(self._answer(question))
        answer: Deferred[KeyAnswer] = Deferred()
        self._outstanding.append((question, answer))
        return answer

    def release(self) -> int:
        """Answer what is outstanding; how many it was."""
        due, self._outstanding = self._outstanding, []
        for question, answer in due:
            answer.callback(self._answer(question))
        return len(due)

    def stop(self) -> None:
        self._stopped = True
        due, self._outstanding = self._outstanding, []
        for _, answer in due:
            answer.callback(KeyUnavailable("the fake AAA was stopped"))

    def _answer(self, question: KeyQuestion) -> KeyAnswer:
        if self.down:
            return KeyUnavailable("the fake AAA is down")
        return self.answers.get(question.name) or KeyRefused("unknown to the fake AAA")
