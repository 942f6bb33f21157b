"""Datagrams that wait, each source's in order: the sources take turns, and share the room max-min fairly."""

from collections import OrderedDict, deque

from pmip_tw.addresses import Endpoint
from pmip_tw.interfaces import Datagram


class FairQueue:
    """A source is an address and a port; ``source in queue``: something of it waits."""

    def __init__(self) -> None:
        # In the order of their turns; none is empty.
        self._waiting: OrderedDict[Endpoint, deque[Datagram]] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def __contains__(self, source: Endpoint) -> bool:
        return source in self._waiting

    def put(self, datagram: Datagram) -> None:
        of_source = self._waiting.get(datagram.source)
        if of_source is None:
            of_source = self._waiting[datagram.source] = deque()
        of_source.append(datagram)
        self._size += 1

    def take(self, most: int) -> list[Datagram]:
        """Up to ``most``: the oldest of each source in turn."""
        taken = []
        for _ in range(min(most, self._size)):
            source, of_source = next(iter(self._waiting.items()))
            taken.append(of_source.popleft())
            if of_source:
                self._waiting.move_to_end(source)
            else:
                del self._waiting[source]
        self._size -= len(taken)
        return taken

    def trim(self, room: int) -> int:
        """Give up what is more than ``room``, and tell how many; of each source the oldest.

        A source that has no more waiting than an equal share of the room loses nothing, and what such sources leave is
        shared by the others. If there are more sources than room, whoever has waited longest goes.
        """
        before = self._size
        if before <= room:
            return 0
        if len(self._waiting) < before:  # else each source has but one
            share = self._share(room)
            for of_source in self._waiting.values():
                for _ in range(len(of_source) - max(share, 1)):
                    of_source.popleft()
                    self._size -= 1
        while self._size > room:
            _, of_source = self._waiting.popitem(last=False)
            self._size -= len(of_source)
        return before - self._size

    def _share(self, room: int) -> int:
        """How much of ``room``, which is not enough for all, a source may have that wants more than others."""
        sources = len(self._waiting)
        for served, length in enumerate(sorted(map(len, self._waiting.values()))):
            share = room // (sources - served)
            if length > share:
                return share
            room -= length
        raise AssertionError("there is room for all")
