"""The sessions of an LMA that is several processes: worker 0 asks every one, since each knows its own nodes only."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from twisted.internet.defer import Deferred
from zope.interface import implementer

from pmip_tw.aaa.dynamic_authorization import (
    NOT_FOUND,
    Change,
    Done,
    ErrorCause,
    Outcome,
    Refused,
    Selection,
)
from pmip_tw.errors import PmipError
from pmip_tw.interfaces import ISessions

DISCONNECT, CHANGE, REAUTHORIZE = "aaa-disconnect", "aaa-change", "aaa-reauthorize"

Rows = Sequence[Mapping[str, Any]]


class _Wanted(msgspec.Struct, frozen=True):
    """What is wanted, as it goes through a pipe."""

    selection: Selection
    change: Change = Change()
    state: bytes = b""


@implementer(ISessions)
class SessionsOfWorkers:
    """``own``: those of worker 0. ``ask``: puts a command, and a text for it, to another worker."""

    def __init__(
        self, own: ISessions, workers: int, ask: "Callable[[int, str, str], Deferred[list[dict[str, Any]]]]"
    ) -> None:
        self._own = own
        self._others = range(1, workers)
        self._ask = ask

    def disconnect(self, selection: Selection) -> Deferred[Outcome]:
        return self._all(self._own.disconnect(selection), DISCONNECT, _Wanted(selection))

    def change(self, selection: Selection, change: Change) -> Deferred[Outcome]:
        return self._all(self._own.change(selection, change), CHANGE, _Wanted(selection, change))

    def reauthorize(self, selection: Selection, state: bytes) -> Deferred[Outcome]:
        wanted = _Wanted(selection, state=state)
        return self._all(self._own.reauthorize(selection, state), REAUTHORIZE, wanted)

    def _all(self, own: Deferred[Outcome], command: str, wanted: _Wanted) -> Deferred[Outcome]:
        what = msgspec.json.encode(wanted).decode()
        asked = [self._ask(worker, command, what) for worker in self._others]
        return Deferred.fromCoroutine(_together(own, asked))


async def _together(own: Deferred[Outcome], asked: list[Deferred[list[dict[str, Any]]]]) -> Outcome:
    outcomes = [await own]
    for answer in asked:
        try:
            outcomes.append(_read(await answer))
        except PmipError as error:
            outcomes.append(Refused(ErrorCause.RESOURCES_UNAVAILABLE, str(error)))
    # Whoever cannot say may have been the one.
    for outcome in outcomes:
        if isinstance(outcome, Refused) and outcome.cause is not ErrorCause.SESSION_CONTEXT_NOT_FOUND:
            return outcome
    sessions = sum(outcome.sessions for outcome in outcomes if isinstance(outcome, Done))
    return Done(sessions) if sessions else NOT_FOUND


def answer(sessions: ISessions, command: str, what: str) -> "Deferred[Rows]":
    """Of another worker, to what worker 0 has asked with one of the commands above."""
    wanted = msgspec.json.decode(what, type=_Wanted)
    if command == DISCONNECT:
        outcome = sessions.disconnect(wanted.selection)
    elif command == CHANGE:
        outcome = sessions.change(wanted.selection, wanted.change)
    else:
        assert command == REAUTHORIZE
        outcome = sessions.reauthorize(wanted.selection, wanted.state)
    return outcome.addCallback(_written)


def _written(outcome: Outcome) -> Rows:
    if isinstance(outcome, Done):
        return [{"sessions": outcome.sessions}]
    return [{"cause": int(outcome.cause), "why": outcome.why}]


def _read(rows: Rows) -> Outcome:
    [row] = rows
    if "sessions" in row:
        return Done(row["sessions"])
    return Refused(ErrorCause(row["cause"]), row["why"])
