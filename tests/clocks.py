"""The machine's real clock as IClock, for tests of edges that only read it."""

import os
import time
from collections.abc import Callable

from zope.interface import implementer

from pmip_tw.interfaces import IClock
from pmip_tw.mobility.clock import Now


@implementer(IClock)
class UnarmedClock:
    """Tells the time; whoever arms it makes the test fail."""

    def now(self) -> Now:
        return Now(time.monotonic(), time.time(), os.urandom)

    def wake_at(self, deadline: float | None, callback: Callable[[], None]) -> None:
        raise AssertionError("this clock's wake-up belongs to somebody else")
