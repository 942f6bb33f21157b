"""How an inner packet is wrapped: outer headers (RFC 2003), RFC 3519's tunnel data, and what each way costs.

An inner packet is opaque here; whether it may pass is decided where the tunnels are known.
"""

import struct
from typing import Final

import attrs

from pmip_tw.addresses import Ipv4
from pmip_tw.errors import Malformed, Truncated
from pmip_tw.wire.checksum import internet_checksum
from pmip_tw.wire.codes import MessageType
from pmip_tw.wire.gre import GRE_HEADER, KEYED_GRE_HEADER
from pmip_tw.wire.ipv4 import (
    DEFAULT_TTL,
    MINIMUM_HEADER,
    PROTOCOL_GRE,
    PROTOCOL_IP_IN_IP,
    PROTOCOL_MINIMAL,
    Ipv4Packet,
)
from pmip_tw.wire.minimal import MINIMAL_HEADER

TUNNEL_DATA: Final = MessageType.TUNNEL_DATA.value
"""Of tunnel data on port 434 (RFC 3519 3.3); a plain number, as it is written in front of every packet."""

TUNNEL_DATA_HEADER: Final = 4
DONT_FRAGMENT: Final = 0x40
"""In octet 6 of an IPv4 header."""

IP_IN_IP_OVERHEAD: Final = MINIMUM_HEADER
UDP_OVERHEAD: Final = 20 + 8 + TUNNEL_DATA_HEADER
_IN_UDP: Final = UDP_OVERHEAD - IP_IN_IP_OVERHEAD

_DATA = struct.Struct("!BBH")
_OUTER = struct.Struct("!BBHHHBBHII")


def overhead(protocol: int, *, over_udp: bool = False, keyed: bool = False) -> int:
    """Octets that the encapsulation ``protocol`` (4, 47, 55) adds to a packet (RFC 5944 4.1, RFC 3519 3.3).

    Minimal encapsulation keeps the packet's own header, and needs its longer form wherever we are not the sender.
    """
    if protocol == PROTOCOL_GRE:
        octets = IP_IN_IP_OVERHEAD + (KEYED_GRE_HEADER if keyed else GRE_HEADER)
    elif protocol == PROTOCOL_MINIMAL:
        octets = MINIMAL_HEADER
    else:
        octets = IP_IN_IP_OVERHEAD
    return octets + _IN_UDP if over_udp else octets


@attrs.frozen(slots=True, kw_only=True)
class TunnelData:
    """RFC 3519 3.3: ``next_header`` says what ``payload`` is (4 an IP packet, 47 GRE, 55 minimal encapsulation)."""

    next_header: int
    payload: bytes

    @classmethod
    def decode(cls, octets: bytes) -> "TunnelData":
        """The payload of a UDP datagram; the reserved field is ignored. Raises Truncated or Malformed."""
        if len(octets) < TUNNEL_DATA_HEADER:
            raise Truncated("a tunnel data message has at least 4 octets", len(octets))
        kind, next_header, _ = _DATA.unpack_from(octets)
        if kind != TUNNEL_DATA:
            raise Malformed(f"message type {kind} where tunnel data (4) was expected")
        return cls(next_header=next_header, payload=octets[TUNNEL_DATA_HEADER:])

    def encode(self) -> bytes:
        return tunnel_data_header(self.next_header) + self.payload


def tunnel_data_header(next_header: int) -> bytes:
    """The four octets in front of every encapsulated packet."""
    return _DATA.pack(TUNNEL_DATA, next_header, 0)


def ip_in_ip_header(
    source: Ipv4, destination: Ipv4, inner: bytes, *, identification: int = 0, ttl: int = DEFAULT_TTL
) -> bytes:
    """The outer header for ``inner`` (RFC 2003 3.1). ValueError as ``outer_header``."""
    return outer_header(source, destination, PROTOCOL_IP_IN_IP, inner, identification=identification, ttl=ttl)


def outer_header(
    source: Ipv4,
    destination: Ipv4,
    protocol: int,
    inner: bytes,
    *,
    shim: bytes = b"",
    identification: int = 0,
    ttl: int = DEFAULT_TTL,
) -> bytes:
    """What stands before ``inner``: type of service and don't-fragment copied, no options (T1), then ``shim``.

    ValueError: ``inner`` has no IPv4 header, or all this does not fit in one packet.
    """
    if len(inner) < MINIMUM_HEADER:
        raise ValueError(f"{len(inner)} octets are no IPv4 packet")
    total = MINIMUM_HEADER + len(shim) + len(inner)
    if total > 0xFFFF:
        raise ValueError(f"an inner packet of {len(inner)} octets does not fit in another")
    flags = (inner[6] & DONT_FRAGMENT) << 8
    fields = (0x45, inner[1], total, identification, flags, ttl, protocol)
    checksum = internet_checksum(_OUTER.pack(*fields, 0, source, destination))
    return _OUTER.pack(*fields, checksum, source, destination) + shim


@attrs.frozen(slots=True, kw_only=True)
class IpInIp:
    """A packet of protocol 4: the tunnel's ends, and what it carries."""

    source: Ipv4
    destination: Ipv4
    inner: bytes

    @classmethod
    def decode(cls, octets: bytes) -> "IpInIp":
        """A whole outer packet. Raises Truncated, or Malformed for another protocol, a fragment, or a bad header."""
        outer = Ipv4Packet.decode(octets)
        if outer.protocol != PROTOCOL_IP_IN_IP:
            raise Malformed(f"protocol {outer.protocol} where IP-in-IP (4) was expected", 9)
        if outer.is_fragment:
            raise Malformed("a fragment of an IP-in-IP packet", 6)
        return cls(source=outer.source, destination=outer.destination, inner=outer.payload)
