"""Reading a journal: who wrote it when, and its rows, in pieces so short that they hold nobody up."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

import attrs

from pmip_tw.store import rows
from pmip_tw.store.clocks import Instant, clocks_now

_AT_A_TIME = 256
"""Rows of one read transaction. The log of commits grows while one lasts."""


@attrs.frozen(slots=True)
class Run:
    """One process's time with the journal; its rows are numbered from ``first_row`` to where the next one begins."""

    number: int
    first_row: int
    started: Instant


@attrs.frozen(slots=True)
class Row:
    """The records of one group commit. ``until``: the ``since_boot`` of its boot until which they may matter."""

    number: int
    written: Instant
    until: float
    checksum: int
    records: bytes

    def verify(self) -> None:
        """UnreadableRow: something in it has changed."""
        clocks = (self.written.since_boot, self.written.monotonic, self.written.wall, self.until)
        rows.verify(self.checksum, self.records, *clocks)


def connect(path: str, mode: str) -> sqlite3.Connection:
    """``mode``: "ro" or "rw"; neither makes a file. Every statement is a transaction of its own."""
    return sqlite3.connect(
        f"file:{quote(path)}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
    )


def runs(db: sqlite3.Connection) -> list[Run]:
    """Oldest first."""
    found = db.execute(
        "SELECT number, first_row, boot, since_boot, monotonic, wall FROM runs ORDER BY number"
    )
    return [Run(number, first_row, _instant(*started)) for number, first_row, *started in found]


def readings(db: sqlite3.Connection, now: Instant) -> dict[str, float]:
    """What the ``since_boot`` of each boot in the journal would show at ``now``."""
    seen = []
    known = runs(db)
    for run, following in zip(known, [*known[1:], None], strict=True):
        seen.append(run.started)
        end = following.first_row if following else _NO_ROW
        last = db.execute(
            "SELECT since_boot, monotonic, wall FROM journal"
            " WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT 1",
            (run.first_row, end),
        ).fetchone()
        if last:
            seen.append(_instant(run.started.boot, *last))
    return clocks_now(seen, now)


def _instant(boot: str, *clocks: float) -> Instant:
    if not all(isinstance(value, float) for value in clocks):
        raise sqlite3.DatabaseError("the disk has made something else of an instant")
    return Instant(boot, *clocks)


def newest_first(db: sqlite3.Connection, shown: Mapping[str, float] | None = None) -> Iterator[Row]:
    """The rows that may still matter, by what the clocks of their boots show (``readings``); None: all rows.

    The journal may be written to meanwhile: what is appended is not met.
    """
    matters = "" if shown is None else f" AND until > {_by_boot(runs(db), shown)}"
    yield from _pieces(db, f"id < ?{matters}", "DESC", _NO_ROW)


def oldest_first(db: sqlite3.Connection) -> Iterator[Row]:
    """Every row, those that are appended meanwhile as well."""
    yield from _pieces(db, "id > ?", "ASC", -1)


def _by_boot(known: Sequence[Run], shown: Mapping[str, float]) -> str:
    """SQL for what the clock of a row's boot shows. The runs of one boot follow each other."""
    last_runs = {run.started.boot: run.number for run in known}
    conditions = " ".join(f"WHEN run <= {run} THEN {shown[boot]!r}" for boot, run in last_runs.items())
    return f"CASE {conditions} END"


def _pieces(db: sqlite3.Connection, condition: str, order: str, start: int) -> Iterator[Row]:
    query = (
        "SELECT id, boot, journal.since_boot, journal.monotonic, journal.wall, until, checksum, records"
        f" FROM journal JOIN runs ON runs.number = run WHERE {condition} ORDER BY id {order} LIMIT {_AT_A_TIME}"
    )
    last, before = start, None
    while last != before:
        before = last
        for last, boot, since_boot, monotonic, wall, until, checksum, records in db.execute(query, (before,)):
            yield Row(last, Instant(boot, since_boot, monotonic, wall), until, checksum, records)


_NO_ROW = 1 << 62
