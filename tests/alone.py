"""Tests run beside each other, in as many processes as the machine has cores (pytest-xdist), except where one measures.

Whoever runs a test is in the room; who wants to be alone shuts the door and waits until all others have left. The locks
are on files of this checkout, so that a process that dies has left, too.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_door = os.open(__file__, os.O_RDONLY)
_room = os.open(Path(__file__).with_name("conftest.py"), os.O_RDONLY)


def _enter(how: int) -> None:
    """``how``: LOCK_SH beside others. Who waits in the door keeps it: else there would always be somebody inside."""
    fcntl.flock(_door, fcntl.LOCK_EX)
    try:
        fcntl.flock(_room, how)
    finally:
        fcntl.flock(_door, fcntl.LOCK_UN)


def _leave() -> None:
    fcntl.flock(_room, fcntl.LOCK_UN)


@contextmanager
def beside_others() -> Iterator[None]:
    """Around every test: see conftest.py."""
    _enter(fcntl.LOCK_SH)
    try:
        yield
    finally:
        _leave()


@contextmanager
def alone() -> Iterator[None]:
    """In a test, or in a fixture: no other test of this checkout runs meanwhile."""
    _leave()
    _enter(fcntl.LOCK_EX)
    try:
        yield
    finally:
        _leave()
        _enter(fcntl.LOCK_SH)
