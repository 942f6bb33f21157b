"""The process of a worker as worker 0 sees it: what it says is logged with its number."""

import json
import time
from collections.abc import Callable
from contextlib import suppress

from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure


class WorkerProcess(ProcessProtocol):
    """``ended`` is told the number, why, and how many seconds it has lived."""

    _log = Logger(namespace="pmip.workers")

    def __init__(self, worker: int, ended: Callable[[int, str, float], None]) -> None:
        self._worker = worker
        self._ended = ended
        self._began = time.monotonic()
        self._rests = {1: b"", 2: b""}

    def kill(self) -> None:
        if self.transport is not None:
            with suppress(ProcessExitedAlready):
                self.transport.signalProcess("KILL")

    def childDataReceived(self, childFD: int, data: bytes) -> None:  # noqa: N803 - Twisted's
        *lines, self._rests[childFD] = (self._rests[childFD] + data).split(b"\n")
        for line in lines:
            self._tell(line.decode(errors="replace"))

    def _tell(self, line: str) -> None:
        try:
            namespace, level, text = json.loads(line)
            logger, at = Logger(namespace=namespace), LogLevel.lookupByName(level)
        except (ValueError, TypeError, KeyError):
            logger, at, text = self._log, LogLevel.error, line
        logger.emit(at, "worker {worker}: {text}", worker=self._worker, text=text)

    def processEnded(self, reason: Failure) -> None:
        for rest in filter(None, self._rests.values()):
            self._tell(rest.decode(errors="replace"))  # it has not lived to end the line
        self._ended(self._worker, reason.getErrorMessage(), time.monotonic() - self._began)
