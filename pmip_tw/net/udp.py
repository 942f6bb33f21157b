"""One UDP socket on one of our addresses, for every role: own reader, many datagrams per wake-up.

Twisted's UDP port tells no local address and spends more time on checks than on sending. The socket is not
connected: an ICMP error must not close it.
"""

import errno
import socket
import struct
from collections import Counter
from collections.abc import Callable, Sequence

from twisted.internet.interfaces import IDelayedCall

from pmip_tw.addresses import UNSPECIFIED, Endpoint, Ipv4, ipv4_text
from pmip_tw.descriptors import LastingReader
from pmip_tw.errors import PmipError
from pmip_tw.interfaces import Datagram, Unreachable
from pmip_tw.net import kernel_buffers
from pmip_tw.net.error_queue import enable_error_queue, read_error_queue, unreachable_by_errno
from pmip_tw.net.overload import Crowd, Proven
from pmip_tw.net.reactor import Reactor
from pmip_tw.net.segments import Message, are_cut_by, cut_after, joined
from pmip_tw.net.socket_addresses import ENDPOINTS, SOCKET_ADDRESSES

MAX_BATCH = 64
"""Datagrams handled per wake-up, so that timers and other sockets get their turn under a flood."""

MAX_OCTETS = 64 * 1500
"""Of one batch, for the same reason: it is no more often cut than by the number, unless somebody sends giants."""

READ_AHEAD = 7
"""Batches that are read besides to choose from, if most of what comes is worthless."""

MAX_SIZE = 65536

_IP_PKTINFO = 8
"""linux/in.h; Python does not name it."""

_TYPES_OF_SERVICE = tuple((socket.IPPROTO_IP, socket.IP_TOS, bytes((tos,))) for tos in range(256))
"""The ancillary data that says so."""

_PACKET_INFO = struct.Struct("=I4s4s")
"""in_pktinfo of ip(7): interface, the local address to send from, that to which a datagram came."""

_PACKET_INFO_SPACE = socket.CMSG_SPACE(_PACKET_INFO.size)

_WHAT_TO_DO = {
    errno.EADDRNOTAVAIL: "; is it an address of this machine?",
    errno.EADDRINUSE: "; another program has the port, ss -ulnp sport = :{port} names it",
    errno.EACCES: "; it needs root or CAP_NET_BIND_SERVICE",
}


class UdpSocket(LastingReader):
    """Bound to ``port`` of ``local``, 0 for any; PmipError says why it cannot be.

    ``deliver`` gets what arrives, in the order of each source and never empty; ``report`` what ICMP says about
    something that we sent. ``batch``: datagrams handled per wake-up. ``proven``: who is heard first when there is too
    much; None: nobody is. ``opened``: a socket that is bound already, and is ours from now on. ``device``: it gets
    what comes in there only, and one that is bound to the same, with ``leaves_devices``, all else.

    ``tells_local``: where ``local`` is none, each datagram says to which of our addresses it came.
    """

    def __init__(
        self,
        reactor: Reactor,
        local: Ipv4,
        port: int,
        *,
        deliver: Callable[[list[Datagram]], None],
        report: Callable[[Unreachable], None],
        batch: int = MAX_BATCH,
        proven: Proven | None = None,
        opened: socket.socket | None = None,
        device: str = "",
        leaves_devices: bool = False,
        tells_local: bool = False,
    ) -> None:
        super().__init__(reactor)
        self._timing = reactor
        self._local = local
        # Who asks us at one of several addresses is to be answered by that one.
        self._tells_local = tells_local and not local
        self._name = f"{ipv4_text(local)}:{port}" if port else ipv4_text(local)
        if device:
            self._name += f" on {device}"
        self._deliver = deliver
        self._report = report
        self._most = batch
        self._proven = Proven() if proven is None else proven
        self._crowd = Crowd(self._proven)
        self._turn: IDelayedCall | None = None
        # Whether the last reading left something in the kernel, as far as we know.
        self._more = False
        try:
            self._socket = opened or socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        except OSError as error:
            raise PmipError(f"no socket for UDP {self._name}: {error.strerror}") from None
        try:
            kernel_buffers.enlarge(self._socket)
            enable_error_queue(self._socket)
            if self._tells_local:
                self._socket.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
            if device:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if opened is None:
                self._socket.bind((ipv4_text(local), port))
            if leaves_devices:
                # Not before it was bound: nobody else may have had the port.
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        except OSError as error:
            self._socket.close()
            text = f"UDP {self._name} cannot be bound: {error.strerror}"
            raise PmipError(text + _WHAT_TO_DO.get(error.errno or 0, "").format(port=port)) from None
        self._joins = are_cut_by(self._socket)

    def send(self, payload: bytes, destination: Endpoint, tos: int = 0, source: Ipv4 = UNSPECIFIED) -> int:
        """0, or the error number: a full buffer loses it, as a network would. ``tos``: type of service. ``source``: one
        of our addresses, if we have all of them and the choice is not to be routing's.
        """
        address = SOCKET_ADDRESSES[destination]
        if not self._tells_local:
            source = UNSPECIFIED
        try:
            self._put(payload, address, tos, source)
        except BlockingIOError:
            return errno.EAGAIN
        except OSError:
            # Usually ICMP about an earlier datagram, which telling clears; then this one has its chance.
            self.take_errors()
            try:
                self._put(payload, address, tos, source)
            except OSError as error:
                report = unreachable_by_errno(destination, error)
                if report is not None:
                    self._report(report)
                return error.errno or errno.EIO
        return 0

    def _put(self, payload: bytes, address: tuple[str, int], tos: int, source: Ipv4) -> None:
        if source:
            info = _PACKET_INFO.pack(0, source.to_bytes(4, "big"), bytes(4))
            self._socket.sendmsg((payload,), ((socket.IPPROTO_IP, _IP_PKTINFO, info),), 0, address)
        elif tos:
            self._socket.sendmsg((payload,), (_TYPES_OF_SERVICE[tos],), 0, address)
        else:
            self._socket.sendto(payload, address)

    def send_all(self, messages: Sequence[Message]) -> None:
        """The same of many: those of one size for one destination take one system call."""
        for destination, payloads in joined(messages):
            if not self._send_together(payloads, destination):
                for payload in payloads:
                    self.send(payload, destination)

    def _send_together(self, payloads: list[bytes], destination: Endpoint) -> bool:
        """Whether all of one size are sent; else none is, and each is to tell by itself why."""
        if len(payloads) == 1 or not self._joins:
            return False
        try:
            self._socket.sendmsg(
                (b"".join(payloads),), cut_after(len(payloads[0])), 0, SOCKET_ADDRESSES[destination]
            )
        except OSError:
            return False  # not through IPsec, for one thing
        return True

    def drops(self) -> Counter[str]:
        """Datagrams that arrived and were not handled, by reason: ``socket-buffer`` those that the kernel had no room
        for, ``overload`` those that we read and never had time for.
        """
        return Counter({"socket-buffer": kernel_buffers.lost(self._socket), "overload": self._crowd.dropped})

    def close(self) -> None:
        self.stop_reading()
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        self._socket.close()

    def fileno(self) -> int:
        return self._socket.fileno()

    def logPrefix(self) -> str:
        return f"UDP {self._name}"

    def doRead(self) -> None:
        if self._turn is None:  # else it comes by itself: one a time, or timers would wait for two
            self._handle()

    def _handle(self) -> None:
        batch = self._receive()
        if self._crowd or (self._more and self._proven.crowded_out):
            batch = self._choose(batch)
        if batch:
            self._deliver(batch)

    def _receive(self) -> list[Datagram]:
        batch: list[Datagram] = []
        receive, local, octets = self._socket.recvfrom, self._local, 0
        self._more = False
        try:
            for _ in range(self._most):
                if self._tells_local:
                    payload, address, local = self._receive_with_local()
                else:
                    payload, address = receive(MAX_SIZE)
                batch.append(Datagram(payload, ENDPOINTS[address], local))
                octets += len(payload)
                if octets >= MAX_OCTETS:
                    break
            self._more = True
        except BlockingIOError:
            pass
        except OSError:
            self.take_errors()
        return batch

    def _receive_with_local(self) -> tuple[bytes, tuple[str, int], Ipv4]:
        payload, ancillary, _, address = self._socket.recvmsg(MAX_SIZE, _PACKET_INFO_SPACE)
        local = self._local
        for level, kind, octets in ancillary:
            if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO):
                local = Ipv4(int.from_bytes(_PACKET_INFO.unpack(octets)[1], "big"))
        return payload, address, local

    def _choose(self, batch: list[Datagram]) -> list[Datagram]:
        """Read on until there is enough of those who authenticated lately, and choose what is handled now.

        The kernel does not know what still waits: its turn is a timer's.
        """
        crowd, proven = self._crowd, self._proven
        if not crowd and all(one.source in proven for one in batch):
            return batch
        crowd.admit(batch)
        for _ in range(READ_AHEAD):
            if not self._more or crowd.good >= self._most:
                break
            crowd.admit(self._receive())
        chosen = crowd.choose(self._most)
        if crowd:
            self._turn = self._timing.callLater(0.0, self._take_turn)
        return chosen

    def _take_turn(self) -> None:
        self._turn = None
        self._handle()

    def take_errors(self) -> None:
        """Pass on what the error queue holds."""
        for report in read_error_queue(self._socket):
            self._report(report)
