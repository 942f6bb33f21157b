"""A clock that stands still until it is told to move."""

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

    Several agents may share it: each holds one wake-up, named by its callback.
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
        while self._wake_ups:
            callback = min(self._wake_ups, key=lambda key: self._wake_ups[key])
            deadline = self._wake_ups[callback]
            if deadline > end:
                break
            del self._wake_ups[callback]
            self._move_to(max(self.monotonic, deadline))
            callback()
        self._move_to(end)

    def _move_to(self, monotonic: float) -> None:
        self.wall += monotonic - self.monotonic
        self.monotonic = monotonic
