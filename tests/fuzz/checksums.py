"""Checksums made right, so that what lies behind their checks is reached."""

import struct

from pmip_tw.wire.checksum import internet_checksum

_MINIMUM = 20
_PROTOCOLS = {1: 2, 17: 6}
"""ICMP and UDP: where in the message its checksum is."""


def mend_checksums(packet: bytes) -> bytes:
    """An IPv4 packet with the checksums that its octets ask for; unchanged if it has no header.

    Lengths are made what the octets are, if they ask for more.
    """
    header = (packet[0] & 15) * 4 if packet else 0
    if len(packet) < _MINIMUM or not _MINIMUM <= header <= len(packet):
        return packet
    mended = bytearray(packet)
    total = int.from_bytes(mended[2:4], "big")
    if not header <= total <= len(mended):
        total = len(mended)
        mended[2:4] = total.to_bytes(2, "big")
    mended[10:12] = b"\0\0"
    mended[10:12] = internet_checksum(mended[:header]).to_bytes(2, "big")
    at = _PROTOCOLS.get(mended[9])
    size = total - header
    if at is None or size < 8:
        return bytes(mended)
    pseudo = b""
    if at == _PROTOCOLS[17]:
        size = min(size, max(8, int.from_bytes(mended[header + 4 : header + 6], "big")))
        mended[header + 4 : header + 6] = size.to_bytes(2, "big")
        pseudo = mended[12:20] + struct.pack("!HH", 17, size)
    mended[header + at : header + at + 2] = b"\0\0"
    checksum = internet_checksum(pseudo + mended[header : header + size])
    mended[header + at : header + at + 2] = checksum.to_bytes(2, "big")
    return bytes(mended)
