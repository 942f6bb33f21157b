"""The processes of an LMA with several workers: worker 0 starts the others, and starts again whichever ends."""

import hashlib
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure

from pmip_tw.addresses import Ipv4
from pmip_tw.config.lma_settings import LmaSettings
from pmip_tw.errors import PmipError
from pmip_tw.mobility.tunnels import SIGNALLING_PORT
from pmip_tw.net.pipe import Pipe
from pmip_tw.net.steering import shared_sockets

SOCKET, PIPE = 3, 4
"""Descriptors that a worker finds open."""

PATIENCE = 5.0
"""Seconds for which workers of a killed worker 0 may still have the port: they end by themselves."""

AGAIN = (0.1, 1.0, 2.0, 5.0)
"""Seconds until a worker that has ended is started again, the oftener the later; a minute later all is forgiven."""

FORGIVEN = 60.0
MOST_SECONDS_TO_END = 10.0

Connected = Callable[[int, Pipe], None]


class SharedPort:
    """The sockets of all workers, open for as long as worker 0 lives."""

    def __init__(self, address: Ipv4, workers: int) -> None:
        self._address = address
        self._workers = workers
        self._sockets: Sequence[socket.socket] = ()

    def start(self) -> None:
        """PmipError: the port cannot be had."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                self._sockets = shared_sockets(self._address, SIGNALLING_PORT, self._workers)
                return
            except PmipError:
                if time.monotonic() > end:
                    raise
            time.sleep(0.1)

    def of_worker_0(self, address: Ipv4) -> socket.socket | None:
        """A duplicate of its socket, if ``address`` is the shared one."""
        return self._sockets[0].dup() if address == self._address else None

    def descriptor(self, worker: int) -> int:
        return self._sockets[worker].fileno()

    def stop(self) -> None:
        for one in self._sockets:
            one.close()


def fingerprint(settings: LmaSettings, config: Path) -> str:
    """Of the files that settings are from."""
    files = [config]
    if settings.mobile_nodes_file is not None:
        files.append(config.parent / settings.mobile_nodes_file.path)
    return hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)).hexdigest()


class Crew:
    """The other workers. ``config``: the file that ``settings`` are from."""

    _log = Logger(namespace="pmip.workers")

    def __init__(self, reactor: PosixReactorBase, settings: LmaSettings, config: Path) -> None:
        self.port = SharedPort(settings.address, settings.workers)
        self._reactor = reactor
        self._workers = settings.workers
        self._config = config.absolute()
        self._fingerprint = fingerprint(settings, config)
        self._connected: Connected = lambda worker, pipe: None
        self._processes: dict[int, _Process] = {}
        self._failures: dict[int, int] = {}
        self._again: dict[int, IDelayedCall] = {}
        self._stopped: Deferred[None] | None = None
        self._patience: IDelayedCall | None = None

    def start(self, connected: Connected) -> None:
        """``connected`` is told of each process with its end of the pipe."""
        self._connected = connected
        for worker in range(1, self._workers):
            self._spawn(worker)

    def stop(self) -> "Deferred[None]":
        """Fires when all have ended, which whoever has their pipes asks them to; who does not end is killed."""
        self._stopped = Deferred()
        for again in self._again.values():
            again.cancel()
        self._again.clear()
        self._patience = self._reactor.callLater(MOST_SECONDS_TO_END, self._kill)
        stopped = self._stopped
        self._look_whether_all_have_ended()
        return stopped

    def _kill(self) -> None:
        for process in self._processes.values():
            process.kill()

    def _spawn(self, worker: int) -> None:
        self._again.pop(worker, None)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        pipe = Pipe.of_worker_0(self._reactor, ours)
        process = self._processes[worker] = _Process(worker, self._ended)
        arguments = [
            sys.executable,
            "-m",
            "pmip_tw.services.lma_worker",
            str(self._config),
            self._fingerprint,
        ]
        with theirs, open(os.devnull, "rb") as nothing:
            self._connected(worker, pipe)
            self._reactor.spawnProcess(
                process,
                sys.executable,
                [*arguments, str(worker), str(self._workers)],
                # It finds the same modules, from wherever they came.
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                childFDs={
                    0: nothing.fileno(),
                    1: "r",
                    2: "r",
                    SOCKET: self.port.descriptor(worker),
                    PIPE: theirs.fileno(),
                },
            )

    def _ended(self, worker: int, why: str, lived: float) -> None:
        del self._processes[worker]
        if self._stopped is not None:
            self._look_whether_all_have_ended()
            return
        failures = self._failures[worker] = 0 if lived > FORGIVEN else self._failures.get(worker, -1) + 1
        seconds = AGAIN[min(failures, len(AGAIN) - 1)]
        self._log.warn(
            "worker {worker} has ended ({why}), and is started again in {seconds} s",
            worker=worker,
            why=why,
            seconds=seconds,
        )
        self._again[worker] = self._reactor.callLater(seconds, self._spawn, worker)

    def _look_whether_all_have_ended(self) -> None:
        if self._stopped is not None and not self._processes:
            if self._patience is not None and self._patience.active():
                self._patience.cancel()
            stopped, self._stopped = self._stopped, None
            stopped.callback(None)


class _Process(ProcessProtocol):
    """One process: its log lines are told with its number."""

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
        self._ended(self._worker, reason.getErrorMessage(), time.monotonic() - self._began)
