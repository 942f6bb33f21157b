"""The clock of a running agent, on a Twisted reactor."""

import os
import time
from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall
from zope.interface import implementer

from pmip_tw.interfaces import IClock
from pmip_tw.mobility.clock import Now
from pmip_tw.net.reactor import TimeReactor

LONGEST_SLEEP = 30.0
"""Seconds. The reactor's clock is wall time, which may be set: sleeping shorter bounds the damage."""


@implementer(IClock)
class ReactorClock:
    """Deadlines live on the monotonic clock; the reactor only wakes us."""

    def __init__(self, reactor: TimeReactor) -> None:
        self._reactor = reactor
        self._callback: Callable[[], None] | None = None
        self._deadline: float | None = None
        self._call: IDelayedCall | None = None
        self._fires_at = 0.0

    def now(self) -> Now:
        return Now(time.monotonic(), time.time(), os.urandom)

    def wake_at(self, deadline: float | None, callback: Callable[[], None]) -> None:
        self._callback = callback
        self._deadline = deadline
        if deadline is None:
            self._cancel()
        # A call that comes too early is put off when it fires: cheaper than moving it at every message.
        elif self._call is None or deadline < self._fires_at:
            self._cancel()
            self._arm(deadline)

    def _arm(self, deadline: float) -> None:
        delay = min(max(0.0, deadline - time.monotonic()), LONGEST_SLEEP)
        self._fires_at = time.monotonic() + delay
        self._call = self._reactor.callLater(delay, self._fire)

    def _cancel(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call.cancel()

    def _fire(self) -> None:
        self._call = None
        deadline, callback = self._deadline, self._callback
        if deadline is None or callback is None:
            return
        if time.monotonic() < deadline:
            self._arm(deadline)
            return
        self._deadline = None
        callback()
