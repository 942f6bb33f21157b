"""A pipe between two processes of one LMA: a socket pair, and frames of many messages each."""

import socket
from collections.abc import Callable
from struct import Struct as Layout
from typing import Any

import msgspec
from msgspec import Struct
from twisted.internet.abstract import FileDescriptor
from twisted.internet.interfaces import IAddress, IPushProducer, IReactorSocket
from twisted.internet.protocol import Protocol, ServerFactory, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from pmip_tw.agents.workers.messages import FromWorker0, ToWorker0
from pmip_tw.net.reactor import TimeReactor

_LENGTH = Layout("!I")

MOST_TOGETHER = 256
"""Messages of a frame, which is dealt with in one turn of the reactor: a restart installs very many entries."""

PipeReactor = Any
"""TimeReactor and IReactorSocket."""


@implementer(IPushProducer)
class Pipe(Protocol):
    """One end (IPipe). ``socket_`` is ours from now on; ``kinds``: what the other end may say."""

    _log = Logger(namespace="pmip.workers")

    def __init__(self, reactor: PipeReactor, socket_: socket.socket, kinds: Any) -> None:
        self._reactor: TimeReactor = reactor
        self._adopt: IReactorSocket = reactor
        self._socket = socket_
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(list[kinds])
        self._waiting: list[Struct] = []
        self._received = bytearray()
        self._heard: Callable[[Struct], None] = lambda message: None
        self._lost: Callable[[], None] | None = None
        self.crowded = False

    @classmethod
    def of_worker_0(cls, reactor: PipeReactor, socket_: socket.socket) -> "Pipe":
        return cls(reactor, socket_, ToWorker0)

    @classmethod
    def of_another(cls, reactor: PipeReactor, socket_: socket.socket) -> "Pipe":
        return cls(reactor, socket_, FromWorker0)

    def start(self, heard: Callable[[Struct], None], lost: Callable[[], None]) -> None:
        self._heard, self._lost = heard, lost
        self._socket.setblocking(False)
        # The reactor takes a duplicate.
        self._adopt.adoptStreamConnection(self._socket.fileno(), socket.AF_UNIX, _End(self))
        self._socket.close()

    def send(self, message: Struct) -> None:
        if not self._waiting:
            self._reactor.callLater(0, self._flush)
        self._waiting.append(message)

    def stop(self) -> None:
        self._lost = None
        self._flush()
        if self.transport is not None:
            self.transport.unregisterProducer()  # it would be waited for
            self.transport.loseConnection()

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        if self.transport is None:
            return
        for first in range(0, len(waiting), MOST_TOGETHER):
            octets = self._encoder.encode(waiting[first : first + MOST_TOGETHER])
            self.transport.write(_LENGTH.pack(len(octets)) + octets)

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.registerProducer(self, streaming=True)

    def pauseProducing(self) -> None:
        self.crowded = True

    def resumeProducing(self) -> None:
        self.crowded = False

    def stopProducing(self) -> None:
        """The other end is gone, which is told by connectionLost."""

    def dataReceived(self, data: bytes) -> None:
        received = self._received
        received += data
        first = 0
        while len(received) - first >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(received, first)
            body = first + _LENGTH.size
            if len(received) < body + length:
                break
            first = body + length
            self._deliver(bytes(received[body:first]))
        del received[:first]

    def _deliver(self, frame: bytes) -> None:
        for message in self._decoder.decode(frame):
            try:
                self._heard(message)
            except Exception:
                # A defect of ours costs one message, not those behind it.
                self._log.failure("{kind} met a defect", kind=type(message).__name__)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.transport: FileDescriptor | None = None
        lost, self._lost = self._lost, None
        if lost is not None:
            lost()


class _End(ServerFactory):
    noisy = False

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe

    def buildProtocol(self, addr: IAddress | None) -> Pipe:
        return self._pipe
