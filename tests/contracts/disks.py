"""What contracts of things that are on a disk have in common: a twin and a file, waited for, disturbed and mended."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.posixbase import PosixReactorBase

from tests.loops import private_reactor, run_until

KINDS = ("memory", "file")

World = TypeVar("World")


class Stops(Protocol):
    """What is open."""

    def stop(self) -> "Deferred[None] | None": ...


class Twin(Stops, Protocol):
    """What is open in memory, and durable when that is wished."""

    def commit(self) -> None: ...


class FakeDisk(Protocol):
    trouble: str


class OnDisk(Protocol):
    """A disk, and whoever has it open."""

    def settle(self, condition: Callable[[], object]) -> None: ...
    def close(self, opened: Stops) -> None: ...
    def disturb(self) -> None: ...
    def mend(self) -> None: ...


class InMemory:
    """Twins on ``disk``; ``opened``: all of them."""

    def __init__(self, disk: FakeDisk) -> None:
        self._disk = disk
        self.opened: list[Twin] = []

    def settle(self, condition: Callable[[], object]) -> None:
        for _ in range(10):
            for one in self.opened:
                one.commit()
        assert condition()

    def close(self, opened: Stops) -> None:
        opened.stop()

    def disturb(self) -> None:
        self._disk.trouble = "is full"

    def mend(self) -> None:
        self._disk.trouble = ""


class InFile:
    """The trouble is that somebody has taken the file away."""

    def __init__(self, path: Path, reactor: PosixReactorBase) -> None:
        self.path = path
        self.reactor = reactor
        self._away = path.with_name("away")

    def settle(self, condition: Callable[[], object]) -> None:
        run_until(self.reactor, condition)

    def close(self, opened: Stops) -> None:
        close(opened, self.reactor)

    def disturb(self) -> None:
        self.path.rename(self._away)

    def mend(self) -> None:
        self._away.rename(self.path)


def close(opened: Stops, reactor: PosixReactorBase) -> None:
    """Until it is."""
    stopping = opened.stop()
    assert stopping is not None
    stopped: list[None] = []
    stopping.addCallback(stopped.append)
    run_until(reactor, lambda: stopped)


@contextmanager
def world_of(
    request: pytest.FixtureRequest, memory: Callable[[], World], file: Callable[[PosixReactorBase], World]
) -> Iterator[World]:
    """That of a fixture whose parameters are ``KINDS``."""
    if request.param == "memory":
        yield memory()
    else:
        with private_reactor() as reactor:
            yield file(reactor)
