"""Inside a Twisted server: how late its timers are, how long its turns take, how long garbage collections.

``python -m bench.probe SOCKET MODULE:FUNCTION ARGUMENT ...`` runs a program by its entry point and answers on the unix
socket, one JSON object per line, to ``start WHAT`` and ``stop WHAT``, which gives what was found since. While nothing
has been started it does nothing at all.
"""

import gc
import json
import sys
import time
from array import array
from collections.abc import Callable
from importlib import import_module

from twisted.internet.protocol import Factory
from twisted.protocols.basic import LineReceiver

TIMER_INTERVAL = 0.002
"""Seconds between the calls of the timer whose lateness is measured."""


class Timers:
    """A call every 2 ms: by how much it came too late."""

    def __init__(self) -> None:
        self._late = array("d")
        self._running = False
        self._due = 0.0

    def start(self) -> None:
        self._late, self._running = array("d"), True
        self._due = time.monotonic()
        self._next()

    def _next(self) -> None:
        from twisted.internet import reactor  # noqa: PLC0415 - importing it installs one

        if not self._running:
            return
        now = time.monotonic()
        # What was missed is not made up for: a timer that is late once is late once.
        self._due = max(self._due + TIMER_INTERVAL, now)
        reactor.callLater(self._due - now, self._called)

    def _called(self) -> None:
        self._late.append(time.monotonic() - self._due)
        self._next()

    def stop(self) -> dict[str, object]:
        self._running = False
        late = sorted(self._late)
        if not late:
            return {"calls": 0}
        return {
            "calls": len(late),
            "p50_ms": 1000 * late[len(late) // 2],
            "p99_ms": 1000 * late[len(late) * 99 // 100],
            "worst_ms": 1000 * late[-1],
        }


class Turns:
    """A turn of the reactor is what it does between two looks at its timers; its processor time counts."""

    def __init__(self) -> None:
        self._took = array("d")
        self._since = 0.0

    def start(self) -> None:
        from twisted.internet import reactor  # noqa: PLC0415

        self._took, self._since = array("d"), time.thread_time()
        run_until_current = type(reactor).runUntilCurrent  # type: ignore[attr-defined]

        def turn() -> None:
            self._took.append(time.thread_time() - self._since)
            self._since = time.thread_time()
            run_until_current(reactor)

        reactor.runUntilCurrent = turn  # type: ignore[attr-defined]

    def stop(self) -> dict[str, object]:
        from twisted.internet import reactor  # noqa: PLC0415

        del reactor.runUntilCurrent  # type: ignore[attr-defined]
        took = sorted(self._took)
        worst = [round(1000 * turn, 3) for turn in reversed(took[-10:])]
        return {"turns": len(took), "worst_ms": worst[0] if worst else 0.0, "longest_ms": worst}


class Garbage:
    """Collections, and how long each held everything up (processor time)."""

    def __init__(self) -> None:
        self._pauses: list[float] = []
        self._began = 0.0

    def start(self) -> None:
        self._pauses = []
        gc.callbacks.append(self._collecting)

    def _collecting(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._began = time.thread_time()
        else:
            self._pauses.append(time.thread_time() - self._began)

    def stop(self) -> dict[str, object]:
        gc.callbacks.remove(self._collecting)
        return {"collections": len(self._pauses), "worst_ms": 1000 * max(self._pauses, default=0.0)}


class _Conversation(LineReceiver):
    delimiter = b"\n"
    meters: dict[str, Timers | Turns | Garbage] = {"timers": Timers(), "turns": Turns(), "garbage": Garbage()}

    def lineReceived(self, line: bytes) -> None:
        verb, _, what = line.decode().partition(" ")
        meter = self.meters[what]
        found = meter.start() if verb == "start" else meter.stop()
        self.sendLine(json.dumps(found or {}).encode())


def _answer_at(path: str) -> Callable[[], None]:
    def listen() -> None:
        from twisted.internet import reactor  # noqa: PLC0415

        reactor.listenUNIX(path, Factory.forProtocol(_Conversation))  # type: ignore[attr-defined]

    return listen


def main() -> None:
    path, entry_point, *arguments = sys.argv[1:]
    from twisted.internet import reactor  # noqa: PLC0415

    reactor.callWhenRunning(_answer_at(path))
    module, _, function = entry_point.partition(":")
    sys.argv = [module, *arguments]
    getattr(import_module(module), function)()


if __name__ == "__main__":
    main()
