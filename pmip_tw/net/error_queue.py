"""ICMP about what a UDP socket sent, from its error queue (ip(7), IP_RECVERR)."""

import errno
import socket
import struct

from pmip_tw.addresses import Endpoint, ipv4
from pmip_tw.interfaces import Unreachable

IP_RECVERR = 11
"""linux/in.h; Python names it only from 3.14 on."""

_EXTENDED_ERROR = struct.Struct("=IBBBxII")
_ORIGIN_ICMP = 2
_DESTINATION_UNREACHABLE = 3
_MAXIMUM_REPORTS = 64

_CODE_OF_ERRNO = {
    errno.ENETUNREACH: 0,
    errno.EHOSTUNREACH: 1,
    errno.ECONNREFUSED: 3,
    errno.EPERM: 13,
    errno.EACCES: 13,
}


def enable_error_queue(sock: socket.socket) -> None:
    """Ask the kernel to keep ICMP errors, each with the destination it is about."""
    sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)


def read_error_queue(sock: socket.socket) -> list[Unreachable]:
    """The reports that wait; at most 64, so that a flood of them cannot hold the reactor up."""
    reports: list[Unreachable] = []
    for _ in range(_MAXIMUM_REPORTS):
        try:
            _, ancillary, _, address = sock.recvmsg(0, 128, socket.MSG_ERRQUEUE)
        except OSError:
            break
        for level, kind, data in ancillary:
            if (level, kind) != (socket.IPPROTO_IP, IP_RECVERR) or len(data) < _EXTENDED_ERROR.size:
                continue
            _, origin, icmp_type, code, _, _ = _EXTENDED_ERROR.unpack_from(data)
            if origin == _ORIGIN_ICMP and icmp_type == _DESTINATION_UNREACHABLE:
                reports.append(Unreachable(Endpoint(ipv4(address[0]), address[1]), code))
    return reports


def unreachable_by_errno(peer: Endpoint, error: OSError) -> Unreachable | None:
    """What a failed send means in ICMP's words; None if the error is not about reaching ``peer``."""
    code = _CODE_OF_ERRNO.get(error.errno or 0)
    return None if code is None else Unreachable(peer, code)
