"""RADIUS over TLS (RFC 6614): one connection to one server, and packets on it one after the other."""

from typing import Protocol as Shape

from OpenSSL import SSL
from service_identity import VerificationError
from twisted.internet.endpoints import TCP4ClientEndpoint, wrapClientTLS
from twisted.internet.error import ConnectError, ConnectionClosed, ConnectionRefusedError, TimeoutError
from twisted.internet.interfaces import (
    IDelayedCall,
    IHandshakeListener,
    IOpenSSLClientConnectionCreator,
    ITCPTransport,
)
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure
from zope.interface import implementer

from pmip_tw.addresses import UNSPECIFIED, Endpoint, Ipv4, ipv4_text
from pmip_tw.net.reactor import TimeReactor
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

    ``creator``: whom to believe (``net.radsec_trust``). ``local``: the address to connect from.
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
        endpoint = wrapClientTLS(
            self._creator,
            TCP4ClientEndpoint(
                self._reactor,
                ipv4_text(self._server.address),
                self._server.port,
                timeout=CONNECT_SECONDS,
                bindAddress=bind,
            ),
        )
        endpoint.connect(Factory.forProtocol(lambda: connection)).addErrback(connection.not_connected)

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


@implementer(IHandshakeListener)
class _Connection(Protocol):
    """One connection, from the attempt to its end. Packets are told apart by their own length (RFC 6614 2.1)."""

    transport: ITCPTransport | None

    def __init__(self, reactor: TimeReactor, server: Endpoint, receiver: LinkReceiver) -> None:
        self._server = server
        self._receiver: LinkReceiver | None = receiver
        self._buffer = b""
        self._up = False
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

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
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

    def _wait_no_longer(self) -> None:
        patience, self._patience = self._patience, None
        if patience is not None:
            patience.cancel()


def why(reason: Failure, *, handshaken: bool) -> str:
    """In words for a person: what is wrong, and what to do."""
    error = reason.value
    if isinstance(error, VerificationError):
        return "its certificate is for another name: set server_name to one that is in it, or give it one"
    if isinstance(error, SSL.Error):
        return _tls(error)
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens on that port (connection refused)"
    if isinstance(error, TimeoutError):
        return f"no connection within {CONNECT_SECONDS:.0f} s"
    if isinstance(error, ConnectionClosed):
        return "it closed the connection" if handshaken else "it closed the connection during the handshake"
    if isinstance(error, ConnectError):
        return f"it cannot be reached: {error.args[-1] if error.args else error}"
    return f"the connection failed: {reason.getErrorMessage()}"


def _tls(error: SSL.Error) -> str:
    details = error.args[0] if error.args and isinstance(error.args[0], list) else []
    text = "; ".join(str(detail[-1]) for detail in details if detail) or "the TLS connection broke"
    if "certificate verify failed" in text:
        return (
            f"its certificate is not to be trusted: it is not of the CA of ca_file, or has expired ({text})"
        )
    if "alert" in text:
        return f"it does not accept us: is our certificate of its CA? ({text})"
    return f"TLS failed: {text}"
