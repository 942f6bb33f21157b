"""Identifications: I4, I9, P33."""

from itertools import pairwise

from pmip_tw.mag.registration.clocks import Identifications
from pmip_tw.mobility.replay import later, ntp_seconds, ntp_timestamp
from pmip_tw.testing.clock import START_WALL
from tests.agents.world import LMA
from tests.conformance import covers

WALL = START_WALL
NAI = "mn1@example.net"


@covers("P14")
def test_an_identification_is_the_time_of_day() -> None:
    assert Identifications(7).next(NAI, LMA, WALL + 0.25) == ntp_timestamp(WALL + 0.25)


@covers("I2", "I4")
def test_a_clock_that_stands_still_or_steps_back_gives_later_identifications() -> None:
    clock = Identifications(7)
    seen = [clock.next(NAI, LMA, wall) for wall in (WALL, WALL, WALL - 5, WALL + 1)]
    assert all(later(one, other) for other, one in pairwise(seen))


@covers("I1", "I3", "I9")
def test_no_reply_to_an_earlier_try_answers_a_later_one() -> None:
    """They are told apart by the low half, also where the tries are whole seconds apart or the clock is corrected."""
    clock = Identifications(7)
    seen = [clock.next(NAI, LMA, WALL + 0.25 + second) for second in range(3)]
    clock.resynchronize(NAI, LMA, ntp_seconds(WALL + 3600) << 32, WALL + 2.25)
    seen.append(clock.next(NAI, LMA, WALL + 2.25))
    assert len({identification & 0xFFFFFFFF for identification in seen}) == 4


@covers("I4", "P33")
def test_within_the_window_nothing_is_ever_taken_back() -> None:
    clock = Identifications(7)
    used = clock.next(NAI, LMA, WALL + 5)
    clock.resynchronize(NAI, LMA, ntp_seconds(WALL) << 32, WALL)
    assert later(clock.next(NAI, LMA, WALL), used)


@covers("I9")
def test_a_clock_of_ours_that_was_far_ahead_is_followed_back() -> None:
    clock = Identifications(7)
    clock.next(NAI, LMA, WALL + 3600)
    assert clock.resynchronize(NAI, LMA, ntp_seconds(WALL) << 32, WALL) == 0
    assert clock.next(NAI, LMA, WALL + 1) - ntp_timestamp(WALL + 1) < 2**11


@covers("I9")
def test_a_clock_of_ours_that_was_set_right_is_not_corrected_any_more() -> None:
    """An offset learned while it was wrong would keep every request out of the window for good."""
    clock = Identifications(7)
    clock.resynchronize(NAI, LMA, ntp_seconds(WALL + 400) << 32, WALL)
    assert clock.offset(LMA) == 400
    set_right = WALL + 400
    clock.resynchronize(NAI, LMA, ntp_seconds(set_right) << 32, set_right)
    assert clock.offset(LMA) == 0
    assert abs(clock.next(NAI, LMA, set_right) - ntp_timestamp(set_right)) < 2**32


@covers("P33")
def test_an_offset_that_is_right_stays_when_another_mag_was_ahead() -> None:
    """The LMA names a time up to a window beyond its own; our clock is none the better for agreeing with that."""
    clock = Identifications(7)
    clock.resynchronize(NAI, LMA, ntp_seconds(WALL - 10) << 32, WALL)
    clock.resynchronize(NAI, LMA, ntp_seconds(WALL - 4) << 32, WALL)
    assert clock.offset(LMA) == -10
    assert later(clock.next(NAI, LMA, WALL), ntp_timestamp(WALL - 4.5))


@covers("I9")
def test_hardly_more_than_a_window_ahead() -> None:
    """In whole seconds it looks like the window; raised Identifications would be refused all the same."""
    clock = Identifications(7)
    clock.resynchronize(NAI, LMA, ntp_seconds(WALL - 7.2) << 32, WALL + 0.5)
    assert abs(clock.next(NAI, LMA, WALL + 0.5) - ntp_timestamp(WALL - 6.7)) < 2 * 2**32


@covers("I11")
def test_over_the_end_of_the_era() -> None:
    clock = Identifications(7)
    end = 2**32 - 2_208_988_800
    before = clock.next(NAI, LMA, end - 1)
    assert later(clock.next(NAI, LMA, end + 1), before)
    assert clock.resynchronize(NAI, LMA, 50 << 32, end - 1) == 51
