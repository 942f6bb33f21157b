"""Reading a journal: who wrote it when, and its rows, in pieces so short that they hold nobody up."""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import quote

import attrs

from pmip_tw.store import rows
from pmip_tw.store.clocks import Instant, clocks_now

_AT_A_TIME = 256
_OCTETS_AT_A_TIME = 1 << 20
"""What is read in one transaction, and waits for who asked. The log of commits grows while a transaction lasts."""

RUN = "coalesce((SELECT number FROM runs WHERE first_row <= journal.id ORDER BY number DESC LIMIT 1), 0)"
"""SQL for the run that wrote a row, 0 if that is not known any more. The column of this name says the same, but nothing
would tell if the disk has changed it.
"""


@attrs.frozen(slots=True)
class Run:
    """One process's time with the journal; its rows are numbered from ``first_row`` to where the next one begins."""

    number: int
    first_row: int
    started: Instant


class Row(NamedTuple):
    """The records of one group commit, as they stand in the table.

    The clocks are those of the instant when it was written; ``until``: the ``since_boot`` of its boot until which
    they may matter.
    """

    number: int
    run: int
    since_boot: float
    monotonic: float
    wall: float
    until: float
    checksum: int
    records: bytes

    def verify(self) -> None:
        """UnreadableRow: something in it has changed."""
        _, run, since_boot, monotonic, wall, until, expected, records = self
        if not run:
            raise rows.UnreadableRow("nothing says in which boot it was written")
        rows.verify(expected, records, since_boot, monotonic, wall, until)


def connect(path: str, mode: str) -> sqlite3.Connection:
    """``mode``: "ro" or "rw"; neither makes a file. Every statement is a transaction of its own."""
    return sqlite3.connect(
        f"{file_uri(path)}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
    )


def file_uri(path: str) -> str:
    """As SQLite reads it, whatever characters ``path`` has; two slashes at its beginning are no host's name."""
    return f"file://{quote(os.fsencode(os.path.abspath(path)))}"


def runs(db: sqlite3.Connection) -> list[Run]:
    """Oldest first."""
    found = db.execute(
        "SELECT number, first_row, boot, since_boot, monotonic, wall FROM runs ORDER BY number"
    )
    return [Run(number, first_row, _instant(*started)) for number, first_row, *started in found]


def readings(db: sqlite3.Connection, now: Instant) -> dict[int, float]:
    """For each run in the journal, by number: what the ``since_boot`` of its boot would show at ``now``."""
    seen = []
    known = runs(db)
    if not known:
        raise sqlite3.DatabaseError("nothing says when its rows were written")
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
    by_boot = clocks_now(seen, now)
    return {run.number: by_boot[run.started.boot] for run in known}


def _instant(boot: str, *clocks: float) -> Instant:
    if not all(isinstance(value, float) for value in clocks):
        raise sqlite3.DatabaseError("the disk has made something else of an instant")
    return Instant(boot, *clocks)


def newest_first(db: sqlite3.Connection, shown: Mapping[int, float] | None = None) -> Iterator[Row]:
    """The rows that may still matter, by what the clocks of their runs show (``readings``); None: all rows.

    The journal may be written to meanwhile: what is appended is not met.
    """
    # A time of its own between these two has passed; any other was changed by the disk, which ``verify`` tells.
    matters = "" if shown is None else f" AND (until BETWEEN since_boot AND {_by_run(shown)}) IS NOT TRUE"
    yield from _pieces(db, f"id < ?{matters}", "DESC", _NO_ROW)


def oldest_first(db: sqlite3.Connection) -> Iterator[Row]:
    """Every row, those that are appended meanwhile as well."""
    yield from _pieces(db, "id > ?", "ASC", -1)


def _by_run(shown: Mapping[int, float]) -> str:
    """SQL for what the clock of a row's run shows. Runs of one boot follow each other and show the same."""
    last = {reading: run for run, reading in sorted(shown.items())}
    conditions = " ".join(f"WHEN {RUN} <= {run} THEN {reading!r}" for reading, run in last.items())
    return f"CASE {conditions} END"


def _pieces(db: sqlite3.Connection, condition: str, order: str, start: int) -> Iterator[Row]:
    query = (
        f"SELECT id, {RUN}, since_boot, monotonic, wall, until, checksum, records"
        f" FROM journal WHERE {condition} ORDER BY id {order} LIMIT {_AT_A_TIME}"
    )
    last, before = start, None
    while last != before:
        before = last
        for row in _piece(db.execute(query, (before,))):
            yield row
            last = row.number


def _piece(found: sqlite3.Cursor) -> list[Row]:
    """What ``found`` begins with; nothing of the journal is held any more."""
    piece, octets = [], 0
    for row in map(Row._make, found):
        piece.append(row)
        octets += len(row.records) if isinstance(row.records, bytes) else 0
        if octets >= _OCTETS_AT_A_TIME:
            break
    found.close()
    return piece


_NO_ROW = 1 << 62
