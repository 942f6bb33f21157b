"""A daemon's answers to its operator, put together from what its parts offer."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from zope.interface import implementer

from pmip_tw.errors import PmipError
from pmip_tw.interfaces import IOperations
from pmip_tw.manage.trace import Trace

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

Rows = Sequence[Mapping[str, object]]
Ending = Callable[[str], "Mapping[str, object] | Deferred[Mapping[str, object]]"]
"""Ends something of a NAI, or of whom else it knows, and tells what."""


@implementer(IOperations)
class Operations:
    """``tables`` gives each table's rows by its name; ``detach`` and ``revoke`` are None where the role cannot."""

    def __init__(
        self,
        role: str,
        tables: Mapping[str, Callable[[], Rows]],
        trace: Trace,
        *,
        detach: Ending | None = None,
        revoke: Ending | None = None,
    ) -> None:
        self.role = role
        self.tables = tuple(tables)
        self._rows = dict(tables)
        self._trace = trace
        self._detach = detach
        self._revoke = revoke

    def show(self, what: str) -> Rows:
        rows = self._rows.get(what)
        if rows is None:
            raise PmipError(f"the {self.role.upper()} has no table {what!r}; it has {', '.join(self.tables)}")
        return rows()

    def answer(self, command: str, what: str) -> Rows:
        """For worker 0, who asks by name and wants rows; PmipError: there are none, and why."""
        if command == "show":
            return self.show(what)
        if command == "trace":
            return self.trace(what)
        assert command == "revoke"
        ended = self.revoke(what)
        assert isinstance(ended, Mapping)
        return [ended]

    def trace(self, key: str) -> Rows:
        return self._trace.find(key)

    def detach(self, nai: str) -> "Mapping[str, object] | Deferred[Mapping[str, object]]":
        if self._detach is None:
            raise PmipError(f"the {self.role.upper()} cannot detach: ask the MAG that serves the mobile node")
        return self._detach(nai)

    def revoke(self, whom: str) -> "Mapping[str, object] | Deferred[Mapping[str, object]]":
        if self._revoke is None:
            raise PmipError(f"the {self.role.upper()} cannot revoke: ask the LMA that holds the binding")
        return self._revoke(whom)
