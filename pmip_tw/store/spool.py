"""The spool of accounting: a file in SQLite's format, to which records are appended and from which they are dropped.

A change is one transaction, durable when it is told so. A thread of its own writes it, one at a time: whoever has more
to write meanwhile makes one change of it.
"""

import sqlite3
import threading
from collections.abc import Callable, Mapping
from queue import SimpleQueue
from typing import Any
from zlib import crc32

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from zope.interface import implementer

from pmip_tw.aaa.accounting.spool import SpoolChange, SpoolContents
from pmip_tw.errors import StoreError
from pmip_tw.interfaces import ISpool
from pmip_tw.store.journal import ThreadReactor
from pmip_tw.store.layout import is_empty, transaction
from pmip_tw.store.place import Place
from pmip_tw.store.reading import connect
from pmip_tw.store.troubles import SQLITE_ERRORS, trouble

APPLICATION_ID = 0x706D6163
"""``pmac``: by this a file says that it is a spool of accounting."""

VERSION = 1

_TABLES = (
    "CREATE TABLE records (number INTEGER PRIMARY KEY, checksum INTEGER NOT NULL, record BLOB NOT NULL)",
    "CREATE TABLE sessions (id TEXT PRIMARY KEY, checksum INTEGER NOT NULL, record BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE damaged (what TEXT NOT NULL, record BLOB NOT NULL)",
)

_Done = Callable[[StoreError | None], None]


@implementer(ISpool)
class SqliteSpool:
    """A spool in the file ``path``; docs/store.md describes it."""

    _log = Logger(namespace="pmip.accounting")

    def __init__(self, path: str, *, reactor: ThreadReactor) -> None:
        self._path = path
        self._place = Place(path)
        self._reactor = reactor
        self._changes: SimpleQueue[tuple[SpoolChange, _Done] | None] = SimpleQueue()
        self._stopped: Deferred[None] | None = None
        self._open = False

    def start(self) -> SpoolContents:
        try:
            self._place.claim()
        except StoreError as error:
            raise _of_a_spool(error) from error
        try:
            self._db = connect(self._path, "rw")
            try:
                contents = self._begin()
            except BaseException:
                self._db.close()
                raise
        except (*SQLITE_ERRORS, OSError) as error:
            self._place.release()
            raise self._trouble(error) from error
        except BaseException:
            self._place.release()
            raise
        self._open = True
        # A process that ends without stopping ends as if it was killed.
        threading.Thread(target=self._work, name=f"spool {self._path}", daemon=True).start()
        return contents

    def write(self, change: SpoolChange, done: _Done) -> None:
        if self._open:
            self._changes.put((change, done))

    def stop(self) -> "Deferred[None] | None":
        if self._open:
            self._open = False
            self._stopped = Deferred()
            self._changes.put(None)
        return self._stopped

    def _begin(self) -> SpoolContents:
        db = self._db
        if not is_empty(db):
            self._require_spool()
        for name, value, expected in (("journal_mode", "WAL", "wal"), ("synchronous", "FULL", 2)):
            db.execute(f"PRAGMA {name} = {value}")
            if db.execute(f"PRAGMA {name}").fetchone() != (expected,):
                raise StoreError(
                    self._path, "its file system cannot keep a spool: name a path on a local disk in 'spool'"
                )
        with transaction(db):
            if is_empty(db):
                for statement in _TABLES:
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {VERSION}")
                db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            contents = SpoolContents(
                records=dict(self._read("records", "number")), sessions=dict(self._read("sessions", "id"))
            )
        self._place.remember()
        return contents

    def _require_spool(self) -> None:
        (application,) = self._db.execute("PRAGMA application_id").fetchone()
        if application != APPLICATION_ID:
            raise StoreError(self._path, "is the database of another program: name another path in 'spool'")
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version != VERSION:
            raise StoreError(
                self._path,
                f"was written by a newer pmip_tw (version {version}, this program knows {VERSION}):"
                " start that one, or name another path in 'spool'",
            )

    def _read(self, table: str, name: str) -> list[tuple[Any, bytes]]:
        """All of a table in order; what the disk has changed is put aside, and the log says so."""
        good = []
        rows = self._db.execute(f"SELECT {name}, checksum, record FROM {table} ORDER BY {name}").fetchall()
        for key, checksum, octets in rows:
            if isinstance(octets, bytes) and crc32(octets) == checksum:
                good.append((key, octets))
                continue
            self._db.execute(
                f"INSERT INTO damaged SELECT ?, record FROM {table} WHERE {name} = ?", (table, key)
            )
            self._db.execute(f"DELETE FROM {table} WHERE {name} = ?", (key,))
            self._log.error(
                "{path}: the disk has changed {key} of {table}: AAA is not told of it; it is kept in 'damaged'",
                path=self._path,
                key=key,
                table=table,
            )
        return good

    def _work(self) -> None:
        """The thread."""
        for change, done in iter(self._changes.get, None):
            self._reactor.callFromThread(done, self._written(change))
        try:
            self._db.close()
        except sqlite3.Error:
            self._log.failure("{path} cannot be closed", path=self._path)
        self._place.release()
        self._reactor.callFromThread(self._has_stopped)

    def _written(self, change: SpoolChange) -> StoreError | None:
        try:
            self._place.require_files()
            with transaction(self._db):
                self._apply("records", "number", change.records)
                self._apply("sessions", "id", change.sessions)
        except StoreError as error:
            return _of_a_spool(error)
        except SQLITE_ERRORS as error:
            return self._trouble(error)
        except Exception:
            self._log.failure("the spool {path} met a defect", path=self._path)
            return StoreError(self._path, "a record cannot be written: the log says why")
        return None

    def _apply(self, table: str, name: str, changes: Mapping[Any, bytes | None]) -> None:
        there = [(key, crc32(octets), octets) for key, octets in changes.items() if octets is not None]
        gone = [(key,) for key, octets in changes.items() if octets is None]
        self._db.executemany(f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?)", there)
        self._db.executemany(f"DELETE FROM {table} WHERE {name} = ?", gone)

    def _trouble(self, error: Exception) -> StoreError:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:
            return StoreError(self._path, "the disk is full: a restart would not know what is told to AAA")
        return _of_a_spool(trouble(self._path, error))

    def _has_stopped(self) -> None:
        assert self._stopped is not None
        self._stopped.callback(None)


def _of_a_spool(error: StoreError) -> StoreError:
    """In the words of the setting that names it."""
    text = str(error).removeprefix(f"{error.file}: ")
    return StoreError(error.file, text.replace("'store'", "'spool'").replace("journal", "spool"))
