"""Reading in batches."""

import errno
import os
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.epollreactor import EPollReactor
from twisted.internet.error import ConnectionDone
from twisted.logger import LogEvent, globalLogPublisher
from twisted.python.failure import Failure

from pmip_tw.forwarding.defects import TELL_EVERY
from pmip_tw.forwarding.reader import BATCH, BatchReader


class Source:
    """Gives what a test put in: packets, or errors to raise."""

    def __init__(self, *given: bytes | OSError) -> None:
        self.given = list(given)
        self.reads = 0

    def read(self) -> bytes:
        self.reads += 1
        if not self.given:
            raise BlockingIOError(errno.EAGAIN, "nothing")
        found = self.given.pop(0)
        if isinstance(found, OSError):
            raise found
        return found


@pytest.fixture
def logged() -> Iterator[list[LogEvent]]:
    events: list[LogEvent] = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


def reader_of(
    source: Source, handled: list[bytes], reactor: EPollReactor | None = None, **more: Any
) -> BatchReader:
    def handle(packet: bytes) -> None:
        handled.append(packet)
        if packet == b"poison":
            raise ValueError("a packet that breaks our code")

    descriptor = os.open("/dev/null", os.O_RDONLY)
    return BatchReader(
        reactor or EPollReactor(),
        "a test",
        descriptor,
        read=source.read,
        handle=handle,
        wake=lambda: None,
        **more,
    )


def test_one_wake_up_reads_a_bounded_batch() -> None:
    """So that timers and signalling get their turn under load."""
    source, handled = Source(*[b"x"] * (BATCH + 10)), []
    reader = reader_of(source, handled)
    reader.doRead()
    assert len(handled) == BATCH
    reader.doRead()
    assert len(handled) == BATCH + 10


def test_a_packet_that_breaks_our_code_is_logged_and_the_next_one_handled(logged: list[LogEvent]) -> None:
    source, handled = Source(b"poison", b"good"), []
    reader_of(source, handled).doRead()
    assert handled == [b"poison", b"good"]
    assert [event["log_level"].name for event in logged] == ["critical"]


def test_errors_about_earlier_packets_are_passed_over() -> None:
    """Raw sockets report ICMP errors of the past (errno 92 among them)."""
    source, handled = (
        Source(OSError(errno.ENOPROTOOPT, "protocol"), OSError(errno.ENETDOWN, "down"), b"good"),
        [],
    )
    reader_of(source, handled).doRead()
    assert handled == [b"good"]


def test_a_device_that_has_gone_is_named_and_left_alone(logged: list[LogEvent]) -> None:
    """Reading on would spin."""
    source, handled = Source(*[OSError(errno.EBADFD, "bad state")] * 3), []
    reader_of(source, handled).doRead()
    assert source.reads == 1
    assert logged[-1]["what"] == "a test"


def test_a_stream_of_packets_that_break_our_code_does_not_fill_the_log(logged: list[LogEvent]) -> None:
    """The first one is told with its traceback, the others are counted."""
    source, handled, now = Source(), [], [100.0]
    reader = reader_of(source, handled, monotonic=lambda: now[0])
    for _ in range(3):
        source.given += [b"poison"] * 50
        reader.doRead()
        now[0] += TELL_EVERY
    assert len(handled) == 150
    assert [event["log_level"].name for event in logged] == ["critical", "error", "error"]
    assert "log_failure" in logged[0]
    assert [event["count"] for event in logged[1:]] == [50, 50]


def test_a_reader_that_was_stopped_stays_stopped() -> None:
    """A reactor that finds an error afterwards does not bring it back."""
    source, reactor = Source(b"late"), EPollReactor()
    reader = reader_of(source, [], reactor)
    reader.connectionLost(Failure(ConnectionDone()))
    assert source.reads == 0
    assert reader not in reactor.getReaders()
