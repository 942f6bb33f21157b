"""Where a worker's home addresses come from: it asks worker 0, and who needs one waits for the answer."""

from collections.abc import Callable, Sequence

from pmip_tw.interfaces import Datagram, IClock
from pmip_tw.lma.commitment import Wait
from pmip_tw.lma.leased_pools import LeasedPools
from pmip_tw.lma.leases import Ask, FromLender, Spare, ToLender

MOST_WAITING = 10_000
"""Requests; further ones are lost, and their MAGs ask again."""


class Supply:
    """``tell`` takes a message for worker 0; its answers are for ``heard``."""

    def __init__(self, pools: LeasedPools, clock: IClock, tell: Callable[[ToLender], None]) -> None:
        self._pools = pools
        self._clock = clock
        self._tell = tell
        self._receive: Callable[[Sequence[Datagram]], None] = lambda batch: None
        # What is asked, and the requests that cannot be decided before it is answered.
        self._asked: dict[Ask, dict[Datagram, None]] = {}
        self._waiting = 0

    def start(self, receive: Callable[[Sequence[Datagram]], None]) -> None:
        """Everything that a journal has brought back is known; ``receive`` takes requests that have waited."""
        self._receive = receive
        self._tell(self._pools.in_use(self._clock.now().monotonic))

    def ask(self, wait: Wait) -> None:
        """Ask, unless that is asked already, and keep the request that waits for the answer."""
        new = wait.ask not in self._asked
        waiting = self._asked.setdefault(wait.ask, {})
        if wait.asked is not None and self._waiting < MOST_WAITING:
            datagram = Datagram(wait.asked.payload, wait.asked.source, wait.asked.local)
            if datagram not in waiting:
                waiting[datagram] = None
                self._waiting += 1
        if new:
            self._tell(wait.ask)

    def heard(self, message: FromLender) -> None:
        """What worker 0 says."""
        monotonic = self._clock.now().monotonic
        if isinstance(message, Spare):
            self._tell(self._pools.spare(message, monotonic))
            return
        self._pools.lent(message, monotonic)
        if message.wanted is None:
            return
        waiting = self._asked.pop(Ask(message.pool, message.wanted), {})
        self._waiting -= len(waiting)
        if waiting:
            self._receive(list(waiting))
