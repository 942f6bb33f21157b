"""A daemon with nothing but a control socket, for the tests: ``python -m tests.manage.daemon PATH ROLE``.

It says "ready" on its standard output once it listens, and what went wrong if it cannot.
"""

import sys
from collections.abc import Callable, Mapping
from typing import cast

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorUNIX
from zope.interface import implementer

from pmip_tw.errors import PmipError
from pmip_tw.interfaces import IOperations
from pmip_tw.manage.control import ControlSocket
from pmip_tw.manage.operations import Operations, Rows
from pmip_tw.manage.trace import Trace
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.observations import Observation

VISITOR = {"nai": "mn1@example.net", "home_address": "10.1.0.50", "lifetime": 1800, "octets_up": 2048}
START = 1_800_000_000.0


def _trace() -> Trace:
    trace = Trace()
    for seconds, observation in [
        (0.0, Observation(name="attachment-seen", session="02:00:00:00:00:01 on acc0")),
        (
            0.25,
            Observation(name="access-accepted", nai="mn1@example.net", session="02:00:00:00:00:01 on acc0"),
        ),
        (
            1.5,
            Observation(
                name="registration-refused", nai="mn1@example.net", reason="133", cause="clocks differ"
            ),
        ),
    ]:
        trace.observe(observation, Now(seconds, START + seconds, bytes))
    return trace


def _detach(nai: str) -> "Mapping[str, object] | Deferred[Mapping[str, object]]":
    if nai == "late@example.net":
        later: Deferred[Mapping[str, object]] = Deferred()
        reactor.callLater(0.05, later.callback, {"nai": nai, "state": "detached"})
        return later
    if nai != "mn1@example.net":
        raise PmipError(f"{nai} is not served here")
    return {"nai": nai, "state": "detached"}


def _mag() -> Operations:
    tables: dict[str, Callable[[], Rows]] = {
        "visitors": lambda: [VISITOR],
        "tunnels": lambda: [{"remote": "192.0.2.1"}],
        "counters": list,
        "many": lambda: [VISITOR] * 20_000,
        "broken": lambda: [{"nai": 1 // 0}],
        "bytes": lambda: [{"nai": b"no JSON"}],
    }
    return Operations("mag", tables, _trace(), detach=_detach)


@implementer(IOperations)
class _Lma:
    """Another provider of the interface, which knows nobody to trace."""

    role = "lma"
    tables = ("bindings", "tunnels")

    def show(self, what: str) -> list[dict[str, object]]:
        return [] if what == "bindings" else [{"remote": "198.51.100.10"}]

    def trace(self, key: str) -> list[dict[str, object]]:
        raise PmipError(f"nothing is known of {key!r}")

    def detach(self, nai: str) -> dict[str, object]:
        raise PmipError("ask the MAG")

    def revoke(self, nai: str) -> dict[str, object]:
        if nai != "mn1@example.net":
            raise PmipError(f"no binding is of {nai!r}")
        return {"nai": nai, "mag": "198.51.100.10"}


def _say_ready() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


def main() -> None:
    path, role = sys.argv[1:]
    control = ControlSocket(cast(IReactorUNIX, reactor), path, _mag() if role == "mag" else _Lma())
    try:
        control.start()
    except PmipError as error:
        sys.stdout.write(f"refused: {error}\n")
        sys.exit(1)
    reactor.addSystemEventTrigger("before", "shutdown", control.stop)
    reactor.callWhenRunning(_say_ready)
    reactor.run()


if __name__ == "__main__":
    main()
