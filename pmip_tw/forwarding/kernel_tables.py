"""Host routes and proxied neighbors in the kernel's tables, one by one and at once, by rtnetlink(7).

All that is ours is marked with a protocol number, by which a later process knows what a crashed one has left.
"""

import os
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress

from pmip_tw.addresses import Ipv4, ipv4_text
from pmip_tw.errors import ForwardingError

# linux/netlink.h, linux/rtnetlink.h, linux/neighbour.h
_NEW_ROUTE, _DELETE_ROUTE, _GET_ROUTE = 24, 25, 26
_NEW_NEIGHBOR, _DELETE_NEIGHBOR, _GET_NEIGHBOR = 28, 29, 30
_ERROR, _DONE = 2, 3
_REQUEST, _ACKNOWLEDGE = 0x1, 0x4
_DUMP, _EXCLUSIVE, _CREATE = 0x300, 0x200, 0x400
_MAIN_TABLE, _SCOPE_LINK, _UNICAST = 254, 253, 1
_RTA_DESTINATION, _RTA_OUT = 1, 4
_NDA_DESTINATION, _NDA_PROTOCOL = 1, 12
_PERMANENT, _PROXY = 0x80, 0x08
_MATCHED = 0x2000
"""RTM_F_FIB_MATCH: the route itself, not what a packet would make of it."""

_CHANGES = 0x1 | 0x10
"""RTMGRP_LINK | RTMGRP_IPV4_IFADDR."""

OURS = 77
"""Our number among those who add routes and neighbors: ``ip route show proto 77``."""

_HEADER = struct.Struct("=IHHII")
_ROUTE = struct.Struct("=BBBBBBBBI")
_NEIGHBOR = struct.Struct("=BxxxiHBB")
_ATTRIBUTE = struct.Struct("=HH")
_ROUTE_PROTOCOL_AT = 5
_SECONDS = 2
_CHANGES_AT_ONCE = 1000
_LONGEST = 1 << 16


class KernelTables:
    """Of the network namespace in which it is made. ForwardingError from every method: what the kernel has refused."""

    def __init__(self) -> None:
        self._sequence = 0
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._socket.bind((0, 0))
        # The kernel answers before the request returns; whoever waits has met a defect.
        self._socket.settimeout(_SECONDS)

    def close(self) -> None:
        self._socket.close()

    def add_route(self, host: Ipv4, device: int) -> None:
        """``host`` is reached by the interface with the index ``device``, in the main table."""
        self._do("add a route to", host, _NEW_ROUTE, _CREATE | _EXCLUSIVE, _route(host, device))

    def remove_route(self, host: Ipv4, device: int) -> None:
        self._do("remove the route to", host, _DELETE_ROUTE, 0, _route(host, device))

    def add_proxy(self, host: Ipv4, device: int) -> None:
        """ARP requests for ``host`` on ``device`` are answered, as long as it is reached by another interface."""
        self._do("answer ARP for", host, _NEW_NEIGHBOR, _CREATE, _proxy(host, device))

    def remove_proxy(self, host: Ipv4, device: int) -> None:
        self._do("no longer answer ARP for", host, _DELETE_NEIGHBOR, 0, _proxy(host, device))

    def device_to(self, host: Ipv4) -> int:
        """By which interface packets to ``host`` leave."""
        body = _ROUTE.pack(socket.AF_INET, 32, 0, 0, 0, 0, 0, 0, 0) + _attribute(_RTA_DESTINATION, host)
        for answer in self._ask("find a route to", ipv4_text(host), _GET_ROUTE, 0, body):
            out = dict(_attributes(answer, _ROUTE.size)).get(_RTA_OUT)
            if out is not None:
                return int.from_bytes(out, sys.byteorder)
        raise ForwardingError("find a route to", ipv4_text(host), "the kernel names no interface")

    def proxies(self) -> set[tuple[Ipv4, int]]:
        """Ours, whichever process has added them: each host, and the interface on which it is answered for."""
        found = set()
        body = _NEIGHBOR.pack(socket.AF_INET, 0, 0, _PROXY, 0)
        for answer in self._ask("read", "the proxied neighbors", _GET_NEIGHBOR, _DUMP, body):
            attributes = dict(_attributes(answer, _NEIGHBOR.size))
            if attributes.get(_NDA_PROTOCOL, b"\0")[0] == OURS:
                host = Ipv4(int.from_bytes(attributes[_NDA_DESTINATION], "big"))
                found.add((host, _NEIGHBOR.unpack_from(answer)[1]))
        return found

    def abandoned_proxies(self) -> list[tuple[Ipv4, int]]:
        """Those that lead nowhere: a crashed process has left them.

        A process that is alive has a route to each, which goes with its device.
        """
        return [(host, device) for host, device in self.proxies() if not self._is_routed(host)]

    def _is_routed(self, host: Ipv4) -> bool:
        """Whether there is a route of ours to ``host``."""
        body = _ROUTE.pack(socket.AF_INET, 32, 0, 0, 0, 0, 0, 0, _MATCHED)
        body += _attribute(_RTA_DESTINATION, host)
        try:
            answers = self._ask("look at", ipv4_text(host), _GET_ROUTE, 0, body)
        except ForwardingError:
            return False  # to nowhere at all
        return any(answer[_ROUTE_PROTOCOL_AT] == OURS for answer in answers)

    def _do(self, operation: str, host: Ipv4, kind: int, flags: int, body: bytes) -> None:
        self._ask(operation, ipv4_text(host), kind, _ACKNOWLEDGE | flags, body)

    def _ask(self, operation: str, subject: str, kind: int, flags: int, body: bytes) -> list[bytes]:
        """What the kernel answers, without the headers."""
        self._sequence += 1
        header = _HEADER.pack(_HEADER.size + len(body), kind, _REQUEST | flags, self._sequence, 0)
        try:
            self._socket.send(header + body)
            return self._answers(several=flags == _DUMP)
        except OSError as error:
            text = f"the kernel says: {error.strerror or error}"
            raise ForwardingError(operation, subject, text, error.errno or 0) from error

    def _answers(self, *, several: bool) -> list[bytes]:
        found: list[bytes] = []
        while True:
            datagram, position = self._socket.recv(_LONGEST), 0
            while position + _HEADER.size <= len(datagram):
                length, kind, _, sequence, _ = _HEADER.unpack_from(datagram, position)
                body = datagram[position + _HEADER.size : position + length]
                position += -(-length // 4) * 4
                if sequence != self._sequence:
                    continue  # of a request that was given up
                if kind == _ERROR:
                    number = -int.from_bytes(body[:4], sys.byteorder, signed=True)
                    if number:
                        raise OSError(number, os.strerror(number))
                    return found
                if kind == _DONE:
                    return found
                found.append(body)
                if not several:
                    return found


class InterfaceChanges:
    """Says that an interface went up or down, or an IPv4 address came or went; which one is the reader's to find."""

    def __init__(self) -> None:
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE
        )
        self._socket.bind((0, _CHANGES))

    def close(self) -> None:
        self._socket.close()

    def fileno(self) -> int:
        return self._socket.fileno()

    def read(self) -> bytes:
        """Of however many changes at once; raises BlockingIOError if there was none since."""
        changes = self._next()
        with suppress(BlockingIOError):
            for _ in range(_CHANGES_AT_ONCE):
                self._next()
        return changes

    def _next(self) -> bytes:
        try:
            return self._socket.recv(_LONGEST)
        except BlockingIOError:
            raise
        except OSError:
            return b""  # ENOBUFS: more changes than fit, which is a change


def _route(host: Ipv4, device: int) -> bytes:
    head = _ROUTE.pack(socket.AF_INET, 32, 0, 0, _MAIN_TABLE, OURS, _SCOPE_LINK, _UNICAST, 0)
    out = _ATTRIBUTE.pack(8, _RTA_OUT) + device.to_bytes(4, sys.byteorder)
    return head + _attribute(_RTA_DESTINATION, host) + out


def _proxy(host: Ipv4, device: int) -> bytes:
    head = _NEIGHBOR.pack(socket.AF_INET, device, _PERMANENT, _PROXY, 0)
    mark = _ATTRIBUTE.pack(5, _NDA_PROTOCOL) + bytes((OURS, 0, 0, 0))
    return head + _attribute(_NDA_DESTINATION, host) + mark


def _attribute(kind: int, host: Ipv4) -> bytes:
    return _ATTRIBUTE.pack(8, kind) + host.to_bytes(4, "big")


def _attributes(body: bytes, position: int) -> Iterator[tuple[int, bytes]]:
    while position + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, position)
        yield kind, body[position + _ATTRIBUTE.size : position + length]
        position += max(4, -(-length // 4) * 4)
