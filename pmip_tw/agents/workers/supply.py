"""Where a worker's home addresses come from: it asks worker 0, and who needs one waits for the answer."""

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Protocol

from pmip_tw.interfaces import Datagram, IClock
from pmip_tw.lma.registration.commitment import Wait
from pmip_tw.lma.workers.leased_pools import LeasedPools
from pmip_tw.lma.workers.leases import Ask, FromLender, Returned, Spare, ToLender
from pmip_tw.mobility.tunnels import AnchorKey

MOST_WAITING = 10_000
"""Requests; further ones are lost, and their MAGs ask again."""


class Worker(Protocol):
    """Whose addresses they are: the worker's agent."""

    def datagrams_received(self, batch: Sequence[Datagram]) -> None: ...
    def unsettled(self) -> Collection[AnchorKey]:
        """Home addresses that nobody has, but the packet plane still holds, or that may have to be put back."""

    def lent(self, ask: Ask) -> None:
        """It is answered; what DHCP servers have given may have waited for that."""

    def given_up(self, keys: Collection[AnchorKey]) -> None:
        """They are another worker's from now on, who has asked for them by name."""

    def when_saved(self, told: Callable[[bool], None]) -> None:
        """Whether everything is durable that has been decided so far, as soon as it is known."""


class Supply:
    """``tell`` takes a message for worker 0; its answers are for ``heard``."""

    def __init__(self, pools: LeasedPools, clock: IClock, tell: Callable[[ToLender], None]) -> None:
        self._pools = pools
        self._clock = clock
        self._tell = tell
        self._worker: Worker | None = None
        # What is asked, and the requests that cannot be decided before it is answered.
        self._asked: dict[Ask, dict[Datagram, None]] = {}
        self._waiting = 0

    def start(self, worker: Worker) -> None:
        """Everything that a journal has brought back is known; ``worker`` takes requests that have waited."""
        self._worker = worker
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
        assert self._worker is not None
        monotonic = self._clock.now().monotonic
        if isinstance(message, Spare):
            returned = self._pools.spare(message, self._worker.unsettled(), monotonic)
            if message.wanted and returned.singles:
                self._worker.given_up(self._pools.keys_of(returned))
            self._worker.when_saved(partial(self._give_back, returned))
            return
        self._pools.lent(message, monotonic)
        if message.wanted is None:
            return
        ask = Ask(message.pool, message.wanted, message.held)
        waiting = list(self._asked.pop(ask, ()))
        # Each is read anew: of hundreds only as many as there is something for. If there is nothing all are told so.
        served = waiting if ask.wanted else waiting[: self._pools.fresh(ask.pool) or len(waiting)]
        self._waiting -= len(served)
        if len(served) < len(waiting):
            self._asked[ask] = dict.fromkeys(waiting[len(served) :])
            self._tell(ask)
        if served:
            self._worker.datagrams_received(served)
        self._worker.lent(ask)

    def _give_back(self, returned: Returned, saved: bool) -> None:
        """Whoever had these addresses may have left a moment ago. A journal that knew nothing of that would bring him
        back when another worker's node has been given his address.
        """
        if not saved:
            self._pools.keep(returned)
            returned = Returned(returned.pool, returned.wanted, [], [], returned.held)
        self._tell(returned)
