"""Requests that wait until a server has room: bounded, and fair between those who ask."""

from collections import defaultdict, deque
from collections.abc import Callable

from pmip_tw.aaa.radius.exchange import Exchange

Lane = tuple[int, str]
"""Who waits for the same, in the order of who comes first: for the server that leads their conversation; for another
server of a group, as one has failed them; for any of a group. The name is the server's, or the group's.
"""


class Waiting:
    """Each flow of a lane in its order, the flows of a lane in turn.

    When there are too many, the newest of the longest flow has to go: whoever asks too much loses nothing but what he
    asks too much; and where nobody does, whoever comes last finds no room. Conversations that are under way come before
    those that would begin.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lanes: dict[Lane, dict[str, deque[Exchange]]] = {}
        self._by_length: defaultdict[int, dict[tuple[Lane, str], None]] = defaultdict(dict)
        self._longest = 0
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, exchange: Exchange) -> Exchange | None:
        """Who has to go instead, if somebody has to."""
        key = (_lane(exchange), exchange.flow)
        flow = self._lanes.setdefault(key[0], {}).setdefault(key[1], deque())
        self._changed(key, len(flow), len(flow) + 1)
        flow.append(exchange)
        if self._count <= self._most:
            return None
        lane, name = next(reversed(self._by_length[self._longest]))  # of several, that which became so last
        victims = self._lanes[lane][name]
        self._changed((lane, name), len(victims), len(victims) - 1)
        return victims.pop()

    def take(self, place: Callable[[Exchange], bool]) -> bool:
        """Let ``place`` have the next one of a lane, which it takes or not; False if it took none of any lane."""
        for lane in sorted(self._lanes):
            flows = self._lanes[lane]
            name = next(iter(flows))
            flow = flows[name]
            if place(flow[0]):
                self._changed((lane, name), len(flow), len(flow) - 1)
                flow.popleft()
                if name in flows:  # the next one's turn
                    flows[name] = flows.pop(name)
                return True
        return False

    def remove(self, exchange: Exchange) -> None:
        """It waits no longer; ValueError if it did not."""
        lane, name = _lane(exchange), exchange.flow
        flow = self._lanes[lane][name]
        flow.remove(exchange)
        self._changed((lane, name), len(flow) + 1, len(flow))

    def _changed(self, key: tuple[Lane, str], before: int, after: int) -> None:
        lane, name = key
        self._count += after - before
        self._by_length[before].pop(key, None)
        if not self._by_length[before]:
            del self._by_length[before]
        if after:
            self._by_length[after][key] = None
            self._longest = max(self._longest, after)
        else:
            del self._lanes[lane][name]
            if not self._lanes[lane]:
                del self._lanes[lane]
        while self._longest and self._longest not in self._by_length:
            self._longest -= 1


def _lane(exchange: Exchange) -> Lane:
    if exchange.pinned is not None:
        return (0, str(exchange.pinned))
    return (1 if exchange.tried else 2, exchange.group)
