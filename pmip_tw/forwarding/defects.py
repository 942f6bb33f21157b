"""Packets that break our code: each costs itself and none of those behind it, and their sender cannot fill the disk."""

import time
from collections.abc import Callable
from typing import Final

from twisted.logger import Logger
from twisted.python.failure import Failure

TELL_EVERY: Final = 10.0
"""Seconds between two lines about them."""


class Defects:
    """Of packets of ``what``: the first exception of a kind is told with its traceback, the others are counted."""

    _log = Logger()

    def __init__(self, what: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._monotonic = monotonic
        self._kinds_told: set[type[Exception]] = set()
        self._untold = 0
        self._tell_at = 0.0

    def met(self, error: Exception) -> None:
        now = self._monotonic()
        if type(error) not in self._kinds_told:
            self._kinds_told.add(type(error))
            self._log.failure("a packet of {what} could not be handled", Failure(error), what=self._what)
            self._tell_at = now + TELL_EVERY
            return
        self._untold += 1
        if now < self._tell_at:
            return
        self._log.error(
            "{count} more packets of {what} could not be handled; the last: {error!r}",
            count=self._untold,
            what=self._what,
            error=error,
        )
        self._untold = 0
        self._tell_at = now + TELL_EVERY
