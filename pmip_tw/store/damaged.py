"""Rows that cannot be read: kept aside, out of the way of restarts, until somebody looks at them."""

import sqlite3


def put_aside(db: sqlite3.Connection, number: int, why: str) -> None:
    """Move a row out of the journal; ``why`` it cannot be read."""
    db.execute(
        "INSERT OR REPLACE INTO damaged (id, run, wall, why, records)"
        " SELECT id, coalesce(run, 0), coalesce(wall, 0), ?, coalesce(records, x'') FROM journal WHERE id = ?",
        (why, number),
    )
    db.execute("DELETE FROM journal WHERE id = ?", (number,))
