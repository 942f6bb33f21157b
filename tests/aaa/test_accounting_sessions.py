"""When AAA is told of a session, and what a restart makes of it (AA20)."""

import os
from collections.abc import Sequence

import attrs
import pytest
from msgspec.structs import replace

from pmip_tw.aaa.accounting.records import (
    AccountingRecord,
    AccountingSession,
    StatusType,
    TerminateCause,
    Usage,
    common_id,
    decode_record,
    encode_record,
    new_id,
)
from pmip_tw.aaa.accounting.sessions import LEAST_INTERIM, Effect, Keep, Sessions, Tell
from pmip_tw.addresses import ipv4
from pmip_tw.errors import Malformed
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.tunnels import Counters
from tests.conformance import covers

START, STOP, INTERIM = StatusType.START, StatusType.STOP, StatusType.INTERIM_UPDATE
ON, OFF = StatusType.ACCOUNTING_ON, StatusType.ACCOUNTING_OFF
SESSION = AccountingSession(
    id="one", multi_id="all", nai=b"mn1@example.net", home_address=ipv4("10.1.0.9"), classes=(b"\0g", b"old")
)
NOTHING = Usage()
OTHER = replace(SESSION, id="two", nai=b"mn2@example.net")


@attrs.define
class Desk:
    """A machine and its clock; ``told`` and ``kept``: what came out of it."""

    sessions: Sessions[str] = attrs.field(factory=lambda: Sessions(interim_interval=600))
    at: float = 1000.0
    fraction: float = 0.0
    told: list[AccountingRecord] = attrs.field(factory=list)
    kept: list[AccountingRecord] = attrs.field(factory=list)

    @property
    def now(self) -> Now:
        octets = int(self.fraction * 2**32).to_bytes(4, "big")
        return Now(self.at, 1_700_000_000.0 + self.at, lambda count: octets[:count])

    def take(self, effects: Sequence[Effect]) -> list[AccountingRecord]:
        told = [effect.record for effect in effects if isinstance(effect, Tell)]
        self.told += told
        self.kept += [effect.record for effect in effects if isinstance(effect, Keep)]
        return told

    def serve(self, key: str = "k", session: AccountingSession = SESSION, moved: Usage = NOTHING) -> None:
        self.take(self.sessions.serves(key, session, moved, self.now))

    def pass_time(self, seconds: float, moved: Usage = NOTHING) -> list[AccountingRecord]:
        end, told = self.at + seconds, list[AccountingRecord]()
        while (due := self.sessions.next_deadline()) is not None and due <= end:
            self.at = max(self.at, due)
            for session_id, _ in self.sessions.due(self.now):
                told += self.take(self.sessions.looked_at(session_id, moved, self.now))
        self.at = end
        return told

    def end(self, session: str = "one", moved: Usage = NOTHING, **more: bool) -> list[AccountingRecord]:
        return self.take(self.sessions.over(session, TerminateCause.USER_REQUEST, moved, self.now, **more))


def moved(octets: int) -> Usage:
    return Usage(octets, 2 * octets, 1, 2)


def test_a_session_keeps_the_name_that_aaa_knows_it_by() -> None:
    """Another authentication has another one by Diameter; servers join records by it (RFC 6733 9.4)."""
    desk = Desk()
    desk.serve(session=replace(SESSION, aaa_session_id=b"mag1.example.net;1;1;eap"))
    desk.serve(session=replace(SESSION, aaa_session_id=b"mag1.example.net;1;2;eap", interim_interval=60))
    over = desk.sessions.over(SESSION.id, TerminateCause.USER_REQUEST, NOTHING, desk.now)
    desk.take(over)
    assert [record.status for record in desk.told] == [START, STOP]
    assert {record.session.aaa_session_id for record in desk.told if record.session} == {
        b"mag1.example.net;1;1;eap"
    }


@covers("AA20")
def test_start_once_interims_at_their_interval_and_stop_once() -> None:
    desk = Desk()
    desk.serve()
    desk.serve()  # a renewal
    assert [(record.status, record.at) for record in desk.told] == [(START, 1_700_001_000)]
    assert desk.pass_time(590) == []
    [interim] = desk.pass_time(15, moved(7))
    assert (interim.status, interim.usage, interim.session_time) == (INTERIM, moved(7), 601)
    assert len(desk.pass_time(1200, moved(8))) == 2
    [stop] = desk.end(moved=moved(9))
    assert (stop.status, stop.usage) == (STOP, moved(9))
    assert (stop.terminate_cause, stop.continues, stop.session_time) == (
        TerminateCause.USER_REQUEST,
        False,
        1805,
    )
    assert {record.session_id for record in desk.told} == {"one"}
    # Nothing that is over is told of again.
    assert desk.end() == [] and desk.pass_time(5000) == [] and len(desk.sessions) == 0


@covers("AA20")
def test_thousands_that_begin_at_once_do_not_come_at_once_again() -> None:
    desk = Desk()
    for number in range(100):
        desk.fraction = number / 100
        desk.serve(f"k{number}", replace(SESSION, id=f"s{number}"))
    seconds = []
    for _ in range(60):
        seconds.append(len(desk.pass_time(10)))
    assert sum(seconds[:29]) == 0 and max(seconds) <= 5 and sum(seconds) >= 95


@covers("AA20")
@pytest.mark.parametrize("asked, expected", [(5, LEAST_INTERIM), (90, 90), (0, 600)])
def test_aaa_says_how_often(asked: int, expected: int) -> None:
    desk = Desk()
    desk.serve(session=replace(SESSION, interim_interval=asked))
    assert len(desk.pass_time(3 * expected + 5)) == 3


def test_no_interims_unless_somebody_wants_them() -> None:
    desk = Desk(sessions=Sessions(interim_interval=0))
    desk.serve()
    assert desk.sessions.next_deadline() is None


def test_what_entries_before_have_counted_is_the_base() -> None:
    """A node that waits for its LMA has none for a while."""
    desk = Desk()
    desk.serve()
    desk.sessions.entry_gone("k", moved(100))
    [interim] = desk.pass_time(601)
    assert interim.usage == moved(100)
    desk.serve(moved=Usage(1, 1, 1, 1))
    [stop] = desk.end(moved=moved(5))
    assert stop.usage == Usage(105, 210, 2, 4)


def test_an_entry_that_goes_over_to_another_counts_for_each_in_its_time() -> None:
    desk = Desk()
    desk.serve()
    desk.serve(session=OTHER, moved=moved(10))
    [first] = desk.end("one", moved(15))
    [second] = desk.end("two", moved(15))
    assert (first.usage.input_octets, second.usage.input_octets) == (10, 5)


def test_a_former_session_that_ends_late_counts_nothing_of_the_next() -> None:
    """Its end waits for the disk, and its node is back already."""
    desk = Desk()
    desk.serve()
    desk.sessions.entry_gone("k", moved(10))
    desk.serve(session=OTHER)
    [first] = desk.end("one", moved(3))
    [second] = desk.end("two", moved(3))
    assert (first.usage, second.usage) == (moved(10), moved(3))


@covers("AA20")
def test_a_handover_is_told_soon_and_ends_nothing() -> None:
    desk = Desk()
    desk.serve()
    desk.pass_time(50)
    desk.serve(session=replace(SESSION, care_of_address=ipv4("198.51.100.20")))
    [interim] = desk.pass_time(2, moved(4))
    assert interim.session is not None
    assert (interim.status, interim.session.care_of_address) == (INTERIM, ipv4("198.51.100.20"))
    [stop] = desk.end(moved=moved(5), continues=True)
    assert stop.continues and stop.usage == moved(5)


def test_aaa_may_say_anew_how_often() -> None:
    desk = Desk()
    desk.serve()
    desk.pass_time(100)
    desk.serve(session=replace(SESSION, interim_interval=60))
    assert len(desk.pass_time(130)) == 2
    desk.serve(session=replace(SESSION, interim_interval=600))
    assert len(desk.pass_time(500)) == 0


class TestRestart:
    @covers("AA20")
    def test_what_is_brought_back_goes_on_and_nobody_is_told(self) -> None:
        before = Desk()
        before.serve()
        before.pass_time(100)
        before.take([before.sessions.last_known("one", moved(50), before.now)])
        after = Desk(at=2000.0)
        after.take(after.sessions.left(before.kept, after.now))
        assert after.sessions.resume("k", "one", after.now)
        after.take(after.sessions.begun(after.now))
        after.serve()
        assert after.told == []
        [stop] = after.end(moved=moved(5))
        assert stop.usage == moved(50) + moved(5)
        assert stop.session_time == 1000  # by the wall clock: it went on meanwhile

    @covers("AA20")
    def test_what_is_not_ends_with_what_was_known_of_it(self) -> None:
        before = Desk()
        before.serve()
        [interim] = before.pass_time(601, moved(50))
        after = Desk(at=2000.0)
        after.take(after.sessions.left([interim], after.now))
        stop, on = after.take(after.sessions.begun(after.now))
        assert (stop.status, stop.usage, stop.at) == (STOP, moved(50), interim.at)
        assert (stop.session_time, stop.terminate_cause) == (interim.session_time, TerminateCause.NAS_REBOOT)
        assert on.status is ON and on.at == int(after.now.wall)

    def test_on_would_end_what_goes_on(self) -> None:
        before = Desk()
        before.serve()
        before.serve("l", OTHER)
        after = Desk()
        after.take(after.sessions.left(before.told, after.now))
        after.serve("l", OTHER)
        [stop] = after.take(after.sessions.begun(after.now))
        assert stop.status is STOP and stop.session_id == "one"

    @covers("AA20")
    def test_on_is_told_before_anybody_comes_if_nothing_can_go_on(self) -> None:
        """Who comes while others are not back yet is not ended by it."""
        desk = Desk()
        desk.take(desk.sessions.left([], desk.now))
        desk.serve()
        desk.take(desk.sessions.begun(desk.now))
        assert [record.status for record in desk.told] == [ON, START]

    def test_a_clock_that_went_back_makes_no_session_negative(self) -> None:
        desk = Desk()
        desk.take(
            desk.sessions.left([AccountingRecord(status=START, at=1_900_000_000, session=SESSION)], desk.now)
        )
        desk.serve()
        [stop] = desk.end()
        assert stop.session_time == 0

    @covers("AA20")
    def test_on_and_off_may_be_unwanted(self) -> None:
        desk = Desk(sessions=Sessions(interim_interval=600, on_off=False))
        desk.take(desk.sessions.left([], desk.now))
        desk.take(desk.sessions.begun(desk.now))
        desk.serve()
        desk.take(desk.sessions.shut({"one": moved(3)}, desk.now))
        assert [record.status for record in desk.told] == [START, STOP]

    def test_an_end_with_nobody_coming_back(self) -> None:
        desk = Desk()
        desk.serve()
        stop, off = desk.take(desk.sessions.shut({"one": moved(3)}, desk.now))
        assert (stop.usage, stop.terminate_cause) == (moved(3), TerminateCause.ADMIN_REBOOT)
        assert off.status is OFF and off.session is None


def test_what_is_moved_is_written_down_between_interims_if_it_is_anything_new() -> None:
    desk = Desk(sessions=Sessions(interim_interval=600, keep_interval=60))
    desk.serve()
    assert desk.pass_time(500, moved(3)) == []
    assert [record.usage for record in desk.kept] == [moved(3)]
    desk.pass_time(50, moved(4))
    assert desk.kept[-1].usage == moved(4) and desk.kept[-1].status is INTERIM


def test_what_an_entry_has_counted_for_a_session_that_is_over_is_not_the_next_one_s() -> None:
    """An LMA's workers know of an end, and of who has the address now, one after the other."""
    desk = Desk()
    desk.serve()
    desk.end(moved=moved(50))
    desk.serve(session=OTHER, moved=moved(60))
    [stop] = desk.end("two", moved=moved(70))
    assert stop.usage == moved(70) - moved(50)
    desk.serve(session=OTHER)
    desk.end("two", moved=moved(5))
    desk.sessions.entry_gone("k", moved(5))  # another entry counts anew
    desk.serve()
    [stop] = desk.end(moved=moved(7))
    assert stop.usage == moved(7)


class TestRecords:
    def test_as_the_disk_has_them(self) -> None:
        record = AccountingRecord(
            status=STOP, at=7, session=SESSION, usage=moved(2**40), terminate_cause=TerminateCause.LOST_POWER
        )
        assert decode_record(encode_record(record)) == record

    def test_the_octets_of_this_version_are_read_for_ever(self) -> None:
        octets = bytes.fromhex(
            "9702079fa36f6e65a3616c6cc40f6d6e31406578616d706c652e6e6574ce0a0100090000a0a092c4020067c4036f6c64"
            "c400c400c40000a0c300940912010217c2"
        )
        cause = TerminateCause.LOST_POWER
        meant = AccountingRecord(status=STOP, at=7, session=SESSION, usage=moved(9), terminate_cause=cause)
        assert decode_record(octets) == meant
        with pytest.raises(Malformed, match="no accounting record"):
            decode_record(octets[:-1])

    def test_what_went_past_the_tunnel_counts(self) -> None:
        """N58."""
        local = Counters(octets_up=1, octets_down=2, packets_up=3, packets_down=4)
        counters = Counters(octets_up=10, octets_down=20, packets_up=30, packets_down=40, local=local)
        assert Usage.of(counters) == Usage(11, 22, 33, 44)

    def test_ids(self) -> None:
        now = Now(1.0, 2.0, os.urandom)
        assert new_id("a", now) != new_id("b", now) != new_id("b", Now(1.0, 3.0, os.urandom))
        one = common_id(b"mn1", ipv4("10.1.0.9"))
        assert one == common_id(b"mn1", ipv4("10.1.0.9")) != common_id(b"mn1", ipv4("10.1.0.8"))
