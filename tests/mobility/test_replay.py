"""Timestamps: the window, the order, the resynchronization, and what is remembered (RFC 5944 5.7.1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmip_tw.mobility.clock import NTP_EPOCH
from pmip_tw.mobility.replay import (
    RefusedAhead,
    ReplayFloors,
    TimestampWindow,
    later,
    ntp_seconds,
    ntp_timestamp,
    resynchronizing,
    seconds_between,
)
from tests.conformance import covers

ERA_END = 2.0**32 - NTP_EPOCH
WALLS = st.one_of(
    st.floats(1.6e9, 2.2e9), st.floats(ERA_END - 20, ERA_END + 20), st.floats(ERA_END, ERA_END + 1e9)
)
IDENTIFICATIONS = st.integers(0, 2**64 - 1)


@covers("I3")
def test_the_constant() -> None:
    """I3: 2024-01-01 00:00 UTC."""
    assert ntp_timestamp(1_704_067_200) == 0xE93C7F00 << 32
    assert ntp_seconds(1_704_067_200.9) == 0xE93C7F00


@covers("I11")
def test_the_end_of_the_era() -> None:
    """I11: 2036-02-07 06:28:16 UTC."""
    assert ERA_END == 2_085_978_496
    assert ntp_timestamp(ERA_END) == 0
    assert later(ntp_timestamp(ERA_END + 1), ntp_timestamp(ERA_END - 1))
    assert not later(ntp_timestamp(ERA_END - 1), ntp_timestamp(ERA_END + 1))
    assert seconds_between(ntp_timestamp(ERA_END + 1), ERA_END - 1) == pytest.approx(2)


@given(one=IDENTIFICATIONS, other=IDENTIFICATIONS)
def test_later_is_an_order_of_two(one: int, other: int) -> None:
    assert not (later(one, other) and later(other, one))
    assert not later(one, one)


@given(wall=WALLS, ahead=st.floats(-100, 100))
def test_seconds_between(wall: float, ahead: float) -> None:
    assert seconds_between(ntp_timestamp(wall + ahead), wall) == pytest.approx(ahead, abs=1e-5)


@covers("I6")
@pytest.mark.parametrize(
    ("ahead", "accepted"), [(0, True), (7, True), (-7, True), (7.001, False), (-7.001, False)]
)
def test_window(ahead: float, accepted: bool) -> None:
    wall = 1_704_067_200.0
    assert TimestampWindow(7.0).admits(ntp_timestamp(wall + ahead), None, wall) is accepted


@covers("I6")
@given(
    walls=st.lists(WALLS, min_size=1, max_size=3),
    ahead=st.one_of(st.floats(-8, 8), st.sampled_from([7.0, -7.0]), st.floats(-1e9, 1e9)),
    last=st.none() | IDENTIFICATIONS,
)
def test_the_window_follows_the_clock(walls: list[float], ahead: float, last: int | None) -> None:
    """Also when it is set: what was computed for one instant is not used at another."""
    window = TimestampWindow(7.0)
    identification = ntp_timestamp(walls[0] + ahead)
    for wall in walls:
        inside = abs(seconds_between(identification, wall)) <= 7.0
        new = last is None or later(identification, last)
        assert window.admits(identification, last, wall) is (inside and new)


@covers("P33", "I1")
@given(
    wall=WALLS,
    low=st.integers(0, 2**32 - 1),
    skew=st.floats(-6.9, 6.9),
    window=st.sampled_from([4.0, 7.0, 60.0]),
)
def test_what_is_told_is_accepted(wall: float, low: int, skew: float, window: float) -> None:
    """P33: whatever was accepted up to two seconds below the window's end, the told time is inside and later."""
    last = ntp_timestamp(wall + min(skew, window - 2.1))
    told = resynchronizing(low, last, wall, window)
    assert told & 0xFFFFFFFF == low
    assert TimestampWindow(window).admits(told, last, wall)


@covers("P33")
@given(wall=WALLS, request=IDENTIFICATIONS, last=st.none() | IDENTIFICATIONS)
def test_what_is_told_is_never_outside_the_window(wall: float, request: int, last: int | None) -> None:
    assert abs(seconds_between(resynchronizing(request, last, wall, 7.0), wall)) <= 7


@covers("I8")
@given(wall=WALLS, request=IDENTIFICATIONS)
def test_without_a_history_our_clock_is_told(wall: float, request: int) -> None:
    """I8."""
    assert resynchronizing(request, None, wall, 7.0) >> 32 == ntp_seconds(wall)
    old = ntp_timestamp(wall - 100)
    assert resynchronizing(request, old, wall, 7.0) >> 32 == ntp_seconds(wall)


@covers("I10")
class TestFloors:
    def test_kept_for_the_retention(self) -> None:
        floors = ReplayFloors(14)
        floors.note(b"a", 5, 100)
        floors.forget_old(113.9)
        assert floors.last_valid(b"a", None) == 5
        assert floors.next_deadline() == 114
        floors.forget_old(114)
        assert floors.last_valid(b"a", None) is None and len(floors) == 0 and floors.next_deadline() is None

    def test_noted_again_it_starts_again(self) -> None:
        """I10."""
        floors = ReplayFloors(14)
        floors.note(b"a", 5, 100)
        floors.note(b"b", 5, 105)
        floors.note(b"a", 6, 110)
        floors.forget_old(120)
        assert (floors.last_valid(b"a", None), floors.last_valid(b"b", None)) == (6, None)

    def test_it_never_sinks(self) -> None:
        floors = ReplayFloors(14)
        floors.note(b"a", 6, 100)
        floors.note(b"a", 5, 110)
        assert floors.last_valid(b"a", None) == 6
        floors.forget_old(123.9)
        assert floors.last_valid(b"a", None) == 6, "it is remembered since it was noted last"
        assert floors.next_deadline() == 124
        floors.forget_old(124)
        assert floors.last_valid(b"a", None) is None and floors.next_deadline() is None

    def test_what_was_accepted_counts_beside(self) -> None:
        """I6b: whichever is later, round the end of an era as well (I11)."""
        floors = ReplayFloors(14)
        assert floors.last_valid(b"a", 5) == 5
        floors.note(b"a", 6, 100)
        assert [floors.last_valid(b"a", accepted) for accepted in (5, 6, 7, None)] == [6, 6, 7, 6]
        assert floors.last_valid(b"a", 2**64 - 1) == 6
        assert floors.last_valid(b"b", 5) == 5 and floors.last_valid(b"b", None) is None

    def test_some_at_a_time(self) -> None:
        floors = ReplayFloors(1)
        for number in range(10):
            floors.note(b"%d" % number, 1, number)
        floors.forget_old(100, limit=4)
        assert len(floors) == 6
        assert floors.next_deadline() == 5


@covers("I8", "I10")
class TestRefusedAhead:
    WALL = 1_704_067_200.0

    def at(self, seconds: float) -> int:
        return ntp_timestamp(self.WALL + seconds)

    def test_only_what_lies_ahead_is_kept(self) -> None:
        """What is behind, or was refused for its order alone, never becomes valid."""
        refused = RefusedAhead(7)
        for seconds in (-100, -8, 0, 7):
            assert not refused.note(b"a", self.at(seconds), self.WALL)
            assert not refused.holds(b"a", self.at(seconds))
        assert refused.note(b"a", self.at(8), self.WALL)
        assert refused.holds(b"a", self.at(8))
        assert not refused.holds(b"b", self.at(8)) and not refused.holds(b"a", self.at(9))

    def test_what_the_window_has_passed_makes_room(self) -> None:
        refused = RefusedAhead(7, most_each=2)
        for ahead in (10, 20, 4000):
            refused.note(b"a", self.at(ahead), self.WALL + ahead - 8)
        assert [refused.holds(b"a", self.at(ahead)) for ahead in (10, 20, 4000)] == [False, False, True]

    def test_a_peer_and_all_peers_have_so_much_and_no_more(self) -> None:
        refused = RefusedAhead(7, most_identities=2, most_each=2)
        for ahead in (10, 11, 12):
            refused.note(b"a", self.at(ahead), self.WALL)
        assert [refused.holds(b"a", self.at(ahead)) for ahead in (10, 11, 12)] == [False, True, True]
        for name in (b"b", b"c"):
            refused.note(name, self.at(10), self.WALL)
        assert [refused.holds(name, self.at(10)) for name in (b"a", b"b", b"c")] == [False, True, True]
