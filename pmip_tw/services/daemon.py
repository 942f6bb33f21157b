"""A role as a Twisted service: started as a whole or not at all, and stopped in the opposite order."""

from collections.abc import Callable, Iterator
from typing import Protocol

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from pmip_tw.errors import PmipError


class Part(Protocol):
    """Something that runs: an agent, a control socket."""

    def start(self) -> None: ...
    def stop(self) -> object: ...


class Daemon(Service):
    """Runs ``parts`` in order. A part that cannot start ends the process with its reason and exit status 1."""

    _log = Logger(namespace="pmip")

    def __init__(
        self,
        what: str,
        parts: tuple[Part, ...],
        *,
        when_running: Callable[[Callable[[], None]], object],
        at_stop: Callable[[], None] = lambda: None,
        settle: Callable[[], None] = lambda: None,
    ) -> None:
        """``when_running``: the reactor's ``callWhenRunning``. ``settle``: called when there is much that will live
        long: all that was built, and again what the parts have brought back.
        """
        self._what = what
        self._parts = parts
        self._when_running = when_running
        self._at_stop = at_stop
        self._settle = settle
        self._started: list[Part] = []

    def privilegedStartService(self) -> None:
        """Devices and low ports are opened before privileges are given up."""
        self._settle()
        for part in self._parts:
            try:
                part.start()
            except PmipError as error:
                for _ in self._stop_parts():
                    pass  # without a reactor nothing would come of waiting
                raise SystemExit(f"{self._what}: {error}") from None
            self._started.append(part)
        self._settle()
        super().privilegedStartService()

    def startService(self) -> None:
        super().startService()
        # Said when the reactor runs: before that a signal would end the process without stopping the parts.
        self._when_running(lambda: self._log.info("{what} is ready", what=self._what))

    async def _stopped(self) -> None:
        for waiting in self._stop_parts():
            try:
                if isinstance(waiting, Deferred):
                    await waiting
            except Exception:
                self._log.failure("something has not stopped in order")
        self._at_stop()
        self._log.info("{what} has stopped", what=self._what)

    def stopService(self) -> "Deferred[None]":
        super().stopService()
        return Deferred.fromCoroutine(self._stopped())

    def _stop_parts(self) -> Iterator[object]:
        """What one part answers, before the next one is stopped, which it may need until then."""
        while self._started:
            part = self._started.pop()
            try:
                waiting = part.stop()
            except Exception:
                # The parts before it have changed the machine: they must be stopped as well.
                self._log.failure("{part} could not be stopped", part=type(part).__name__)
            else:
                yield waiting
