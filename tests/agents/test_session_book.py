"""The book of an LMA's accounting sessions: who goes on after which restart, and whose end is whose (AA20)."""

from collections.abc import Iterable

import pytest

from pmip_tw.aaa.accounting.records import (
    AccountingRecord,
    AccountingSession,
    StatusType,
    TerminateCause,
    Usage,
)
from pmip_tw.aaa.accounting.sessions import Sessions
from pmip_tw.addresses import Endpoint, Ipv4, ipv4
from pmip_tw.agents.accounts import Accounts
from pmip_tw.agents.session_book import SessionBook
from pmip_tw.forwarding.memory import MemoryPlane
from pmip_tw.lma.accounted import Stay
from pmip_tw.mobility.tunnels import AnchorEntry, AnchorKey, Tunnel
from pmip_tw.testing.accounting import FakeAccounting, FakeLedger
from pmip_tw.testing.clock import FakeClock
from pmip_tw.wire.udp import udp_packet
from tests.conformance import covers
from tests.lma.anchor import LMA, MAG1, MAG2

START, STOP, INTERIM = StatusType.START, StatusType.STOP, StatusType.INTERIM_UPDATE
ON = StatusType.ACCOUNTING_ON
BOB, EVE = b"bob@example.net", b"eve@example.net"
HOME = ipv4("10.1.0.2")


def stay(nai: bytes = BOB, home: Ipv4 = HOME, care_of: Ipv4 = MAG1) -> Stay:
    return Stay(AnchorKey(home), nai, care_of)


class Office:
    """Worker 0; ``ledger`` is what outlives it."""

    def __init__(self, workers: int = 1, ledger: FakeLedger | None = None) -> None:
        self.ledger = FakeLedger() if ledger is None else ledger
        self.clock = FakeClock()
        self.plane = MemoryPlane(monotonic=lambda: self.clock.monotonic, local=LMA)
        self.plane.start(None)
        self.sessions = Sessions[AnchorKey](interim_interval=600)
        accounts = Accounts(self.sessions, FakeAccounting(self.ledger), self.plane, self.clock)
        self.book = SessionBook(accounts, LMA, self.clock, workers)
        self.book.start()
        self.heard = len(self.ledger.told)

    def told(self) -> list[tuple[str, bytes]]:
        """What and of whom, since last asked."""
        new, self.heard = self.ledger.told[self.heard :], len(self.ledger.told)
        return [(_name(record), b"" if record.session is None else record.session.nai) for record in new]

    def back(self, *stays: Stay, worker: int = 0) -> None:
        self.book.back(worker, stays, last=True)

    def restarted(self, workers: int) -> "Office":
        return Office(workers, self.ledger)

    def install(self, home: Ipv4 = HOME) -> None:
        self.plane.install(AnchorEntry(home_address=home, tunnel=Tunnel(local=LMA, remote=MAG1)))

    def carry(self, packets: int, home: Ipv4 = HOME) -> int:
        """Their octets."""
        packet = udp_packet(Endpoint(ipv4("192.0.2.99"), 7), Endpoint(home, 7), b"x" * 100, 64)
        for _ in range(packets):
            self.plane.host_sends(packet)
        return packets * len(packet)


def _name(record: AccountingRecord) -> str:
    cause = "" if record.terminate_cause is None else f" {record.terminate_cause.name}"
    return f"{record.status.name}{cause}"


@covers("AA20")
def test_on_is_told_at_once_if_nobody_has_left_anything() -> None:
    office = Office(workers=2)
    assert [record.status for record in office.ledger.told] == [ON]
    office.book.serves(1, stay())
    office.back(worker=1)
    office.back()
    assert office.told() == [("START", BOB)]


@covers("AA20")
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_another_number_of_workers_goes_on_with_the_same_sessions(workers: int) -> None:
    office = Office(workers=2)
    office.back(worker=0)
    office.back(worker=1)
    office.book.serves(1, stay())
    office.book.serves(0, stay(EVE, Ipv4(HOME + 1)))
    office = office.restarted(workers)
    for worker in range(workers):
        office.back(*((stay(), stay(EVE, Ipv4(HOME + 1))) if worker == workers - 1 else ()), worker=worker)
    assert office.told() == []
    office.book.over(workers - 1, AnchorKey(HOME), TerminateCause.USER_REQUEST)
    assert office.told() == [("STOP USER_REQUEST", BOB)]


@covers("AA20")
def test_nothing_is_over_before_every_worker_has_said_who_is_back() -> None:
    office = Office(workers=2)
    office.book.serves(1, stay())
    office.book.serves(1, stay(EVE, Ipv4(HOME + 1)))
    office = office.restarted(3)
    office.back(worker=0)
    office.back(worker=1)
    assert office.told() == []
    office.book.back(2, [stay()], last=False)
    assert office.told() == []
    office.back(worker=2)
    assert office.told() == [("STOP NAS_REBOOT", EVE)]


@covers("AA20")
def test_a_worker_that_is_started_again_has_its_sessions_and_their_counters() -> None:
    office = Office(workers=2)
    office.back()
    office.back(worker=1)
    for home, nai in ((HOME, BOB), (Ipv4(HOME + 1), EVE)):
        office.install(home)
        office.book.serves(1, stay(nai, home))
    octets = office.carry(3)
    office.told()
    office.book.begins(1)
    octets += office.carry(2)
    office.book.back(1, [stay(care_of=MAG2)], last=False)
    office.book.begins(1)  # and was killed again, in the middle of it
    office.back(stay(care_of=MAG2), worker=1)
    assert office.told() == [("STOP NAS_REBOOT", EVE)]
    office.clock.advance(2)
    assert office.told() == [("INTERIM_UPDATE", BOB)]  # it has moved meanwhile
    counters = office.plane.remove(AnchorKey(HOME))
    office.book.removed(AnchorKey(HOME), counters)
    office.book.over(1, AnchorKey(HOME), TerminateCause.USER_REQUEST)
    assert office.ledger.told[-1].usage == Usage(0, octets, 0, 5)


@covers("AA20")
def test_an_address_that_wanders_between_workers() -> None:
    """What its former worker says too late ends nobody else's session."""
    office = Office(workers=3)
    for worker in range(3):
        office.back(worker=worker)
    office.install()
    office.book.serves(1, stay())
    office.carry(3)
    office.told()
    office.book.serves(2, stay(EVE))
    octets = office.carry(1)
    office.book.over(1, AnchorKey(HOME), TerminateCause.USER_REQUEST)
    office.book.begins(1)
    office.back(worker=1)
    assert office.told() == [("START", EVE), ("STOP NAS_REQUEST", BOB)]
    office.book.over(2, AnchorKey(HOME), TerminateCause.USER_REQUEST)
    assert office.ledger.told[-1].usage == Usage(0, octets, 0, 1)
    assert [row["sessions"] for row in office.book.rows([])] == [0, 0, 0]


class TestWhoseSessionGoesOn:
    """Of what a process that was killed has left."""

    def left(self, *sessions: tuple[str, bytes], at: Iterable[int] = (10, 20, 30)) -> FakeLedger:
        office = Office()
        for (session_id, nai), instant in zip(sessions, at, strict=False):
            session = AccountingSession(
                id=session_id, multi_id="m", nai=nai, home_address=HOME, home_agent=LMA, care_of_address=MAG1
            )
            accounting = FakeAccounting(office.ledger)
            accounting.start()
            accounting.record(AccountingRecord(status=START, at=instant, session=session))
        return office.ledger

    @covers("AA20")
    @pytest.mark.parametrize("ids", [("a", "b"), ("b", "a")])
    def test_of_two_of_one_address_the_owner_s(self, ids: tuple[str, str]) -> None:
        """The address has changed its owner, and the process was killed between Start and Stop."""
        office = Office(ledger=self.left((ids[0], BOB), (ids[1], EVE)))
        office.back(stay(EVE))
        assert office.told() == [("STOP NAS_REBOOT", BOB)]
        assert office.sessions.of(AnchorKey(HOME)).id == ids[1]

    @covers("AA20")
    @pytest.mark.parametrize("ids", [("a", "b"), ("b", "a")])
    def test_of_two_of_one_node_the_newer_one(self, ids: tuple[str, str]) -> None:
        office = Office(ledger=self.left((ids[0], BOB), (ids[1], BOB)))
        office.back(stay())
        assert office.told() == [("STOP NAS_REBOOT", BOB)]
        assert office.ledger.told[-1].session_id == ids[0]

    def test_nobody_s_whose_name_only_begins_like_that(self) -> None:
        office = Office(ledger=self.left(("a", b"bob@example.ne")))
        office.back(stay())
        assert office.told() == [
            ("STOP NAS_REBOOT", b"bob@example.ne"),
            ("ACCOUNTING_ON", b""),
            ("START", BOB),
        ]
