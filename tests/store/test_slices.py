"""From the journals of so many workers to those of so many others: whole, whatever moment a crash comes at."""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from pmip_tw.errors import StoreError
from pmip_tw.mobility.records import Record
from pmip_tw.store.clocks import system_clocks
from pmip_tw.store.contents import checked
from pmip_tw.store.database import Database
from pmip_tw.store.loading import load
from pmip_tw.store.place import Place
from pmip_tw.store.rows import RowCodec
from pmip_tw.store.slices import Journals, Slices, journal_path
from tests.store.records import FORM, Held, held

HORIZON = 1e6
MANY = range(30)


class Crash(BaseException):
    """The process is gone."""


def split(workers: int) -> Callable[[Journals], Sequence[Sequence[Record]]]:
    """Holders by number."""

    def resliced(journals: Journals) -> Sequence[Sequence[Record]]:
        slices: list[list[Record]] = [[] for _ in range(workers)]
        for rows in journals:
            for _, records in rows:
                for record in records:
                    assert isinstance(record, Held)
                    slices[(record.address & 0xFF) % workers].append(record)
        return slices

    return resliced


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "lma.journal")


def write(path: str, *numbers: int) -> None:
    database = Database(Place(path), FORM, horizon=HORIZON, clocks=system_clocks())
    database.open()
    database.write([held(number) for number in numbers])
    database.close()


def begin(path: str, workers: int) -> None:
    """A set of journals with everybody in it."""
    for worker in range(workers):
        numbers = [number for number in MANY if number % workers == worker]
        write(journal_path(path, worker, workers), *numbers)


def become(path: str, workers: int) -> int | None:
    return Slices(path, FORM, horizon=HORIZON).become(workers, split(workers))


def holders(path: str, workers: int) -> list[list[int]]:
    """Who is in which journal."""
    codec, found = RowCodec(FORM), []
    for worker in range(workers):
        records = [
            record
            for _, row in load(journal_path(path, worker, workers), codec, system_clocks()())
            for record in row
        ]
        found.append(sorted(record.address & 0xFF for record in records if isinstance(record, Held)))
    return found


def expected(workers: int) -> list[list[int]]:
    return [[number for number in MANY if number % workers == worker] for worker in range(workers)]


def names(path: str) -> set[str]:
    return set(os.listdir(os.path.dirname(path)))


def set_of(workers: int) -> set[str]:
    return {os.path.basename(journal_path("lma.journal", worker, workers)) for worker in range(workers)}


@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 1), (2, 4), (4, 3), (1, 64), (64, 1)])
def test_everybody_is_in_the_new_set_and_the_old_one_is_gone(path: str, before: int, after: int) -> None:
    begin(path, before)
    assert become(path, after) == before
    assert holders(path, after) == expected(after)
    assert names(path) == set_of(after)


@pytest.mark.parametrize("workers", [1, 3])
def test_as_many_as_before_is_nothing_to_do(path: str, workers: int) -> None:
    begin(path, workers)
    assert become(path, workers) is None
    assert holders(path, workers) == expected(workers)


@pytest.mark.parametrize("workers", [1, 3])
def test_where_nothing_was_there_is_nothing_to_do(path: str, workers: int) -> None:
    assert become(path, workers) is None
    assert names(path) == set()


def test_what_is_wrong_with_the_directory_is_told_by_who_opens_them(tmp_path: Path) -> None:
    """And what to do about it; here there is nothing to sort out."""
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for directory in ("none", "file", "link"):
        path = str(tmp_path / directory / "lma.journal")
        assert Slices(path, FORM, horizon=HORIZON).become(1, split(1)) is None


@pytest.fixture
def deeds(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many more changes of the directory happen before a crash."""
    left = [10**9]

    def crashing(deed: Callable[..., None]) -> Callable[..., None]:
        def do(*arguments: object, **named: object) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise Crash
            deed(*arguments, **named)

        return do

    monkeypatch.setattr(os, "rename", crashing(os.rename))
    monkeypatch.setattr(os, "unlink", crashing(os.unlink))
    yield left


@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 1), (2, 3)])
@pytest.mark.parametrize("then", [1, 2, 3])
def test_a_crash_at_any_moment_loses_nobody(
    path: str, deeds: list[int], before: int, after: int, then: int
) -> None:
    """Whatever number of workers is wanted after it."""
    for moment in range(1000):
        for name in names(path):
            Path(path).with_name(name).unlink()
        deeds[0] = 10**9
        begin(path, before)
        deeds[0] = moment
        try:
            become(path, after)
        except Crash:
            deeds[0] = 10**9
            become(path, then)
            assert holders(path, then) == expected(then), moment
            assert names(path) == set_of(then), moment
        else:
            break
    assert moment > max(before, after)


def test_what_was_written_last_is_read_even_if_the_process_was_killed(path: str) -> None:
    """It is in the log of commits, beside the file."""
    database = Database(Place(path), FORM, horizon=HORIZON, clocks=system_clocks())
    database.open()
    database.write([held(number) for number in MANY])
    for name in names(path):
        octets = Path(path).with_name(name).read_bytes()
        copy = Path(path).parent / "killed"
        copy.mkdir(exist_ok=True, mode=0o700)
        (copy / name).write_bytes(octets)
    database.close()
    killed = str(Path(path).parent / "killed" / "lma.journal")
    assert become(killed, 2) == 1
    assert holders(killed, 2) == expected(2)


def test_a_log_of_commits_without_its_journal_is_never_found_by_another(path: str) -> None:
    """The journal was moved away by hand: SQLite would take it for the new one's."""
    begin(path, 2)
    Path(f"{path}-wal").write_bytes(b"of a journal that is elsewhere")
    become(path, 1)
    assert holders(path, 1) == expected(1)
    assert Path(f"{path}-wal.alone").read_bytes() == b"of a journal that is elsewhere"


def test_a_set_of_which_a_part_is_missing_is_told(path: str) -> None:
    begin(path, 3)
    os.unlink(journal_path(path, 1, 3))
    with pytest.raises(
        StoreError, match=r"lma\.journal\.0-of-3: .*other journals .* are missing: put them back.*workers = 3"
    ):
        become(path, 2)
    assert names(path) == {"lma.journal.0-of-3", "lma.journal.2-of-3"}


def test_without_a_part_of_its_set_the_same_number_of_workers_goes_on(path: str) -> None:
    """A damaged journal is moved away, as its error says; the nodes of the other workers lose nothing."""
    begin(path, 3)
    os.unlink(journal_path(path, 1, 3))
    slices = Slices(path, FORM, horizon=HORIZON)
    assert slices.become(3, split(3)) is None
    assert slices.missing == [journal_path(path, 1, 3)]
    assert names(path) == {"lma.journal.0-of-3", "lma.journal.2-of-3"}
    write(journal_path(path, 1, 3))
    assert become(path, 2) == 3
    assert holders(path, 2) == [[n for n in MANY if n % 3 != 1 and n % 2 == side] for side in (0, 1)]


def test_an_lma_that_runs_keeps_its_journals(path: str) -> None:
    running = Database(Place(path), FORM, horizon=HORIZON, clocks=system_clocks())
    running.open()
    running.write([held(1)])
    try:
        with pytest.raises(StoreError, match="in use by process"):
            become(path, 2)
    finally:
        running.close()
    assert become(path, 2) == 1


def test_what_is_beside_them_is_left_alone(path: str) -> None:
    begin(path, 1)
    others = {
        "lma.journal.backup",
        "lma.journal.old",
        "lma.journal.new",
        "lma.journal.old-wal",
        "lma.journal.1-of-2.old",
        "lma.journal.1-of-2.txt",
        "mag.journal.0-of-2",
    }
    for name in others:
        Path(path).with_name(name).write_bytes(b"mine")
    become(path, 2)
    assert names(path) == others | set_of(2)


def test_what_cannot_be_read_is_not_destroyed_with_its_journal(path: str) -> None:
    """The disk has changed a row: the new set has everybody else, and the row can still be looked at."""
    begin(path, 2)
    for number in (100, 102):
        write(journal_path(path, 0, 2), number)
    with closing(sqlite3.connect(journal_path(path, 0, 2))) as db, db:
        db.execute("UPDATE journal SET checksum = checksum + 1 WHERE id = (SELECT max(id) FROM journal)")
    slices = Slices(path, FORM, horizon=HORIZON)
    assert slices.become(1, split(1)) == 2
    assert holders(path, 1) == [[*MANY, 100]]
    kept = f"{journal_path(path, 0, 2)}.damaged"
    assert slices.kept == [kept]
    assert sorted(os.listdir(os.path.dirname(path))) == sorted(map(os.path.basename, (path, kept)))
    assert any("put aside" in problem for problem in checked(kept).problems)
    assert become(path, 1) is None and os.path.exists(kept)


def test_two_starts_at_once_sort_one_after_the_other(path: str) -> None:
    """The second finds what the first has made, and not half of what was before."""
    begin(path, 3)
    ended: list[int | None] = []
    second = threading.Thread(target=lambda: ended.append(become(path, 2)))

    def slowly(journals: Journals) -> Sequence[Sequence[Record]]:
        second.start()
        second.join(0.3)
        assert second.is_alive(), "it waits"
        return split(2)(journals)

    assert Slices(path, FORM, horizon=HORIZON).become(2, slowly) == 3
    second.join(30)
    assert ended == [None]
    assert holders(path, 2) == expected(2)
