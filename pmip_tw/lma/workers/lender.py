"""Worker 0's book of home addresses: which worker may give which to mobile nodes.

It is not written down. What a worker uses is in that worker's journal, and nothing is lent before all of them have
told; so that no address is double, whichever of them was killed when, and however many there were before.
"""

from collections.abc import Iterable, Sequence

from pmip_tw.addresses import Ipv4, Prefix
from pmip_tw.lma.workers.leases import Ask, FromLender, InUse, Lease, Returned, Spare, ToLender, block_size
from pmip_tw.lma.workers.lent_pool import LentPool

Told = list[tuple[int, FromLender]]
"""Whom to tell what, in this order."""

GROWTH = 8
"""Who has so many blocks gets another one more at once: bursts of new nodes need fewer questions."""


class Lender:
    """``prefixes``: the pools', in the order of the configuration."""

    def __init__(self, prefixes: Sequence[Prefix], workers: int) -> None:
        self._pools = [LentPool(prefix, block_size(prefix, workers)) for prefix in prefixes]
        self._workers = frozenset(range(workers))
        # What everybody uses, until all have told; and what is asked before.
        self._told: dict[int, InUse] = {}
        self._began = False
        self._early: list[tuple[int, Ask]] = []
        # Who waits for an answer to a Spare, by what was asked for; and whose answer is missing.
        self._waiting: dict[Spare, list[int]] = {}
        self._missing: dict[Spare, set[int]] = {}

    def whose(self, pool: int, address: Ipv4) -> int | None:
        """Which worker may give ``address`` to nodes; None: nobody at present."""
        return self._pools[pool].whose(address)

    def heard(self, worker: int, message: ToLender) -> Told:
        """What a worker says, worker 0 among them."""
        if isinstance(message, InUse):
            return self._in_use(worker, message)
        if isinstance(message, Returned):
            return self._returned(worker, message)
        if not self._began:
            self._early.append((worker, message))
            return []
        return self._asked(worker, message)

    def _in_use(self, worker: int, message: InUse) -> Told:
        if self._began:
            # It was started again: it has what it had, and cannot answer what its former life was asked.
            return [*self._all_of(worker), *self._answers_are_lost(worker)]
        self._told[worker] = message
        self._early = [(asking, ask) for asking, ask in self._early if asking != worker]
        return self._begin() if self._told.keys() == self._workers else []

    def _begin(self) -> Told:
        """A node that uses an address counts for more than one that another worker would like to keep it for."""
        self._began = True
        claimed: set[tuple[int, Ipv4]] = set()
        told_by = sorted(self._told.items())
        used = [(worker, claim) for worker, message in told_by for claim in message.used]
        held = [(worker, claim) for worker, message in told_by for claim in message.held]
        for worker, claim in used + held:
            if claim not in claimed:
                claimed.add(claim)
                pool, address = claim
                self._pools[pool].claim(worker, address)
        self._told.clear()
        told = [message for worker in sorted(self._workers) for message in self._all_of(worker)]
        early, self._early = self._early, []
        for worker, ask in early:
            told += self._asked(worker, ask)
        return told

    def _all_of(self, worker: int) -> Told:
        return [
            (worker, Lease(number, None, *pool.all_of(worker))) for number, pool in enumerate(self._pools)
        ]

    def _answers_are_lost(self, worker: int) -> Told:
        told: Told = []
        for spare, missing in list(self._missing.items()):
            if worker in missing:
                told += self._returned(worker, Returned(spare.pool, spare.wanted, [], [], spare.held))
        return told

    def _asked(self, worker: int, ask: Ask) -> Told:
        pool = self._pools[ask.pool]
        if ask.wanted:
            holder = pool.whose(ask.wanted)
            if holder is not None and holder != worker:
                return self._spare(worker, Spare(ask.pool, ask.wanted), {holder})
            return [(worker, Lease(ask.pool, ask.wanted, *pool.lend_address(worker, ask.wanted)))]
        blocks, singles = pool.lend(worker, 1 + pool.blocks_of(worker) // GROWTH)
        if not blocks and not singles and len(self._workers) > 1:
            return self._spare(worker, Spare(ask.pool, held=ask.held), self._workers - {worker})
        return [(worker, Lease(ask.pool, Ipv4(0), blocks, singles, ask.held))]

    def _spare(self, worker: int, spare: Spare, others: Iterable[int]) -> Told:
        """Ask ``others``; who asks for the same meanwhile gets his answer with the first."""
        waiting = self._waiting.setdefault(spare, [])
        if worker not in waiting:
            waiting.append(worker)
        if spare in self._missing:
            return []
        self._missing[spare] = set(others)
        return [(other, spare) for other in sorted(self._missing[spare])]

    def _returned(self, worker: int, message: Returned) -> Told:
        pool, spare = self._pools[message.pool], Spare(message.pool, message.wanted, message.held)
        pool.give_back(worker, message.blocks, message.singles)
        if spare not in self._missing:
            return []
        self._missing[spare].discard(worker)
        # Whoever can be served does not wait for the rest: one of them may be gone for long.
        told: Told = []
        waiting = self._waiting[spare]
        while waiting and (not self._missing[spare] or self._is_there(pool, spare)):
            asking = waiting.pop(0)
            told.append((asking, self._found(asking, spare)))
        if not waiting:
            del self._missing[spare], self._waiting[spare]
        return told

    def _is_there(self, pool: LentPool, spare: Spare) -> bool:
        return not spare.wanted and pool.has_free()

    def _found(self, worker: int, spare: Spare) -> Lease:
        pool = self._pools[spare.pool]
        if not spare.wanted:
            return Lease(spare.pool, spare.wanted, *pool.lend(worker, 1), spare.held)
        if pool.whose(spare.wanted) is not None:
            return Lease(spare.pool, spare.wanted, [], [])
        return Lease(spare.pool, spare.wanted, *pool.lend_address(worker, spare.wanted))
