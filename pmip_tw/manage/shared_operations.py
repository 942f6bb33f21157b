"""One answer to the operator for all workers of a daemon: worker 0 asks the others."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from zope.interface import implementer

from pmip_tw.errors import PmipError
from pmip_tw.interfaces import IOperations
from pmip_tw.manage.operations import Operations

Rows = Sequence[Mapping[str, Any]]

LISTED = ("bindings", "leases", "keys")
"""Tables whose rows are those of all workers."""

COUNTED = {"counters": ("name", "reason"), "sources": ("source", "reason")}
"""Tables whose rows are added up if they have the same in these columns. All other tables are worker 0's."""


@implementer(IOperations)
class SharedOperations:
    """``ask`` puts a command to another worker; ``whose`` says which worker a NAI or home address is of, or None.

    ``completed`` adds to the others' rows of a table what only worker 0 knows.
    """

    def __init__(
        self,
        own: Operations,
        workers: int,
        *,
        ask: "Callable[[int, str, str], Deferred[list[dict[str, Any]]]]",
        whose: Callable[[str], int | None],
        completed: Mapping[str, Callable[[Rows], Rows]],
    ) -> None:
        self._own = own
        self._others = range(1, workers)
        self._ask = ask
        self._whose = whose
        self._completed = completed
        self.role = own.role
        self.tables = own.tables

    def show(self, what: str) -> "Rows | Deferred[Rows]":
        own = self._own.show(what)
        if what in LISTED:
            return Deferred.fromCoroutine(self._listed(what, own))
        if what in COUNTED:
            return Deferred.fromCoroutine(self._counted(what, own))
        return own

    async def _listed(self, what: str, own: Rows) -> Rows:
        rows = list(own)
        completed = self._completed.get(what)
        for found in await self._answers("show", what):
            rows += found if completed is None else completed(found)
        return rows

    async def _counted(self, what: str, own: Rows) -> Rows:
        columns = COUNTED[what]
        found: dict[tuple[Any, ...], dict[str, Any]] = {}
        for rows in [own, *await self._answers("show", what)]:
            for row in rows:
                same = tuple(row[column] for column in columns)
                sum_so_far = found.setdefault(same, {**row, "count": 0})
                sum_so_far["count"] += row["count"]
                if "last" in row:
                    sum_so_far["last"] = max(row["last"], sum_so_far.get("last", row["last"]))
        return list(found.values())

    async def _answers(self, command: str, what: str) -> list[Rows]:
        """Of all others; PmipError: of the first who has none."""
        found: list[Rows] = []
        for answer in await self._asked(command, what):
            if isinstance(answer, PmipError):
                raise answer
            found.append(answer)
        return found

    async def _asked(self, command: str, what: str) -> "list[Rows | PmipError]":
        """Of all others, what they answer."""
        asked: list[Deferred[Any]] = [self._ask(worker, command, what) for worker in self._others]
        for answer in asked:
            answer.addErrback(_problem)
        return [await answer for answer in asked]

    def trace(self, key: str) -> "Rows | Deferred[Rows]":
        return Deferred.fromCoroutine(self._traced(key))

    async def _traced(self, key: str) -> Rows:
        """Usually one worker has heard of a node; of those that it moved between after a change of workers, several."""
        rows: list[Mapping[str, Any]] = []
        unknown: PmipError | None = None
        try:
            rows += self._own.trace(key)
        except PmipError as error:
            unknown = error
        for answer in await self._asked("trace", key):
            if isinstance(answer, PmipError):
                unknown = unknown or answer
            else:
                rows += answer
        if not rows and unknown is not None:
            raise unknown
        return sorted(rows, key=lambda row: row["time"])

    def detach(self, nai: str) -> "Mapping[str, object] | Deferred[Mapping[str, object]]":
        return self._own.detach(nai)

    def revoke(self, whom: str) -> "Mapping[str, object] | Deferred[Mapping[str, object]]":
        worker = self._whose(whom)
        if worker is None:
            return Deferred.fromCoroutine(self._revoked(whom))
        if worker:
            return self._ask(worker, "revoke", whom).addCallback(lambda rows: rows[0])
        return self._own.revoke(whom)

    async def _revoked(self, whom: str) -> Mapping[str, object]:
        """Nobody is registered with it; anybody may have a lease of it."""
        answers = await self._asked("revoke", whom)
        for answer in answers:
            if not isinstance(answer, PmipError):
                return answer[0]
        own = self._own.revoke(whom)
        return await own if isinstance(own, Deferred) else own


def _problem(failure: Failure) -> PmipError:
    failure.trap(PmipError)
    assert isinstance(failure.value, PmipError)
    return failure.value
