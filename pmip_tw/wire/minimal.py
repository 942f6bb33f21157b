"""Minimal encapsulation (RFC 2004): the packet keeps its header, and what that loses stands behind it (T3).

before                       after
IP header P, from S to D     IP header 55, from source to destination
payload                      forwarding header P, D, S
                             payload
"""

import struct
from typing import Final

from pmip_tw.addresses import Ipv4
from pmip_tw.errors import Malformed, Truncated
from pmip_tw.wire.checksum import internet_checksum
from pmip_tw.wire.ipv4 import MINIMUM_HEADER, PROTOCOL_MINIMAL, Ipv4Packet

MINIMAL_HEADER: Final = 12
SHORT_MINIMAL_HEADER: Final = 8
"""Without the original source, which then is the tunnel's entry itself."""

LONGEST: Final = 0xFFFF - MINIMAL_HEADER
"""Octets of a packet that still fits with the header."""

_SOURCE_PRESENT = 0x80
_LAYOUT = struct.Struct("!BBH4s")


def forwarding_header(packet: bytes, source: bytes = b"") -> bytes:
    """For the whole ``packet``, whose own source is left out if it is ``source``, four octets."""
    original = packet[12:16]
    flags, tail = (0, b"") if original == source else (_SOURCE_PRESENT, original)
    checksum = internet_checksum(_LAYOUT.pack(packet[9], flags, 0, packet[16:20]) + tail)
    return _LAYOUT.pack(packet[9], flags, checksum, packet[16:20]) + tail


def wrap(packet: bytes, source: bytes, destination: bytes, identification: int = 0) -> bytes:
    """The whole ``packet`` on its way between two addresses, each four octets; options stay in the one header.

    Its identification becomes that of the outer packet: fragments of the packets of many nodes meet under one pair
    of addresses. 0 leaves the choice to the kernel. ValueError: it does not fit in one packet.
    """
    shim = forwarding_header(packet, source)
    total = len(packet) + len(shim)
    if total > 0xFFFF:
        raise ValueError(f"an inner packet of {len(packet)} octets does not fit in another")
    length = (packet[0] & 0xF) * 4
    header = bytearray(packet[:length])
    header[2:4] = total.to_bytes(2, "big")
    header[4:6] = identification.to_bytes(2, "big")
    header[9] = PROTOCOL_MINIMAL
    header[12:20] = source + destination
    header[10:12] = b"\0\0"
    header[10:12] = internet_checksum(header).to_bytes(2, "big")
    return b"".join((header, shim, packet[length:]))


def unwrap(outer: bytes) -> bytes:
    """The original of a whole outer packet. Raises Truncated, or Malformed for a wrong checksum."""
    length = (outer[0] & 0xF) * 4
    protocol, addresses, at = _read(outer[length:])
    total = int.from_bytes(outer[2:4], "big")
    if total < length + at:
        raise Malformed(f"total length {total} of a packet whose headers have {length + at} octets", 2)
    header = bytearray(outer[:length])
    header[2:4] = (total - at).to_bytes(2, "big")
    header[9] = protocol
    header[12:20] = (addresses[4:] or outer[12:16]) + addresses[:4]
    header[10:12] = b"\0\0"
    header[10:12] = internet_checksum(header).to_bytes(2, "big")
    return bytes(header) + outer[length + at :]


def rebuild(octets: bytes, source: Ipv4, identification: int) -> bytes:
    """The packet of tunnel data with a forwarding header (RFC 3519 3.3), whose outer header UDP has not kept.

    So type of service, time to live and options are lost, and it may be fragmented. ``source`` is that of the
    datagram. Raises Truncated, or Malformed for a wrong checksum.
    """
    protocol, addresses, at = _read(octets)
    origin = Ipv4(int.from_bytes(addresses[4:], "big")) if len(addresses) > 4 else source
    if len(octets) - at > 0xFFFF - MINIMUM_HEADER:
        raise Malformed(f"a payload of {len(octets) - at} octets")
    return Ipv4Packet(
        source=origin,
        destination=Ipv4(int.from_bytes(addresses[:4], "big")),
        protocol=protocol,
        payload=octets[at:],
        identification=identification,
    ).encode()


def _read(octets: bytes) -> tuple[int, bytes, int]:
    """Protocol, destination and perhaps source, and where the payload begins."""
    if len(octets) < SHORT_MINIMAL_HEADER:
        raise Truncated("a minimal forwarding header has at least 8 octets", len(octets))
    at = MINIMAL_HEADER if octets[1] & _SOURCE_PRESENT else SHORT_MINIMAL_HEADER
    if len(octets) < at:
        raise Truncated("a minimal forwarding header with a source has 12 octets", len(octets))
    if internet_checksum(octets[:at]):
        raise Malformed("wrong checksum of a minimal forwarding header", 2)
    return octets[0], octets[4:at], at
