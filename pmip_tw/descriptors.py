"""Reading a file descriptor that outlives its errors: what sockets of the network and of the packet plane share.

A reactor takes any pending error (ICMP in the error queue, a link that went down) for the end of a connection and
stops reading. Nothing here has a connection to lose.
"""

from abc import ABC, abstractmethod
from typing import Protocol

from twisted.internet.interfaces import IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer


class ReadReactor(Protocol):
    """Tells when a file descriptor can be read."""

    def addReader(self, reader: IReadDescriptor) -> None: ...
    def removeReader(self, reader: IReadDescriptor) -> None: ...


@implementer(IReadDescriptor)
class LastingReader(ABC):
    """Read from ``start_reading`` until ``stop_reading``, whatever the reactor finds in between."""

    def __init__(self, reactor: ReadReactor) -> None:
        self._reactor = reactor
        self._reading = False

    def start_reading(self) -> None:
        self._reading = True
        self._reactor.addReader(self)

    def stop_reading(self) -> None:
        """May be repeated."""
        self._reading = False
        self._reactor.removeReader(self)

    @abstractmethod
    def fileno(self) -> int: ...

    @abstractmethod
    def logPrefix(self) -> str: ...

    @abstractmethod
    def doRead(self) -> None: ...

    @abstractmethod
    def take_errors(self) -> None:
        """Fetch what is pending, so that the reactor does not find it again. May stop the reading."""

    def connectionLost(self, reason: Failure) -> None:
        if self._reading:
            self.take_errors()
        if self._reading:
            self._reactor.addReader(self)
