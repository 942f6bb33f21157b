"""The raw socket of IP-in-IP: whole outer packets in both directions."""

import errno
import socket

from pmip_tw.addresses import Ipv4, ipv4_text
from pmip_tw.errors import ForwardingError
from pmip_tw.forwarding import drops
from pmip_tw.forwarding.session import Carry
from pmip_tw.mobility.tunnels import Tunnel
from pmip_tw.wire.encapsulation import DONT_FRAGMENT, ip_in_ip_header
from pmip_tw.wire.ipv4 import MAXIMUM_PACKET, PROTOCOL_IP_IN_IP

BUFFER = 8 << 20

_REASONS = {
    errno.EAGAIN: drops.SEND_BUFFER_FULL,
    errno.ENOBUFS: drops.SEND_BUFFER_FULL,
    errno.EMSGSIZE: drops.OUTER_TOO_BIG,
}


def reason_of(error: OSError) -> str:
    """The drop counter for a failed send."""
    return _REASONS.get(error.errno or 0, drops.SEND_FAILED)


class IpInIpSocket:
    """Bound to ``local``: only packets to that address arrive, and the kernel reassembles outer fragments first."""

    def __init__(self, local: Ipv4, dropped: drops.Drops) -> None:
        """ForwardingError: no privilege, or no such address here."""
        self._drops = dropped
        try:
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, PROTOCOL_IP_IN_IP)
        except PermissionError as error:
            raise ForwardingError(
                "open", "the IP-in-IP socket", "needs root or CAP_NET_RAW", error.errno or 0
            ) from error
        try:
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
            enlarge_buffers(self._socket)
            self._socket.bind((ipv4_text(local), 0))
        except OSError as error:
            self._socket.close()
            text = f"{error.strerror}; is it an address of this machine?"
            raise ForwardingError("bind", ipv4_text(local), text, error.errno or 0) from error

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def read(self) -> bytes:
        return self._socket.recv(MAXIMUM_PACKET)

    def send(self, packet: bytes) -> None:
        """A whole packet of any protocol, to its own destination."""
        try:
            self._socket.sendto(packet, (socket.inet_ntoa(packet[16:20]), 0))
        except OSError as error:
            self._drops[reason_of(error)] += 1

    def path(self, tunnel: Tunnel) -> Carry:
        """The way into ``tunnel``. The kernel fills in the outer length, identification and checksum."""
        headers: dict[int, bytes] = {}
        address = (ipv4_text(tunnel.remote), 0)
        send = self._socket.sendto
        dropped = self._drops

        def carry(packet: bytes) -> bool:
            # Type of service and don't-fragment are all that differs between outer headers (T1).
            kind = packet[1] << 8 | packet[6] & DONT_FRAGMENT
            header = headers.get(kind)
            if header is None:
                header = headers[kind] = ip_in_ip_header(tunnel.local, tunnel.remote, packet)
            try:
                send(header + packet, address)
            except OSError as error:
                dropped[reason_of(error)] += 1
                return False
            return True

        return carry


def enlarge_buffers(sock: socket.socket) -> None:
    """Room for a burst; beyond net.core.rmem_max where we are allowed to."""
    for forced, plain in ((33, socket.SO_RCVBUF), (32, socket.SO_SNDBUF)):  # SO_RCVBUFFORCE, SO_SNDBUFFORCE
        try:
            sock.setsockopt(socket.SOL_SOCKET, forced, BUFFER)
        except PermissionError:
            sock.setsockopt(socket.SOL_SOCKET, plain, BUFFER)
