"""Who sends what is discarded: a flood has a name, though it has no right to be answered."""

from collections import OrderedDict
from typing import Any

import attrs
from zope.interface import implementer

from pmip_tw.addresses import ipv4_text
from pmip_tw.interfaces import IObserver
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.observations import Alike, Observation

MOST_SOURCES = 1_000
"""Pairs of source and reason; whoever forges more addresses pushes the longest silent ones out."""


@attrs.define(slots=True)
class _Count:
    count: int
    last: float


@implementer(IObserver)
class Sources:
    """Counts discarded datagrams by source address and reason. Ports do not tell senders apart."""

    def __init__(self, most: int = MOST_SOURCES) -> None:
        self._most = most
        # The one heard last is at the end.
        self._counts: OrderedDict[tuple[str, str], _Count] = OrderedDict()

    def observe(self, observation: Observation, now: Now) -> None:
        if observation.name != "message-discarded":
            return
        address, _, _ = str(observation.details.get("source", "unknown")).partition(":")
        self._count(address, observation.reason, 1, now)

    def observe_alike(self, observations: Alike[Any], now: Now) -> None:
        for source, times in observations.sources().items():
            self._count(ipv4_text(source), observations.reason, times, now)

    def _count(self, address: str, reason: str, times: int, now: Now) -> None:
        key = (address, reason)
        found = self._counts.get(key)
        if found is None:
            if len(self._counts) >= self._most:
                self._counts.popitem(last=False)
            self._counts[key] = _Count(times, now.wall)
            return
        found.count += times
        found.last = now.wall
        self._counts.move_to_end(key)

    def rows(self) -> list[dict[str, object]]:
        """``source``, ``reason``, ``count``, ``last`` (Unix seconds), the most frequent first."""
        ordered = sorted(self._counts.items(), key=lambda item: -item[1].count)
        return [
            {"source": source, "reason": reason, "count": found.count, "last": found.last}
            for (source, reason), found in ordered
        ]
