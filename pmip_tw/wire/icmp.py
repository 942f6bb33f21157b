"""ICMP messages (RFC 792), and the errors a router sends about packets it cannot deliver (RFC 1812 4.3)."""

import struct
from typing import Final

import attrs

from pmip_tw.addresses import Ipv4
from pmip_tw.errors import Malformed, Truncated
from pmip_tw.wire.checksum import internet_checksum
from pmip_tw.wire.ipv4 import PROTOCOL_ICMP, Ipv4Packet, is_group_address, is_host_address

ECHO_REPLY: Final = 0
DESTINATION_UNREACHABLE: Final = 3
SOURCE_QUENCH: Final = 4
REDIRECT: Final = 5
ECHO_REQUEST: Final = 8
TIME_EXCEEDED: Final = 11
PARAMETER_PROBLEM: Final = 12

NET_UNREACHABLE: Final = 0
HOST_UNREACHABLE: Final = 1
PROTOCOL_UNREACHABLE: Final = 2
FRAGMENTATION_NEEDED: Final = 4

_ERRORS = frozenset((DESTINATION_UNREACHABLE, SOURCE_QUENCH, REDIRECT, TIME_EXCEEDED, PARAMETER_PROBLEM))
_HEADER = struct.Struct("!BBHI")
# An error quotes as much as fits into a packet that every host can take (RFC 1812 4.3.2.3).
_LONGEST_QUOTE = 576 - 20 - _HEADER.size
_ERROR_TOS = 0xC0  # internetwork control (RFC 1812 4.3.2.5)


@attrs.frozen(slots=True, kw_only=True)
class IcmpMessage:
    """``rest`` is the second 32-bit word: identifier and sequence of an echo, low half of a too-big: the MTU."""

    type: int
    code: int
    rest: int
    payload: bytes

    @classmethod
    def decode(cls, packet: Ipv4Packet) -> "IcmpMessage":
        """Raises Truncated, or Malformed for a fragment, another protocol or a wrong checksum."""
        if packet.protocol != PROTOCOL_ICMP:
            raise Malformed(f"protocol {packet.protocol} where ICMP (1) was expected")
        if packet.is_fragment:
            raise Malformed("a fragment of an ICMP message")
        if len(packet.payload) < _HEADER.size:
            raise Truncated("an ICMP message has at least 8 octets", len(packet.payload))
        if internet_checksum(packet.payload):
            raise Malformed("wrong ICMP checksum", 2)
        kind, code, _, rest = _HEADER.unpack_from(packet.payload)
        return cls(type=kind, code=code, rest=rest, payload=packet.payload[_HEADER.size :])

    def encode(self) -> bytes:
        """The message, which is the payload of an IPv4 packet."""
        checksum = internet_checksum(_HEADER.pack(self.type, self.code, 0, self.rest) + self.payload)
        return _HEADER.pack(self.type, self.code, checksum, self.rest) + self.payload


def echo_reply(packet: Ipv4Packet) -> bytes | None:
    """The whole packet that answers an echo request in its destination's name; None if it is no echo request.

    Raises WireError if it looks like ICMP and is broken.
    """
    if packet.protocol != PROTOCOL_ICMP:
        return None
    request = IcmpMessage.decode(packet)
    if request.type != ECHO_REQUEST or not is_host_address(packet.source):
        return None
    if not is_host_address(packet.destination):
        return None
    reply = IcmpMessage(type=ECHO_REPLY, code=0, rest=request.rest, payload=request.payload)
    return Ipv4Packet(
        source=packet.destination,
        destination=packet.source,
        protocol=PROTOCOL_ICMP,
        payload=reply.encode(),
        tos=packet.tos,
    ).encode()


def time_exceeded(source: Ipv4, original: Ipv4Packet) -> bytes | None:
    """Time to live exceeded in transit (type 11, code 0); None where an error is forbidden."""
    return _error(source, original, TIME_EXCEEDED, 0, 0)


def fragmentation_needed(source: Ipv4, original: Ipv4Packet, mtu: int) -> bytes | None:
    """Too big for the next hop, which takes ``mtu`` octets (RFC 1191 4); None where an error is forbidden."""
    return _error(source, original, DESTINATION_UNREACHABLE, FRAGMENTATION_NEEDED, mtu & 0xFFFF)


def host_unreachable(source: Ipv4, original: Ipv4Packet) -> bytes | None:
    """The destination cannot be reached (type 3, code 1); None where an error is forbidden."""
    return _error(source, original, DESTINATION_UNREACHABLE, HOST_UNREACHABLE, 0)


def unreachable_about(source: Ipv4, code: int, rest: int, quote: bytes) -> bytes | None:
    """Unreachable with ``code``, about a packet of which only ``quote`` is known, header and all; None as above."""
    header = (quote[0] & 0xF) * 4
    shown = Ipv4Packet(
        source=Ipv4(int.from_bytes(quote[12:16], "big")),
        destination=Ipv4(int.from_bytes(quote[16:20], "big")),
        protocol=quote[9],
        payload=quote[header:],
        fragment_offset=(int.from_bytes(quote[6:8], "big") & 0x1FFF) * 8,
    )
    return _error(source, shown, DESTINATION_UNREACHABLE, code, rest, quote)


def _error(
    source: Ipv4, original: Ipv4Packet, kind: int, code: int, rest: int, quote: bytes | None = None
) -> bytes | None:
    if not _may_be_answered(original):
        return None
    quote = (original.encode() if quote is None else quote)[:_LONGEST_QUOTE]
    message = IcmpMessage(type=kind, code=code, rest=rest, payload=quote)
    return Ipv4Packet(
        source=source,
        destination=original.source,
        protocol=PROTOCOL_ICMP,
        payload=message.encode(),
        tos=_ERROR_TOS,
    ).encode()


def _may_be_answered(original: Ipv4Packet) -> bool:
    """No error about an ICMP error, a later fragment, or to or about a group (RFC 1812 4.3.2.7)."""
    if original.fragment_offset or not is_host_address(original.source):
        return False
    if is_group_address(original.destination):
        return False
    # An ICMP message without a readable type might be an error: it gets no answer either.
    if original.protocol == PROTOCOL_ICMP:
        return bool(original.payload) and original.payload[0] not in _ERRORS
    return True
