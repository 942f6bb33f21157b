"""UDP port 67 of a relay's own address, towards DHCP servers, or towards clients behind a device (IDhcpSocket)."""

from zope.interface import implementer

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.interfaces import Datagram, IDhcpReceiver, IDhcpSocket, Unreachable
from pmip_tw.net.reactor import Reactor
from pmip_tw.net.udp import UdpSocket
from pmip_tw.wire.dhcp import SERVER_PORT


@implementer(IDhcpSocket)
class UdpDhcpSocket:
    """Servers answer to giaddr, port 67, whatever port they were asked from (RFC 1542 5.4); others are for tests.

    ``device``: nothing is heard but what comes in there, which a socket with ``leaves_devices`` does not hear then.
    """

    def __init__(
        self,
        reactor: Reactor,
        address: Ipv4,
        port: int = SERVER_PORT,
        *,
        device: str = "",
        leaves_devices: bool = False,
    ) -> None:
        self._reactor = reactor
        self._address = address
        self._port = port
        self._device = device
        self._leaves_devices = leaves_devices
        self._socket: UdpSocket | None = None
        self._receiver: IDhcpReceiver | None = None

    def start(self, receiver: IDhcpReceiver) -> None:
        self._receiver = receiver
        self._socket = self._open(self._address)

    def use_address(self, address: Ipv4) -> None:
        former = self._socket
        if former is not None and address != self._address:
            self._socket = self._open(address)
            former.close()
        self._address = address

    def send(self, payload: bytes, server: Ipv4) -> None:
        if self._socket is not None:
            self._socket.send(payload, Endpoint(server, self._port))

    def stop(self) -> None:
        opened, self._socket = self._socket, None
        if opened is not None:
            opened.close()

    def _open(self, address: Ipv4) -> UdpSocket:
        opened = UdpSocket(
            self._reactor,
            address,
            self._port,
            deliver=self._deliver,
            report=self._ignore,
            device=self._device,
            leaves_devices=self._leaves_devices,
        )
        opened.start_reading()
        return opened

    def _deliver(self, batch: list[Datagram]) -> None:
        assert self._receiver is not None
        self._receiver.dhcp_received(batch)

    def _ignore(self, report: Unreachable) -> None:
        """A server that cannot be reached is a server that does not answer."""
