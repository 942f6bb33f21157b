"""Who looks at a journal holds up nobody who writes to it, however long the looking takes."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pmip_tw.store import reading
from pmip_tw.store.clocks import system_clocks
from pmip_tw.store.database import Database
from pmip_tw.store.place import Place
from tests.store.records import FORM, held

ROWS = 600


@pytest.fixture
def path(tmp_path: Path) -> Iterator[str]:
    """A journal that somebody has open."""
    path = str(tmp_path / "journal")
    database = Database(Place(path), FORM, horizon=7200.0, clocks=system_clocks())
    database.open()
    for number in range(ROWS):
        database.write([held(number)] * (number % 3))
    yield path
    database.close()


@pytest.mark.parametrize("order", [reading.oldest_first, reading.newest_first])
@pytest.mark.parametrize("octets", [1, 1000, 1 << 20])
def test_each_row_is_read_once(
    path: str,
    order: Callable[[sqlite3.Connection], Iterator[reading.Row]],
    octets: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In pieces of so many octets."""
    monkeypatch.setattr(reading, "_OCTETS_AT_A_TIME", octets)
    with closing(reading.connect(path, "ro")) as db:
        numbers = [row.number for row in order(db)]
    assert numbers == sorted(numbers, reverse=order is reading.newest_first)
    assert len(numbers) == len(set(numbers)) == ROWS - ROWS // 3


def test_a_reader_who_is_in_no_hurry_lets_the_log_begin_anew(path: str) -> None:
    """Somebody pages through an export: between two rows nothing of the log is held."""
    with closing(reading.connect(path, "ro")) as db, closing(reading.connect(path, "rw")) as other:
        rows = reading.oldest_first(db)
        for _ in range(3):
            next(rows)
            other.execute("PRAGMA busy_timeout = 0")
            (busy, left, _) = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            assert (busy, left) == (0, 0)
            other.execute("UPDATE form SET version = version")
