"""What SQLite complains about, as an operator should read it: what is wrong, and what to do."""

import sqlite3

from pmip_tw.errors import StoreError

_NO_FILES = (
    "the daemon's user cannot make files in its directory, as SQLite must: chown the directory to that user"
)
_DAMAGED = (
    "is damaged: move it and what lies beside it (-wal, -shm) away to begin anew;"
    " pmipctl store export shows what can still be read"
)
_FULL = "the disk is full: nothing is saved, and nobody registered, until there is room"
_TEXTS = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR_SHMSIZE: _FULL,  # there is none for its -shm, at the start
    sqlite3.SQLITE_READONLY: "cannot be written, it is read-only: mount its file system rw, or chmod u+w it",
    sqlite3.SQLITE_CANTOPEN: _NO_FILES,
    sqlite3.SQLITE_READONLY_DIRECTORY: _NO_FILES,
    sqlite3.SQLITE_BUSY: "another program holds it locked: end that program",
    sqlite3.SQLITE_NOTADB: "is no journal, or its beginning is destroyed: move it away, or name another in 'store'",
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
}
_OTHERWISE = (
    "cannot be read or written: look at the disk and the kernel's log, or name another path in 'store'"
)


SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""What the module sqlite3 raises; the second where SQLite quotes a damaged text in its complaint."""


def trouble(path: str, error: Exception) -> StoreError:
    """``error``, one of ``SQLITE_ERRORS`` or an OSError, in its words and ours."""
    if isinstance(error, OSError):
        return StoreError(error.filename or path, f"{_OTHERWISE} ({error.strerror})")
    if not isinstance(error, sqlite3.Error):
        return StoreError(path, _DAMAGED)
    if type(error) is sqlite3.DatabaseError and not hasattr(error, "sqlite_errorcode"):
        return StoreError(path, f"{_DAMAGED} ({error})")  # of ours: contents that cannot be true
    code = getattr(error, "sqlite_errorcode", None)
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    text = _TEXTS.get(code) or _TEXTS.get(code & 0xFF, _OTHERWISE) if isinstance(code, int) else _OTHERWISE
    return StoreError(path, f"{text} ({name}: {error})")
