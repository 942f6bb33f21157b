"""Rows that cannot be read: kept aside, out of the way of restarts, until somebody looks at them."""

import os
import sqlite3
from contextlib import closing

from pmip_tw.store.reading import connect
from pmip_tw.store.troubles import SQLITE_ERRORS


def put_aside(db: sqlite3.Connection, number: int, why: str) -> None:
    """Move a row out of the journal; ``why`` it cannot be read."""
    db.execute(
        "INSERT OR REPLACE INTO damaged (id, run, wall, why, records)"
        " SELECT id, coalesce(run, 0), coalesce(wall, 0), ?, coalesce(records, x'') FROM journal WHERE id = ?",
        (why, number),
    )
    db.execute("DELETE FROM journal WHERE id = ?", (number,))


def has_any(path: str) -> bool:
    """Whether the journal at ``path``, which nobody uses, keeps something aside; it may, if that cannot be told."""
    if not os.path.getsize(path):
        return False
    try:
        with closing(connect(path, "rw")) as db:
            return db.execute("SELECT 1 FROM damaged LIMIT 1").fetchone() is not None
    except SQLITE_ERRORS:
        return True
