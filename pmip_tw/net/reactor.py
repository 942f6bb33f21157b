"""What the edges use of a Twisted reactor."""

from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReadDescriptor


class ReadReactor(Protocol):
    """Tells when a file descriptor can be read."""

    def addReader(self, reader: IReadDescriptor) -> None: ...
    def removeReader(self, reader: IReadDescriptor) -> None: ...


class TimeReactor(Protocol):
    """Calls later."""

    def callLater(self, delay: float, callable: Callable[[], object]) -> IDelayedCall: ...


class Reactor(ReadReactor, TimeReactor, Protocol):
    """Both."""
