"""How a packet is framed (RFC 2865 3): code, identifier, length, authenticator, attributes.

pyrad takes much of that on trust, and does not tell what stood where.
"""

import struct

import attrs

from pmip_tw.errors import Malformed, Truncated
from pmip_tw.wire.radius.attributes import Attribute, Attributes
from pmip_tw.wire.radius.codes import AttributeType

HEADER_SIZE = 20
MAXIMUM_SIZE = 4096
AUTHENTICATOR_SIZE = 16

_HEADER = struct.Struct("!BBH16s")
_MESSAGE_AUTHENTICATOR = AttributeType.MESSAGE_AUTHENTICATOR.value


@attrs.frozen(slots=True, repr=False)
class Packet:
    """A packet whose framing is right and of which nothing is proven.

    ``octets`` without padding; ``attributes`` without Message-Authenticator, whose value begins at ``signed_at``, 0 if
    there is none.
    """

    code: int
    identifier: int
    authenticator: bytes
    octets: bytes
    attributes: Attributes
    signed_at: int


def split(datagram: bytes) -> Packet:
    """WireError: attributes do not end where the packet does, or Message-Authenticator is not one."""
    if len(datagram) < HEADER_SIZE:
        raise Truncated("shorter than a RADIUS header", len(datagram))
    code, identifier, length, authenticator = _HEADER.unpack_from(datagram)
    if length > len(datagram):
        raise Truncated(f"{len(datagram)} octets of {length}", len(datagram))
    if not HEADER_SIZE <= length <= MAXIMUM_SIZE:
        raise Malformed(f"length field {length}", 2)
    offset = HEADER_SIZE
    signed_at = 0
    attributes: list[Attribute] = []
    while offset < length:
        kind = datagram[offset]
        size = datagram[offset + 1] if offset + 1 < length else 0
        if size < 2 or offset + size > length:
            raise Malformed("an attribute does not end where its packet does", offset)
        if kind == _MESSAGE_AUTHENTICATOR:
            if size != 2 + AUTHENTICATOR_SIZE or signed_at:
                raise Malformed("Message-Authenticator of another size, or twice", offset)
            signed_at = offset + 2
        else:
            attributes.append((kind, datagram[offset + 2 : offset + size]))
        offset += size
    return Packet(code, identifier, authenticator, datagram[:length], Attributes(attributes), signed_at)


def identifier_of(datagram: bytes) -> int | None:
    """The identifier, by which an answer finds its request; None if the datagram is too short to have one."""
    return datagram[1] if len(datagram) >= HEADER_SIZE else None
