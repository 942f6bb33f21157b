"""TCP's maximum segment size, lowered in SYN segments to what fits the tunnel.

Without it a connection whose path loses the ICMP too-big stalls at its first full segment.
"""

from pmip_tw.wire.checksum import update_checksum
from pmip_tw.wire.ipv4 import MINIMUM_HEADER, PROTOCOL_TCP

TCP_HEADER = 20
_SYN = 0x02
_END, _NO_OPERATION, _MAXIMUM_SEGMENT_SIZE = 0, 1, 2


def is_syn(packet: bytes) -> bool:
    """Is it an IPv4 packet with the beginning of a TCP segment that has SYN set?"""
    if packet[9] != PROTOCOL_TCP or packet[7] or packet[6] & 0x1F:
        return False
    header = (packet[0] & 0xF) * 4
    return len(packet) >= header + TCP_HEADER and bool(packet[header + 13] & _SYN)


def clamp(packet: bytes, mtu: int) -> bytes:
    """The SYN ``packet`` with its MSS option lowered to ``mtu`` less the two headers; as it is if that suffices."""
    largest = mtu - MINIMUM_HEADER - TCP_HEADER
    header = (packet[0] & 0xF) * 4
    end = min(header + (packet[header + 12] >> 4) * 4, len(packet))
    at = header + TCP_HEADER
    while at < end:
        kind = packet[at]
        if kind == _END:
            break
        if kind == _NO_OPERATION:
            at += 1
            continue
        length = packet[at + 1] if at + 1 < end else 0
        if length < 2 or at + length > end:
            break
        if kind == _MAXIMUM_SEGMENT_SIZE and length == 4:
            return _lowered(packet, header, at + 2, largest)
        at += length
    return packet


def _lowered(packet: bytes, header: int, at: int, largest: int) -> bytes:
    found = int.from_bytes(packet[at : at + 2], "big")
    if found <= largest:
        return packet
    changed = bytearray(packet)
    changed[at : at + 2] = largest.to_bytes(2, "big")
    where = header + 16
    checksum = int.from_bytes(packet[where : where + 2], "big")
    if (at - header) & 1:
        # The option stands at an odd octet: as the checksum sees it, its two octets are swapped.
        found, largest = _swapped(found), _swapped(largest)
    changed[where : where + 2] = update_checksum(checksum, found, largest).to_bytes(2, "big")
    return bytes(changed)


def _swapped(word: int) -> int:
    return (word & 0xFF) << 8 | word >> 8
