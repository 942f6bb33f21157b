"""What a restart gets of a journal: the rows that may still matter, with what makes their instants instants of now."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing

from twisted.logger import Logger

from pmip_tw.mobility.records import Record, Superseded
from pmip_tw.store.clocks import Instant, shift
from pmip_tw.store.damaged import put_aside
from pmip_tw.store.layout import transaction
from pmip_tw.store.reading import connect, newest_first, readings
from pmip_tw.store.rows import RowCodec, UnreadableRow
from pmip_tw.store.troubles import SQLITE_ERRORS, trouble

_log = Logger(namespace="pmip.store")


def load(
    path: str, codec: RowCodec, now: Instant, superseded: Superseded | None = None
) -> Iterator[tuple[float, Sequence[Record]]]:
    """As ``IBindingStore.load``. A row that cannot be read is put aside, and the log says which."""
    try:
        with closing(connect(path, "rw")) as db:
            unreadable = []
            shown = readings(db, now)
            for row in newest_first(db, shown):
                try:
                    row.verify()
                    if superseded is not None and codec.is_superseded(row.records, superseded):
                        continue
                    records = codec.decode(row.records)
                except UnreadableRow as error:
                    unreadable.append((row.number, str(error)))
                    continue
                yield shift(row, now, shown[row.run]), records
            _put_aside(db, path, unreadable)
    except SQLITE_ERRORS as error:
        raise trouble(path, error) from error


def _put_aside(db: sqlite3.Connection, path: str, unreadable: Sequence[tuple[int, str]]) -> None:
    for number, why in unreadable:
        with transaction(db):
            put_aside(db, number, why)
        _log.error(
            "{path}: row {number} cannot be read, what it had is not restored: {why}. It is kept aside; "
            "pmipctl store check {path} lists what is",
            path=path,
            number=number,
            why=why,
        )
