"""SQLite's log of commits (``-wal``) after a crash: a torn end is normal, anything else is damage, and is kept.

SQLite reads the log up to the first frame that is not as it was written, and overwrites what is behind. After a power
failure that is at most the one commit that was being written, which nobody was told about. More commits than that
behind the tear were acknowledged: the disk has changed the log.
"""

import os
import shutil
import sqlite3
import struct

from twisted.logger import Logger

from pmip_tw.errors import StoreError

_log = Logger(namespace="pmip.store")

# sqlite.org/fileformat2.html 4.1
_HEADER = struct.Struct(">III4x8s8s")  # magic, version, page size, checkpoint, salts, checksum
_FRAME = struct.Struct(">II8s8x")  # page, pages of the file after a commit or 0, salts, checksum
_WORDS = {0x377F0682: "<6I", 0x377F0683: ">6I"}
"""By the magic number, how the words are ordered that the checksum adds up."""

_PAGE_SIZES = frozenset(1 << bits for bits in range(9, 17))
_USUAL_PAGE = 4096


def keep_if_damaged(db: sqlite3.Connection, path: str) -> None:
    """Copy the log if it has commits that SQLite does not read, before ``db`` writes for the first time.

    StoreError: it must be kept and cannot be copied.
    """
    log = f"{path}-wal"
    try:
        with open(log, "rb") as file:
            octets = file.read()
    except FileNotFoundError:
        return
    # How many frames SQLite has found to be good; -1 if it had no reason to look.
    (_, good, _) = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    if commits_behind(octets, max(good, 0)) < 2:
        return
    copy = free_name(f"{log}.damaged")
    try:
        shutil.copyfile(log, copy)
        os.chmod(copy, 0o600)
    except OSError as error:
        raise StoreError(
            log, f"is damaged, and cannot be copied to {copy} ({error.strerror}): make room, or move it away"
        ) from error
    _log.error(
        "{log}: the disk has damaged it: what was saved last is lost, what was saved before that is there. "
        "{copy} is a copy for whoever looks into it; look at the disk",
        log=log,
        copy=copy,
    )


def keep_if_alone(path: str) -> None:
    """Move the log out of the way if the file that it is of is not there, or empty: SQLite would delete it.

    StoreError: it cannot be moved.
    """
    log = f"{path}-wal"
    if _size(path) or not _size(log):
        return
    kept = free_name(f"{log}.alone")
    try:
        os.rename(log, kept)
    except OSError as error:
        raise StoreError(
            log, f"is of a journal that is not there, and cannot be moved ({error.strerror}): move it away"
        ) from error
    _log.error(
        "{log}: its journal is not there; it is {kept} now. If that journal is found, put it back, and this beside "
        "it as {log}",
        log=log,
        kept=kept,
    )


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0


def free_name(name: str) -> str:
    """``name``, or one like it that nothing has yet."""
    free, number = name, 1
    while os.path.lexists(free):
        number += 1
        free = f"{name}-{number}"
    return free


def commits_behind(log: bytes, good: int) -> int:
    """How many commits of the same log lie behind its first ``good`` frames."""
    if len(log) < _HEADER.size:
        return 0
    _, _, page, salts, _ = _HEADER.unpack_from(log)
    intact = _is_intact(log)
    size = _FRAME.size + (page if intact or page in _PAGE_SIZES else _USUAL_PAGE)
    frames = [_FRAME.unpack_from(log, offset) for offset in range(_HEADER.size, len(log) - size + 1, size)]
    if not intact and frames:
        salts = frames[0][2]
    return sum(1 for _, commit, of in frames[good:] if commit and of == salts)


def _is_intact(log: bytes) -> bool:
    """Whether the header is as it was written."""
    checksum: bytes
    magic, _, _, _, checksum = _HEADER.unpack_from(log)
    if magic not in _WORDS:
        return False
    words = struct.unpack_from(_WORDS[magic], log)
    first = second = 0
    for left, right in zip(words[::2], words[1::2], strict=True):
        first = (first + left + second) & 0xFFFFFFFF
        second = (second + right + first) & 0xFFFFFFFF
    return checksum == struct.pack(">II", first, second)
