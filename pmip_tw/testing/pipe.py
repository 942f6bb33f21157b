"""The twin of the pipe between two workers: both ends in one process, on one fake clock."""

from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from pmip_tw.agents.workers.messages import FromWorker0, ToWorker0
from pmip_tw.testing.clock import FakeClock

ROOM = 65536
"""Octets on their way from which on an end is crowded."""

_END = b""


class FakePipe:
    """One end (IPipe). What is sent in one turn leaves with the next step of the clock, and arrives ``delay`` later."""

    def __init__(self, clock: FakeClock, kinds: Any, delay: Callable[[], float]) -> None:
        self._clock = clock
        self._delay = delay
        self._decoder = msgspec.msgpack.Decoder(kinds)
        self._other: FakePipe | None = None
        self._waiting: list[bytes] = []
        # What arrives here, and when; whether it is read.
        self._inbox: deque[tuple[float, bytes]] = deque()
        self._stalled = False
        self._heard: Callable[[Struct], None] = lambda message: None
        self._lost: Callable[[], None] | None = None
        self.defects: list[Exception] = []
        """What ``heard`` has raised; nobody else is harmed."""

    @property
    def crowded(self) -> bool:
        other = self._other
        return other is not None and sum(len(octets) for _, octets in other._inbox) > ROOM

    def start(self, heard: Callable[[Struct], None], lost: Callable[[], None]) -> None:
        self._heard, self._lost = heard, lost
        self._arm()

    def send(self, message: Struct) -> None:
        if self._other is not None:
            self._waiting.append(msgspec.msgpack.encode(message))
            self._clock.wake_at(self._clock.monotonic, self._flush)

    def stop(self) -> None:
        self._flush()
        self.crash()

    def crash(self) -> None:
        """The process is gone: what it said in this turn was never sent, the rest arrives."""
        self._clock.wake_at(None, self._flush)
        self._clock.wake_at(None, self._arrive)
        self._waiting.clear()
        self._inbox.clear()
        other, self._other, self._lost = self._other, None, None
        if other is not None:
            other._comes(_END, self._delay())

    def stall(self, stalled: bool) -> None:
        """This end does not get round to reading, or does again."""
        self._stalled = stalled
        self._arm()

    def _flush(self) -> None:
        self._clock.wake_at(None, self._flush)
        waiting, self._waiting = self._waiting, []
        if waiting and self._other is not None:
            delay = self._delay()
            for octets in waiting:
                self._other._comes(octets, delay)

    def _comes(self, octets: bytes, delay: float) -> None:
        before = self._inbox[-1][0] if self._inbox else 0.0
        self._inbox.append((max(before, self._clock.monotonic + delay), octets))
        self._arm()

    def _arm(self) -> None:
        listening = self._lost is not None and not self._stalled
        self._clock.wake_at(self._inbox[0][0] if self._inbox and listening else None, self._arrive)

    def _arrive(self) -> None:
        _, octets = self._inbox.popleft()
        self._arm()
        if octets == _END:
            self._other, lost, self._lost = None, self._lost, None
            if lost is not None:
                lost()
            return
        try:
            self._heard(self._decoder.decode(octets))
        except Exception as defect:
            self.defects.append(defect)


def fake_pipe(clock: FakeClock, delay: Callable[[], float] = lambda: 0.0) -> tuple[FakePipe, FakePipe]:
    """Worker 0's end, and the other."""
    zero, other = FakePipe(clock, ToWorker0, delay), FakePipe(clock, FromWorker0, delay)
    zero._other, other._other = other, zero
    return zero, other
