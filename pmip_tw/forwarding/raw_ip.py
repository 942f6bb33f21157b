"""Raw sockets for what travels directly over IP: whole outer packets in both directions."""

import errno
import socket
import sys
from collections.abc import Callable

from pmip_tw.addresses import Ipv4, ipv4_text
from pmip_tw.errors import ForwardingError
from pmip_tw.forwarding import drops
from pmip_tw.forwarding.fragments import fragment
from pmip_tw.forwarding.paths import Carry, whole_only
from pmip_tw.mobility.tunnels import Encapsulation, Tunnel
from pmip_tw.wire import minimal
from pmip_tw.wire.encapsulation import DONT_FRAGMENT, outer_header
from pmip_tw.wire.gre import gre_header
from pmip_tw.wire.icmp import DESTINATION_UNREACHABLE, TIME_EXCEEDED
from pmip_tw.wire.ipv4 import MAXIMUM_PACKET, PROTOCOL_ICMP

BUFFER = 8 << 20

_SOL_RAW, _ICMP_FILTER = 255, 1
"""linux/icmp.h: a mask of the types that are not wanted."""


def not_opened(what: str, error: OSError) -> ForwardingError:
    """A raw or packet socket that the kernel did not give us."""
    text = "needs root or CAP_NET_RAW" if isinstance(error, PermissionError) else error.strerror or str(error)
    return ForwardingError("open", what, text, error.errno or 0)


class _RawSocket:
    """Bound to ``local``: only packets of ``protocol`` to that address arrive, and they arrive whole.

    The kernel reassembles outer fragments first. ``option`` is set before anything can be read.
    """

    def __init__(self, local: Ipv4, protocol: int, what: str, option: tuple[int, int, int | bytes]) -> None:
        """ForwardingError: no privilege, or no such address here; ``what`` names the socket there."""
        try:
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, protocol)
        except OSError as error:
            raise not_opened(f"the raw socket for {what}", error) from error
        try:
            self._socket.setsockopt(*option)
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


class IcmpErrors(_RawSocket):
    """ICMP errors to ``local``; the kernel handles them all the same.

    Not the error queues of the sockets that send: there an error also fails the next packet, whose it is not.
    """

    def __init__(self, local: Ipv4) -> None:
        others = 0xFFFFFFFF & ~(1 << DESTINATION_UNREACHABLE | 1 << TIME_EXCEEDED)
        option = (_SOL_RAW, _ICMP_FILTER, others.to_bytes(4, sys.byteorder))
        super().__init__(local, PROTOCOL_ICMP, "ICMP", option)


class RawIpSocket(_RawSocket):
    """Packets of one encapsulation, in both directions."""

    def __init__(self, local: Ipv4, encapsulation: Encapsulation, dropped: drops.Drops) -> None:
        super().__init__(local, encapsulation, encapsulation.label, (socket.IPPROTO_IP, socket.IP_HDRINCL, 1))
        enlarge_buffers(self._socket)
        self._drops = dropped
        self._identification = 0

    def send(self, packet: bytes) -> None:
        """A whole packet of any protocol, to its own destination."""
        try:
            self._socket.sendto(packet, (socket.inet_ntoa(packet[16:20]), 0))
        except OSError as error:
            self._drops[drops.reason_of(error.errno)] += 1

    def path(self, tunnel: Tunnel, path_mtu: Callable[[Tunnel], int]) -> Carry:
        """The way into ``tunnel``. The kernel fills in the outer length, identification and checksum."""
        if tunnel.encapsulation is Encapsulation.MINIMAL:
            return whole_only(self._minimal_path(tunnel, path_mtu), self._drops)
        headers: dict[int, bytes] = {}
        shim = gre_header(tunnel.key_out) if tunnel.encapsulation is Encapsulation.GRE else b""
        address = (ipv4_text(tunnel.remote), 0)
        send = self._socket.sendto
        dropped = self._drops

        def carry(packet: bytes) -> bool:
            # Type of service and don't-fragment are all that differs between outer headers (T1).
            kind = packet[1] << 8 | packet[6] & DONT_FRAGMENT
            header = headers.get(kind)
            if header is None:
                header = headers[kind] = outer_header(
                    tunnel.local, tunnel.remote, tunnel.encapsulation, packet, shim=shim
                )
            try:
                send(header + packet, address)
            except OSError as error:
                dropped[drops.reason_of(error.errno)] += 1
                return False
            return True

        return carry

    def _minimal_path(self, tunnel: Tunnel, path_mtu: Callable[[Tunnel], int]) -> Carry:
        source, destination = tunnel.local.to_bytes(4, "big"), tunnel.remote.to_bytes(4, "big")
        address = (ipv4_text(tunnel.remote), 0)
        send = self._socket.sendto

        def carry(packet: bytes) -> bool:
            try:
                try:
                    send(minimal.wrap(packet, source, destination), address)
                except OSError as error:
                    if error.errno != errno.EMSGSIZE or packet[6] & DONT_FRAGMENT:
                        raise
                    # The kernel does not fragment what came with a header of its own.
                    self._identification = self._identification % 0xFFFF + 1
                    outer = minimal.wrap(packet, source, destination, self._identification)
                    for piece in fragment(outer, path_mtu(tunnel)):
                        send(piece, address)
            except OSError as error:
                self._drops[drops.reason_of(error.errno)] += 1
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
