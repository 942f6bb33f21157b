"""The protocol's clock around steps of the machine's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.steady_clock import SLEW, SteadyClock


def at(monotonic: float, wall: float) -> Now:
    return Now(monotonic, wall, bytes)


def test_without_a_step_it_is_the_machine_clock() -> None:
    """The very value, so that the common case costs nothing; readings of two clocks differ by microseconds."""
    clock = SteadyClock()
    for monotonic, wall in ((0.0, 100.0), (1.0, 101.0), (2.0, 101.9999), (3.0, 103.0001)):
        now = at(monotonic, wall)
        assert clock.of(now) is now


def test_forward_is_followed_at_once() -> None:
    clock = SteadyClock()
    clock.of(at(0, 100))
    assert clock.of(at(1, 5000)).wall == 5000


def test_back_is_not_followed_but_given_back_slowly() -> None:
    clock = SteadyClock()
    clock.of(at(0, 1000))
    assert clock.of(at(0, 990)).wall == 1000
    assert clock.of(at(100, 1090)).wall == pytest.approx(1100 - 100 * SLEW)
    assert clock.of(at(1000, 1990)).wall == pytest.approx(1990)
    now = at(1001, 1991)
    assert clock.of(now) is now


def test_a_step_back_and_forth_again() -> None:
    clock = SteadyClock()
    clock.of(at(0, 1000))
    clock.of(at(1, 901))
    assert clock.of(at(2, 1002)).wall == 1002


@given(st.lists(st.tuples(st.floats(0, 1000), st.floats(-1e6, 1e6)), max_size=30))
def test_it_never_goes_back(readings: list[tuple[float, float]]) -> None:
    """Nor is it ever behind the machine's clock by more than the tolerance."""
    clock, monotonic, last = SteadyClock(), 0.0, float("-inf")
    for passed, wall in readings:
        monotonic += passed
        steady = clock.of(at(monotonic, wall)).wall
        assert steady >= last - 0.0011
        assert steady >= wall - 0.0011
        last = max(last, steady)


def test_a_step_back_is_news_once() -> None:
    """Neither what is given back afterwards nor microseconds are steps; a second one is."""
    clock = SteadyClock()
    clock.of(at(0, 1000))
    clock.of(at(1, 1000.9999))
    assert clock.set_back == 0
    clock.of(at(2, 942))
    assert clock.set_back == pytest.approx(60, abs=0.1)
    clock.set_back = 0.0
    for monotonic in range(3, 100):
        clock.of(at(monotonic, 940 + monotonic))
    assert clock.set_back == 0
    clock.of(at(100, 1000))
    assert clock.set_back == pytest.approx(40, abs=1)
