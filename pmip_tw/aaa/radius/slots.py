"""Identifiers: one octet in a packet, 256 for each socket."""

from collections import deque

from pmip_tw.aaa.radius.configuration import IDENTIFIERS


class Slots:
    """What tells the requests to one server apart: socket times 256 plus identifier.

    The longest unused is taken first, so that a late answer meets no new request. A further socket is used only when
    all are taken. ``first``: where identifiers begin; drawn, so that a restart does not look like a retransmission.
    """

    __slots__ = ("_first", "_free", "_most", "sockets")

    def __init__(self, first: int, most_sockets: int) -> None:
        self._first = first
        self._most = most_sockets
        self._free: deque[int] = deque()
        self.sockets = 0
        """How many are in use, or were."""

    def take(self) -> int | None:
        """None: all are taken."""
        if not self._free and self.sockets < self._most:
            base = self.sockets * IDENTIFIERS
            self._free.extend(base + (self._first + n) % IDENTIFIERS for n in range(IDENTIFIERS))
            self.sockets += 1
        return self._free.popleft() if self._free else None

    def give_back(self, slot: int) -> None:
        self._free.append(slot)


def socket_of(slot: int) -> int:
    return slot // IDENTIFIERS


def identifier_of(slot: int) -> int:
    return slot % IDENTIFIERS


def slot_of(socket: int, identifier: int) -> int:
    return socket * IDENTIFIERS + identifier
