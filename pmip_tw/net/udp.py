"""One UDP socket on one of our addresses: own reader, many datagrams per wake-up.

Twisted's UDP port tells no local address and spends more time on checks than on sending. The socket is not
connected: an ICMP error must not close it.
"""

import errno
import socket
from collections.abc import Callable

from pmip_tw.addresses import Endpoint, Ipv4, ipv4_text
from pmip_tw.descriptors import LastingReader, ReadReactor
from pmip_tw.errors import PmipError
from pmip_tw.interfaces import Datagram, Unreachable
from pmip_tw.net.error_queue import enable_error_queue, read_error_queue, unreachable_by_errno

MAX_BATCH = 64
"""Datagrams per wake-up, so that timers and other sockets get their turn under a flood."""

MAX_SIZE = 65536
BUFFER = 4 << 20
"""Octets of the kernel's buffers, asked for: a burst of all mobile nodes of a MAG fits."""

_WHAT_TO_DO = {
    errno.EADDRNOTAVAIL: "; is it an address of this machine?",
    errno.EADDRINUSE: "; another program has the port, ss -ulnp sport = :{port} names it",
    errno.EACCES: "; it needs root or CAP_NET_BIND_SERVICE",
}


class UdpSocket(LastingReader):
    """Bound to ``port`` of ``local``; PmipError says why it cannot be.

    ``deliver`` gets what arrives, in order and never empty; ``report`` what ICMP says about something that we sent.
    """

    def __init__(
        self,
        reactor: ReadReactor,
        local: Ipv4,
        port: int,
        *,
        deliver: Callable[[list[Datagram]], None],
        report: Callable[[Unreachable], None],
    ) -> None:
        super().__init__(reactor)
        self._local = local
        self._port = port
        self._deliver = deliver
        self._report = report
        try:
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        except OSError as error:
            raise PmipError(f"no socket for UDP {ipv4_text(local)}:{port}: {error.strerror}") from None
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
            enable_error_queue(self._socket)
            self._socket.bind((ipv4_text(local), port))
        except OSError as error:
            self._socket.close()
            text = f"UDP {ipv4_text(local)}:{port} cannot be bound: {error.strerror}"
            raise PmipError(text + _WHAT_TO_DO.get(error.errno or 0, "").format(port=port)) from None

    def send(self, payload: bytes, destination: Endpoint) -> int:
        """0, or the error number: a full buffer loses it, as a network would."""
        address = (ipv4_text(destination.address), destination.port)
        try:
            self._socket.sendto(payload, address)
        except BlockingIOError:
            return errno.EAGAIN
        except OSError:
            # Usually ICMP about an earlier datagram, which telling clears; then this one has its chance.
            self.take_errors()
            try:
                self._socket.sendto(payload, address)
            except OSError as error:
                report = unreachable_by_errno(destination, error)
                if report is not None:
                    self._report(report)
                return error.errno or errno.EIO
        return 0

    def close(self) -> None:
        self.stop_reading()
        self._socket.close()

    def fileno(self) -> int:
        return self._socket.fileno()

    def logPrefix(self) -> str:
        return f"UDP {ipv4_text(self._local)}:{self._port}"

    def doRead(self) -> None:
        batch: list[Datagram] = []
        receive, local = self._socket.recvfrom, self._local
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
            self._deliver(batch)

    def take_errors(self) -> None:
        """Pass on what the error queue holds."""
        for report in read_error_queue(self._socket):
            self._report(report)
