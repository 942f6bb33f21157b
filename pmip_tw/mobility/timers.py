"""Very many deadlines that mostly move away: a lazy wheel."""

import heapq
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


AT_A_TIME = 100
"""Keys that come due in one wake-up: what follows from each takes some 20 us, and others wait meanwhile."""


_MOST_LOOKED_AT = 10_000
"""A larger set takes milliseconds to grow. What is found twice for it costs a look more, now and then."""


class Wheel(Generic[Key]):
    """Deadlines of keys in buckets of ``granularity`` seconds.

    A deadline that moves later costs nothing: when its old bucket comes due, ``deadline_of(key)`` tells the
    present one and the key is filed again; None lets it go. One that moves earlier is filed again by the caller.
    A key comes due at the end of its bucket, never before its deadline, and once however often it was filed.
    """

    def __init__(self, granularity: float, deadline_of: Callable[[Key], float | None]) -> None:
        self._granularity = granularity
        self._deadline_of = deadline_of
        # Lists, which take a tenth of what sets take. With the same inputs the same keys come due in the same order.
        self._buckets: dict[int, list[Key]] = {}
        self._order: list[int] = []
        # Of the bucket that is being emptied: two filings of one key meet there, and become one.
        self._opened: int | None = None
        self._looked_at: set[Key] = set()

    def file(self, key: Key, deadline: float) -> None:
        number = int(deadline / self._granularity) + 1
        bucket = self._buckets.get(number)
        if bucket is None:
            self._buckets[number] = [key]
            heapq.heappush(self._order, number)
        else:
            bucket.append(key)
            if number == self._opened:
                self._looked_at.discard(key)

    def file_all(self, keys: Iterable[Key], deadline: float) -> None:
        """As ``file`` for each, before any of them comes due: none of their deadlines is before ``deadline``."""
        number = int(deadline / self._granularity) + 1
        if number not in self._buckets:
            self._buckets[number] = []
            heapq.heappush(self._order, number)
        self._buckets[number].extend(keys)

    def due(self, monotonic: float, limit: int = AT_A_TIME) -> list[Key]:
        """At most ``limit`` keys whose deadline has passed; more may be left, see ``next_deadline``.

        Ten times as many may be looked at and filed again.
        """
        found: dict[Key, None] = {}
        left = 10 * limit
        while self._order and left > 0 and len(found) < limit:
            number = self._order[0]
            if number * self._granularity > monotonic:
                break
            if number != self._opened or len(self._looked_at) > _MOST_LOOKED_AT:
                self._opened = number
                self._looked_at.clear()
            bucket = self._buckets[number]
            while bucket and left > 0 and len(found) < limit:
                left -= 1
                key = bucket.pop()
                if key in self._looked_at:
                    continue
                self._looked_at.add(key)
                deadline = self._deadline_of(key)
                if deadline is None:
                    continue
                if deadline <= monotonic:
                    found[key] = None
                else:
                    self.file(key, deadline)
            if not bucket:
                heapq.heappop(self._order)
                del self._buckets[number]
                self._opened = None
                self._looked_at = set()
        return list(found)

    def next_deadline(self) -> float | None:
        """When to call ``due`` next."""
        return self._order[0] * self._granularity if self._order else None
