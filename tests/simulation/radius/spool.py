"""The disk on which a process keeps what it has to tell of accounting; writing is an effect, and takes its time."""

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from pmip_tw.aaa.accounting.spool import SpoolChange
from pmip_tw.errors import StoreError
from pmip_tw.testing.spool import FakeSpool
from tests.simulation.disks import QUICK, SLOW

if TYPE_CHECKING:
    from tests.simulation.machines import Machine


class FusedSpool(FakeSpool):
    def __init__(self, machine: "Machine", chance: random.Random) -> None:
        super().__init__(machine.spool_disk, at_once=False)
        self._machine = machine
        self._chance = chance

    def write(self, change: SpoolChange, done: Callable[[StoreError | None], None]) -> None:
        self._machine.fuse.burn()
        super().write(change, done)
        slow = self._chance.random() < 0.1
        self._machine.in_this_life(self._chance.uniform(0.0, SLOW if slow else QUICK), self._commit)

    def _commit(self) -> None:
        self._machine.fuse.burn()
        self.commit()
