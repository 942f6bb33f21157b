"""The file of a journal, open for writing: rows are appended, each commit durable, and the oldest are dropped."""

from collections.abc import Sequence
from sqlite3 import DatabaseError

from pmip_tw.errors import StoreError
from pmip_tw.mobility.records import JournalFormat, Record
from pmip_tw.store import log_of_commits
from pmip_tw.store.clocks import Clocks, Instant
from pmip_tw.store.layout import LAYOUT, Layout, is_empty, prepare, require_journal, transaction
from pmip_tw.store.place import Place
from pmip_tw.store.reading import RUN, connect, readings
from pmip_tw.store.rows import RowCodec, checksum
from pmip_tw.store.trimming import Trimming
from pmip_tw.store.troubles import SQLITE_ERRORS, trouble

MOST_RECORDS = 4096
"""Of one row. What is appended at once may be more, and becomes several rows of one transaction."""

_PAGES_BETWEEN_CHECKPOINTS = 1000
"""Four megabytes: what the log of commits grows to before it is carried over, some milliseconds of work."""

_LOG_OCTETS = 16 << 20
"""What the log is cut to after somebody's long look has let it grow."""

SYNCHRONOUS = ("FULL", 2)
"""Every commit waits until the disk has it; in words, and as SQLite answers."""

_INSERT = "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


class Database:
    """One process's hold on the file of ``place``."""

    def __init__(self, place: Place, form: JournalFormat, *, horizon: float, clocks: Clocks) -> None:
        """``horizon``: seconds after which nothing in a row can matter."""
        self._place = place
        self._form = form
        self._codec = RowCodec(form)
        self._horizon = horizon
        self._clocks = clocks
        self._written = 0

    def open(self, layout: Layout = LAYOUT) -> None:
        """StoreError: the file cannot be used, and was not changed."""
        self._place.claim()
        try:
            log_of_commits.keep_if_alone(self._place.path)
            self._db = connect(self._place.path, "rw")
            try:
                self._begin(layout)
            except BaseException:
                self._db.close()
                raise
        except (*SQLITE_ERRORS, OSError) as error:
            self._place.release()
            raise trouble(self._place.path, error) from error
        except BaseException:
            self._place.release()
            raise

    def _begin(self, layout: Layout) -> None:
        db, path = self._db, self._place.path
        if not is_empty(db):
            require_journal(db, path)  # before anything is changed that its owner would notice
        log_of_commits.keep_if_damaged(db, path)
        self._require("journal_mode", "WAL", "wal")
        self._require("synchronous", *SYNCHRONOUS)
        db.execute(f"PRAGMA wal_autocheckpoint = {_PAGES_BETWEEN_CHECKPOINTS}")
        db.execute(f"PRAGMA journal_size_limit = {_LOG_OCTETS}")
        with transaction(db):  # a start that fails on the way has changed nothing
            prepare(db, path, self._form, layout)
            now = self._clocks()
            self._begin_run(now)
            self._trimming = Trimming(db, readings(db, now), now, self._horizon)
        self._place.remember()

    def _begin_run(self, now: Instant) -> None:
        db = self._db
        (newest,) = db.execute("SELECT max(id) FROM journal").fetchone()
        (run, first) = db.execute("SELECT max(number), max(first_row) FROM runs").fetchone()
        if newest and not run:
            raise DatabaseError("nothing says when its rows were written")
        self._run = (run or 0) + 1
        self._next = max((newest or 0) + 1, first or 1)
        db.execute(f"DELETE FROM runs WHERE number < (SELECT {RUN} FROM journal ORDER BY id LIMIT 1)")
        # Those that wrote nothing: a daemon that starts and ends all night makes many. What tells when a boot began and
        # ended by its clocks stays.
        db.execute(
            "DELETE FROM runs WHERE first_row >= ?"
            " AND number NOT IN (SELECT min(number) FROM runs GROUP BY boot)"
            " AND number NOT IN (SELECT max(number) FROM runs GROUP BY boot)",
            (self._next,),
        )
        db.execute(
            "INSERT INTO runs (number, first_row, boot, since_boot, monotonic, wall) VALUES (?, ?, ?, ?, ?, ?)",
            (self._run, self._next, now.boot, now.since_boot, now.monotonic, now.wall),
        )

    def _require(self, name: str, value: str, expected: object) -> None:
        """Set it and look whether it is so: some file systems cannot do what is asked of them."""
        self._db.execute(f"PRAGMA {name} = {value}")
        (found,) = self._db.execute(f"PRAGMA {name}").fetchone()
        if found != expected:
            raise StoreError(
                self._place.path,
                f"its file system cannot keep a journal ({name} is {found} in place of {expected}):"
                " name a path on a local disk in 'store'",
            )

    def write(self, records: Sequence[Record]) -> None:
        """Durable when it returns. StoreError: nothing of it is in the journal."""
        now = self._clocks()
        clocks = (now.since_boot, now.monotonic, now.wall, now.since_boot + self._horizon)
        pieces = [records[start : start + MOST_RECORDS] for start in range(0, len(records), MOST_RECORDS)]
        rows = []
        for number, piece in enumerate(pieces, self._next):
            octets = self._codec.encode(piece)
            rows.append((number, self._run, *clocks, checksum(octets, *clocks), octets))
        self._place.require_files()
        try:
            if len(rows) == 1:
                self._db.execute(_INSERT, rows[0])  # a transaction of its own, for a third of the work
            else:
                with transaction(self._db):
                    self._db.executemany(_INSERT, rows)
        except SQLITE_ERRORS as error:
            raise trouble(self._place.path, error) from error
        self._next += len(rows)
        self._written = sum(len(row[-1]) for row in rows)

    def trim(self) -> None:
        """Drop some of the rows that cannot matter any more, if there are enough of them."""
        self._trimming.step(self._clocks(), self._next - 1, self._written)

    def close(self) -> None:
        self._db.close()
        self._place.release()
