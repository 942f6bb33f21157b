"""The wheel against a list of deadlines."""

import math

from hypothesis import given
from hypothesis import strategies as st

from pmip_tw.mobility.timers import Wheel

KEYS = st.sampled_from("abcdefgh")
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), KEYS, st.floats(0, 40)),
        st.tuples(st.just("move later"), KEYS, st.floats(0, 40)),
        st.tuples(st.just("drop"), KEYS, st.just(0.0)),
        st.tuples(st.just("wait"), st.just(""), st.floats(0, 25)),
        st.tuples(st.just("wait for the deadline"), st.just(""), st.just(0.0)),
    ),
    max_size=60,
)


@given(
    actions=ACTIONS,
    granularity=st.sampled_from([0.125, 0.1, 1.0, 3.0]),
    limit=st.sampled_from([1, 2, 1000]),
)
def test_never_early_nothing_lost_each_once(
    actions: list[tuple[str, str, float]], granularity: float, limit: int
) -> None:
    deadlines: dict[str, float] = {}
    wheel: Wheel[str] = Wheel(granularity, deadlines.get)
    now = 1000.0
    for action, key, value in actions:
        if action == "set":
            earlier = key not in deadlines or now + value < deadlines[key]
            deadlines[key] = now + value
            if earlier:
                wheel.file(key, deadlines[key])
        elif action == "move later" and key in deadlines:
            deadlines[key] += value  # nobody is told: the wheel finds out
        elif action == "drop":
            deadlines.pop(key, None)
        elif action == "wait":
            now += value
        elif action == "wait for the deadline":
            now = max(now, wheel.next_deadline() or now)
        following = wheel.next_deadline()
        if deadlines:
            assert following is not None
            assert following <= min(deadlines.values()) + granularity * 1.0001
        rounds = 0
        while (following := wheel.next_deadline()) is not None and following <= now:
            found = wheel.due(now, limit)
            assert len(found) == len(set(found)) <= limit
            for due in found:
                assert deadlines.pop(due) <= now
            rounds += 1
            assert rounds < 1000
        # What is still there has not been due for longer than a bucket is wide.
        assert all(deadline > now - granularity * 1.0001 for deadline in deadlines.values())


def test_two_filings_come_due_as_one() -> None:
    deadlines = {"a": 5.5}
    wheel: Wheel[str] = Wheel(1.0, deadlines.get)
    for deadline in (3.0, 4.0, 5.5, 5.5):
        wheel.file("a", deadline)
    assert wheel.due(100) == ["a"]


def test_a_deadline_that_moved_later_costs_one_look() -> None:
    looks = []

    def deadline_of(key: str) -> float:
        looks.append(key)
        return 1000.0

    wheel: Wheel[str] = Wheel(1.0, deadline_of)
    wheel.file("a", 1)
    for second in range(2, 999):
        assert wheel.due(second) == []
    assert looks == ["a"]
    assert wheel.due(1001) == ["a"]


def test_let_go_is_forgotten() -> None:
    wheel: Wheel[str] = Wheel(1.0, {}.get)
    wheel.file("a", 1)
    assert wheel.due(10) == []
    assert wheel.next_deadline() is None


def test_many_are_filed_at_once() -> None:
    deadlines = {"a": 5.0, "b": 5.5, "c": 90.0}
    wheel: Wheel[str] = Wheel(1.0, deadlines.get)
    wheel.file("d", 3.0)
    deadlines["d"] = 3.0
    wheel.file_all(deadlines.keys() - {"d"}, min(deadlines.values()))
    assert wheel.next_deadline() == 4.0
    assert wheel.due(4) == ["d"]
    assert sorted(wheel.due(7)) == ["a", "b"]
    assert wheel.due(90.5) == [] and wheel.due(91) == ["c"]


def test_an_empty_wheel_asks_for_nothing() -> None:
    wheel: Wheel[str] = Wheel(1.0, {}.get)
    assert wheel.next_deadline() is None
    assert wheel.due(math.inf) == []
