"""Dictionaries that grow in small steps."""

import time

from hypothesis import given
from hypothesis import strategies as st

from pmip_tw.mobility.spread_dict import SpreadDict


@given(st.lists(st.tuples(st.sampled_from("sgp"), st.integers(0, 20), st.integers())))
def test_it_is_a_dictionary(steps: list[tuple[str, int, int]]) -> None:
    model: dict[int, int] = {}
    spread: SpreadDict[int, int] = SpreadDict()
    for verb, key, value in steps:
        if verb == "s":
            model[key] = spread[key] = value
        elif verb == "g":
            assert spread.get(key) == model.get(key)
        else:
            assert spread.pop(key) == model.pop(key, None)
        assert len(spread) == len(model)


def test_none_of_a_hundred_thousand_keys_takes_long() -> None:
    """A dictionary of so many takes milliseconds to grow: the slowest step of each is compared."""
    spread: SpreadDict[bytes, int] = SpreadDict()
    plain: dict[bytes, int] = {}
    keys = [b"%d" % number for number in range(100_000)]
    assert min(slowest(spread, keys) for _ in range(3)) < slowest(plain, keys)


def slowest(table: SpreadDict[bytes, int] | dict[bytes, int], keys: list[bytes]) -> float:
    worst = 0.0
    for key in keys:
        began = time.thread_time()
        table[key] = 1
        worst = max(worst, time.thread_time() - began)
    return worst
