"""The IPv4 address of an interface at this moment, with its prefix; rtnetlink is not needed for that."""

import fcntl
import socket
import struct

from pmip_tw.addresses import Ipv4, Prefix

_SIOCGIFADDR, _SIOCGIFNETMASK = 0x8915, 0x891B


def address_of(interface: str) -> Ipv4 | None:
    """Of several the first, the primary one; None if it has none, or if there is no such interface."""
    return _asked(interface, _SIOCGIFADDR)


def prefix_of(interface: str) -> Prefix | None:
    """The prefix that goes with ``address_of``."""
    address, mask = address_of(interface), _asked(interface, _SIOCGIFNETMASK)
    if address is None or mask is None:
        return None
    return Prefix(Ipv4(address & mask), mask.bit_count())


def _asked(interface: str, request: int) -> Ipv4 | None:
    question = struct.pack("16s24x", interface.encode()[:15])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            answer = fcntl.ioctl(sock, request, question)
        except OSError:
            return None
    return Ipv4(int.from_bytes(answer[20:24], "big"))
