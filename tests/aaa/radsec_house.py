"""A server of RADIUS over TLS on loopback, with the twin behind it."""

import attrs
from twisted.internet.interfaces import IListeningPort
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.tls import TLSMemoryBIOFactory

from pmip_tw.addresses import Endpoint, ipv4, ipv4_text
from pmip_tw.lab.certificates import Authority
from pmip_tw.secret import Secret
from pmip_tw.testing.radius_server import RadiusTwin
from pmip_tw.wire.radius import Attributes, AttributeType, Code

LOOPBACK = ipv4("127.0.0.1")
NAME = "aaa.example.net"
RADSEC = Secret(b"radsec")


class Served(Protocol):
    """A connection to the twin. ``says``: what becomes of its answers on their way."""

    def __init__(self, house: "House") -> None:
        self._house = house
        self._buffer = b""

    def connectionMade(self) -> None:
        self._house.connections.append(self)

    def dataReceived(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= 4:
            length = int.from_bytes(self._buffer[2:4], "big")
            if len(self._buffer) < length:
                return
            packet, self._buffer = self._buffer[:length], self._buffer[length:]
            answer = self._house.twin.answer(packet)
            if answer is not None:
                self._house.write(self, answer)


@attrs.define(slots=True)
class House:
    """Where the twin listens."""

    twin: RadiusTwin
    endpoint: Endpoint
    connections: list[Served]
    listening: IListeningPort | None = None
    in_pieces: bool = False

    def write(self, to: Served, answer: bytes) -> None:
        assert to.transport is not None
        if self.in_pieces:
            for octet in answer:
                to.transport.write(bytes((octet,)))
        else:
            to.transport.write(answer)


def served(
    reactor: PosixReactorBase,
    authority: Authority,
    name: str = NAME,
    *,
    asks: bool = False,
    alternative: bool = True,
) -> House:
    """A server with a certificate of ``authority`` for ``name``; ``asks``: its clients need one, too. ``alternative``:
    see ``Authority.issue``.
    """
    own = authority.issue(name, alternative=alternative)
    options = own.server_side(authority.certificate if asks else None)
    house = House(RadiusTwin(RADSEC), Endpoint(LOOPBACK, 0), [])
    house.twin.decides = lambda received: (
        Code.ACCESS_ACCEPT,
        Attributes([(AttributeType.CLASS, received.attributes.first(1) or b"")]),
    )
    factory = Factory.forProtocol(lambda: Served(house))
    factory.noisy = False
    house.listening = reactor.listenTCP(
        0, TLSMemoryBIOFactory(options, False, factory, reactor), interface=ipv4_text(LOOPBACK)
    )
    house.endpoint = Endpoint(LOOPBACK, house.listening.getHost().port)
    return house
