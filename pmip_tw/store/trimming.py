"""The old end of a journal: rows are dropped when their horizon has passed, many at a time and never too many."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pmip_tw.store.clocks import Instant
from pmip_tw.store.reading import RUN

MOST_ROWS = 256
MOST_OCTETS = 1 << 19
"""Of one step, which appends wait for: some milliseconds. Behind a commit of more it is twice as much as that was, so
that a slow disk, whose commits are large, does not fill.
"""

_PORTION = 100
"""Rows may stay for a hundredth of the horizon longer: then there are many, and one transaction drops them."""


class _Old(NamedTuple):
    """A row at the old end. ``dies``: when its horizon passes, by the clock ``since_boot`` of this boot."""

    number: int
    dies: float
    octets: int


class Trimming:
    """Which rows of ``db`` are to go.

    ``readings``: what the clock ``since_boot`` of each run in the journal showed at ``now``.
    """

    def __init__(
        self, db: sqlite3.Connection, readings: Mapping[int, float], now: Instant, horizon: float
    ) -> None:
        self._db = db
        self._ahead = {run: reading - now.since_boot for run, reading in readings.items()}
        self._slack = horizon / _PORTION
        self._next_look = now.since_boot

    def step(self, now: Instant, newest: int, written: int) -> None:
        """Drop the oldest rows that are dead, if it is time to look.

        ``newest``: the row that stays in any case; ``written``: octets of the last commit.
        """
        if now.since_boot < self._next_look:
            return
        self._next_look = now.since_boot + self._slack
        oldest = self._oldest(newest)
        dead = self._dead(oldest, now.since_boot, max(MOST_OCTETS, 2 * written))
        if dead:
            self._db.execute("DELETE FROM journal WHERE id <= ?", (oldest[dead - 1].number,))
        if dead < len(oldest):
            self._next_look = max(oldest[dead].dies + self._slack, now.since_boot)
        elif len(oldest) == MOST_ROWS:
            self._next_look = now.since_boot

    def _dead(self, oldest: Sequence[_Old], now: float, most: int) -> int:
        """How many of ``oldest`` to drop in one step, of ``most`` octets but for the first."""
        octets = 0
        for count, row in enumerate(oldest):
            octets += row.octets
            if row.dies > now or (octets > most and count):
                return count
        return len(oldest)

    def _oldest(self, newest: int) -> list[_Old]:
        found = self._db.execute(
            f"SELECT id, {RUN}, until, length(records) FROM journal WHERE id < ? ORDER BY id LIMIT ?",
            (newest, MOST_ROWS),
        ).fetchall()
        return [_Old(number, until - self._ahead[run], length) for number, run, until, length in found]
