"""How often each thing happened."""

from typing import Any

from zope.interface import implementer

from pmip_tw.interfaces import IObserver
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.observations import Alike, Observation

MOST_KINDS = 1_000
"""Names and reasons are words of our own programs; should a peer ever choose one, memory still has a bound."""


@implementer(IObserver)
class Tally:
    """Counts observations by name and reason."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], int] = {}
        self._last: dict[tuple[str, str], float] = {}

    def observe(self, observation: Observation, now: Now) -> None:
        self._count((observation.name, observation.reason), 1, now)

    def observe_alike(self, observations: Alike[Any], now: Now) -> None:
        self._count((observations.name, observations.reason), len(observations), now)

    def _count(self, kind: tuple[str, str], times: int, now: Now) -> None:
        if kind not in self._counts and len(self._counts) >= MOST_KINDS:
            kind = ("other", "")
        self._counts[kind] = self._counts.get(kind, 0) + times
        self._last[kind] = now.wall

    def count(self, name: str, reason: str | None = None) -> int:
        """How often ``name`` was observed, with ``reason`` or, without one, in all."""
        return sum(
            count
            for (known, why), count in self._counts.items()
            if known == name and (reason is None or why == reason)
        )

    def rows(self) -> list[dict[str, object]]:
        """``name``, ``reason`` ("" if nothing went wrong), ``count``, ``last`` (Unix seconds), by name and reason."""
        return [
            {"name": name, "reason": reason, "count": count, "last": self._last[name, reason]}
            for (name, reason), count in sorted(self._counts.items())
        ]
