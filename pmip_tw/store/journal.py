"""The journal of a running daemon: what is appended is made durable by a thread of its own, many at a time.

The reactor hands over what waits and goes on; while the thread writes, more comes together, and is handed over when
the reactor hears the result, or a moment later if that was much. So a commit is as large as the load makes it, and
nothing waits on an idle machine. The thread has nothing in common with the reactor but one batch at a time.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from zope.interface import implementer

from pmip_tw.errors import StoreError
from pmip_tw.interfaces import IBindingStore
from pmip_tw.mobility.records import JournalFormat, Record, Superseded
from pmip_tw.store.clocks import Clocks, system_clocks
from pmip_tw.store.database import Database
from pmip_tw.store.loading import load
from pmip_tw.store.mounts import doubt
from pmip_tw.store.place import Place
from pmip_tw.store.rows import RowCodec

PAUSE = 0.1
"""Seconds after a failed write in which none is tried: a full disk must not keep the machine busy."""

MUCH = 64
"""Records in a commit: there will be more soon."""

GATHERING = 0.002
"""Seconds in which more comes together behind such a commit, which by itself costs as much as dozens of records: these
two milliseconds save 7 % of what a renewal costs an LMA that is busy.
"""

_Done = Callable[[StoreError | None], None]
_Batch = list[tuple[Sequence[Record], _Done]]


class ThreadReactor(Protocol):
    """What the journal uses of a reactor."""

    def callFromThread(self, callable: Callable[..., object], /, *args: object) -> None: ...
    def callLater(self, delay: float, callable: Callable[[], object], /) -> IDelayedCall: ...


@implementer(IBindingStore)
class SqliteJournal:
    """A journal in the file ``path``, in SQLite's format; docs/store.md describes it."""

    keeps = True
    _log = Logger(namespace="pmip.store")

    def __init__(
        self,
        path: str,
        form: JournalFormat,
        *,
        horizon: float,
        reactor: ThreadReactor,
        clocks: Clocks | None = None,
    ) -> None:
        """``horizon``: seconds after which nothing in a record can matter, whatever it says."""
        self._path = path
        self._codec = RowCodec(form)
        self._reactor = reactor
        self._clocks = clocks or system_clocks()
        self._database = Database(Place(path), form, horizon=horizon, clocks=self._clocks)
        self._batches: SimpleQueue[_Batch | None] = SimpleQueue()
        self._waiting: _Batch = []
        self._writing: _Batch = []
        self._pause: IDelayedCall | None = None
        self._open = False
        self._stopped: Deferred[None] | None = None

    def start(self) -> None:
        self._database.open()
        self._open = True
        if reason := doubt(self._path):
            self._log.warn("{path}: {reason}", path=self._path, reason=reason)
        # A process that ends without stopping ends as if it was killed: what it was told is durable.
        threading.Thread(target=self._work, name=f"journal {self._path}", daemon=True).start()

    def load(self, superseded: Superseded | None = None) -> Iterator[tuple[float, Sequence[Record]]]:
        return load(self._path, self._codec, self._clocks(), superseded)

    def append(self, records: Sequence[Record], done: _Done) -> None:
        if not self._open:
            return
        self._waiting.append((records, done))
        if not self._writing and self._pause is None:
            self._hand_over()

    def stop(self) -> "Deferred[None] | None":
        if self._open and self._stopped is None:
            self._stopped = Deferred()
            self._end_pause()
            self._finish()
        return self._stopped

    def _hand_over(self) -> None:
        self._writing, self._waiting = self._waiting, []
        self._batches.put(self._writing)

    def _written(self, error: StoreError | None) -> None:
        """What was handed over is durable, or is not."""
        batch, self._writing = self._writing, []
        if error is None:
            self._go_on(sum(len(records) for records, _ in batch))
            for _, done in batch:
                self._tell(done, None)
        else:
            batch, self._waiting = batch + self._waiting, []
            if self._stopped is None:
                self._pause = self._reactor.callLater(PAUSE, self._resume)
            else:
                self._open = False
            for _, done in reversed(batch):
                self._tell(done, error)
        self._finish()

    def _go_on(self, written: int) -> None:
        """Hand over what has come together while so many records were ``written``."""
        if not self._waiting:
            return
        if written >= MUCH and self._stopped is None:
            self._pause = self._reactor.callLater(GATHERING, self._resume)
        else:
            self._hand_over()  # the thread works while the others are answered

    def _tell(self, done: _Done, error: StoreError | None) -> None:
        try:
            done(error)
        except Exception:
            # A defect of whoever asked costs what he asked for, not what others did.
            self._log.failure("what was saved in {path} met a defect", path=self._path)

    def _resume(self) -> None:
        self._pause = None
        if self._waiting:
            self._hand_over()

    def _end_pause(self) -> None:
        if self._pause is not None:
            self._pause.cancel()
            self._resume()

    def _finish(self) -> None:
        """Close, if that was asked for and everything is written."""
        if self._stopped is not None and not self._writing:
            self._open = False
            self._batches.put(None)

    def _work(self) -> None:
        """The thread."""
        for batch in iter(self._batches.get, None):
            self._reactor.callFromThread(self._written, self._write(batch))
            self._trim()
        self._close()
        self._reactor.callFromThread(self._has_stopped)

    def _write(self, batch: _Batch) -> StoreError | None:
        try:
            self._database.write([record for records, _ in batch for record in records])
        except StoreError as error:
            return error
        except Exception:
            self._log.failure("the journal {path} met a defect", path=self._path)
            return StoreError(self._path, "a record cannot be written: the log says why")
        return None

    def _trim(self) -> None:
        try:
            self._database.trim()
        except Exception:
            # Whatever it is, the thread goes on: what is appended matters more than what is dropped.
            self._log.failure("old rows of {path} cannot be dropped", path=self._path)

    def _close(self) -> None:
        try:
            self._database.close()
        except Exception:
            self._log.failure("{path} cannot be closed", path=self._path)

    def _has_stopped(self) -> None:
        assert self._stopped is not None
        self._stopped.callback(None)
