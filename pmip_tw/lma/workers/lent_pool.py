"""One pool in worker 0's book: its blocks, and the single addresses that are not where their block is."""

from collections.abc import Iterable, Iterator

from pmip_tw.addresses import Ipv4, Prefix

Lent = tuple[list[Ipv4], list[Ipv4]]
"""Blocks and single addresses."""

_NOBODY = -1


class LentPool:
    """``size``: addresses of a block, a power of two."""

    def __init__(self, prefix: Prefix, size: int) -> None:
        self._prefix = prefix
        self._size = size
        self._blocks: dict[Ipv4, int] = {}
        self._singles: dict[Ipv4, int] = {}
        # How many single addresses of a block are in ``_singles``.
        self._apart: dict[Ipv4, int] = {}
        # Those of them that are nobody's; blocks that came back; and the first that was never lent.
        self._free_singles: dict[Ipv4, None] = {}
        self._free_blocks: dict[Ipv4, None] = {}
        self._next = prefix.network

    def whose(self, address: Ipv4) -> int | None:
        """None: nobody's at present."""
        worker = self._singles.get(address)
        if worker is None:
            return self._blocks.get(self._block_of(address))
        return None if worker == _NOBODY else worker

    def blocks_of(self, worker: int) -> int:
        return sum(1 for owner in self._blocks.values() if owner == worker)

    def all_of(self, worker: int) -> Lent:
        """Everything that is lent to ``worker``; of its blocks only whole ones, the others address by address."""
        blocks: list[Ipv4] = []
        singles = [address for address, owner in self._singles.items() if owner == worker]
        for block, owner in self._blocks.items():
            if owner != worker:
                continue
            if block in self._apart:
                singles += [address for address in self._addresses(block) if address not in self._singles]
            else:
                blocks.append(block)
        return blocks, singles

    def claim(self, worker: int, address: Ipv4) -> None:
        """``worker`` has given it to a node; who first tells of a block has the rest of it, too."""
        holder = self.whose(address)
        if holder is None:
            self.lend_address(worker, address)
        elif holder != worker:
            self._put_apart(address, worker)

    def lend(self, worker: int, most: int) -> Lent:
        """Blocks that are nobody's, at most so many; if there is none, single addresses."""
        blocks: list[Ipv4] = []
        while len(blocks) < most and (block := self._free_block()) is not None:
            self._lend_block(block, worker)
            blocks.append(block)
        singles: list[Ipv4] = []
        while not blocks and self._free_singles and len(singles) < self._size:
            address = next(iter(self._free_singles))
            self._put_apart(address, worker)
            singles.append(address)
        return blocks, singles

    def has_free(self) -> bool:
        """Whether ``lend`` would find anything."""
        return bool(self._free_singles) or self._free_block() is not None

    def lend_address(self, worker: int, address: Ipv4) -> Lent:
        """One that is nobody's, or is ``worker``'s already; with its block if that is nobody's."""
        if address not in self._prefix or self.whose(address) == worker:
            return [], []
        block = self._block_of(address)
        if address not in self._singles and self._is_whole(block):
            self._lend_block(block, worker)
            return [block], []
        self._put_apart(address, worker)
        return [], [address]

    def give_back(self, worker: int, blocks: Iterable[Ipv4], singles: Iterable[Ipv4]) -> None:
        """What is not ``worker``'s is left alone."""
        for block in blocks:
            if self._blocks.get(block) == worker:
                del self._blocks[block]
                self._unite(block)
        for address in singles:
            if self.whose(address) == worker:
                self._put_apart(address, _NOBODY)
                self._unite(self._block_of(address))

    def _block_of(self, address: Ipv4) -> Ipv4:
        return Ipv4(address & -self._size)

    def _addresses(self, block: Ipv4) -> Iterator[Ipv4]:
        return (Ipv4(block + offset) for offset in range(self._size))

    def _is_whole(self, block: Ipv4) -> bool:
        return block not in self._blocks and block not in self._apart

    def _lend_block(self, block: Ipv4, worker: int) -> None:
        self._free_blocks.pop(block, None)
        self._blocks[block] = worker

    def _put_apart(self, address: Ipv4, worker: int) -> None:
        if address not in self._singles:
            block = self._block_of(address)
            self._apart[block] = self._apart.get(block, 0) + 1
            self._free_blocks.pop(block, None)
        self._singles[address] = worker
        if worker == _NOBODY:
            self._free_singles[address] = None
        else:
            self._free_singles.pop(address, None)

    def _unite(self, block: Ipv4) -> None:
        """If nobody has any of it, it can be lent as a whole again; else what is left is free address by address."""
        if block in self._blocks:
            return
        apart = [address for address in self._addresses(block) if address in self._singles]
        if any(self._singles[address] != _NOBODY for address in apart):
            for address in self._addresses(block):
                if address not in self._singles:
                    self._put_apart(address, _NOBODY)
            return
        for address in apart:
            del self._singles[address]
            self._free_singles.pop(address, None)
        self._apart.pop(block, None)
        self._free_blocks[block] = None

    def _free_block(self) -> Ipv4 | None:
        for block in self._free_blocks:
            return block
        while self._next in self._prefix:
            if self._is_whole(self._next):
                return self._next
            self._next = Ipv4(self._next + self._size)
        return None
