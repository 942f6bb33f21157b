"""What the operator sees of a role: log, counters, traces, control socket; the same for all of them."""

from collections.abc import Callable, Mapping, Sequence

from twisted.internet.posixbase import PosixReactorBase

from pmip_tw.agents.observers import Observers
from pmip_tw.agents.rows.tables import Row
from pmip_tw.interfaces import IOperations
from pmip_tw.manage.control import ControlSocket
from pmip_tw.manage.counters import Tally
from pmip_tw.manage.log import LogObserver
from pmip_tw.manage.operations import Ending, Operations
from pmip_tw.manage.sources import Sources
from pmip_tw.manage.trace import Trace


class Management:
    """``observers`` are for everything that tells; ``control`` makes the socket for ``pmipctl``."""

    def __init__(self) -> None:
        self._tally, self._sources, self._trace, self.log = Tally(), Sources(), Trace(), LogObserver()
        self.observers = Observers((self._tally, self._sources, self._trace, self.log))

    def operations(
        self,
        role: str,
        tables: Mapping[str, Callable[[], Sequence[Row]]],
        *,
        detach: Ending | None = None,
        revoke: Ending | None = None,
    ) -> Operations:
        """``tables`` of the agent; what its packet plane drops ("drops") is shown among the counters."""
        shown = dict(tables)
        drops = shown.pop("drops")
        shown["counters"] = lambda: [*self._tally.rows(), *drops()]
        shown["sources"] = self._sources.rows
        return Operations(role, shown, self._trace, detach=detach, revoke=revoke)

    def control(self, reactor: PosixReactorBase, path: str, operations: IOperations) -> ControlSocket:
        """Where ``pmipctl`` reaches this daemon."""
        return ControlSocket(reactor, path, operations)
