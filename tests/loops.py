"""A reactor of a test's own, beside the process's one, which is never started."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Protocol, TypeVar

from twisted.internet.epollreactor import EPollReactor
from twisted.internet.error import ConnectionDone
from twisted.internet.posixbase import PosixReactorBase
from twisted.python.failure import Failure


class Closes(Protocol):
    def close(self) -> None: ...


_OVER = Failure(ConnectionDone())

Made = TypeVar("Made", bound=Closes)


@contextmanager
def private_reactor(kind: type[PosixReactorBase] = EPollReactor) -> Iterator[PosixReactorBase]:
    """A reactor that turns only inside ``run_until``; its sockets are closed at the end."""
    reactor = kind()
    try:
        yield reactor
    finally:
        for selectable in reactor.removeAll():
            if selectable is not reactor.waker:
                selectable.connectionLost(_OVER)
        for call in reactor.getDelayedCalls():
            call.cancel()
        # Twisted knows no end of a reactor but that of its process, and there are hundreds of these in ours.
        for internal in reactor._internalReaders:
            internal.connectionLost(None)
        if isinstance(reactor, EPollReactor):
            reactor._poller.close()


@contextmanager
def on_private_reactor(made: Callable[[PosixReactorBase], Made]) -> Iterator[Made]:
    """What is ``made`` there; it is closed first."""
    with private_reactor() as reactor, closing(made(reactor)) as one:
        yield one


def run_until(reactor: PosixReactorBase, condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Turn ``reactor`` until ``condition`` holds; AssertionError if it does not within ``seconds``."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"nothing happened in {seconds} s"
        reactor.iterate(0.05)
