"""GRE's header (RFC 2784) with the key of RFC 2890, as a tunnel for IPv4 has it (T4)."""

import struct
from typing import Final

from pmip_tw.errors import Malformed, Truncated
from pmip_tw.wire.checksum import internet_checksum

GRE_HEADER: Final = 4
KEYED_GRE_HEADER: Final = 8

_IPV4: Final = 0x0800
_CHECKSUM, _KEY, _SEQUENCE = 0x8000, 0x2000, 0x1000
_NOT_UNDERSTOOD = 0x4C07
"""Bits 1, 4 and 5, which only RFC 1701 used, and the version: set, they change what follows (RFC 2784 2.3)."""

_FIRST = struct.Struct("!HH")
_KEYED = struct.Struct("!HHI")

_PLAIN = _FIRST.pack(0, _IPV4)
_WITH_KEY = _FIRST.pack(_KEY, _IPV4)


def gre_header(key: int | None = None) -> bytes:
    """What stands before an IPv4 packet; ``key`` is a 32-bit number. No checksum, no sequence number."""
    return _PLAIN if key is None else _KEYED.pack(_KEY, _IPV4, key)


def read_gre(octets: bytes) -> tuple[bytes, bytes]:
    """The key as its four octets (none: empty), and the packet behind the header.

    A checksum is verified; a sequence number is stepped over: order is for the ends to care about (RFC 2890 2.2).
    Raises Truncated, or Malformed for bits that we do not understand, another protocol than IPv4, a wrong checksum.
    """
    first = octets[:GRE_HEADER]
    if first == _WITH_KEY and len(octets) >= KEYED_GRE_HEADER:
        return octets[4:8], octets[8:]
    if first == _PLAIN:
        return b"", octets[4:]
    return _read_any(octets)


def _read_any(octets: bytes) -> tuple[bytes, bytes]:
    if len(octets) < GRE_HEADER:
        raise Truncated("a GRE header has at least 4 octets", len(octets))
    flags, protocol = _FIRST.unpack_from(octets)
    if flags & _NOT_UNDERSTOOD:
        raise Malformed(f"GRE flags {flags:#06x}")
    if protocol != _IPV4:
        raise Malformed(f"GRE protocol {protocol:#06x} where IPv4 (0x0800) was expected", 2)
    at = GRE_HEADER
    if flags & _CHECKSUM:
        if len(octets) < at + 4:
            raise Truncated("a GRE checksum needs 4 octets more", len(octets))
        if internet_checksum(octets):
            raise Malformed("wrong GRE checksum", at)
        at += 4
    key = b""
    if flags & _KEY:
        key = octets[at : at + 4]
        at += 4
    if flags & _SEQUENCE:
        at += 4
    if len(octets) < at:
        raise Truncated(f"a GRE header with these flags has {at} octets", len(octets))
    return key, octets[at:]
