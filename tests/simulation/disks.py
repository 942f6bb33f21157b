"""What outlives a process: a disk that is slow at times, full at times, and loses what it had not taken at a crash."""

import random
from collections.abc import Callable, Sequence
from typing import Protocol

from pmip_tw.errors import StoreError
from pmip_tw.lma.journal.records import Bound, Unbound
from pmip_tw.mobility.records import JournalFormat, Record
from pmip_tw.mobility.replay import later
from pmip_tw.testing.store import FakeDisk, FakeStore
from pmip_tw.wire.codes import MessageType, accepts
from pmip_tw.wire.registration import RegistrationReply, RegistrationRequest
from tests.simulation.fuse import Fuse
from tests.simulation.violation import Violation

QUICK = 0.002
"""Seconds that a write takes at most, usually."""

SLOW = 0.4
"""The same when somebody else uses the disk."""


class Hears(Protocol):
    """Who follows what becomes of records. ``lacks``: something could not be saved, and was not since."""

    @property
    def lacks(self) -> bool: ...

    def durable(self, records: Sequence[Record]) -> None: ...
    def failed(self, records: Sequence[Record]) -> None: ...


class FusedStore(FakeStore):
    """One process's hold on a disk: appending is an effect, and so is that it has become durable.

    ``later(seconds, call)`` happens if the process lives until then; ``told`` hears what has become durable, and what
    could not.
    """

    def __init__(
        self,
        disk: FakeDisk,
        form: JournalFormat,
        fuse: Fuse,
        chance: random.Random,
        later: Callable[[float, Callable[[], None]], None],
        told: Hears,
    ) -> None:
        super().__init__(disk, form, at_once=False)
        self._fuse = fuse
        self._chance = chance
        self._later = later
        self._told = told
        self._underway: list[Record] = []

    def append(self, records: Sequence[Record], done: Callable[[StoreError | None], None]) -> None:
        self._fuse.burn()
        if not self.waiting:
            slow = self._chance.random() < 0.1
            self._later(self._chance.uniform(0.0, SLOW if slow else QUICK), self.commit)
        self._underway += records
        super().append(records, done)

    def commit(self) -> None:
        if not self.waiting:
            return
        self._fuse.burn()
        records, self._underway = self._underway, []
        if self._disk.trouble:
            self._told.failed(records)
        else:
            self._told.durable(records)
        super().commit()


class Promises:
    """What the disk of an LMA has, and what was promised because of it: nobody is told anything that it has not."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._newest: dict[bytes, Bound | Unbound] = {}
        self._spent: dict[bytes, int] = {}
        self._promised: dict[bytes, tuple[int, float]] = {}

    def durable(self, records: Sequence[Record]) -> None:
        for record in records:
            if isinstance(record, Bound | Unbound):
                self._newest[record.owner] = record
            identification = _identification(record)
            owner = getattr(record, "owner", b"")
            if identification is not None and not self.has_seen(owner, identification):
                self._spent[owner] = identification

    @property
    def lacks(self) -> bool:
        return False

    def failed(self, records: Sequence[Record]) -> None:
        """Nothing was said, then."""

    def has_seen(self, owner: bytes, identification: int) -> bool:
        """Whether what is durable makes a request of ``owner`` an old one."""
        last = self._spent.get(owner)
        return last is not None and not later(identification, last)

    def said(self, payload: bytes) -> None:
        """The LMA has sent something."""
        if payload[0] != MessageType.REGISTRATION_REPLY:
            return
        reply = RegistrationReply.decode(payload)
        if not accepts(reply.code):
            return
        if not self.has_seen(reply.nai, reply.identification):
            raise Violation("what is answered is durable", f"{self._name} answered {reply.nai!r} before")
        if not reply.lifetime:
            self._promised.pop(reply.nai, None)
            return
        newest = self._newest.get(reply.nai)
        if not isinstance(newest, Bound) or newest.home_address != reply.home_address:
            raise Violation("what is answered is durable", f"{self._name} saved {newest} for {reply.nai!r}")
        self._promised[reply.nai] = (reply.identification, newest.deadline)

    def restarted(self, bound: dict[bytes, int], monotonic: float) -> None:
        """A process has begun with ``bound``: the Identification of the newest binding by NAI.

        A request that was not answered may have been obeyed: it may have asked for less time, or ended one of several.
        """
        for nai, (identification, ends_at) in self._promised.items():
            newest = self._newest[nai]
            if ends_at <= monotonic or isinstance(newest, Unbound) or newest.deadline <= monotonic:
                continue
            ended_one = later(self._spent.get(nai, identification), identification)
            if nai not in bound or (later(identification, bound[nai]) and not ended_one):
                raise Violation("what was promised survives", f"{self._name} lost the binding of {nai!r}")


def _identification(record: Record) -> int | None:
    if isinstance(record, Bound):
        return RegistrationRequest.decode(record.request).identification
    return getattr(record, "identification", None)
