"""The twins of accounting: what was told is kept for whoever looks, and servers take or refuse what they are told."""

from collections.abc import Sequence

import attrs
from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from pmip_tw.aaa.accounting.records import AccountingRecord, StatusType, decode_record, encode_record
from pmip_tw.aaa.verdicts import Unavailable
from pmip_tw.interfaces import IAccounting, IAccountingServers


@attrs.define(slots=True)
class FakeLedger:
    """What outlives a process: all that was told, in order, and the last that is known of who has no Stop yet."""

    told: list[AccountingRecord] = attrs.field(factory=list)
    last: dict[str, bytes] = attrs.field(factory=dict)


@implementer(IAccounting)
class FakeAccounting:
    """One process's accounting: whatever it is told is durable at once."""

    def __init__(self, ledger: FakeLedger | None = None) -> None:
        self.ledger = FakeLedger() if ledger is None else ledger
        self._left: list[AccountingRecord] = []
        self._open = False

    @property
    def told(self) -> list[AccountingRecord]:
        return self.ledger.told

    def start(self) -> None:
        self._left = [decode_record(octets) for octets in self.ledger.last.values()]
        self._open = True

    def left_open(self) -> Sequence[AccountingRecord]:
        return self._left

    def record(self, record: AccountingRecord) -> None:
        if not self._open:
            return
        self.ledger.told.append(record)
        self.keep(record)

    def keep(self, record: AccountingRecord) -> None:
        if not self._open or record.session is None:
            return
        if record.status is StatusType.STOP:
            self.ledger.last.pop(record.session.id, None)
        else:
            self.ledger.last[record.session.id] = encode_record(record)

    def stop(self) -> None:
        self._open = False


@implementer(IAccountingServers)
class FakeAccountingServers:
    """``trouble``: why nothing is taken, "" while everything is. ``silent``: questions stay open until ``answer``."""

    def __init__(self) -> None:
        self.trouble = ""
        self.silent = False
        self.taken: list[tuple[AccountingRecord, int]] = []
        self.asked: list[tuple[AccountingRecord, int, Deferred[Unavailable | None]]] = []
        self._open = True

    def submit(self, record: AccountingRecord, delay: int) -> Deferred[Unavailable | None]:
        if not self._open:
            return succeed(Unavailable("stopped"))
        answer: Deferred[Unavailable | None] = Deferred()
        self.asked.append((record, delay, answer))
        if not self.silent:
            self.answer()
        return answer

    def answer(self) -> None:
        """All that is asked, as ``trouble`` says."""
        asked, self.asked = self.asked, []
        for record, delay, answer in asked:
            if not self.trouble:
                self.taken.append((record, delay))
            answer.callback(Unavailable(self.trouble) if self.trouble else None)

    def stop(self) -> None:
        self._open = False
        asked, self.asked = self.asked, []
        for _, _, answer in asked:
            answer.callback(Unavailable("stopped"))
