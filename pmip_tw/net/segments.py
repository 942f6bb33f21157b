"""Datagrams to one peer in one system call (udp(7), UDP_SEGMENT): the kernel cuts them, or the network card does.

Sending is most of what the kernel does for a registration, and nearly all replies to a MAG are equally long.
"""

import socket
from collections.abc import Iterable, Iterator
from struct import Struct

from pmip_tw.addresses import Endpoint

UDP_SEGMENT = 103
"""linux/udp.h; the socket module has no name for it."""

MOST_SEGMENTS = 64
MOST_OCTETS = 60_000
"""Of one call: what every kernel takes that can do it."""

_SIZE = Struct("=H")

Message = tuple[bytes, Endpoint]
"""A payload, and where it goes."""


def are_cut_by(sock: socket.socket) -> bool:
    """Whether the kernel can do it (Linux 4.18). One that cannot would send everything as one datagram."""
    try:
        sock.getsockopt(socket.IPPROTO_UDP, UDP_SEGMENT)
    except OSError:
        return False
    return True


def cut_after(size: int) -> list[tuple[int, int, bytes]]:
    """The ancillary data that asks for it."""
    return [(socket.IPPROTO_UDP, UDP_SEGMENT, _SIZE.pack(size))]


def joined(messages: Iterable[Message]) -> Iterator[tuple[Endpoint, list[bytes]]]:
    """Payloads of one size for one destination that fit into one call, each destination's in their order."""
    found: dict[tuple[Endpoint, int], list[bytes]] = {}
    for payload, destination in messages:
        key = (destination, len(payload))
        together = found.setdefault(key, [])
        together.append(payload)
        if len(together) == MOST_SEGMENTS or (len(together) + 1) * len(payload) > MOST_OCTETS:
            yield destination, found.pop(key)
    for (destination, _), together in found.items():
        yield destination, together
