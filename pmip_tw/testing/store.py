"""The journal's twin: a disk in memory that outlives whoever writes to it, and fails when it is told to."""

from collections.abc import Callable, Iterator, Sequence

import attrs
from zope.interface import implementer

from pmip_tw.errors import StoreError
from pmip_tw.interfaces import IBindingStore
from pmip_tw.mobility.records import JournalFormat, Record, Superseded
from pmip_tw.store.clocks import Clocks, Instant, clocks_now, shift
from pmip_tw.store.rows import RowCodec

_Waiting = tuple[Sequence[Record], Callable[[StoreError | None], None]]


@attrs.define(slots=True)
class FakeDisk:
    """What is durable. While ``trouble`` is not empty, every write fails and that is why."""

    name: str = "memory"
    trouble: str = ""
    rows: list[tuple[Instant, bytes]] = attrs.field(factory=list)
    seen: list[Instant] = attrs.field(factory=list)
    """When processes began and wrote, oldest first."""


@implementer(IBindingStore)
class FakeStore:
    """One process's hold on a disk.

    ``at_once``: every append is a commit of its own, answered before it returns, except that what is appended because
    a write failed waits for the next one; otherwise appends wait for ``commit``. Without ``clocks`` time stands
    still: nothing is shifted, nothing grows too old.
    """

    keeps = True

    def __init__(
        self,
        disk: FakeDisk,
        form: JournalFormat,
        *,
        horizon: float = float("inf"),
        at_once: bool = True,
        clocks: Clocks = lambda: Instant("the only boot", 0.0, 0.0, 0.0),
    ) -> None:
        self._disk = disk
        self._codec = RowCodec(form)
        self._horizon = horizon
        self._at_once = at_once
        self._clocks = clocks
        self._waiting: list[_Waiting] = []
        self._open = False
        self._failing = False

    def start(self) -> None:
        self._open = True
        self._disk.seen.append(self._clocks())

    def load(self, superseded: Superseded | None = None) -> Iterator[tuple[float, Sequence[Record]]]:
        now, rows = self._clocks(), list(self._disk.rows)
        reading = clocks_now(self._disk.seen, now)
        for written, row in reversed(rows):
            if reading[written.boot] - written.since_boot >= self._horizon:
                continue
            if superseded is None or not self._codec.is_superseded(row, superseded):
                yield shift(written, now, reading[written.boot]), self._codec.decode(row)

    def append(self, records: Sequence[Record], done: Callable[[StoreError | None], None]) -> None:
        if not self._open:
            return
        self._waiting.append((records, done))
        if self._at_once and not self._failing:
            self.commit()

    @property
    def waiting(self) -> int:
        """How many appends are not durable yet."""
        return len(self._waiting)

    def commit(self, appends: int | None = None) -> None:
        """One group commit of all that waits, or its first ``appends``: durable in one row, or failed, newest first."""
        count = len(self._waiting) if appends is None else appends
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        if not batch:
            return
        if self._disk.trouble:
            self._fail(batch, StoreError(self._disk.name, self._disk.trouble))
            return
        row = self._codec.encode([record for records, _ in batch for record in records])
        now = self._clocks()
        self._disk.rows.append((now, row))
        self._disk.seen.append(now)
        for _, done in batch:
            done(None)

    def _fail(self, batch: list[_Waiting], error: StoreError) -> None:
        self._failing = True
        for _, done in reversed(batch):
            done(error)
        self._failing = False

    def crash(self) -> None:
        """The process is gone: what was not durable is lost, and nobody is told."""
        self._waiting.clear()
        self._open = False

    def stop(self) -> None:
        self.commit()
        self._open = False
