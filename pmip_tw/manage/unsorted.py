"""What comes by thousands in a second: nobody sorts it before somebody asks."""

from collections import deque
from collections.abc import Iterator
from typing import Any

from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.observations import Alike, Observation

SORTED_IN = 500
"""In a second. Of the rest ..."""

UNSORTED = 10_000
"""... so many are kept, whosever they are."""

Told = Iterator[tuple[Observation, float]]
"""Observations, the oldest first, and when they were told (Unix seconds)."""


class Unsorted:
    """The last of them."""

    def __init__(self) -> None:
        self._kept: deque[tuple[Alike[Any], float]] = deque()
        self._size = 0
        self._second = 0
        self._sorted_in = 0

    def keep(self, observations: Alike[Any], now: Now) -> bool:
        """False: there are few enough to be sorted in."""
        second = int(now.monotonic)
        if second != self._second:
            self._second, self._sorted_in = second, 0
        if self._sorted_in + len(observations) <= SORTED_IN:
            self._sorted_in += len(observations)
            return False
        self._kept.append((observations, now.wall))
        self._size += len(observations)
        while self._size > UNSORTED and len(self._kept) > 1:
            oldest, _ = self._kept.popleft()
            self._size -= len(oldest)
        return True

    def about(self, nai: str) -> Told:
        """Those of one mobile node, whatever the case of its NAI."""
        return ((observation, wall) for alike, wall in self._kept for observation in alike.about(nai))

    def __iter__(self) -> Told:
        return ((observation, wall) for alike, wall in self._kept for observation in alike)
