"""The home addresses of a prefix as one of several workers has them: those that worker 0 has lent it."""

from collections import deque
from collections.abc import Collection, Iterable
from itertools import chain, islice, takewhile

from pmip_tw.addresses import Ipv4
from pmip_tw.lma.addresses.address_pool import AddressPool
from pmip_tw.lma.workers.lent_pool import Lent

LOW = 8
"""So few fresh addresses are left when more are asked for, so that nobody waits for the answer."""

NO_FOR = 1.0
"""Seconds for which worker 0 is not asked again for what it did not have."""

MOST_REFUSED = 1_000

MOST_SPARED = 128
"""Single addresses that are looked at for another worker, which gets half of them."""


class LeasedPool(AddressPool):
    """Nothing is lent at first: what a journal brings back is this worker's, and nothing else is given to anybody."""

    block: int
    """Addresses of a block."""

    def __init__(self, *args: object, block: int, **settings: object) -> None:
        super().__init__(*args, **settings)  # type: ignore[arg-type]
        self.block = block
        self._blocks: set[Ipv4] = set()
        self._singles: set[Ipv4] = set()
        # Of ``_blocks``; those that came back since are single ones.
        self._given_back: set[Ipv4] = set()
        self._fresh: deque[Ipv4] = deque()
        # Until when there is no use in asking for an address, 0 for any; the second: also for what is held.
        self._refused: dict[tuple[Ipv4, bool], float] = {}
        self._asked = False

    def used(self) -> Iterable[Ipv4]:
        """What nodes have."""
        return (address for address, _ in self._users.items())

    def held(self, monotonic: float) -> Iterable[Ipv4]:
        """What is kept for nodes that had it (P80)."""
        return (address for address in self._held if not self._may_be_asked_for(address, monotonic))

    def has(self, address: Ipv4) -> bool:
        """Whether it is lent to this worker."""
        if address in self._singles:
            return True
        return Ipv4(address & -self.block) in self._blocks and address not in self._given_back

    def lent(self, blocks: Iterable[Ipv4], singles: Iterable[Ipv4]) -> None:
        """These are this worker's from now on, in addition."""
        for block in blocks:
            addresses = [Ipv4(block + offset) for offset in range(self.block)]
            self._given_back.difference_update(addresses)
            if block not in self._blocks:
                self._blocks.add(block)
                self._fresh += addresses
        for address in singles:
            if not self.has(address):
                self._singles.add(address)
                self._fresh.append(address)

    def answered(self, wanted: Ipv4, monotonic: float, *, found: bool, held: bool = False) -> None:
        """Worker 0 has answered a question, which may mean that there is nothing for now."""
        if not wanted and not held:
            self._asked = False
        self._refused.pop((wanted, held), None)
        if not found:
            if len(self._refused) >= MOST_REFUSED:
                del self._refused[next(iter(self._refused))]
            self._refused[wanted, held] = monotonic + NO_FOR

    def lacks(self, wanted: Ipv4, monotonic: float, *, held: bool = False) -> bool:
        """Whether worker 0 may have what this one has not; ``held``: what others keep for somebody, too."""
        if wanted and (not self.gives(wanted) or self.has(wanted)):
            return False
        return self._refused.get((wanted, held), float("-inf")) <= monotonic

    @property
    def most_fresh(self) -> int:
        """How many addresses nobody has had: not more than these."""
        return len(self._fresh)

    def runs_short(self, monotonic: float) -> bool:
        """Whether it is time to ask for more; said once until that is answered."""
        if self._asked or len(self._fresh) >= LOW or not self.lacks(Ipv4(0), monotonic):
            return False
        self._asked = True
        return True

    def free_for(self, owner: bytes, address: Ipv4, monotonic: float) -> bool:
        return self.has(address) and super().free_for(owner, address, monotonic)

    def former(self, owner: bytes) -> Ipv4 | None:
        address = super().former(owner)
        return address if address is not None and self.has(address) else None

    def oldest(self) -> Ipv4 | None:
        return next((address for address in self._held if self.has(address)), None)

    def fresh(self) -> Ipv4 | None:
        while self._fresh:
            address = self._fresh[0]
            if self.has(address) and self._is_untouched(address):
                return address
            self._fresh.popleft()
        return None

    def _is_untouched(self, address: Ipv4) -> bool:
        return self.gives(address) and address not in self._users and address not in self._held

    def spare(self, wanted: Ipv4, kept: Collection[Ipv4], monotonic: float) -> Lent:
        """Give up ``wanted`` if nobody has it and it is held for nobody, or what is not needed: all blocks without
        nodes; if there is none, half of what nobody has. ``kept``: not these.
        """
        if wanted:
            free = self._is_free(wanted, monotonic) and wanted not in kept
            if not free or not self.has(wanted) or not self.gives(wanted):
                return [], []
            self._give_up(wanted, monotonic)
            return [], [wanted]
        used = {Ipv4(address & -self.block) for address in kept}
        blocks = [block for block in sorted(self._blocks - used) if self._is_without_nodes(block, monotonic)]
        for block in blocks:
            self._give_up_block(block, monotonic)
        if blocks:
            return blocks, []
        singles = [address for address in self._free(monotonic) if address not in kept]
        singles = singles[len(singles) // 2 :]
        for address in singles:
            self._give_up(address, monotonic)
        return [], singles

    def spare_held(self, kept: Collection[Ipv4], monotonic: float) -> Lent:
        """Nobody has anything else: give up what has been kept for longest (P80)."""
        address = next((held for held in self._held if self.has(held) and held not in kept), None)
        if address is None:
            return [], []
        self._give_up(address, monotonic)
        return [], [address]

    def _free(self, monotonic: float) -> list[Ipv4]:
        """Some of what is neither used nor kept for anybody: what nobody has had first."""
        fresh = (address for address in dict.fromkeys(self._fresh) if self._is_untouched(address))
        # All are kept equally long: those that are not any more come first.
        former = takewhile(lambda address: self._may_be_asked_for(address, monotonic), self._held)
        return [address for address in islice(chain(fresh, former), MOST_SPARED) if self.has(address)]

    def _is_without_nodes(self, block: Ipv4, monotonic: float) -> bool:
        """Nobody has any of it; and something of it has not been given back."""
        has_any = False
        for offset in range(self.block):
            address = Ipv4(block + offset)
            if self.has(address):
                if not self._is_free(address, monotonic):
                    return False
                has_any = True
        return has_any

    def _is_free(self, address: Ipv4, monotonic: float) -> bool:
        return address not in self._users and self._may_be_asked_for(address, monotonic)

    def _may_be_asked_for(self, address: Ipv4, monotonic: float) -> bool:
        hold = self._held.get(address)
        return hold is None or hold.until <= monotonic

    def _give_up_block(self, block: Ipv4, monotonic: float) -> None:
        for offset in range(self.block):
            self._held.discard(Ipv4(block + offset))
            self._given_back.discard(Ipv4(block + offset))
        self._blocks.discard(block)

    def _give_up(self, address: Ipv4, monotonic: float) -> None:
        self._held.discard(address)
        if address in self._singles:
            self._singles.discard(address)
        else:
            self._given_back.add(address)
