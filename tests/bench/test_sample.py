"""When a measurement says nothing, it says so."""

import os
from itertools import chain, repeat
from types import SimpleNamespace
from typing import cast

import pytest

from bench import sample as module
from bench.generator import Heard
from bench.sample import Sample, sample
from bench.server import Server


def taken(
    monkeypatch: pytest.MonkeyPatch,
    heard: Heard,
    *,
    good: int,
    server: float = 1.0,
    generator: float = 0.5,
    saves: int = 0,
) -> Sample:
    """Each reply costs the server a millisecond, in a second in which both were so busy and it wrote 5,000 octets."""
    busy = {0: server, os.getpid(): generator}
    instants = iter((0.0, 1.0))
    spent = iter((0.0, 0.001 * len(heard.replies)))
    times: dict[int, int] = {}

    def of(pid: int) -> SimpleNamespace:
        times[pid] = times.get(pid, -1) + 1
        return SimpleNamespace(seconds=busy[pid] * times[pid])

    monkeypatch.setattr(module, "Occupation", SimpleNamespace(of=of))
    monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: next(instants)))
    written = chain((0,), repeat(5000))
    measured = cast(Server, SimpleNamespace(pid=0, cpu=lambda: next(spent), written=lambda: next(written)))
    return sample(measured, lambda: heard, good=lambda _: good, saves=saves)


def replies(number: int, sent: int) -> Heard:
    return Heard(sent=sent, seconds=0.5, replies=[b"reply"] * number)


def test_what_a_message_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    found = taken(monkeypatch, replies(100, 100), good=100)
    assert (found.microseconds, found.rate, found.void) == (pytest.approx(1000), 200, "")


@pytest.mark.parametrize(
    ("heard", "good", "server", "generator", "void"),
    [
        (replies(0, 100), 0, 1.0, 0.5, "no replies"),
        (replies(100, 100), 99, 1.0, 0.5, "1 of 100 replies were not what was asked for"),
        (replies(90, 100), 90, 1.0, 0.5, "10 of 100 lost"),
        (
            replies(100, 100),
            100,
            0.6,
            0.95,
            "the generator was the bottleneck (busy 95%, the server 60%)",
        ),
        (replies(100, 100), 100, 0.6, 0.6, ""),
        (replies(100, 100), 100, 1.0, 1.0, ""),
    ],
)
def test_void(
    heard: Heard, good: int, server: float, generator: float, void: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert taken(monkeypatch, heard, good=good, server=server, generator=generator).void == void


def test_a_server_that_has_to_save_what_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert taken(monkeypatch, replies(100, 100), good=100, saves=50).void == ""
    lazy = taken(monkeypatch, replies(100, 100), good=100, saves=51)
    assert lazy.void == "only 5000 octets were saved for 100 replies"
