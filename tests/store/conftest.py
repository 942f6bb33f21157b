"""A journal in a folder of the test's own, on a reactor of its own."""

import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import attrs
import pytest
from twisted.internet.posixbase import PosixReactorBase

from pmip_tw.errors import StoreError
from pmip_tw.mobility.records import JournalFormat, Record
from pmip_tw.store.clocks import Clocks
from pmip_tw.store.journal import SqliteJournal
from tests.loops import private_reactor, run_until
from tests.store.records import FORM


@attrs.define(slots=True)
class Desk:
    """Where a test opens journals, writes to them and closes them."""

    reactor: PosixReactorBase
    _open: list[SqliteJournal] = attrs.field(factory=list)

    def open(
        self,
        path: Path,
        form: JournalFormat = FORM,
        *,
        horizon: float = 7200.0,
        clocks: Clocks | None = None,
    ) -> SqliteJournal:
        journal = SqliteJournal(str(path), form, horizon=horizon, reactor=self.reactor, clocks=clocks)
        journal.start()
        self._open.append(journal)
        return journal

    def save(self, journal: SqliteJournal, *records: Record) -> StoreError | None:
        """One append; what is said about it."""
        told: list[StoreError | None] = []
        journal.append(records, told.append)
        run_until(self.reactor, lambda: told)
        return told[0]

    def close(self, journal: SqliteJournal) -> None:
        stopping = journal.stop()
        assert stopping is not None
        run_until(self.reactor, lambda: stopping.called)

    def close_all(self) -> None:
        for journal in self._open:
            self.close(journal)

    def content(self, path: Path) -> list[Record]:
        """What a restart gets, oldest first."""
        journal = self.open(path)
        found = content(journal)
        self.close(journal)
        return found


def content(journal: SqliteJournal) -> list[Record]:
    """Every record, oldest first."""
    rows: list[Sequence[Record]] = [records for _, records in journal.load()]
    return [record for records in reversed(rows) for record in records]


@pytest.fixture
def desk() -> Iterator[Desk]:
    with private_reactor() as reactor:
        desk = Desk(reactor)
        yield desk
        desk.close_all()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "pmip-test", str(disk)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.fixture
def nobody() -> Iterator[Callable[[], None]]:
    """Become an ordinary user, until the end of the test."""
    if os.geteuid() != 0:
        yield lambda: None
        return
    yield lambda: os.seteuid(65534)
    os.seteuid(0)
