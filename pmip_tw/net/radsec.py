"""RADIUS over TLS (RFC 6614): one connection to one server, and packets on it one after the other."""

from typing import Protocol as Shape

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.error import ConnectionClosed, ConnectionRefusedError, TimeoutError
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IHandshakeListener,
    IOpenSSLClientConnectionCreator,
    IProtocol,
    ITCPTransport,
)
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from pmip_tw.addresses import UNSPECIFIED, Endpoint, Ipv4, ipv4_text
from pmip_tw.net.reactor import TimeReactor
from pmip_tw.net.tls_names import why_not
from pmip_tw.wire.radius import HEADER_SIZE, MAXIMUM_SIZE

CONNECT_SECONDS = 10.0
"""For the connection and its handshake."""


class LinkReceiver(Shape):
    """Whoever is told what becomes of a connection."""

    def link_received(self, server: Endpoint, packet: bytes) -> None: ...
    def link_up(self, server: Endpoint) -> None: ...
    def link_down(self, server: Endpoint, cause: str) -> None: ...


class RadsecLink:
    """The way to one server, which is connected to as often as ``connect`` is called.

    ``creator``: whom to believe (``net.tls_names``). ``local``: the address to connect from.
    """

    def __init__(
        self,
        reactor: PosixReactorBase,
        server: Endpoint,
        creator: IOpenSSLClientConnectionCreator,
        local: Ipv4 = UNSPECIFIED,
    ) -> None:
        self._reactor = reactor
        self._server = server
        self._creator = creator
        self._local = local
        self._connection: _Connection | None = None

    def connect(self, receiver: LinkReceiver) -> None:
        """Begin; ``receiver`` is told ``link_up`` and then, once it is over, ``link_down``; or the latter alone."""
        self.disconnect()
        connection = self._connection = _Connection(self._reactor, self._server, receiver)
        bind = (ipv4_text(self._local), 0) if self._local else None
        endpoint = TCP4ClientEndpoint(
            self._reactor,
            ipv4_text(self._server.address),
            self._server.port,
            timeout=CONNECT_SECONDS,
            bindAddress=bind,
        )
        # Not wrapClientTLS: that would write when the process's reactor turns, whatever reactor this is.
        factory = TLSMemoryBIOFactory(self._creator, True, _Once(connection), self._reactor)
        connection.attempt = endpoint.connect(factory)
        connection.attempt.addErrback(connection.not_connected)

    def send(self, packet: bytes) -> None:
        """Lost if there is no connection."""
        if self._connection is not None:
            self._connection.send(packet)

    def disconnect(self) -> None:
        """Nobody is told of it, nor of anything that still comes."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.forget()

    def stop(self) -> None:
        self.disconnect()


class _Once(Factory):
    noisy = False

    def __init__(self, connection: "_Connection") -> None:
        self._connection = connection

    def buildProtocol(self, addr: IAddress | None) -> "_Connection":
        return self._connection


@implementer(IHandshakeListener)
class _Connection(Protocol):
    """One connection, from the attempt to its end. Packets are told apart by their own length (RFC 6614 2.1)."""

    transport: ITCPTransport | None

    def __init__(self, reactor: TimeReactor, server: Endpoint, receiver: LinkReceiver) -> None:
        self._server = server
        self._receiver: LinkReceiver | None = receiver
        self._buffer = b""
        self._up = False
        self.attempt: Deferred[IProtocol] | None = None
        self._patience: IDelayedCall | None = reactor.callLater(2 * CONNECT_SECONDS, self._give_up)

    def connectionMade(self) -> None:
        if self._receiver is None or self.transport is None:
            self._abort()
            return
        self.transport.setTcpNoDelay(True)
        self.transport.setTcpKeepAlive(True)

    def handshakeCompleted(self) -> None:
        self._wait_no_longer()
        if self._receiver is not None:
            self._up = True
            self._receiver.link_up(self._server)

    def dataReceived(self, data: bytes) -> None:
        self._buffer += data
        while self._receiver is not None and len(self._buffer) >= HEADER_SIZE:
            length = int.from_bytes(self._buffer[2:4], "big")
            if not HEADER_SIZE <= length <= MAXIMUM_SIZE:
                self._over(f"it sent {length} for the length of a packet: that is not RADIUS")
                return
            if len(self._buffer) < length:
                return
            packet, self._buffer = self._buffer[:length], self._buffer[length:]
            self._receiver.link_received(self._server, packet)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.transport = None
        self._over(why(reason, handshaken=self._up))

    def not_connected(self, reason: Failure) -> None:
        self._over(why(reason, handshaken=False))

    def send(self, packet: bytes) -> None:
        if self._up and self.transport is not None:
            self.transport.write(packet)

    def forget(self) -> None:
        self._receiver = None
        self._wait_no_longer()
        self._abort()

    def _give_up(self) -> None:
        self._patience = None
        self._over("no TLS handshake in time")

    def _over(self, cause: str) -> None:
        receiver, self._receiver = self._receiver, None
        self._wait_no_longer()
        self._abort()
        if receiver is not None:
            receiver.link_down(self._server, cause)

    def _abort(self) -> None:
        if self.transport is not None:
            self.transport.abortConnection()
        elif self.attempt is not None:
            self.attempt.cancel()

    def _wait_no_longer(self) -> None:
        patience, self._patience = self._patience, None
        if patience is not None:
            patience.cancel()


def why(reason: Failure, *, handshaken: bool) -> str:
    """In words for a person: what is wrong, and what to do."""
    error = reason.value
    assert error is not None
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens on that port (connection refused)"
    if isinstance(error, TimeoutError):
        return f"no connection within {CONNECT_SECONDS:.0f} s"
    if isinstance(error, ConnectionClosed):
        return "it closed the connection" if handshaken else "it closed the connection during the handshake"
    return why_not(error)
