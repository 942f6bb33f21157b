"""Accounting records from agents to AAA, by way of the disk: nothing is told that a restart would not know (AA22).

A record is submitted when the disk has it, and dropped there when a server has it. A process that is killed between the
two tells it once more: the same session, instant and content, by which servers know it.
"""

from collections.abc import Sequence
from functools import partial

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from zope.interface import implementer

from pmip_tw.aaa.accounting import observed
from pmip_tw.aaa.accounting.queue import AccountingQueue, NotTaken, Waiting
from pmip_tw.aaa.accounting.records import AccountingRecord, StatusType, decode_record, encode_record
from pmip_tw.aaa.accounting.spool import SpoolChange, SpoolContents
from pmip_tw.aaa.verdicts import Unavailable
from pmip_tw.agents.observers import Observers
from pmip_tw.agents.rows.tables import Row
from pmip_tw.errors import Malformed, StoreError
from pmip_tw.interfaces import IAccounting, IAccountingServers, IClock, IObserver, ISpool

TRY_AGAIN = 1.0
"""Seconds after a failure of the disk."""

GRACE = 3.0
"""Seconds that the end waits for the answers of servers."""


@implementer(IAccounting)
class Spooling:
    """``clock``: its own, as it wakes up by itself. Not ``on_off``: On and Off of a former process are not told."""

    _log = Logger(namespace="pmip.accounting")

    def __init__(
        self,
        queue: AccountingQueue,
        spool: ISpool,
        servers: IAccountingServers,
        clock: IClock,
        observers: Sequence[IObserver] = (),
        *,
        on_off: bool = True,
    ) -> None:
        self._queue = queue
        self._spool = spool
        self._servers = servers
        self._clock = clock
        self._observers = Observers(observers)
        self._on_off = on_off
        self._left: list[AccountingRecord] = []
        # What the disk does not have yet, and of that what is on its way there.
        self._change = SpoolChange()
        self._writing: SpoolChange | None = None
        self._write_at: float | None = None
        self._failing = False
        self._submitting = False
        self._last_error = ""
        self._taken = self._dropped = 0
        self._open = False
        self._close_at: float | None = None
        self._stopped: Deferred[None] | None = None
        self._idle: Deferred[None] | None = None

    def start(self) -> None:
        contents = self._spool.start()
        self._open = True
        self._read(contents)
        self._go_on()

    def _read(self, contents: SpoolContents) -> None:
        for number, octets in contents.records.items():
            record = self._decoded(octets, f"record {number}")
            if record is None or (record.session is None and not self._on_off):
                self._change.records[number] = None
            else:
                self._queue.restore(number, record, len(octets))
        for session_id, octets in contents.sessions.items():
            record = self._decoded(octets, session_id)
            if record is None:
                self._change.sessions[session_id] = None
            else:
                self._left.append(record)

    def _decoded(self, octets: bytes, what: str) -> AccountingRecord | None:
        try:
            return decode_record(octets)
        except Malformed as error:
            self._observers.observe(observed.unreadable(what, str(error)), self._clock.now())
            return None

    def left_open(self) -> Sequence[AccountingRecord]:
        return self._left

    def record(self, record: AccountingRecord) -> None:
        if not self._open:
            return
        octets = encode_record(record)
        waiting, replaced = self._queue.add(record, len(octets))
        self._change.records[waiting.number] = octets
        for one in replaced:
            self._drop(one.number)
        self._remember(record, octets)
        now = self._clock.now()
        for one in self._queue.overflow():
            self._dropped += 1
            self._drop(one.number)
            self._observers.observe(observed.dropped(one.record), now)
        told = observed.told(record)
        if told is not None:
            self._observers.observe(told, now)
        self._go_on()

    def keep(self, record: AccountingRecord) -> None:
        if self._open:
            self._remember(record, encode_record(record))
            self._go_on()

    def stop(self) -> "Deferred[None] | None":
        """What servers are being asked to take is waited for, for a while: else the next process asks them again.

        Then everything is on the disk, if that takes it.
        """
        if self._open and self._stopped is None:
            self._stopped = Deferred()
            self._close_at = self._clock.now().monotonic + GRACE
            self._go_on()
        return self._stopped

    def _close(self) -> None:
        assert self._stopped is not None
        self._open = False
        self._clock.wake_at(None, self._wake)
        self._servers.stop()
        Deferred.fromCoroutine(self._finish()).chainDeferred(self._stopped)

    async def _finish(self) -> None:
        if self._writing is not None:
            self._idle = Deferred()
            await self._idle
        if self._change:
            self._idle = Deferred()
            self._writing, self._change = self._change, SpoolChange()
            self._spool.write(self._writing, self._written)
            if self._writing is not None:
                await self._idle
        if self._change:
            self._log.error("accounting that is not saved yet is lost")
        stopped = self._spool.stop()
        if stopped is not None:
            await stopped

    # The disk

    def _remember(self, record: AccountingRecord, octets: bytes) -> None:
        if record.session is not None:
            over = record.status is StatusType.STOP
            self._change.sessions[record.session.id] = None if over else octets

    def _drop(self, number: int) -> None:
        if self._change.records.get(number) is None:
            self._change.records[number] = None
        else:
            del self._change.records[number]  # the disk never had it

    def _not_written(self, written: SpoolChange) -> None:
        """It is tried again, but for what nobody needs any more: there is no end to that while the disk fails."""
        for number in [number for number, octets in self._change.records.items() if octets is None]:
            if written.records.get(number) is not None:
                del written.records[number], self._change.records[number]
        self._change = written.before(self._change)

    def _write(self) -> None:
        if self._writing is not None or not self._change or self._write_at is not None:
            return
        self._writing, self._change = self._change, SpoolChange()
        self._spool.write(self._writing, self._written)

    def _written(self, error: StoreError | None) -> None:
        assert self._writing is not None
        written, self._writing = self._writing, None
        now = self._clock.now()
        numbers = tuple(written.records)
        if error is not None:
            self._not_written(written)
            self._write_at = now.monotonic + TRY_AGAIN
            if not self._failing:
                self._failing = True
                self._observers.observe(observed.spool_failed(str(error)), now)
        elif self._failing:
            self._failing = False
            self._observers.observe(observed.spool_works_again(), now)
        # AAA hears also what the disk does not take: it may never take it.
        for number in numbers:
            self._queue.durable(number)
        idle, self._idle = self._idle, None
        if idle is not None:
            idle.callback(None)
        self._go_on()

    # The servers

    def _go_on(self) -> None:
        """Write what is to be written, submit what may be submitted, and see when to look again."""
        if not self._open or self._submitting:
            return
        self._submitting = True
        try:
            self._write()
            now = self._clock.now()
            while found := self._queue.submit(now):
                for waiting in found:
                    self._submit(waiting, now.wall)
                self._write()
        finally:
            self._submitting = False
        if self._close_at is not None and (self._is_idle or self._close_at <= now.monotonic):
            self._close()
            return
        deadlines = (self._queue.next_deadline(), self._write_at, self._close_at)
        soonest = min((deadline for deadline in deadlines if deadline is not None), default=None)
        self._clock.wake_at(soonest, self._wake)

    @property
    def _is_idle(self) -> bool:
        return not (self._queue.underway or self._change or self._writing)

    def _submit(self, waiting: Waiting, wall: float) -> None:
        delay = max(0, int(wall) - waiting.record.at)
        try:
            asked = self._servers.submit(waiting.record, delay)
        except Exception:
            # A defect of ours costs one record, not those behind it, nor the next start.
            self._log.failure("record {number} met a defect", number=waiting.number)
            asked = succeed(Unavailable("a defect: the log has it"))
        asked.addCallback(partial(self._answered, waiting.number))
        asked.addErrback(lambda failure: self._log.failure("an answer met a defect", failure))

    def _answered(self, number: int, trouble: Unavailable | None) -> None:
        if not self._open:
            return  # it is told once more by the next process
        now, was_refused = self._clock.now(), self._queue.is_refused
        if trouble is None:
            self._taken += 1
            self._queue.taken(number)
            self._drop(number)
            if not self._queue.stuck:
                self._last_error = ""
            if was_refused:
                self._observers.observe(observed.answered_again(len(self._queue)), now)
        else:
            self._last_error = trouble.cause
            found = self._queue.not_taken(number, now)
            if found is not None:
                waiting, meaning = found
                self._not_taken(waiting, meaning, trouble.cause, was_refused)
        self._go_on()

    def _not_taken(self, waiting: Waiting, meaning: NotTaken, cause: str, was_refused: bool) -> None:
        now = self._clock.now()
        if meaning is NotTaken.NOBODY and not was_refused:
            self._observers.observe(observed.unanswered(cause, len(self._queue)), now)
        elif meaning is NotTaken.STUCK:
            self._observers.observe(observed.stuck(waiting.record, cause), now)
        elif meaning is NotTaken.GIVEN_UP:
            self._dropped += 1
            self._drop(waiting.number)
            self._observers.observe(observed.given_up(waiting.record, cause), now)

    def _wake(self) -> None:
        now = self._clock.now().monotonic
        if self._write_at is not None and self._write_at <= now:
            self._write_at = None
        self._go_on()

    # People

    def rows(self) -> list[Row]:
        """One row: what waits, since when, and why."""
        oldest = next(iter(self._queue), None)
        return [
            {
                "waiting": len(self._queue),
                "underway": self._queue.underway,
                "octets": self._queue.octets,
                "oldest": None if oldest is None else oldest.record.status.name.lower().replace("_", "-"),
                "oldest_session": None if oldest is None else oldest.record.session_id,
                "oldest_age": None if oldest is None else int(self._clock.now().wall) - oldest.record.at,
                "taken": self._taken,
                "stuck": self._queue.stuck,
                "dropped": self._dropped,
                "disk": "failing" if self._failing else "ok",
                "last_error": self._last_error,
            }
        ]
