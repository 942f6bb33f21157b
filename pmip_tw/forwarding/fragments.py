"""IPv4 fragmentation (RFC 791 2.3), done before encapsulation: an outer UDP packet is never fragmented (N32)."""

from pmip_tw.wire.checksum import internet_checksum

_MORE_FRAGMENTS = 0x2000
_OFFSET = 0x1FFF
_COPIED = 0x80
_END, _NO_OPERATION = 0, 1


def fragment(packet: bytes, mtu: int) -> list[bytes]:
    """``packet`` in pieces of at most ``mtu`` octets; it may itself be a fragment.

    ``mtu`` is at least 68, so that every header leaves room for 8 octets (RFC 791).
    """
    if len(packet) <= mtu:
        return [packet]
    length = (packet[0] & 0xF) * 4
    first_header = packet[:length]
    later_header = _later_header(first_header)
    word = int.from_bytes(packet[6:8], "big")
    offset = (word & _OFFSET) * 8
    pieces = []
    at = length
    header = first_header
    while at < len(packet):
        room = (mtu - len(header)) & ~7
        last = len(packet) - at <= mtu - len(header)
        payload = packet[at:] if last else packet[at : at + room]
        flags = word & ~_OFFSET if last else word & ~_OFFSET | _MORE_FRAGMENTS
        pieces.append(_with_lengths(header, payload, flags | (offset + at - length) // 8))
        at += len(payload)
        header = later_header
    return pieces


def _with_lengths(header: bytes, payload: bytes, fragment_word: int) -> bytes:
    changed = bytearray(header)
    changed[2:4] = (len(header) + len(payload)).to_bytes(2, "big")
    changed[6:8] = fragment_word.to_bytes(2, "big")
    changed[10:12] = b"\0\0"
    changed[10:12] = internet_checksum(changed).to_bytes(2, "big")
    return bytes(changed) + payload


def _later_header(header: bytes) -> bytes:
    """``header`` with only those options that every fragment carries (RFC 791 3.1, the copied flag)."""
    options = bytearray()
    at = 20
    while at < len(header):
        kind = header[at]
        if kind == _END:
            break
        if kind == _NO_OPERATION:
            at += 1
            continue
        length = header[at + 1] if at + 1 < len(header) else 0
        if length < 2 or at + length > len(header):
            break
        if kind & _COPIED:
            options += header[at : at + length]
        at += length
    options += bytes(-len(options) % 4)
    return bytes([0x40 | (20 + len(options)) // 4]) + header[1:20] + bytes(options)
