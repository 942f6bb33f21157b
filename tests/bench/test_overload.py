"""What an open loop is made of, and what it says."""

from array import array

import pytest

from bench.generator import Heard
from bench.overload import in_runs, latencies
from bench.requests import numbered

REQUESTS = numbered(bytes([1]) + bytes(81), 200)


def test_a_mag_sends_several_in_a_row_and_none_is_forgotten() -> None:
    via = [number * 7 % 4 for number in range(200)]
    requests, senders = in_runs((REQUESTS, via))
    assert sorted(requests) == REQUESTS
    assert [via[REQUESTS.index(request)] for request in requests] == senders
    assert all(abs(REQUESTS.index(request) - place) < 64 for place, request in enumerate(requests))
    assert senders[:16] == [0] * 16


def test_latency_is_from_the_intended_time() -> None:
    """Of ten a second, number 3 is due at 0.3 s and number 1 at 0.1 s, whenever they were really sent."""
    heard = Heard(sent=4, replies=[REQUESTS[3], REQUESTS[1]], arrived=array("d", [0.5, 1.1]))
    assert latencies(REQUESTS[:4], heard, 10) == [pytest.approx(0.2), pytest.approx(1.0)]


def test_only_the_last_of_several_may_be_answered() -> None:
    heard = Heard(sent=4, replies=[REQUESTS[3]], arrived=array("d", [0.5]))
    assert latencies([b"", b"bad", REQUESTS[1], REQUESTS[3]], heard, 10, every=2) == [pytest.approx(0.2)]
