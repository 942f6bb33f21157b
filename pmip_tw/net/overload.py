"""Who is heard first when more datagrams arrive than can be handled; no sockets here.

Datagrams are handled as they come until most of them turn out to be worthless. Then more is read than handled, to find
what comes from sources that authenticated lately; it goes first, each source in its turn. Nothing is ever believed or
refused for where it came from: whoever borrows the source of a good peer gets a place in a queue, and keeps nobody out.
"""

from collections.abc import Collection, Iterable

from pmip_tw.addresses import Endpoint
from pmip_tw.interfaces import Datagram
from pmip_tw.net.fair_queue import FairQueue

MOST_PROVEN = 65_536
"""Sources remembered: the last 32,768 at least."""

WINDOW = 1_024
"""Datagrams by which it is judged how many are worthless."""

MOST_WAITING = 1_024
"""Datagrams of either kind to choose from: some 10 ms of work."""

FOR_STRANGERS = 8
"""One in so many is of a source that did not authenticate lately, if any waits: all begin so."""


class Proven:
    """The sources that authenticated last, and how much of what was handled lately was authentic."""

    def __init__(self, most: int = MOST_PROVEN) -> None:
        self._generation = most // 2
        self._newer: set[Endpoint] = set()
        self._older: set[Endpoint] = set()
        self._authentic = 0
        self._handled = 0

    def __contains__(self, source: Endpoint) -> bool:
        return source in self._newer or source in self._older

    def note(self, sources: Collection[Endpoint]) -> None:
        """Something authentic came from ``sources``, each named once for each datagram."""
        self._authentic += len(sources)
        self._newer.update(sources)
        if len(self._newer) >= self._generation:
            self._older, self._newer = self._newer, set()

    def handled(self, datagrams: int) -> None:
        """So many were handled, authentic or not."""
        self._handled += datagrams
        if self._handled >= WINDOW:
            self._handled //= 2
            self._authentic //= 2

    @property
    def crowded_out(self) -> bool:
        """Whether the authentic ones are the smaller part, so that it pays to look for them."""
        return self._handled >= WINDOW // 4 and self._authentic * 2 < self._handled


class Crowd:
    """Datagrams that wait because there were too many at once. ``dropped``: how many were never handled."""

    def __init__(self, proven: Proven, most: int = MOST_WAITING) -> None:
        self._proven = proven
        self._most = most
        self._good = FairQueue()
        self._strange = FairQueue()
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._good) + len(self._strange)

    @property
    def good(self) -> int:
        """How much waits of sources that authenticated lately."""
        return len(self._good)

    def admit(self, batch: Iterable[Datagram]) -> None:
        """Let ``batch`` wait."""
        good, strange, proven = self._good, self._strange, self._proven
        for datagram in batch:
            source = datagram.source
            # Who has something waiting goes behind it: what a source sends keeps its order.
            if source in proven and source not in strange:
                good.put(datagram)
            else:
                strange.put(datagram)

    def choose(self, most: int) -> list[Datagram]:
        """Up to ``most`` to be handled now; of what is left then, no more goes on waiting than there is room for."""
        kept = min(len(self._strange), most // FOR_STRANGERS)
        chosen = self._good.take(most - kept)
        chosen += self._strange.take(most - len(chosen))
        self.dropped += self._good.trim(self._most) + self._strange.trim(self._most)
        return chosen
