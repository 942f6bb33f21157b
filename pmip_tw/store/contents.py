"""What a journal holds, for people: without the program that wrote it, beside it if it runs, and without any key.

The journal says itself what its records are (``kinds``); what is secret is marked as such in the octets (``rows``).
"""

import os
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from glob import escape, glob
from math import isfinite
from typing import Any

import attrs

from pmip_tw.addresses import Ipv4, ipv4_text, mac_text
from pmip_tw.errors import StoreError
from pmip_tw.secret import Secret
from pmip_tw.store import reading
from pmip_tw.store.clocks import shift, system_clocks
from pmip_tw.store.kinds import Kind, described
from pmip_tw.store.layout import LAYOUT, require_journal, stored_form
from pmip_tw.store.place import holder
from pmip_tw.store.rows import UnreadableRow, decode_fields
from pmip_tw.store.troubles import SQLITE_ERRORS, trouble

Row = dict[str, Any]
"""Plain values for JSON."""

HIDDEN = "hidden"
OCTETS = "hex:"
"""What octets begin with that are no text."""


@attrs.define(slots=True)
class Report:
    """What ``check`` has found. ``live``: of each noun, how many a restart would bring."""

    file: str
    role: str
    tables: int
    records: int
    size: int
    in_use_by: int | None
    rows: int = 0
    kinds: Counter[str] = attrs.field(factory=Counter)
    live: Counter[str] = attrs.field(factory=Counter)
    newest: float | None = None
    problems: list[str] = attrs.field(factory=list)


def live(path: str) -> Iterator[Row]:
    """What a restart would bring, newest first: of each thing the newest record, if it does not say that it ended.

    StoreError: the journal cannot be read (on).
    """
    with _looking(path) as journal:
        yield from journal.live()


def exported(path: str) -> Iterator[Row]:
    """Every record, oldest first; of a damaged file what can be read from its beginning and, backwards, from its end.

    StoreError: that was not everything.
    """
    with _looking(path) as journal:
        yield from journal.exported()


def checked(path: str) -> Report:
    """Everything looked at once. StoreError: it is no journal, or none that this program knows."""
    with _looking(path) as journal:
        return journal.checked()


@contextmanager
def _looking(path: str) -> "Iterator[_Contents]":
    log = f"{os.path.realpath(path)}-wal"
    at_rest = not os.path.exists(log)
    try:
        with closing(_connected(path, at_rest=at_rest)) as db:
            require_journal(db, path)
            (tables,) = db.execute("PRAGMA user_version").fetchone()
            if tables != LAYOUT.version:
                raise StoreError(
                    path, f"its tables are of version {tables}; this program reads {LAYOUT.version}"
                )
            yield _Contents(path, db)
    except SQLITE_ERRORS as error:
        raise trouble(path, error) from error
    finally:
        if at_rest and os.path.exists(log):
            raise StoreError(path, "its daemon was started while we looked: look again")


def _connected(path: str, *, at_rest: bool) -> sqlite3.Connection:
    """Open for reading. ``at_rest``: nobody writes to it, so that SQLite need not make files beside it to ask."""
    try:
        with open(path, "rb"):
            pass
    except OSError as error:
        raise StoreError(path, f"cannot be read: {error.strerror}{_advice(path, error)}") from error
    if not at_rest:
        return reading.connect(path, "ro")
    return sqlite3.connect(f"{reading.file_uri(path)}?immutable=1", uri=True, isolation_level=None)


def _advice(path: str, error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "; run this as the daemon's user, or as root"
    if isinstance(error, IsADirectoryError):
        return "; name a file in it, as 'store' does"
    parts = sorted(glob(f"{escape(path)}.*-of-*[0-9]"))
    return f"; there is one for each worker: {', '.join(parts)}" if parts else ""


class _Contents:
    def __init__(self, path: str, db: sqlite3.Connection) -> None:
        self._path = path
        self._db = db
        self._kinds = described(db)
        self._now = system_clocks()()
        self._shown = reading.readings(db, self._now)

    def live(self) -> Iterator[Row]:
        for kind, row, record in self._standing():
            yield {"about": kind.about, **self._plain(kind, record, row)}

    def exported(self) -> Iterator[Row]:
        last = -1
        try:
            for row in reading.oldest_first(self._db):
                yield from self._lines(row)
                last = row.number
        except SQLITE_ERRORS:
            for row in reading.newest_first(self._db):
                if row.number <= last:
                    break
                yield from self._lines(row)
            raise

    def checked(self) -> Report:
        role, records = stored_form(self._db)
        report = Report(
            self._path, role, LAYOUT.version, records, os.path.getsize(self._path), holder(self._path)
        )
        found = [text for (text,) in self._db.execute("PRAGMA integrity_check(10)")]
        report.problems += [f"{self._path}: {text}" for text in found if text != "ok"]
        for row in reading.oldest_first(self._db):
            report.rows += 1
            try:
                report.kinds.update(self._kind(record).name for record in _fields(row))
                report.newest = row.wall
            except UnreadableRow as error:
                report.problems.append(f"{self._path}: row {row.number} cannot be read: {error}")
        for number, why in self._db.execute("SELECT id, why FROM damaged ORDER BY id"):
            report.problems.append(f"{self._path}: row {number} was put aside: {why}")
        report.live.update(kind.about for kind, _, _ in self._standing())
        return report

    def _standing(self) -> Iterator[tuple[Kind, reading.Row, list[Any]]]:
        """The records that say how things are: the newest about each, if its deadline has not passed."""
        known: dict[str, set[object]] = {kind.about: set() for kind in self._kinds.values()}
        for row in reading.newest_first(self._db, self._shown):
            try:
                records = [(self._kind(record), record) for record in _fields(row)]
            except UnreadableRow:
                continue
            for kind, record in reversed(records):
                which = _one_or_all([_hashable(value) for value in kind.which(record)])
                if which in known[kind.about]:
                    continue
                known[kind.about].add(which)
                if not kind.ends and not self._is_over(kind.named(record).get("deadline"), row):
                    yield kind, row, record

    def _kind(self, record: list[Any]) -> Kind:
        """UnreadableRow: it is of no kind that the journal knows."""
        if not record or record[0] not in self._kinds:
            raise UnreadableRow(f"it has a record of an unknown kind ({record[:1]})")
        return self._kinds[record[0]]

    def _is_over(self, deadline: object, row: reading.Row) -> bool:
        return isinstance(deadline, float | int) and self._remaining(deadline, row) <= 0

    def _remaining(self, deadline: float, row: reading.Row) -> float:
        if row.run not in self._shown:  # the daemon was started while we look
            self._shown = reading.readings(self._db, self._now)
        return deadline + shift(row, self._now, self._shown[row.run]) - self._now.monotonic

    def _lines(self, row: reading.Row) -> Iterator[Row]:
        try:
            for record in _fields(row):
                kind = self._kind(record)
                place = {"row": row.number, "time": round(row.wall, 3), "kind": kind.name}
                yield place | self._plain(kind, record, row)
        except UnreadableRow as error:
            yield {"row": row.number, "unreadable": str(error)}

    def _plain(self, kind: Kind, record: list[Any], row: reading.Row) -> Row:
        """Named fields; instants as Unix time, a deadline with the seconds until then."""
        found: Row = {}
        for name, value in kind.named(record).items():
            if name == "deadline" and isinstance(value, float | int):
                if not isfinite(value):
                    continue  # for ever
                remaining = self._remaining(value, row)
                found |= {"remaining": round(remaining), "expires": round(self._now.wall + remaining, 3)}
            elif name.endswith("_at") and isinstance(value, float):
                if isfinite(value):  # it has never been otherwise
                    found[name] = round(row.wall + value - row.monotonic, 3)
            else:
                found[name] = _shown(value, kind.forms.get(name, ""))
        return found


def _fields(row: reading.Row) -> list[list[Any]]:
    row.verify()
    return decode_fields(row.records)


def _hashable(value: object) -> object:
    return tuple(map(_hashable, value)) if isinstance(value, list) else value


def _one_or_all(values: list[object]) -> object:
    """What says which thing it is: nearly always one value, and of a million of them each is remembered."""
    return values[0] if len(values) == 1 else tuple(values)


def _shown(value: object, form: str) -> object:
    """A plain value; a Secret in none of its octets."""
    if isinstance(value, Secret):
        return HIDDEN
    if isinstance(value, list):
        return [_shown(part, form) for part in value]
    if isinstance(value, Mapping):
        return {str(_shown(name, "")): _shown(part, form) for name, part in value.items()}
    if isinstance(value, bytes):
        return mac_text(value) if form == "mac" else _text(value)
    if form == "address" and isinstance(value, int):
        return ipv4_text(Ipv4(value))
    return value


def _text(octets: bytes) -> str:
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        text = ""
    return text if text.isprintable() and (text or not octets) else f"{OCTETS}{octets.hex()}"
