"""Clocks that stand still until they are told to move."""

import random
from collections.abc import Callable

from zope.interface import implementer

from pmip_tw.interfaces import IClock
from pmip_tw.mobility.clock import Now

START_WALL = 1_704_067_200.0
"""2024-01-01 00:00 UTC, the instant of the test vectors."""


@implementer(IClock)
class FakeClock:
    """Both clocks move together, unless ``wall`` is set apart; entropy comes from ``seed``.

    Several agents may share it: each holds one wake-up, named by its callback. Machines whose wall clocks differ
    have a NodeClock each.
    """

    def __init__(self, seed: int = 0, monotonic: float = 1000.0, wall: float = START_WALL) -> None:
        self.monotonic = monotonic
        self.wall = wall
        self._entropy = random.Random(seed).randbytes
        self._wake_ups: dict[Callable[[], None], float] = {}

    def now(self) -> Now:
        return Now(self.monotonic, self.wall, self._entropy)

    def wake_at(self, deadline: float | None, callback: Callable[[], None]) -> None:
        if deadline is None:
            self._wake_ups.pop(callback, None)
        else:
            self._wake_ups[callback] = deadline

    def advance(self, seconds: float) -> None:
        """Move on, waking whoever asked for it, in order of time."""
        end = self.monotonic + seconds
        while self.step(end):
            pass

    def step(self, end: float) -> bool:
        """Move on to the next wake-up and call it; False if there is none until ``end``, which it is then."""
        if self._wake_ups:
            callback = min(self._wake_ups, key=self._wake_ups.__getitem__)
            deadline = self._wake_ups[callback]
            if deadline <= end:
                del self._wake_ups[callback]
                self._move_to(max(self.monotonic, deadline))
                callback()
                return True
        self._move_to(end)
        return False

    def _move_to(self, monotonic: float) -> None:
        self.wall += monotonic - self.monotonic
        self.monotonic = monotonic


@implementer(IClock)
class NodeClock:
    """One machine's clock in a world whose time is ``time``: its wall clock is off, its monotonic clock is not.

    ``offset``: seconds by which the wall clock is ahead; ``drift``: seconds that it gains in each second.
    """

    def __init__(
        self, time: FakeClock, seed: int | str = 0, *, offset: float = 0.0, drift: float = 0.0
    ) -> None:
        self.offset = offset
        self._time = time
        self._drift = drift
        self._since = time.monotonic
        self._entropy = random.Random(seed).randbytes
        self._armed: dict[Callable[[], None], None] = {}

    def now(self) -> Now:
        monotonic = self._time.monotonic
        gained = self._drift * (monotonic - self._since)
        return Now(monotonic, self._time.wall + self.offset + gained, self._entropy)

    def set_forward(self, seconds: float) -> None:
        """The wall clock is set, back if ``seconds`` are negative; no deadline moves."""
        self.offset += seconds

    def wake_at(self, deadline: float | None, callback: Callable[[], None]) -> None:
        self._armed[callback] = None
        self._time.wake_at(deadline, callback)

    def stop(self) -> None:
        """Whoever asked to be woken has died."""
        for callback in self._armed:
            self._time.wake_at(None, callback)
        self._armed.clear()
