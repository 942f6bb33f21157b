"""The DHCP socket's twin, on a network in memory."""

from zope.interface import implementer

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.interfaces import Datagram, IDhcpReceiver, IDhcpSocket, Unreachable
from pmip_tw.testing.network import FakeNetwork
from pmip_tw.wire.dhcp import SERVER_PORT


@implementer(IDhcpSocket)
class FakeDhcpSocket:
    """Port 67 of ``address`` on a FakeNetwork."""

    def __init__(self, network: FakeNetwork, address: Ipv4, port: int = SERVER_PORT) -> None:
        self._network = network
        self._endpoint = Endpoint(address, port)
        self._receiver: IDhcpReceiver | None = None

    def start(self, receiver: IDhcpReceiver) -> None:
        self._network.attach(self._endpoint, self)
        self._receiver = receiver

    def use_address(self, address: Ipv4) -> None:
        moved = Endpoint(address, self._endpoint.port)
        if self._receiver is not None and moved != self._endpoint:
            self._network.attach(moved, self)
            self._network.detach(self._endpoint)
        self._endpoint = moved

    def send(self, payload: bytes, server: Ipv4) -> None:
        if self._receiver is not None:
            self._network.send(self._endpoint, Endpoint(server, self._endpoint.port), payload)

    def stop(self) -> None:
        if self._receiver is not None:
            self._network.detach(self._endpoint)
        self._receiver = None

    def arrive(self, datagram: Datagram) -> None:
        """The network brings a datagram."""
        if self._receiver is not None:
            self._receiver.dhcp_received([datagram])

    def report(self, unreachable: Unreachable) -> None:
        """A server that cannot be reached is a server that does not answer."""
