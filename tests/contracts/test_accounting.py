"""What every IAccounting does: the twin, and the one with a disk and servers (which are twins)."""

from collections.abc import Callable
from typing import Protocol

import pytest
from msgspec.structs import replace
from zope.interface.verify import verifyObject

from pmip_tw.aaa.accounting.queue import AccountingQueue
from pmip_tw.aaa.accounting.records import AccountingRecord, StatusType, Usage
from pmip_tw.agents.spooling import Spooling
from pmip_tw.interfaces import IAccounting
from pmip_tw.testing.accounting import FakeAccounting, FakeAccountingServers, FakeLedger
from pmip_tw.testing.clock import FakeClock
from pmip_tw.testing.spool import FakeSpool, FakeSpoolDisk
from tests.aaa.test_accounting_sessions import INTERIM, SESSION, START, STOP


class World(Protocol):
    """What outlives a process, and what AAA has heard."""

    def open(self) -> IAccounting: ...
    @property
    def heard(self) -> list[StatusType]: ...


class TwinWorld:
    def __init__(self) -> None:
        self._ledger = FakeLedger()

    def open(self) -> IAccounting:
        return FakeAccounting(self._ledger)

    @property
    def heard(self) -> list[StatusType]:
        return [record.status for record in self._ledger.told]


class SpoolWorld:
    def __init__(self) -> None:
        self._disk = FakeSpoolDisk()
        self._servers = FakeAccountingServers()

    def open(self) -> IAccounting:
        taken, self._servers = self._servers.taken, FakeAccountingServers()
        self._servers.taken = taken
        queue = AccountingQueue(most_octets=10**6)
        return Spooling(queue, FakeSpool(self._disk), self._servers, FakeClock())

    @property
    def heard(self) -> list[StatusType]:
        return [record.status for record, _ in self._servers.taken]


@pytest.fixture(params=[TwinWorld, SpoolWorld], ids=["twin", "spool"])
def world(request: pytest.FixtureRequest) -> World:
    make: Callable[[], World] = request.param
    return make()


def record(status: StatusType, session: str = "one", octets: int = 0) -> AccountingRecord:
    return AccountingRecord(
        status=status, at=1_700_000_000, session=replace(SESSION, id=session), usage=Usage(octets)
    )


def test_it_is_one(world: World) -> None:
    assert verifyObject(IAccounting, world.open())


def test_what_is_told_is_heard_in_order(world: World) -> None:
    accounting = world.open()
    accounting.start()
    for status in (START, INTERIM, STOP):
        accounting.record(record(status))
    assert world.heard == [START, INTERIM, STOP]


def test_a_later_process_finds_the_last_of_what_is_open(world: World) -> None:
    accounting = world.open()
    accounting.start()
    assert list(accounting.left_open()) == []
    accounting.record(record(START, "a"))
    accounting.record(record(START, "b"))
    accounting.record(record(START, "c"))
    accounting.record(record(INTERIM, "b", 5))
    accounting.keep(record(INTERIM, "c", 7))
    accounting.record(record(STOP, "a"))
    accounting.stop()
    again = world.open()
    again.start()
    assert sorted((one.session_id, one.usage.input_octets) for one in again.left_open()) == [
        ("b", 5),
        ("c", 7),
    ]
    assert world.heard == [START, START, START, INTERIM, STOP]


def test_once_stopped_nothing_is_taken(world: World) -> None:
    accounting = world.open()
    accounting.start()
    accounting.stop()
    accounting.stop()
    accounting.record(record(START))
    assert world.heard == []
