"""UDP port 434 (ISignalling): own readers, many datagrams per wake-up, one socket for each local address.

Twisted's UDP port tells no local address and spends more time on checks than on sending. The sockets are not
connected: an ICMP error must not close them.
"""

import socket
from collections.abc import Sequence

from zope.interface import implementer

from pmip_tw.addresses import Endpoint, Ipv4, ipv4_text
from pmip_tw.descriptors import LastingReader, ReadReactor
from pmip_tw.errors import PmipError
from pmip_tw.interfaces import Datagram, ISignalling, ISignallingReceiver, ITunnelDataReceiver, Unreachable
from pmip_tw.mobility.tunnels import SIGNALLING_PORT
from pmip_tw.net.error_queue import enable_error_queue, read_error_queue, unreachable_by_errno
from pmip_tw.wire.codes import MessageType

MAX_BATCH = 64
"""Datagrams per wake-up, so that timers and other sockets get their turn under a flood."""

MAX_SIZE = 65536
BUFFER = 4 << 20
"""Octets of the kernel's buffers, asked for: a burst of all mobile nodes of a MAG fits."""


class _Socket(LastingReader):
    """One local address."""

    def __init__(self, reactor: ReadReactor, owner: "UdpSignalling", local: Ipv4, port: int) -> None:
        super().__init__(reactor)
        self._owner = owner
        self.local = local
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
            enable_error_queue(self._socket)
            self._socket.bind((ipv4_text(local), port))
        except OSError as error:
            self._socket.close()
            raise PmipError(
                f"UDP {ipv4_text(local)}:{port} cannot be bound: {error.strerror}; is the address this machine's, "
                "the port free, and the daemon allowed to bind it (root or CAP_NET_BIND_SERVICE)?"
            ) from None

    def send(self, payload: bytes, destination: Endpoint) -> None:
        address = (ipv4_text(destination.address), destination.port)
        try:
            self._socket.sendto(payload, address)
        except BlockingIOError:
            return
        except OSError:
            # Usually ICMP about an earlier datagram, which telling clears; then this one has its chance.
            self.take_errors()
            try:
                self._socket.sendto(payload, address)
            except OSError as error:
                report = unreachable_by_errno(destination, error)
                if report is not None:
                    self._owner.deliver_report(report)

    def close(self) -> None:
        self.stop_reading()
        self._socket.close()

    def fileno(self) -> int:
        return self._socket.fileno()

    def logPrefix(self) -> str:
        return f"signalling at {ipv4_text(self.local)}"

    def doRead(self) -> None:
        batch: list[Datagram] = []
        receive, local = self._socket.recvfrom, self.local
        for _ in range(MAX_BATCH):
            try:
                payload, (host, port) = receive(MAX_SIZE)
            except BlockingIOError:
                break
            except OSError:
                self.take_errors()
                break
            source = Endpoint(Ipv4(int.from_bytes(socket.inet_aton(host), "big")), port)
            batch.append(Datagram(payload, source, local))
        if batch:
            self._owner.deliver(batch)

    def take_errors(self) -> None:
        """Pass on what the error queue holds."""
        for report in read_error_queue(self._socket):
            self._owner.deliver_report(report)


@implementer(ISignalling)
class UdpSignalling:
    """``addresses``: our own, all of which are bound. ``port`` is 434 but in tests."""

    def __init__(self, reactor: ReadReactor, addresses: Sequence[Ipv4], port: int = SIGNALLING_PORT) -> None:
        self._reactor = reactor
        self.addresses = tuple(addresses)
        self._port = port
        self._sockets: dict[Ipv4, _Socket] = {}
        self._receiver: ISignallingReceiver | None = None
        self._tunnel_data: ITunnelDataReceiver | None = None

    def start(self, receiver: ISignallingReceiver, tunnel_data: ITunnelDataReceiver | None) -> None:
        self._receiver, self._tunnel_data = receiver, tunnel_data
        try:
            for address in self.addresses:
                self._sockets[address] = _Socket(self._reactor, self, address, self._port)
        except PmipError:
            self.stop()
            raise
        for opened in self._sockets.values():
            opened.start_reading()

    def send(self, payload: bytes, destination: Endpoint, source: Ipv4) -> None:
        if self._sockets:
            self._sockets[source].send(payload, destination)

    def stop(self) -> None:
        sockets, self._sockets = self._sockets, {}
        for opened in sockets.values():
            opened.close()

    def deliver(self, batch: list[Datagram]) -> None:
        """Tunnel data to the packet plane, everything else to the agent."""
        data = [datagram for datagram in batch if datagram.payload[:1] == _TUNNEL_DATA]
        if not data:
            self._deliver_signalling(batch)
            return
        if self._tunnel_data is not None:
            self._tunnel_data.tunnel_data_received(data)
        self._deliver_signalling([datagram for datagram in batch if datagram.payload[:1] != _TUNNEL_DATA])

    def deliver_report(self, report: Unreachable) -> None:
        if self._receiver is not None:
            self._receiver.peer_unreachable(report)

    def _deliver_signalling(self, batch: list[Datagram]) -> None:
        if batch and self._receiver is not None:
            self._receiver.datagrams_received(batch)


_TUNNEL_DATA = bytes((MessageType.TUNNEL_DATA,))
