"""The spool's twin: a disk in memory that outlives whoever writes to it, and fails when it is told to."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import attrs
from zope.interface import implementer

from pmip_tw.aaa.accounting.spool import SpoolChange, SpoolContents
from pmip_tw.errors import StoreError
from pmip_tw.interfaces import ISpool

Name = TypeVar("Name", int, str)


@attrs.define(slots=True)
class FakeSpoolDisk:
    """What is durable. While ``trouble`` is not empty, every write fails and that is why."""

    name: str = "memory"
    trouble: str = ""
    records: dict[int, bytes] = attrs.field(factory=dict)
    sessions: dict[str, bytes] = attrs.field(factory=dict)


@implementer(ISpool)
class FakeSpool:
    """One process's hold on a disk. Not ``at_once``: a write waits for ``commit``."""

    def __init__(self, disk: FakeSpoolDisk, *, at_once: bool = True) -> None:
        self._disk = disk
        self._at_once = at_once
        self._waiting: tuple[SpoolChange, Callable[[StoreError | None], None]] | None = None
        self._open = False

    def start(self) -> SpoolContents:
        self._open = True
        return SpoolContents(
            records=dict(sorted(self._disk.records.items())),
            sessions=dict(sorted(self._disk.sessions.items())),
        )

    def write(self, change: SpoolChange, done: Callable[[StoreError | None], None]) -> None:
        if not self._open:
            return
        assert self._waiting is None, "one at a time"
        self._waiting = (change, done)
        if self._at_once:
            self.commit()

    def commit(self) -> None:
        """What waits is durable now, or has failed."""
        if self._waiting is None:
            return
        (change, done), self._waiting = self._waiting, None
        if self._disk.trouble:
            done(StoreError(self._disk.name, self._disk.trouble))
            return
        _apply(self._disk.records, change.records)
        _apply(self._disk.sessions, change.sessions)
        done(None)

    def crash(self) -> None:
        """The process is gone: what was not durable is lost, and nobody is told."""
        self._waiting, self._open = None, False

    def stop(self) -> None:
        self._open = False
        self.commit()


def _apply(there: dict[Name, bytes], changes: Mapping[Name, bytes | None]) -> None:
    for name, octets in changes.items():
        there.pop(name, None)
        if octets is not None:
            there[name] = octets
