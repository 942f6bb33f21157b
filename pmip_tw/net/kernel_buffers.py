"""The kernel's buffers of a UDP socket: how large they are, and how much did not fit."""

import socket
import struct

SIZE = 4 << 20
"""Octets asked for; the kernel doubles them, and a datagram of signalling takes 768. So 10,000 wait while we are busy
elsewhere, and none so long that its sender has asked again when it is read.
"""

_SO_RCVBUFFORCE = 33
_SO_SNDBUFFORCE = 32
_SO_MEMINFO = 55
"""asm-generic/socket.h; Python does not name them."""

_MEMINFO = struct.Struct("=9I")
_DROPS = 8
"""SK_MEMINFO_DROPS of linux/sock_diag.h."""


def enlarge(sock: socket.socket) -> None:
    """``SIZE`` both ways if we may (CAP_NET_ADMIN), else what net.core.rmem_max and wmem_max allow."""
    for force, ask in ((_SO_RCVBUFFORCE, socket.SO_RCVBUF), (_SO_SNDBUFFORCE, socket.SO_SNDBUF)):
        try:
            sock.setsockopt(socket.SOL_SOCKET, force, SIZE)
        except PermissionError:
            sock.setsockopt(socket.SOL_SOCKET, ask, SIZE)


def lost(sock: socket.socket) -> int:
    """Datagrams that arrived and that the kernel dropped: the buffer was full, or the checksum wrong."""
    counts: int = _MEMINFO.unpack(sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size))[_DROPS]
    return counts
