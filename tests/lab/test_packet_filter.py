"""The kernel's filter, asked as the kernel runs it: attached to a socket pair."""

import ctypes
import socket
import struct

import pytest

from pmip_tw.lab import packet_filter
from pmip_tw.wire.dhcp import DhcpMessage
from tests.lab.frames import FAR, HOME, LMA, MAG1, NODE, echo, heard, segment, signalling, tunnelled
from tests.lab.test_heard import REQUEST

ATTACH_FILTER = 26


def _kept(ip: bytes) -> int:
    """How many octets of the frame pass; a datagram socket runs the same classic BPF on what it is sent."""
    frame = heard("mn", 1, ip, source=NODE).octets
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        length, octets = packet_filter.program()
        instructions = ctypes.create_string_buffer(octets)
        theirs.setsockopt(
            socket.SOL_SOCKET, ATTACH_FILTER, struct.pack("HP", length, ctypes.addressof(instructions))
        )
        theirs.setblocking(False)
        try:
            ours.send(frame)
        except PermissionError:
            return 0  # how this kind of socket tells the sender that the filter refused
        try:
            return len(theirs.recv(65535))
        except BlockingIOError:
            return 0


def _numbered(ip: bytes, identification: int) -> bytes:
    return ip[:4] + identification.to_bytes(2, "big") + ip[6:]


def _bulk() -> bytes:
    return segment(1400, port=packet_filter.BULK_PORT)


def _flagged(ip: bytes, flags: int) -> bytes:
    return ip[:33] + bytes([flags]) + ip[34:]


@pytest.mark.parametrize(
    "ip",
    [echo(1), tunnelled(echo(1)), signalling(REQUEST, MAG1, LMA), signalling(bytes(900), HOME, FAR, 5001)],
    ids=["echo", "tunnelled echo", "registration", "UDP data"],
)
def test_everything_but_tcp_is_kept_whole(ip: bytes) -> None:
    assert _kept(ip) == 14 + len(ip)


def test_of_bulk_tcp_every_sixteenth_segments_headers_are_kept() -> None:
    kept = [number for number in range(64) if _kept(_numbered(_bulk(), number))]
    assert kept == [0, 16, 32, 48]
    assert _kept(_numbered(_bulk(), 16)) < 100


def test_the_same_segments_are_kept_inside_the_tunnel() -> None:
    inner = {number: _numbered(_bulk(), number) for number in (15, 16)}
    assert _kept(tunnelled(inner[16])) < 120
    assert _kept(tunnelled(inner[15])) == 0
    in_udp = {number: signalling(b"\x04\x04\0\0" + inner[number], MAG1, LMA) for number in (15, 16)}
    assert 0 < _kept(in_udp[16]) < 140
    assert _kept(in_udp[15]) == 0


@pytest.mark.parametrize("flags", [0x02, 0x12, 0x11, 0x04], ids=["SYN", "SYN ACK", "FIN", "RST"])
def test_beginnings_and_ends_of_connections_are_always_kept(flags: int) -> None:
    assert _kept(_flagged(_numbered(_bulk(), 3), flags)) > 0


def test_of_other_tcp_every_segments_headers_are_kept() -> None:
    assert 0 < _kept(_numbered(segment(1400), 3)) < 100
    assert 0 < _kept(tunnelled(_numbered(segment(1400), 3))) < 120


def test_dhcp_is_kept_whole() -> None:
    message = DhcpMessage(op=1, xid=7, chaddr=NODE).encode()
    ip = signalling(message, HOME, FAR, 67)
    assert _kept(ip) == 14 + len(ip)
