"""Writes what happens to the log: one line each, with whose, where and the true cause."""

import math
from itertools import islice
from typing import Any

import attrs
from twisted.logger import Logger, LogLevel
from zope.interface import implementer

from pmip_tw.interfaces import IObserver
from pmip_tw.manage.render import fields_text, printable
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.observations import Alike, Observation

LINES_PER_SECOND = 20
"""Of one kind; a flood is counted, not written."""

MOST_KINDS = 1_000
"""Kinds that are told apart. They are words of our own programs; should a peer ever choose one, there is a bound."""

Kind = tuple[str, str]
"""Name and reason of an observation: a flood of one hides no other."""


@attrs.define(slots=True)
class _Window:
    """One second of one kind."""

    opened: float
    written: int = 0
    suppressed: int = 0


@implementer(IObserver)
class LogObserver:
    """One structured ``twisted.logger`` event for each observation: info, or warn if something went wrong.

    Fields: ``event`` (the name), ``nai``, ``session``, ``reason``, ``cause``, ``details``. Text from peers is
    written without control characters, so that nobody can forge a line or drive a terminal.
    """

    def __init__(self, logger: Logger | None = None, lines_per_second: int = LINES_PER_SECOND) -> None:
        self._logger = logger or Logger(namespace="pmip")
        self._lines_per_second = lines_per_second
        self._windows: dict[Kind, _Window] = {}
        self._flooded: dict[Kind, _Window] = {}
        # When the first of the flooded windows is over.
        self._tell_at = math.inf

    def observe(self, observation: Observation, now: Now) -> None:
        kind = (observation.name, observation.reason)
        window = self._window(kind, now)
        if window.written >= self._lines_per_second:
            self._suppress(kind, window, 1)
            return
        window.written += 1
        self._write(observation)

    def observe_alike(self, observations: Alike[Any], now: Now) -> None:
        kind = (observations.name, observations.reason)
        window = self._window(kind, now)
        room = self._lines_per_second - window.written
        for observation in islice(observations, room):
            window.written += 1
            self._write(observation)
        if len(observations) > room:
            self._suppress(kind, window, len(observations) - room)

    def _window(self, kind: Kind, now: Now) -> _Window:
        if now.monotonic >= self._tell_at:
            self._tell_suppressed(now.monotonic - 1.0)
        window = self._windows.get(kind)
        if window is None or now.monotonic - window.opened >= 1.0:
            if window is None and len(self._windows) >= MOST_KINDS:
                self._windows.clear()
            window = self._windows[kind] = _Window(now.monotonic)
        return window

    def _suppress(self, kind: Kind, window: _Window, lines: int) -> None:
        if not window.suppressed:
            self._flooded[kind] = window
            self._tell_at = min(self._tell_at, window.opened + 1.0)
        window.suppressed += lines

    def flush(self) -> None:
        """Tell what is still suppressed: at shutdown."""
        self._tell_suppressed(math.inf)

    def _tell_suppressed(self, opened_before: float) -> None:
        for kind, window in list(self._flooded.items()):
            if window.opened <= opened_before:
                del self._flooded[kind]
                name, reason = kind
                self._logger.emit(
                    LogLevel.warn,
                    "{event}{why}: {suppressed} more within a second, suppressed",
                    event=name,
                    reason=reason,
                    why=f" [{reason}]" if reason else "",
                    suppressed=window.suppressed,
                )
        self._tell_at = min((window.opened + 1.0 for window in self._flooded.values()), default=math.inf)

    def _write(self, observation: Observation) -> None:
        nai, session, cause = (
            printable(text) for text in (observation.nai, observation.session, observation.cause)
        )
        whose = "".join(f" {name}={value}" for name, value in (("nai", nai), ("session", session)) if value)
        fields: dict[str, Any] = {
            "event": observation.name,
            "nai": nai,
            "session": session,
            "reason": observation.reason,
            "cause": cause,
            "details": dict(observation.details),
            "whose": whose,
            "why": f": {cause}" if cause else "",
            "more": f" ({fields_text(observation.details)})" if observation.details else "",
        }
        if observation.reason:
            self._logger.emit(LogLevel.warn, "{event}{whose}{why} [{reason}]{more}", **fields)
        else:
            self._logger.emit(LogLevel.info, "{event}{whose}{why}{more}", **fields)
