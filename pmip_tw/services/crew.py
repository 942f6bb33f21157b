"""The processes of an LMA with several workers: worker 0 starts the others, and starts again whichever ends."""

import hashlib
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.posixbase import PosixReactorBase
from twisted.logger import Logger

from pmip_tw.config.settings.lma import LmaSettings
from pmip_tw.net.pipe import Pipe
from pmip_tw.services.shared_port import SharedPort
from pmip_tw.services.worker_process import WorkerProcess

PIPE, SOCKETS = 3, 4
"""Descriptors that a worker finds open: its end of the pipe, and from there on the shared sockets of all workers. Were
one of them closed before all have ended, the kernel would give what is for one worker to another.
"""

AGAIN = (0.1, 1.0, 2.0, 5.0)
"""Seconds until a worker that has ended is started again, the oftener the later; a minute later all is forgiven."""

FORGIVEN = 60.0
MOST_SECONDS_TO_END = 10.0

Connected = Callable[[int, Pipe], None]


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
        self.port = SharedPort(
            settings.address, settings.workers, pre_tunnel=settings.pre_tunnel_request_type
        )
        self._reactor = reactor
        self._workers = settings.workers
        self._config = config.absolute()
        self._fingerprint = fingerprint(settings, config)
        self._connected: Connected = lambda worker, pipe: None
        self._processes: dict[int, WorkerProcess] = {}
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
        self._processes[worker] = WorkerProcess(worker, self._ended)
        try:
            self._run(worker, self._processes[worker])
        except OSError as error:
            self._ended(worker, f"it could not be started: {error.strerror}", 0.0)

    def _run(self, worker: int, process: WorkerProcess) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        pipe = Pipe.of_worker_0(self._reactor, ours)
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
                    PIPE: theirs.fileno(),
                    **dict(enumerate(self.port.descriptors, SOCKETS)),
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
