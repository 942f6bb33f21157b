"""Tests run beside each other, in several processes (pytest-xdist), except where one measures.

Whoever runs a test is in the room; who wants to be alone shuts the door and waits until all others have left. The locks
are on files of this checkout, so that a process that dies has left, too.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final


class Room:
    """``door`` and ``inside``: two files, the same for all who are to share it."""

    def __init__(self, door: Path, inside: Path) -> None:
        self._door = os.open(door, os.O_RDONLY)
        self._inside = os.open(inside, os.O_RDONLY)

    @contextmanager
    def beside_others(self) -> Iterator[None]:
        self._enter(fcntl.LOCK_SH)
        try:
            yield
        finally:
            self._leave()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """For one who is inside."""
        self._leave()
        self._enter(fcntl.LOCK_EX)
        try:
            yield
        finally:
            self._leave()
            self._enter(fcntl.LOCK_SH)

    def _enter(self, how: int) -> None:
        """Who waits in the door keeps it: else there would always be somebody inside."""
        fcntl.flock(self._door, fcntl.LOCK_EX)
        try:
            fcntl.flock(self._inside, how)
        finally:
            fcntl.flock(self._door, fcntl.LOCK_UN)

    def _leave(self) -> None:
        fcntl.flock(self._inside, fcntl.LOCK_UN)


TESTS: Final = Room(Path(__file__), Path(__file__).with_name("conftest.py"))
"""Where every test of this checkout is: see conftest.py."""
