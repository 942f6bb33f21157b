"""What SQLite complains about, as an operator should read it: what is wrong, and what to do."""

import sqlite3

from pmip_tw.errors import StoreError

_TEXTS = {
    sqlite3.SQLITE_FULL: "the disk is full: nothing is saved, and nobody registered, until there is room",
    sqlite3.SQLITE_READONLY: "cannot be written, it is read-only: mount its file system with rw, chmod u+w it",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: the daemon's user must be able to make files in its directory",
    sqlite3.SQLITE_BUSY: "another program holds it locked: end that program",
    sqlite3.SQLITE_NOTADB: "is no journal, or its beginning is destroyed: move it away, or name another in 'store'",
    sqlite3.SQLITE_CORRUPT: "is damaged: move it and what lies beside it (-wal, -shm) away to begin anew;"
    " pmipctl store export shows what can still be read",
}
_OTHERWISE = (
    "cannot be read or written: look at the disk and the kernel's log, or name another path in 'store'"
)


def trouble(path: str, error: sqlite3.Error) -> StoreError:
    """``error`` in SQLite's words and ours."""
    code = getattr(error, "sqlite_errorcode", None)
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    text = _TEXTS.get(code & 0xFF, _OTHERWISE) if isinstance(code, int) else _OTHERWISE
    return StoreError(path, f"{text} ({name}: {error})")
