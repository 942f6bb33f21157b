"""Accounting from agents to servers by way of the disk: nothing is lost, and doubled by one kind of crash only."""

import pytest
from msgspec.structs import replace
from twisted.internet.defer import Deferred, succeed

from pmip_tw.aaa.accounting.queue import AccountingQueue
from pmip_tw.aaa.accounting.records import AccountingRecord, StatusType, Usage, encode_record
from pmip_tw.aaa.verdicts import Unavailable
from pmip_tw.agents.spooling import GRACE, Spooling
from pmip_tw.testing.accounting import FakeAccountingServers
from pmip_tw.testing.clock import FakeClock
from pmip_tw.testing.spool import FakeSpool, FakeSpoolDisk
from tests.aaa.test_accounting_sessions import INTERIM, ON, SESSION, START, STOP
from tests.conformance import covers
from tests.observers import Notes


class House:
    """A disk, servers, and one process after the other."""

    def __init__(self, *, at_once: bool = True, most_octets: int = 10**6) -> None:
        self.clock = FakeClock()
        self.disk = FakeSpoolDisk()
        self.servers = FakeAccountingServers()
        self.notes = Notes()
        self._at_once = at_once
        self._most_octets = most_octets
        self.begin()

    def begin(self) -> None:
        self.spool = FakeSpool(self.disk, at_once=self._at_once)
        queue = AccountingQueue(most_octets=self._most_octets)
        self.accounting = Spooling(queue, self.spool, self.servers, self.clock, [self.notes])
        self.accounting.start()

    def crash(self) -> None:
        """The process is gone, and nobody hears what servers say to it."""
        self.spool.crash()
        self.clock.wake_at(None, self.accounting._wake)
        taken, self.servers = self.servers.taken, FakeAccountingServers()
        self.servers.taken = taken

    def tell(self, status: StatusType, session: str = "one", octets: int = 0) -> AccountingRecord:
        about = None if status is ON else replace(SESSION, id=session)
        usage = Usage(input_octets=octets)
        record = AccountingRecord(status=status, at=int(self.clock.wall), session=about, usage=usage)
        self.accounting.record(record)
        return record

    @property
    def taken(self) -> list[StatusType]:
        return [record.status for record, _ in self.servers.taken]

    @property
    def row(self) -> dict[str, object]:
        [row] = self.accounting.rows()
        return row


@covers("AA22")
def test_told_in_order_and_gone_from_the_disk_when_it_is_taken() -> None:
    house = House()
    for status in (START, INTERIM, STOP):
        house.tell(status)
    assert house.taken == [START, INTERIM, STOP]
    assert house.disk == FakeSpoolDisk()
    assert house.row["waiting"] == 0 and house.row["taken"] == 3


@covers("AA22")
def test_no_server_hears_what_the_disk_does_not_have() -> None:
    house = House(at_once=False)
    house.tell(START)
    assert house.taken == [] and house.disk.records == {}
    house.spool.commit()
    assert house.taken == [START]
    house.spool.commit()
    assert house.disk.records == {}


@covers("AA22")
def test_an_outage_loses_nothing_and_says_so_once() -> None:
    house = House()
    house.servers.trouble = "198.51.100.53:1813: no answer"
    house.tell(START)
    for number in range(5):
        house.clock.advance(600)
        house.tell(INTERIM, octets=number)
    house.tell(STOP, octets=9)
    assert house.taken == [] and len(house.disk.records) == 3
    assert len(house.notes.named("accounting-unanswered")) == 1
    assert house.row["last_error"] == "198.51.100.53:1813: no answer" and house.row["oldest_age"] == 3000
    house.servers.trouble = ""
    house.clock.advance(31)
    told = [(record.status, record.usage.input_octets) for record, _ in house.servers.taken]
    assert told == [(START, 0), (INTERIM, 4), (STOP, 9)]
    # How old each was (AA22): what it says of itself has not changed.
    assert [delay >= age for (_, delay), age in zip(house.servers.taken, (3000, 0, 0), strict=True)] == [
        True
    ] * 3
    assert len(house.notes.named("accounting-answered-again")) == 1
    assert house.disk.records == {} and house.row["last_error"] == ""


@covers("AA22")
def test_a_record_that_is_not_taken_although_others_are_is_named_and_given_up_in_the_end() -> None:
    """It makes nobody believe, again and again, that servers are away."""
    house = House()
    house.tell(START, "fine")
    take = house.servers.submit

    def refuse(record: AccountingRecord, delay: int) -> "Deferred[Unavailable | None]":
        return succeed(Unavailable("too long")) if record.session_id == "wrong" else take(record, delay)

    house.servers.submit = refuse
    house.tell(START, "wrong")
    for minute in range(60):
        house.tell(START, f"at {minute}")
        house.clock.advance(60)
    assert len(house.notes.named("accounting-unanswered")) <= 3
    [note] = house.notes.named("accounting-stuck")
    assert (note.session, note.reason) == ("wrong", "not-taken") and note.cause.startswith("too long; ")
    assert (house.row["stuck"], house.row["last_error"], house.row["waiting"]) == (1, "too long", 1)
    for hour in range(25):
        house.tell(START, f"in {hour}")
        house.clock.advance(3600)
    [note] = house.notes.named("accounting-dropped")
    assert (note.session, note.reason) == ("wrong", "not-taken")
    house.tell(STOP, "fine")
    assert (house.row["stuck"], house.row["last_error"], house.row["waiting"]) == (0, "", 0)
    assert house.disk.records == {}


class TestCrashes:
    @covers("AA22")
    def test_before_the_disk_had_it(self) -> None:
        """Whoever told it knows as well: it is the agent's to tell it again."""
        house = House(at_once=False)
        house.tell(START)
        house.crash()
        house.begin()
        assert house.taken == [] and house.accounting.left_open() == []

    @covers("AA22")
    def test_while_servers_were_silent(self) -> None:
        house = House()
        house.servers.silent = True
        started = house.tell(START)
        house.tell(INTERIM, octets=5)
        house.crash()
        house.clock.advance(100)
        house.begin()
        assert house.servers.taken[0] == (started, 100)
        assert house.taken == [START, INTERIM]
        [left] = house.accounting.left_open()
        assert left.usage.input_octets == 5

    @covers("AA22")
    def test_between_an_answer_and_its_durability_it_is_told_once_more_and_the_same(self) -> None:
        house = House(at_once=False)
        house.tell(START)
        house.spool.commit()
        assert house.taken == [START]
        house.crash()
        house.clock.advance(5)
        house.begin()
        house.spool.commit()
        (first, _), (second, delay) = house.servers.taken
        assert first == second and delay == 5
        assert encode_record(first) == encode_record(second)

    def test_after_that_it_is_told_no_more(self) -> None:
        house = House()
        house.tell(START)
        house.crash()
        house.begin()
        assert house.taken == [START] and len(house.accounting.left_open()) == 1

    def test_what_was_only_kept_is_what_a_later_process_finds(self) -> None:
        house = House()
        started = house.tell(START)
        house.accounting.keep(replace(started, status=INTERIM, usage=Usage(7)))
        house.crash()
        house.begin()
        [left] = house.accounting.left_open()
        assert left.usage == Usage(7) and house.taken == [START]

    def test_a_session_with_a_stop_is_not_open(self) -> None:
        house = House()
        house.servers.silent = True
        house.tell(START)
        house.tell(STOP)
        house.crash()
        house.begin()
        assert house.accounting.left_open() == []


class TestTheDisk:
    @covers("AA22")
    def test_what_it_does_not_take_is_told_all_the_same_and_written_when_it_does(self) -> None:
        house = House()
        house.disk.trouble = "is full"
        house.tell(START)
        assert house.taken == [START]
        [note] = house.notes.named("accounting-spool-failed")
        assert "is full" in note.cause and house.row["disk"] == "failing"
        house.tell(INTERIM, octets=3)
        house.disk.trouble = ""
        house.clock.advance(3)
        assert len(house.notes.named("accounting-spool-works-again")) == 1
        assert house.disk.records == {} and len(house.disk.sessions) == 1
        assert house.taken == [START, INTERIM]

    def test_while_it_takes_nothing_what_was_told_is_not_remembered(self) -> None:
        """It may be full for days, and there may be a million nodes."""
        house = House(at_once=False)
        house.disk.trouble = "is full"
        for number in range(200):
            house.tell(START, f"s{number % 3}")
            house.clock.advance(0.3)
            house.spool.commit()
        for _ in range(3):
            house.clock.advance(1)
            house.spool.commit()
        assert len(house.taken) == 200 and house.row["waiting"] == 0
        assert len(house.accounting._change.records) < 10
        house.disk.trouble = ""
        house.clock.advance(1)
        house.spool.commit()
        assert house.disk.records == {} and len(house.disk.sessions) == 3

    def test_octets_that_are_no_record_are_told_of_and_hold_nobody_up(self) -> None:
        house = House()
        house.disk.records[4] = b"?"
        house.disk.sessions["x"] = b"?"
        house.begin()
        house.tell(START)
        assert house.taken == [START] and house.disk.records == {}
        assert [note.reason for note in house.notes.named("accounting-dropped")] == ["unreadable"] * 2


@covers("AA22")
def test_when_it_is_full_somebody_hears_what_is_lost() -> None:
    size = len(encode_record(AccountingRecord(status=START, at=1_704_067_200, session=SESSION)))
    house = House(most_octets=3 * size + 10)
    house.servers.trouble = "down"
    for name in ("one", "two", "six", "ten"):
        house.tell(START, name)
    [note] = house.notes.named("accounting-dropped")
    assert (note.session, note.reason) == ("one", "spool-full")
    assert "raise it" in note.cause and house.row["dropped"] == 1
    assert len(house.disk.records) == 3


@covers("AA20", "AA22")
def test_a_server_that_answers_no_accounting_on_holds_nobody_up() -> None:
    house = House()
    house.servers.silent = True
    house.tell(ON)
    house.tell(START, "one")
    for second in range(300):
        house.clock.advance(1)
        asked, house.servers.asked = house.servers.asked, []
        for record, delay, answer in asked:
            if record.status is ON:
                answer.callback(Unavailable("no answer"))
            else:
                house.servers.taken.append((record, delay))
                answer.callback(None)
        if second % 10 == 0:
            house.tell(START, f"s{second}")
    assert house.row["waiting"] == 0 and house.taken == [START] * 31
    [note] = house.notes.named("accounting-dropped")
    assert note.reason == "not-taken" and note.details["record"] == "accounting-on"
    assert house.disk.records == {}


def test_a_record_that_meets_a_defect_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House()
    submit = FakeAccountingServers.submit

    def defective(
        servers: FakeAccountingServers, record: AccountingRecord, delay: int
    ) -> Deferred[Unavailable | None]:
        if record.session_id == "bad":
            raise OverflowError("int too large")
        return submit(servers, record, delay)

    monkeypatch.setattr(FakeAccountingServers, "submit", defective)
    house.tell(START, "bad")
    house.tell(START, "good")
    house.clock.advance(5)
    assert house.taken == [START] and house.row["waiting"] == 1
    house.crash()
    house.begin()  # it can be started with that on its disk
    house.tell(STOP, "good")
    house.clock.advance(5)
    assert house.taken == [START, STOP]


class TestTheEnd:
    def stop(self, house: House) -> list[None]:
        ended: list[None] = []
        stopping = house.accounting.stop()
        assert stopping is not None
        stopping.addCallback(ended.append)
        return ended

    def test_nothing_to_wait_for(self) -> None:
        house = House()
        house.tell(START)
        assert self.stop(house) == [None]
        house.tell(INTERIM)
        assert house.taken == [START]

    def test_answers_are_waited_for(self) -> None:
        house = House()
        house.servers.silent = True
        house.tell(START)
        ended = self.stop(house)
        assert ended == []
        house.servers.answer()
        assert ended == [None] and house.disk.records == {}

    def test_not_for_ever(self) -> None:
        house = House()
        house.servers.silent = True
        house.tell(START)
        ended = self.stop(house)
        house.clock.advance(GRACE)
        assert ended == [None] and len(house.disk.records) == 1

    @pytest.mark.parametrize("trouble", ["", "is full"])
    def test_what_is_not_written_yet_is_written(self, trouble: str) -> None:
        house = House(at_once=False)
        house.servers.trouble = "down"
        house.tell(START)
        house.tell(START, "two")
        ended = self.stop(house)
        house.disk.trouble = trouble
        for _ in range(4):
            house.spool.commit()
        house.clock.advance(GRACE)
        for _ in range(4):
            house.spool.commit()
        assert ended == [None]
        assert len(house.disk.records) == (0 if trouble else 2)


def test_begin_and_end_are_told_to_observers() -> None:
    house = House()
    house.tell(START)
    house.tell(INTERIM)
    house.tell(STOP, octets=12)
    [began] = house.notes.named("accounting-start")
    assert began.nai == "mn1@example.net" and began.session == "one"
    [over] = house.notes.named("accounting-stop")
    assert over.details["accounting_id"] == "one"
