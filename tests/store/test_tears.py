"""A journal as a crash or a bad disk leaves it: torn and changed at every kind of place."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import attrs
import pytest

from pmip_tw.errors import StoreError
from pmip_tw.mobility.records import Record
from tests.store.conftest import Desk
from tests.store.records import held

COMMITS = 12
HEADER, FRAME, PAGE = 32, 24, 4096

ROOT = Path(__file__).resolve().parents[2]


@attrs.frozen(slots=True)
class Wreck:
    """The files of a process that is no more, with the records that it knew to be durable."""

    folder: Path
    records: list[Record]
    ends: list[int]
    """Where the log of commits ended when each of them was durable."""

    @property
    def path(self) -> Path:
        return self.folder / "journal"

    @property
    def log(self) -> Path:
        return self.folder / "journal-wal"

    def copy(self, folder: Path) -> "Wreck":
        """Another one, to be broken."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder, folder)
        return attrs.evolve(self, folder=folder)

    def up_to(self, octets: int) -> list[Record]:
        """What was durable when the log had so many octets."""
        return [record for record, end in zip(self.records, self.ends, strict=True) if end <= octets]


@pytest.fixture
def wreck(desk: Desk, tmp_path: Path) -> Wreck:
    path = tmp_path / "alive" / "journal"
    journal = desk.open(path)
    records: list[Record] = []
    ends = []
    for number in range(COMMITS):
        assert desk.save(journal, held(number)) is None
        records.append(held(number))
        ends.append(path.with_name("journal-wal").stat().st_size)
    folder = tmp_path / "dead"
    folder.mkdir()
    for name in ("journal", "journal-wal"):
        shutil.copy(path.with_name(name), folder)
    return Wreck(folder, records, ends)


def places(size: int) -> Iterator[int]:
    """Octets of the log: in its header, and in the first, some middle and the last frames, headers and pages."""
    yield from (0, 5, 17, 25, 31)
    frames = (size - HEADER) // (FRAME + PAGE)
    for frame in sorted({0, 1, frames // 2, frames - 2, frames - 1}):
        for place in (0, 5, 9, 17, FRAME, FRAME + 100, FRAME + PAGE - 1):
            yield HEADER + frame * (FRAME + PAGE) + place


class TestTheLog:
    def test_as_it_is(self, wreck: Wreck, desk: Desk) -> None:
        assert desk.content(wreck.path) == wreck.records

    def test_cut_off(self, wreck: Wreck, desk: Desk, tmp_path: Path) -> None:
        """What was durable before the place of the cut is there, and nothing else."""
        for place in places(wreck.log.stat().st_size):
            torn = wreck.copy(tmp_path / "torn")
            os.truncate(torn.log, place)
            assert desk.content(torn.path) == wreck.up_to(place), place

    def test_changed(self, wreck: Wreck, desk: Desk, tmp_path: Path) -> None:
        """The same, and what is behind the change is kept for whoever can make something of it."""
        for place in places(wreck.log.stat().st_size):
            torn = wreck.copy(tmp_path / "torn")
            with open(torn.log, "r+b") as file:
                file.seek(place)
                octet = file.read(1)
                file.seek(place)
                file.write(bytes([octet[0] ^ 0x55]))
            before = torn.log.read_bytes()
            expected = [] if place < HEADER else wreck.up_to(place)
            assert desk.content(torn.path) == expected, place
            lost = len(wreck.records) - len(expected)
            kept = torn.folder / "journal-wal.damaged"
            if lost != 2:  # of two, the change may have hit what tells that there were two
                assert kept.exists() == (lost > 2), place
            if kept.exists():
                assert kept.read_bytes() == before
                assert kept.stat().st_mode & 0o777 == 0o600

    def test_an_unfinished_commit_is_nothing_special(self, wreck: Wreck, desk: Desk, tmp_path: Path) -> None:
        os.truncate(wreck.log, wreck.ends[-1] - 1)
        assert desk.content(wreck.path) == wreck.records[:-1]
        assert not (wreck.folder / "journal-wal.damaged").exists()

    def test_a_log_that_has_begun_anew_is_nothing_special(self, desk: Desk, tmp_path: Path) -> None:
        """Behind its end lies what it was before, which was carried over."""
        alive, dead = tmp_path / "alive" / "journal", tmp_path / "dead" / "journal"
        journal = desk.open(alive)
        log = alive.with_name("journal-wal")
        rows = 0
        sizes = [0, 1]
        while sizes[-1] > sizes[-2]:
            assert desk.save(journal, *(held(number) for number in range(1000))) is None
            rows += 1
            sizes.append(log.stat().st_size)
        dead.parent.mkdir()
        for path in (alive, log):
            shutil.copy(path, dead.parent)
        assert len(desk.content(dead)) == 1000 * rows
        assert not dead.with_name("journal-wal.damaged").exists()


class TestTheFile:
    """Pages that SQLite finds to be wrong, and such that only we do."""

    @pytest.fixture
    def closed(self, wreck: Wreck, desk: Desk) -> Wreck:
        """Everything is in the file; there is no log."""
        assert desk.content(wreck.path) == wreck.records
        assert not wreck.log.exists()
        return wreck

    def test_changed_anywhere(self, closed: Wreck, desk: Desk, tmp_path: Path) -> None:
        """Either it is told and nothing touched, or the rows that are as they were are there."""
        told = 0
        for place in range(0, closed.path.stat().st_size, 509):
            torn = closed.copy(tmp_path / "torn")
            with open(torn.path, "r+b") as file:
                file.seek(place)
                file.write(b"\xa5" * 16)
            before = torn.path.read_bytes()
            try:
                found = desk.content(torn.path)
            except StoreError as error:
                told += 1
                assert str(error).startswith(f"{torn.path}: "), place
                assert error.args[0].count("'store'") or "pmipctl store export" in error.args[0], place
                assert torn.path.read_bytes() == before, place
            else:
                assert [record for record in found if record not in closed.records] == [], place
        assert told > 3

    @pytest.mark.parametrize("octets", [1, 99, 100, 3000, 4096, 8192, 20_000])
    def test_cut_off(self, octets: int, closed: Wreck, desk: Desk) -> None:
        os.truncate(closed.path, octets)
        before = closed.path.read_bytes()
        with pytest.raises(StoreError, match=f"^{closed.path}: is ") as refusal:
            desk.content(closed.path)
        assert "move it" in str(refusal.value)
        assert closed.path.read_bytes() == before


class TestKilled:
    @pytest.mark.parametrize("seconds", [0.05, 0.2, 0.5])
    def test_what_was_acknowledged_is_there(self, seconds: float, desk: Desk, tmp_path: Path) -> None:
        """A process appends and prints what it is told; it is killed -9 in the midst of that."""
        path = tmp_path / "journal"
        printed = 0
        for _ in range(2):
            writer = subprocess.Popen(
                [sys.executable, "-m", "tests.store.writer", str(path), str(printed)],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                text=True,
            )
            assert writer.stdout is not None
            first = writer.stdout.readline()
            assert first == f"{printed}\n"
            with suppress(subprocess.TimeoutExpired):
                writer.wait(seconds)
            writer.send_signal(signal.SIGKILL)
            acknowledged = [first, *writer.stdout.read().splitlines(keepends=True)]
            writer.wait()
            last = [line for line in acknowledged if line.endswith("\n")][-1]
            records = desk.content(path)
            assert len(records) > int(last)
            assert records == [held(number) for number in range(len(records))]
            printed = len(records)
