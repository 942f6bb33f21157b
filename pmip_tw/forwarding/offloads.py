"""Finishes what a sender left to its network card: checksums and segmentation.

An unmodified host behind a virtual link hands over TCP segments of up to 64 KiB with partial checksums. The
packet socket describes them in a 10-octet header (``struct virtio_net_hdr``), and here they become what would
have been on the wire. What the receiving kernel merged (GRO) is cut again in the same way.
"""

import struct
from collections.abc import Iterator
from typing import Final

from pmip_tw.wire.checksum import internet_checksum
from pmip_tw.wire.ipv4 import MINIMUM_HEADER, PROTOCOL_TCP, PROTOCOL_UDP, is_fragment

VNET_HEADER: Final = 10
NO_OFFLOAD: Final = bytes(VNET_HEADER)
"""In front of a frame that leaves: nothing is left to do."""

_VNET = struct.Struct("=BBHHHH")
_NEEDS_CHECKSUM = 1
_ECN = 0x80
_TCPV4, _UDP_SEGMENTS = 1, 5

_ETHERNET: Final = 14
_LARGEST_SEGMENT = 0xFFFF - 2 * 60
"""Octets of payload that fit in a packet behind the longest two headers."""

_TCP_FIN_PSH = 0x09
_TCP_CWR = 0x80


class UnknownOffload(Exception):
    """A super-frame that cannot be finished here."""


def finish(data: bytes) -> list[bytes]:
    """The Ethernet frames that ``data`` stands for: a ``virtio_net_hdr`` and one frame, as the packet socket gave it.

    Raises UnknownOffload.
    """
    flags, kind, _, size, start, offset = _VNET.unpack_from(data)
    frame = data[VNET_HEADER:]
    kind &= ~_ECN
    if kind == 0:
        return [_with_checksum(frame, start, offset) if flags & _NEEDS_CHECKSUM else frame]
    if frame[12:14] != b"\x08\x00" or size == 0 or len(frame) < _ETHERNET + MINIMUM_HEADER:
        raise UnknownOffload(f"segmentation offload type {kind} of ethertype {frame[12:14].hex()}")
    head, packet = frame[:_ETHERNET], frame[_ETHERNET:]
    if size > _LARGEST_SEGMENT:
        raise UnknownOffload(f"segments of {size} octets")
    if kind == _TCPV4 and packet[9] == PROTOCOL_TCP:
        return [head + segment for segment in tcp_segments(packet, size)]
    if kind == _UDP_SEGMENTS and packet[9] == PROTOCOL_UDP:
        return [head + segment for segment in _udp_segments(packet, size)]
    raise UnknownOffload(f"segmentation offload type {kind}")


def _with_checksum(frame: bytes, start: int, offset: int) -> bytes:
    """Complete a checksum that so far covers the pseudo-header only: it is summed from ``start`` to the end."""
    where = start + offset
    if where + 2 > len(frame):
        raise UnknownOffload("a partial checksum beyond the end of the frame")
    # A computed 0 travels as all ones: UDP demands it and TCP cannot tell the difference.
    checksum = internet_checksum(frame[start:]) or 0xFFFF
    return frame[:where] + checksum.to_bytes(2, "big") + frame[where + 2 :]


def tcp_segments(packet: bytes, size: int) -> Iterator[bytes]:
    """Cut an IPv4 packet with one long TCP segment into packets of at most ``size`` octets of payload.

    Every header and checksum is computed anew. FIN and PSH belong to the last piece, CWR to the first (RFC 3168).
    Raises UnknownOffload.
    """
    header = _ip_header_length(packet)
    total = int.from_bytes(packet[2:4], "big") or len(packet)
    if len(packet) < header + 20:
        raise UnknownOffload("a TCP super-frame without a TCP header")
    data_at = header + (packet[header + 12] >> 4) * 4
    if not header + 20 <= data_at <= total <= len(packet):
        raise UnknownOffload("a TCP super-frame with a broken header")
    identification = int.from_bytes(packet[4:6], "big")
    sequence = int.from_bytes(packet[header + 4 : header + 8], "big")
    flags = packet[header + 13]
    # Both headers in one, as what stays between what changes. 2**16 is 1 modulo 0xffff, so the checksums' fixed
    # parts may be added up as big numbers, and one division ends the sum.
    layout = struct.Struct(f"!2sHH4sH{header - 8}sI5sB2sH{data_at - header - 18}s")
    first, _, _, second, _, third, _, fourth, _, fifth, _, options = layout.unpack_from(packet)
    ip_sum = int.from_bytes(
        layout.pack(first, 0, 0, second, 0, third, 0, b"", 0, b"", 0, b"")[:header], "big"
    )
    tcp = layout.pack(b"", 0, 0, b"", 0, third, 0, fourth, 0, fifth, 0, options)
    tcp_sum = int.from_bytes(tcp[header:], "big") + int.from_bytes(packet[12:20], "big") + PROTOCOL_TCP
    last = total - size
    for at in range(data_at, total, size) if total > data_at else (data_at,):
        payload = packet[at : min(at + size, total)]
        length = data_at + len(payload)
        kept = flags if at >= last else flags & ~_TCP_FIN_PSH
        if at > data_at:
            kept &= ~_TCP_CWR
        value = int.from_bytes(payload, "big")
        if len(payload) & 1:
            value <<= 8
        tcp_checksum = 0xFFFF - (value + tcp_sum + length - header + sequence + kept) % 0xFFFF
        ip_checksum = 0xFFFF - (ip_sum + length + identification) % 0xFFFF
        yield layout.pack(
            first, length, identification, second, ip_checksum, third,
            sequence, fourth, kept, fifth, tcp_checksum, options,
        ) + payload  # fmt: skip
        identification = identification + 1 & 0xFFFF
        sequence = sequence + size & 0xFFFFFFFF


def _udp_segments(packet: bytes, size: int) -> Iterator[bytes]:
    """Cut a UDP super-frame (UDP_SEGMENT) into datagrams of ``size`` octets of payload. Raises UnknownOffload."""
    header = _ip_header_length(packet)
    data_at = header + 8
    if len(packet) < data_at:
        raise UnknownOffload("a UDP super-frame without a UDP header")
    ip = bytearray(packet[:header])
    udp = bytearray(packet[header:data_at])
    identification = int.from_bytes(ip[4:6], "big")
    pseudo = int.from_bytes(ip[12:20], "big") + PROTOCOL_UDP
    for at in range(data_at, len(packet), size):
        payload = packet[at : at + size]
        length = 8 + len(payload)
        udp[4:6] = length.to_bytes(2, "big")
        udp[6:8] = b"\0\0"
        _finish_transport(udp, 6, payload, pseudo + length)
        yield b"".join((_ip_header(ip, header + length, identification), udp, payload))
        identification += 1


def _ip_header_length(packet: bytes) -> int:
    header = (packet[0] & 0xF) * 4
    if packet[0] >> 4 != 4 or header < MINIMUM_HEADER:
        raise UnknownOffload(f"a packet that begins with {packet[0]:#04x} is not IPv4")
    return header


def _finish_transport(head: bytearray, where: int, payload: bytes, pseudo: int) -> None:
    # 2**16 is 1 modulo 0xffff, so big numbers may be added before the one division.
    value = int.from_bytes(payload, "big")
    if len(payload) & 1:
        value <<= 8
    value = (value + int.from_bytes(head, "big") + pseudo) % 0xFFFF
    head[where : where + 2] = (0xFFFF - value).to_bytes(2, "big")


def _ip_header(ip: bytearray, total: int, identification: int) -> bytearray:
    ip[2:4] = total.to_bytes(2, "big")
    ip[4:6] = (identification & 0xFFFF).to_bytes(2, "big")
    ip[10:12] = b"\0\0"
    ip[10:12] = internet_checksum(ip).to_bytes(2, "big")
    return ip


def is_merged(packet: bytes) -> bool:
    """Did the receiving kernel (GRO) leave the checksum of this sound TCP packet at the sum of its pseudo-header?

    It merges no fragments; what stands in one where a checksum would be is the sender's, whatever it looks like.
    """
    header = (packet[0] & 0xF) * 4
    if packet[9] != PROTOCOL_TCP or len(packet) < header + 20:
        return False
    length = int.from_bytes(packet[2:4], "big") - header
    pseudo = (int.from_bytes(packet[12:20], "big") + PROTOCOL_TCP + length) % 0xFFFF
    checksum = int.from_bytes(packet[header + 16 : header + 18], "big") % 0xFFFF
    return checksum == pseudo and not is_fragment(packet)


def cut_merged(packet: bytes, mtu: int) -> list[bytes]:
    """A sound packet that the receiving kernel merged, as packets of at most ``mtu`` octets. Raises UnknownOffload."""
    header = (packet[0] & 0xF) * 4
    if packet[9] != PROTOCOL_TCP or len(packet) < header + 20 or is_fragment(packet):
        raise UnknownOffload(f"{len(packet)} octets of protocol {packet[9]}")
    return list(tcp_segments(packet, mtu - header - (packet[header + 12] >> 4) * 4))
