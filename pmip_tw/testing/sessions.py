"""The twin of an agent whose sessions AAA acts upon."""

from collections.abc import Callable, Mapping, Sequence

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

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
from pmip_tw.interfaces import ISessions


@implementer(ISessions)
class FakeSessions:
    """``sessions`` by name, ``changes`` of each in order, ``reauthorized``: name and State in order.

    ``filters``: names that a change may have. ``held`` true: what is asked has happened, but nothing is answered until
    ``release``.
    """

    def __init__(
        self, sessions: Mapping[str, SessionIdentity], *, filters: Sequence[str] = (), held: bool = False
    ) -> None:
        self.sessions = dict(sessions)
        self.filters = tuple(filters)
        self.held = held
        self.changes: dict[str, list[Change]] = {name: [] for name in sessions}
        self.reauthorized: list[tuple[str, bytes]] = []
        self._outstanding: list[Callable[[], None]] = []

    def disconnect(self, selection: Selection) -> Deferred[Outcome]:
        found = self._found(selection)
        for name in found:
            del self.sessions[name]
        return self._answer(found)

    def change(self, selection: Selection, change: Change) -> Deferred[Outcome]:
        unknown = [name for name in change.filter_ids or () if name not in self.filters]
        found = self._found(selection)
        if found and unknown:
            why = f"there is no filter {unknown[0]!r}"
            return self._told(Refused(ErrorCause.INVALID_ATTRIBUTE_VALUE, why))
        for name in found:
            self.changes[name].append(change)
        return self._answer(found)

    def reauthorize(self, selection: Selection, state: bytes) -> Deferred[Outcome]:
        found = self._found(selection)
        self.reauthorized += [(name, state) for name in found]
        return self._answer(found)

    def release(self) -> None:
        """Answer what is outstanding, in order."""
        due, self._outstanding = self._outstanding, []
        for answer in due:
            answer()

    def _found(self, selection: Selection) -> list[str]:
        return [name for name, session in self.sessions.items() if selection.includes(session)]

    def _answer(self, found: list[str]) -> Deferred[Outcome]:
        return self._told(Done(len(found)) if found else NOT_FOUND)

    def _told(self, outcome: Outcome) -> Deferred[Outcome]:
        if not self.held:
            return succeed(outcome)
        answer: Deferred[Outcome] = Deferred()
        self._outstanding.append(lambda: answer.callback(outcome))
        return answer
