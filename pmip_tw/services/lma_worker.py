"""The process of one of an LMA's workers but the first; worker 0 starts it, nobody else can."""

import json
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import attrs
from twisted.internet.posixbase import PosixReactorBase
from twisted.logger import ILogObserver, LogEvent, Logger, LogLevel, formatEvent, globalLogBeginner
from zope.interface import implementer

from pmip_tw.config.load import load
from pmip_tw.config.settings.lma import LmaSettings
from pmip_tw.errors import PmipError
from pmip_tw.services.crew import PIPE, SOCKETS, fingerprint
from pmip_tw.services.lma_workers import OtherWorker
from pmip_tw.services.memory import settle

_log = Logger(namespace="pmip.workers")


def main(config: str, expected: str, worker: str, workers: str) -> None:
    """``expected``: the fingerprint of the settings that the other workers have."""
    from twisted.internet import reactor  # noqa: PLC0415 - importing it installs one

    assert isinstance(reactor, PosixReactorBase)
    # Worker 0 says when it is time, or ends, which is told by the pipe. Signals are often sent to all processes.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    globalLogBeginner.beginLoggingTo([_Lines(sys.stdout)], redirectStandardIO=False)
    opened = socket.socket(fileno=SOCKETS + int(worker))
    pipe_end = socket.socket(fileno=PIPE)
    opened.setblocking(False)
    try:
        other = OtherWorker(
            _settings(Path(config), expected, int(workers)),
            reactor,
            int(worker),
            opened,
            pipe_end,
            reactor.stop,
        )
    except PmipError as error:
        raise SystemExit(str(error)) from None

    reactor.callWhenRunning(begin, other, reactor.stop)
    reactor.run(installSignalHandlers=False)


def begin(other: OtherWorker, end: Callable[[], None]) -> None:
    """Whatever is wrong ends the process, and is told: worker 0 starts it again, and nobody waits for it for ever."""
    try:
        other.start()
        settle()
    except PmipError as error:
        print(error, file=sys.stderr)  # noqa: T201 - worker 0 writes it to the log
        end()
    except Exception:
        _log.failure("a worker cannot be started")
        end()


def _settings(config: Path, expected: str, workers: int) -> LmaSettings:
    settings = load(config)
    if not isinstance(settings, LmaSettings) or fingerprint(settings, config) != expected:
        raise PmipError(
            f"{config}, or a file that it names, was changed since this LMA was started: a worker cannot be started"
            " with other settings than the others have. Restart the LMA, which loses nothing, or put it back"
        )
    return attrs.evolve(settings, workers=workers)


@implementer(ILogObserver)
class _Lines:
    """Log events as lines of JSON: namespace, level, text."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def __call__(self, event: LogEvent) -> None:
        if event["log_level"] is LogLevel.info and event.get("log_namespace", "").startswith("twisted"):
            return  # that a reactor comes and goes is told of processes
        text = formatEvent(event)
        failure = event.get("log_failure")
        if failure is not None:
            text = f"{text}\n{failure.getTraceback()}"
        line = json.dumps([event.get("log_namespace", "pmip"), event["log_level"].name, text])
        print(line, file=self._out, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
