"""Which records may be submitted, in what order, and what gives way when there are too many (AA22)."""

import os

import attrs
from msgspec.structs import replace

from pmip_tw.aaa.accounting.queue import (
    FAILS_BY_ITSELF,
    LONGEST_OWN_PAUSE,
    LONGEST_PAUSE,
    PATIENCE,
    WINDOW,
    AccountingQueue,
    NotTaken,
    Waiting,
)
from pmip_tw.aaa.accounting.records import AccountingRecord, StatusType
from pmip_tw.mobility.clock import Now
from tests.aaa.test_accounting_sessions import INTERIM, ON, SESSION, START, STOP
from tests.conformance import covers

SIZE = 100


@attrs.define
class Line:
    """``gave_way``: what newer records have replaced or pushed out."""

    queue: AccountingQueue = attrs.field(factory=lambda: AccountingQueue(most_octets=10**6))
    at: float = 1000.0
    gave_way: list[str] = attrs.field(factory=list)

    @property
    def now(self) -> Now:
        return Now(self.at, self.at, os.urandom)

    def add(self, *names: str, durable: bool = True) -> None:
        """``one start``, ``on``: sessions are made as they are named."""
        for name in names:
            waiting, replaced = self.queue.add(record(name), SIZE)
            self.gave_way += map(called, replaced)
            self.gave_way += map(called, self.queue.overflow())
            if durable:
                self.queue.durable(waiting.number)

    def submit(self) -> list[Waiting]:
        return self.queue.submit(self.now)

    def drain(self) -> list[str]:
        """Everything is taken, as soon as it may be submitted."""
        told = []
        while found := self.submit():
            for waiting in found:
                told.append(called(waiting))
                self.queue.taken(waiting.number)
        return told

    def fail(self) -> list[str]:
        found = self.submit()
        for waiting in found:
            self.queue.not_taken(waiting.number, self.now)
        return [called(waiting) for waiting in found]


_STATUS = {"start": START, "interim": INTERIM, "stop": STOP, "on": ON}


def record(name: str) -> AccountingRecord:
    *session, status = name.split()
    about = replace(SESSION, id=session[0]) if session else None
    return AccountingRecord(status=_STATUS[status], at=1, session=about)


def called(waiting: Waiting) -> str:
    [status] = [name for name, status in _STATUS.items() if status is waiting.record.status]
    return f"{waiting.record.session_id} {status}".strip()


@covers("AA22")
def test_of_a_session_one_after_the_other_and_the_oldest_session_first() -> None:
    line = Line()
    line.add("a start", "b start", "a stop")
    first, second = line.submit()
    assert (called(first), called(second)) == ("a start", "b start")
    assert line.submit() == []
    line.queue.taken(second.number)
    assert line.submit() == []
    line.queue.taken(first.number)
    assert [called(one) for one in line.submit()] == ["a stop"]


def test_nothing_before_the_disk_has_it() -> None:
    line = Line()
    line.add("a start", durable=False)
    assert line.submit() == []
    line.queue.durable(1)
    assert len(line.submit()) == 1


@covers("AA22")
def test_a_newer_interim_takes_the_place_of_one_that_was_not_told() -> None:
    line = Line()
    line.add("a start", "a interim", "a interim", "b interim", "a stop")
    assert line.gave_way == ["a interim"]
    assert line.drain() == ["a start", "b interim", "a interim", "a stop"]


def test_what_is_on_its_way_is_replaced_by_nothing() -> None:
    line = Line()
    line.add("a interim")
    [underway] = line.submit()
    line.add("a interim")
    assert line.gave_way == [] and line.submit() == []
    line.queue.not_taken(underway.number, line.now)
    line.at += 5
    assert line.drain() == ["a interim", "a interim"]


def test_a_window_and_no_more() -> None:
    line = Line()
    line.add(*(f"s{number} start" for number in range(WINDOW + 5)))
    first = line.submit()
    assert len(first) == WINDOW == line.queue.underway and line.submit() == []
    line.queue.taken(first[0].number)
    assert len(line.submit()) == 1


class TestServersAreSilent:
    @covers("AA22")
    def test_one_at_a_time_ever_less_often_until_one_is_taken(self) -> None:
        line = Line()
        line.add(*(f"s{number} start" for number in range(40)))
        line.fail()
        asked = 0
        while line.at < 1000 + 3600:
            due = line.queue.next_deadline()
            assert due is not None and due > line.at
            line.at = due
            found = line.fail()
            assert len(found) <= 1
            asked += len(found)
        assert 3600 / LONGEST_PAUSE - 5 <= asked <= 3600 / LONGEST_PAUSE + 10
        line.at += LONGEST_PAUSE
        told = line.drain()
        assert len(told) == 40 and len(line.queue) == 0, "nobody waits for what happened to it meanwhile"

    def test_what_alone_is_refused_holds_up_its_own_session_only(self) -> None:
        line = Line()
        line.add("bad start", "bad stop")
        line.fail()
        line.add("good start", "good stop")
        line.at += 1
        told = []
        while found := line.submit():
            for waiting in found:
                if called(waiting) == "bad start":
                    line.queue.not_taken(waiting.number, line.now)
                else:
                    told.append(called(waiting))
                    line.queue.taken(waiting.number)
        assert told == ["good start", "good stop"]
        assert len(line.queue) == 2
        line.at += 2
        assert line.drain() == ["bad start", "bad stop"]

    def test_what_is_refused_alone_is_tried_ever_less_often(self) -> None:
        line = Line()
        line.add("bad start")
        asked = 0
        for second in range(3600):
            line.add(f"s{second} start")
            for waiting in line.submit():
                if waiting.record.session_id == "bad":
                    asked += 1
                    line.queue.not_taken(waiting.number, line.now)
                else:
                    line.queue.taken(waiting.number)
            line.at += 1
        assert 3600 / LONGEST_OWN_PAUSE <= asked <= 3600 / LONGEST_OWN_PAUSE + 10
        assert len(line.queue) < 5


class TestOnAndOff:
    @covers("AA20")
    def test_what_was_before_goes_before_what_came_after_waits(self) -> None:
        line = Line()
        line.add("old stop", "on", "new start")
        [stop] = line.submit()
        line.queue.taken(stop.number)
        [on] = line.submit()
        assert called(on) == "on" and line.submit() == []
        line.queue.taken(on.number)
        assert line.drain() == ["new start"]

    def test_it_does_not_wait_for_ever_for_what_no_server_takes(self) -> None:
        line = Line()
        line.add("bad stop", "on")
        for _ in range(FAILS_BY_ITSELF):
            line.at += 400
            assert line.fail() == ["bad stop"]
        line.at += 5
        assert line.drain()[0] == "on"

    def test_servers_that_are_back_are_asked_soon_whoever_waits(self) -> None:
        """A night without servers says nothing about the one record that was there."""
        line = Line()
        line.add("on")
        while line.at < 1000 + 36_000:
            line.fail()
            due = line.queue.next_deadline()
            assert due is not None and line.at < due <= line.at + LONGEST_PAUSE
            line.at = due
        assert line.drain() == ["on"]

    @covers("AA20", "AA22")
    def test_nobody_waits_for_ever_for_what_no_server_takes(self) -> None:
        """Some servers answer no Accounting-On. It must not be told when others have begun: AAA would end them."""
        line = Line()
        line.add("on", "a start", "a stop", "b start")
        told: list[str] = []
        gone: list[str] = []
        for _ in range(100):
            for waiting in line.submit():
                if called(waiting) == "on":
                    found = line.queue.not_taken(waiting.number, line.now)
                    assert found is not None
                    gone += [called(found[0])] if found[1] is NotTaken.GIVEN_UP else []
                else:
                    told.append(called(waiting))
                    line.queue.taken(waiting.number)
            line.add(f"s{int(line.at)} start")
            line.at += 1
        assert told[:3] == ["a start", "b start", "a stop"] or told[:3] == ["a start", "a stop", "b start"]
        assert gone == ["on"] and line.at < 1000 + 101 and len(told) > 80
        assert "on" not in told

    def test_it_is_told_when_servers_are_back(self) -> None:
        line = Line()
        line.add("on", "a start", "b start")
        for _ in range(50):
            line.fail()
            due = line.queue.next_deadline()
            assert due is not None
            line.at = due
        assert sorted(line.drain()) == ["a start", "b start", "on"] and len(line.queue) == 0


class TestStuck:
    """A server takes others, but not this one: its Class values are too many for a packet, for instance."""

    def pass_time(self, line: Line, seconds: float, busy: bool = True) -> list[NotTaken]:
        """What became of "a start" each time; ``busy``: others are told and taken meanwhile."""
        end, found = line.at + seconds, list[NotTaken]()
        while line.at < end:
            if busy:
                line.add(f"s{line.at} start")
            for waiting in line.submit():
                if called(waiting) != "a start":
                    line.queue.taken(waiting.number)
                    continue
                outcome = line.queue.not_taken(waiting.number, line.now)
                assert outcome is not None
                found.append(outcome[1])
            line.at += 60
        return found

    @covers("AA22")
    def test_it_is_known_says_nothing_of_servers_and_goes_after_a_day(self) -> None:
        line = Line()
        line.add("a start", "a stop")
        found = self.pass_time(line, 3600)
        first, rest = found[: found.index(NotTaken.STUCK)], found[found.index(NotTaken.STUCK) + 1 :]
        assert set(first) == {NotTaken.NOBODY} and len(first) <= FAILS_BY_ITSELF
        assert set(rest) == {NotTaken.STILL_STUCK}
        assert not line.queue.is_refused and line.queue.stuck == 1
        found = self.pass_time(line, PATIENCE)
        assert found[-1] is NotTaken.GIVEN_UP and line.queue.stuck == 0
        assert set(found[:-1]) == {NotTaken.STILL_STUCK}
        assert "a stop" not in [called(waiting) for waiting in line.queue], "what was behind it is told"

    def test_nothing_is_given_up_while_servers_may_be_away(self) -> None:
        line = Line()
        line.add("a start")
        self.pass_time(line, 3600)
        assert set(self.pass_time(line, 3 * PATIENCE, busy=False)) == {NotTaken.STILL_STUCK}
        line.at += LONGEST_OWN_PAUSE
        assert line.drain() == ["a start"] and line.queue.stuck == 0


class TestTooMany:
    @covers("AA22")
    def test_interims_give_way_first_then_the_oldest(self) -> None:
        line = Line(queue=AccountingQueue(most_octets=4 * SIZE))
        line.add("a start", "b start", "b interim", "c start", "d start", "e start", durable=False)
        assert line.gave_way == ["b interim", "a start"]
        assert line.queue.octets == 4 * SIZE
        for waiting in line.queue:
            line.queue.durable(waiting.number)
        assert line.drain() == ["b start", "c start", "d start", "e start"]

    def test_what_is_on_its_way_stays(self) -> None:
        line = Line(queue=AccountingQueue(most_octets=2 * SIZE))
        line.add("a interim", "b start")
        assert len(line.submit()) == 2
        line.add("c start")
        assert line.gave_way == ["c start"] and len(line.queue) == 2


def test_what_the_disk_has_goes_on_with_its_number() -> None:
    line = Line()
    line.queue.restore(7, record("a start"), SIZE)
    line.queue.restore(9, record("b start"), SIZE)
    line.add("a stop")
    assert [waiting.number for waiting in line.queue] == [7, 9, 10]
    assert line.drain() == ["a start", "b start", "a stop"]
    assert line.queue.octets == 0


def test_answers_to_what_is_not_asked_change_nothing() -> None:
    line = Line()
    line.add("a start")
    line.queue.taken(1)
    line.queue.not_taken(5, line.now)
    assert len(line.queue) == 1 and line.queue.underway == 0
    assert StatusType.START is line.submit()[0].record.status
