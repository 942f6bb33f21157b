"""UDP datagrams in IPv4 packets (RFC 768)."""

import struct
from typing import Final

import attrs

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.errors import Malformed, Truncated
from pmip_tw.wire.checksum import internet_checksum
from pmip_tw.wire.ipv4 import DEFAULT_TTL, PROTOCOL_UDP, Ipv4Packet

HEADER_LENGTH: Final = 8

_HEADER = struct.Struct("!HHHH")
_PSEUDO_HEADER = struct.Struct("!IIHH")


def _checksum(source: Ipv4, destination: Ipv4, datagram: bytes) -> int:
    return internet_checksum(_PSEUDO_HEADER.pack(source, destination, PROTOCOL_UDP, len(datagram)) + datagram)


@attrs.frozen(slots=True, kw_only=True)
class UdpDatagram:
    """What an unfragmented IPv4 packet of protocol 17 carries."""

    source_port: int
    destination_port: int
    payload: bytes

    @classmethod
    def decode(cls, packet: Ipv4Packet) -> "UdpDatagram":
        """A checksum of 0 was not computed and is accepted.

        Raises Truncated, or Malformed for a fragment, another protocol, a wrong length or a wrong checksum.
        """
        octets = packet.payload
        if packet.protocol != PROTOCOL_UDP:
            raise Malformed(f"protocol {packet.protocol} where UDP (17) was expected")
        if packet.is_fragment:
            raise Malformed("a fragment of a UDP datagram")
        if len(octets) < HEADER_LENGTH:
            raise Truncated("a UDP header has 8 octets", len(octets))
        source_port, destination_port, length, checksum = _HEADER.unpack_from(octets)
        if length < HEADER_LENGTH:
            raise Malformed(f"UDP length {length}", 4)
        if length > len(octets):
            raise Truncated(f"UDP length {length}, but {len(octets)} octets arrived", len(octets))
        if checksum and _checksum(packet.source, packet.destination, octets[:length]):
            raise Malformed("wrong UDP checksum", 6)
        return cls(
            source_port=source_port,
            destination_port=destination_port,
            payload=octets[HEADER_LENGTH:length],
        )


def udp_packet(source: Endpoint, destination: Endpoint, payload: bytes, ttl: int = DEFAULT_TTL) -> bytes:
    """A whole IPv4 packet with one datagram, checksums included. ValueError: ``payload`` does not fit."""
    length = HEADER_LENGTH + len(payload)
    if length > 0xFFFF:
        raise ValueError(f"{len(payload)} octets do not fit in a UDP datagram")
    ports = (source.port, destination.port, length)
    datagram = _HEADER.pack(*ports, 0) + payload
    # A computed 0 travels as all ones, because 0 says that there is no checksum.
    checksum = _checksum(source.address, destination.address, datagram) or 0xFFFF
    packet = Ipv4Packet(
        source=source.address,
        destination=destination.address,
        protocol=PROTOCOL_UDP,
        payload=_HEADER.pack(*ports, checksum) + payload,
        ttl=ttl,
    )
    return packet.encode()
