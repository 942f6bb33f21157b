"""IPv4 packets (RFC 791)."""

import struct
from typing import Final

import attrs

from pmip_tw.addresses import ALL_ONES, Ipv4
from pmip_tw.errors import Malformed, Truncated
from pmip_tw.wire.checksum import internet_checksum

PROTOCOL_ICMP: Final = 1
PROTOCOL_IP_IN_IP: Final = 4
PROTOCOL_TCP: Final = 6
PROTOCOL_UDP: Final = 17
PROTOCOL_GRE: Final = 47
PROTOCOL_MINIMAL: Final = 55

MINIMUM_HEADER: Final = 20
MAXIMUM_PACKET: Final = 0xFFFF
DEFAULT_TTL: Final = 64

_LAYOUT = struct.Struct("!BBHHHBBHII")
_DONT_FRAGMENT = 0x4000
_MORE_FRAGMENTS = 0x2000


def is_host_address(address: Ipv4) -> bool:
    """May a host send from it (RFC 1122 3.2.1.3): not 0/8, 127/8, multicast, class E, broadcast."""
    first = address >> 24
    return 0 < first < 224 and first != 127


def is_group_address(address: Ipv4) -> bool:
    """Multicast or the limited broadcast address."""
    return address >> 28 == 0xE or address == ALL_ONES


def is_fragment(packet: bytes) -> bool:
    """Of octets with an IPv4 header: the first, a middle or the last piece of a packet."""
    return bool(packet[6] & 0x3F or packet[7])


@attrs.frozen(slots=True, kw_only=True)
class Ipv4Packet:
    """A packet, or one fragment of it.

    ``fragment_offset`` is in octets, a multiple of 8; ``options`` as in the header, a multiple of 4 octets.
    """

    source: Ipv4
    destination: Ipv4
    protocol: int
    payload: bytes
    ttl: int = DEFAULT_TTL
    tos: int = 0
    identification: int = 0
    dont_fragment: bool = False
    more_fragments: bool = False
    fragment_offset: int = 0
    options: bytes = b""

    @property
    def is_fragment(self) -> bool:
        return self.more_fragments or self.fragment_offset != 0

    @classmethod
    def decode(cls, octets: bytes) -> "Ipv4Packet":
        """What lies behind the total length (Ethernet padding) is not part of the packet.

        Raises Truncated, or Malformed for another version, a wrong header length or a wrong header checksum.
        """
        if len(octets) < MINIMUM_HEADER:
            raise Truncated("an IPv4 header has at least 20 octets", len(octets))
        (first, tos, total, identification, fragment, ttl, protocol, _, source, destination) = (
            _LAYOUT.unpack_from(octets)
        )
        if first >> 4 != 4:
            raise Malformed(f"IP version {first >> 4} where IPv4 was expected")
        header_length = (first & 0xF) * 4
        if header_length < MINIMUM_HEADER:
            raise Malformed(f"an IPv4 header of {header_length} octets")
        if total < header_length:
            raise Malformed(f"total length {total} is less than the header's {header_length}", 2)
        if total > len(octets):
            raise Truncated(f"total length {total}, but {len(octets)} octets arrived", len(octets))
        if internet_checksum(octets[:header_length]):
            raise Malformed("wrong IPv4 header checksum", 10)
        return cls(
            source=Ipv4(source),
            destination=Ipv4(destination),
            protocol=protocol,
            payload=octets[header_length:total],
            ttl=ttl,
            tos=tos,
            identification=identification,
            dont_fragment=bool(fragment & _DONT_FRAGMENT),
            more_fragments=bool(fragment & _MORE_FRAGMENTS),
            fragment_offset=(fragment & 0x1FFF) * 8,
            options=octets[MINIMUM_HEADER:header_length],
        )

    def encode(self) -> bytes:
        """ValueError: the packet would be longer than 65535 octets, or its options than 40."""
        options = self.options + bytes(-len(self.options) % 4)
        header_length = MINIMUM_HEADER + len(options)
        total = header_length + len(self.payload)
        if header_length > 60 or total > MAXIMUM_PACKET:
            raise ValueError(f"no IPv4 packet has {len(options)} octets of options and {total} in all")
        flags = self.dont_fragment * _DONT_FRAGMENT | self.more_fragments * _MORE_FRAGMENTS
        header = bytearray(
            _LAYOUT.pack(
                0x40 | header_length // 4,
                self.tos,
                total,
                self.identification,
                flags | self.fragment_offset // 8,
                self.ttl,
                self.protocol,
                0,
                self.source,
                self.destination,
            )
        )
        header += options
        header[10:12] = internet_checksum(header).to_bytes(2, "big")
        return bytes(header) + self.payload
