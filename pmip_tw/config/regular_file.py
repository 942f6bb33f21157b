"""Opening what must be a file, and not something that would make a daemon wait for ever."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def open_regular(name: str | Path) -> BinaryIO:
    """The file ``name``, without waiting for anybody. OSError: it cannot be read, or is no file."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        _require_regular(os.stat(name).st_mode)
        raise
    try:
        _require_regular(os.fstat(descriptor).st_mode)
    except OSError:
        os.close(descriptor)
        raise
    return open(descriptor, "rb")


def _require_regular(mode: int) -> None:
    for is_kind, kind in _KINDS:
        if is_kind(mode):
            raise OSError(0, f"it is {kind}, not a file")
