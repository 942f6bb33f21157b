"""Writes what happens to the log: one line each, with whose, where and the true cause."""

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
"""Of one name; a flood is counted, not written."""


@attrs.define(slots=True)
class _Window:
    """One second of one name."""

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
        self._windows: dict[str, _Window] = {}
        self._flooded: dict[str, _Window] = {}

    def observe(self, observation: Observation, now: Now) -> None:
        window = self._window(observation.name, now)
        if window.written >= self._lines_per_second:
            self._suppress(observation.name, window, 1)
            return
        window.written += 1
        self._write(observation)

    def observe_alike(self, observations: Alike[Any], now: Now) -> None:
        window = self._window(observations.name, now)
        room = self._lines_per_second - window.written
        for observation in islice(observations, room):
            window.written += 1
            self._write(observation)
        if len(observations) > room:
            self._suppress(observations.name, window, len(observations) - room)

    def _window(self, name: str, now: Now) -> _Window:
        if self._flooded:
            self._tell_suppressed(now.monotonic - 1.0)
        window = self._windows.get(name)
        if window is None or now.monotonic - window.opened >= 1.0:
            window = self._windows[name] = _Window(now.monotonic)
        return window

    def _suppress(self, name: str, window: _Window, lines: int) -> None:
        window.suppressed += lines
        self._flooded[name] = window

    def flush(self) -> None:
        """Tell what is still suppressed: at shutdown."""
        self._tell_suppressed(float("inf"))

    def _tell_suppressed(self, opened_before: float) -> None:
        for name, window in list(self._flooded.items()):
            if window.opened <= opened_before:
                del self._flooded[name]
                self._logger.emit(
                    LogLevel.warn,
                    "{event}: {suppressed} more within a second, suppressed",
                    event=name,
                    suppressed=window.suppressed,
                )

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
