"""UDP port 67 of the MAG's own address, towards DHCP servers (IDhcpSocket)."""

from zope.interface import implementer

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.descriptors import ReadReactor
from pmip_tw.interfaces import Datagram, IDhcpReceiver, IDhcpSocket, Unreachable
from pmip_tw.net.udp import UdpSocket
from pmip_tw.wire.dhcp import SERVER_PORT


@implementer(IDhcpSocket)
class UdpDhcpSocket:
    """Servers answer to giaddr, port 67, whatever port they were asked from (RFC 1542 5.4); others are for tests."""

    def __init__(self, reactor: ReadReactor, address: Ipv4, port: int = SERVER_PORT) -> None:
        self._reactor = reactor
        self._address = address
        self._port = port
        self._socket: UdpSocket | None = None
        self._receiver: IDhcpReceiver | None = None

    def start(self, receiver: IDhcpReceiver) -> None:
        self._receiver = receiver
        self._socket = UdpSocket(
            self._reactor, self._address, self._port, deliver=self._deliver, report=self._ignore
        )
        self._socket.start_reading()

    def send(self, payload: bytes, server: Ipv4) -> None:
        if self._socket is not None:
            self._socket.send(payload, Endpoint(server, self._port))

    def stop(self) -> None:
        opened, self._socket = self._socket, None
        if opened is not None:
            opened.close()

    def _deliver(self, batch: list[Datagram]) -> None:
        assert self._receiver is not None
        self._receiver.dhcp_received(batch)

    def _ignore(self, report: Unreachable) -> None:
        """A server that cannot be reached is a server that does not answer."""
