"""UDP port 434 (ISignalling): one socket for each local address, shared with RFC 3519 tunnel data."""

import errno
import socket
from collections import Counter
from collections.abc import Callable, Collection, Sequence

from zope.interface import implementer

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.errors import PmipError
from pmip_tw.interfaces import Datagram, ISignalling, ISignallingReceiver, ITunnelDataReceiver, Unreachable
from pmip_tw.mobility.tunnels import SIGNALLING_PORT
from pmip_tw.net.overload import Proven
from pmip_tw.net.reactor import Reactor
from pmip_tw.net.segments import Message
from pmip_tw.net.udp import UdpSocket
from pmip_tw.wire.codes import MessageType


@implementer(ISignalling)
class UdpSignalling:
    """``addresses``: our own, all of which are bound. ``port`` is 434 but in tests.

    ``opened`` gives the sockets that are bound already, for one of several processes.
    """

    def __init__(
        self,
        reactor: Reactor,
        addresses: Sequence[Ipv4],
        port: int = SIGNALLING_PORT,
        *,
        opened: Callable[[Ipv4], socket.socket | None] = lambda address: None,
    ) -> None:
        self._reactor = reactor
        self.addresses = tuple(addresses)
        self._port = port
        self._opened = opened
        self._sockets: dict[Ipv4, UdpSocket] = {}
        self._proven = Proven()
        self._dropped_before: Counter[str] = Counter()
        self._receiver: ISignallingReceiver | None = None
        self._tunnel_data: ITunnelDataReceiver | None = None

    def start(self, receiver: ISignallingReceiver, tunnel_data: ITunnelDataReceiver | None) -> None:
        self._receiver, self._tunnel_data = receiver, tunnel_data
        try:
            for address in self.addresses:
                self._sockets[address] = self._bound_to(address)
        except PmipError:
            self.stop()
            raise
        for opened in self._sockets.values():
            opened.start_reading()

    def _bound_to(self, address: Ipv4) -> UdpSocket:
        return UdpSocket(
            self._reactor,
            address,
            self._port,
            deliver=self._deliver,
            report=self._report,
            proven=self._proven,
            opened=self._opened(address),
        )

    def send(self, payload: bytes, destination: Endpoint, source: Ipv4, tos: int = 0) -> int:
        opened = self._sockets.get(source)
        return errno.EADDRNOTAVAIL if opened is None else opened.send(payload, destination, tos)

    def send_all(self, messages: Sequence[Message], source: Ipv4) -> None:
        opened = self._sockets.get(source)
        if opened is not None:
            opened.send_all(messages)

    def authenticated(self, sources: Collection[Endpoint]) -> None:
        self._proven.note(sources)

    def drops(self) -> dict[str, int]:
        return dict(sum((opened.drops() for opened in self._sockets.values()), self._dropped_before))

    def use_address(self, old: Ipv4, new: Ipv4) -> None:
        if self._sockets and new not in self._sockets:
            opened = self._sockets[new] = self._bound_to(new)
            opened.start_reading()
        self.addresses = tuple(dict.fromkeys(new if own == old else own for own in self.addresses))
        before = self._sockets.pop(old, None) if old not in self.addresses else None
        if before is not None:
            self._close(before)

    def stop(self) -> None:
        sockets, self._sockets = self._sockets, {}
        for opened in sockets.values():
            self._close(opened)

    def _close(self, opened: UdpSocket) -> None:
        self._dropped_before += opened.drops()
        opened.close()

    def _deliver(self, batch: list[Datagram]) -> None:
        """Tunnel data to the packet plane, everything else to the agent."""
        data = [datagram for datagram in batch if datagram.payload[:1] == _TUNNEL_DATA]
        if not data:
            self._deliver_signalling(batch)
            return
        if self._tunnel_data is not None:
            self._tunnel_data.tunnel_data_received(data)
        self._deliver_signalling([datagram for datagram in batch if datagram.payload[:1] != _TUNNEL_DATA])

    def _report(self, report: Unreachable) -> None:
        if self._receiver is not None:
            self._receiver.peer_unreachable(report)

    def _deliver_signalling(self, batch: list[Datagram]) -> None:
        if batch and self._receiver is not None:
            self._proven.handled(len(batch))
            self._receiver.datagrams_received(batch)


_TUNNEL_DATA = bytes((MessageType.TUNNEL_DATA,))
