"""The tables of a journal, in versions: an earlier one is migrated, a later one and a stranger's file are refused.

There are two versions: that of these tables is SQLite's ``user_version``; that of the records, which the core counts,
stands in ``form``. docs/store.md describes both.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import attrs

from pmip_tw.errors import StoreError
from pmip_tw.mobility.records import Fields, JournalFormat
from pmip_tw.store import rows
from pmip_tw.store.damaged import put_aside
from pmip_tw.store.kinds import describe

APPLICATION_ID = 0x706D6970
"""``pmip``: by this a file says that it is a journal."""

_TABLES = (
    "CREATE TABLE form (role TEXT NOT NULL, version INTEGER NOT NULL)",
    "CREATE TABLE kinds (tag INTEGER PRIMARY KEY, description TEXT NOT NULL)",
    "CREATE TABLE runs (number INTEGER PRIMARY KEY, first_row INTEGER NOT NULL, boot TEXT NOT NULL,"
    " since_boot REAL NOT NULL, monotonic REAL NOT NULL, wall REAL NOT NULL)",
    "CREATE TABLE journal (id INTEGER PRIMARY KEY, run INTEGER NOT NULL,"
    " since_boot REAL NOT NULL, monotonic REAL NOT NULL, wall REAL NOT NULL, until REAL NOT NULL,"
    " checksum INTEGER NOT NULL, records BLOB NOT NULL)",
    "CREATE TABLE damaged (id INTEGER PRIMARY KEY, run INTEGER NOT NULL, wall REAL NOT NULL,"
    " why TEXT NOT NULL, records BLOB NOT NULL)",
)

_AT_A_TIME = 100
"""Rows that a migration has in memory."""


@attrs.frozen(slots=True)
class Layout:
    """The tables of this program; ``steps[n]`` makes version n into n+1, inside the transaction that it is given."""

    version: int
    steps: Mapping[int, Callable[[sqlite3.Connection], None]] = attrs.field(factory=dict)


LAYOUT = Layout(1)


def prepare(db: sqlite3.Connection, path: str, form: JournalFormat, layout: Layout = LAYOUT) -> None:
    """Make an empty file a journal, or an earlier version's this version's; to be called inside a transaction.

    StoreError: it is a newer version's, another role's or no journal, and nothing was changed.
    """
    if is_empty(db):
        _create(db, form, layout)
        return
    require_journal(db, path)
    found = _pragma(db, "user_version")
    _require_step(path, "tables", found, layout.version, layout.steps)
    for version in range(found, layout.version):
        layout.steps[version](db)
    db.execute(f"PRAGMA user_version = {layout.version}")
    _migrate_records(db, path, form)
    describe(db, form)


def is_empty(db: sqlite3.Connection) -> bool:
    """Whether nothing was ever written to the file."""
    return _pragma(db, "application_id") == 0 and not db.execute("SELECT 1 FROM sqlite_master").fetchone()


def require_journal(db: sqlite3.Connection, path: str) -> None:
    """StoreError: the file is something else."""
    if _pragma(db, "application_id") != APPLICATION_ID:
        raise StoreError(path, "is the database of another program: name another path in 'store'")


def _create(db: sqlite3.Connection, form: JournalFormat, layout: Layout) -> None:
    for statement in _TABLES:
        db.execute(statement)
    db.execute("INSERT INTO form (role, version) VALUES (?, ?)", (form.role, form.version))
    describe(db, form)
    db.execute(f"PRAGMA user_version = {layout.version}")
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def _migrate_records(db: sqlite3.Connection, path: str, form: JournalFormat) -> None:
    role, found = stored_form(db)
    if role != form.role:
        raise StoreError(path, f"is the journal of another role ({role}): name another path in 'store'")
    _require_step(path, "records", found, form.version, form.migrations)
    if found == form.version:
        return
    for number, checksum, row, *clocks in _journal(db):
        try:
            rows.verify(checksum, row, *clocks)
            records = rows.decode_fields(row)
        except rows.UnreadableRow as error:
            put_aside(db, number, str(error))
            continue
        for version in range(found, form.version):
            records = _migrated(records, form.migrations[version])
        octets = rows.encode_fields(records)
        checked = (octets, rows.checksum(octets, *clocks), number)
        db.execute("UPDATE journal SET records = ?, checksum = ? WHERE id = ?", checked)
    db.execute("DELETE FROM kinds")
    db.execute("UPDATE form SET version = ?", (form.version,))


def _migrated(records: list[Fields], step: Callable[[Fields], list[Fields]]) -> list[Fields]:
    return [later for record in records for later in step(record)]


def stored_form(db: sqlite3.Connection) -> tuple[str, int]:
    """Whose journal it is, and which version its records have."""
    role, version = db.execute("SELECT role, version FROM form").fetchone() or (None, None)
    if not isinstance(role, str) or not isinstance(version, int):
        raise sqlite3.DatabaseError("it does not say whose it is")
    return role, version


def _journal(db: sqlite3.Connection) -> Iterator[tuple[int, int, bytes, float, float, float, float]]:
    """Number, checksum, records and clocks of every row, oldest first; rows may be changed meanwhile."""
    last = -1
    query = (
        "SELECT id, checksum, records, since_boot, monotonic, wall, until FROM journal"
        " WHERE id > ? ORDER BY id LIMIT ?"
    )
    while some := db.execute(query, (last, _AT_A_TIME)).fetchall():
        yield from some
        last = some[-1][0]


def _require_step(path: str, what: str, found: int, ours: int, steps: Mapping[int, object]) -> None:
    if found > ours:
        raise StoreError(
            path,
            f"was written by a newer pmip_tw (version {found} of its {what}, this program knows {ours}):"
            " start that one, or name another path in 'store'",
        )
    missing = [version for version in range(found, ours) if version not in steps]
    if missing:
        raise StoreError(
            path,
            f"was written by a pmip_tw too old for this one (version {found} of its {what}):"
            " start one in between first, or name another path in 'store'",
        )


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _pragma(db: sqlite3.Connection, name: str) -> int:
    value: int = db.execute(f"PRAGMA {name}").fetchone()[0]
    return value
