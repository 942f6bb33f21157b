"""The extensions of Mobile IP messages: their four shapes, one table of what each is, and how far each goes.

The type number decides the shape; it cannot be told from the octets (RFC 5944 1.9-1.11).
"""

from enum import Enum
from struct import Struct
from typing import NamedTuple

from pmip_tw.errors import Malformed, Truncated, UnrecognizedNonSkippable

PAD = 0
MN_HA = 32
MN_FA = 33
FA_HA = 34
GENERALIZED_AUTHENTICATION = 36
CRITICAL_VENDOR = 38
UDP_TUNNEL_REPLY = 44
FA_ERROR = 45
PROXY_NON_SKIPPABLE = 47
GRE_KEY = 48
ENCAPSULATING_DELIVERY = 130
NAI = 131
CHALLENGE = 132
VENDOR = 134
IDENTITY = 136
REVOCATION_SUPPORT = 137
DYNAMIC_HOME_AGENT = 139
UDP_TUNNEL_REQUEST = 144
MESSAGE_STRING = 145
PROXY_SKIPPABLE = 147
MOBILE_NETWORK = 148
TRUSTED_NETWORKS = 149
SERVICE_SELECTION = 151

FIRST_SKIPPABLE = 128

DRAFT03_METHODS = (b"\0\1", b"\0\2")
"""What follows type 47 and sub-type 1 in draft-leung-mip4-proxy-mode-03 5.2; in its 5.1 nothing does."""

MAX_EXTENSIONS = 64
"""More in one message is an attack on whoever reads it: real ones have about ten."""


class Shape(Enum):
    """How an extension lies in the datagram; the value says it in octets."""

    PAD = "type"
    SIMPLE = "type, length, data"
    SHORT = "type, length, sub-type, data"
    LONG = "type, sub-type, length(2), data"
    EITHER = "type 139: drawn long in RFC 4433, short in the field"


class ExtensionKind(NamedTuple):
    """What is known of an extension type: for the codec, the screens and the documentation.

    Non-skippable types that are not understood (40-43, 46, 49, 50, 127) have no place here: they discard the message.
    """

    number: int
    name: str
    shape: Shape
    source: str


EXTENSIONS = {
    kind.number: kind
    for kind in (
        ExtensionKind(PAD, "Pad", Shape.PAD, "RFC 5944 1.8"),
        ExtensionKind(MN_HA, "MN-HA Authentication", Shape.SIMPLE, "RFC 5944 3.5.2"),
        ExtensionKind(MN_FA, "MN-FA Authentication", Shape.SIMPLE, "RFC 5944 3.5.3"),
        ExtensionKind(FA_HA, "FA-HA Authentication", Shape.SIMPLE, "RFC 5944 3.5.4"),
        ExtensionKind(GENERALIZED_AUTHENTICATION, "Generalized Authentication", Shape.LONG, "RFC 4721 5"),
        ExtensionKind(CRITICAL_VENDOR, "Critical Vendor/Organization Specific", Shape.LONG, "RFC 3115 2.1"),
        ExtensionKind(UDP_TUNNEL_REPLY, "UDP Tunnel Reply", Shape.SHORT, "RFC 3519 3.2"),
        ExtensionKind(FA_ERROR, "FA Error", Shape.SHORT, "RFC 4636 3"),
        ExtensionKind(PROXY_NON_SKIPPABLE, "PMIPv4 Per-Node Authentication", Shape.LONG, "RFC 5563 5.1"),
        ExtensionKind(GRE_KEY, "GRE Key", Shape.LONG, "RFC 6245 5"),
        ExtensionKind(ENCAPSULATING_DELIVERY, "Encapsulating Delivery Style", Shape.SIMPLE, "RFC 3024 3.3"),
        ExtensionKind(NAI, "Mobile Node NAI", Shape.SIMPLE, "RFC 2794 2"),
        ExtensionKind(CHALLENGE, "MN-FA Challenge", Shape.SIMPLE, "RFC 4721 4"),
        ExtensionKind(VENDOR, "Vendor/Organization Specific", Shape.SIMPLE, "RFC 3115 2.2"),
        ExtensionKind(IDENTITY, "NAI Carrying", Shape.SHORT, "RFC 3846 3"),
        ExtensionKind(REVOCATION_SUPPORT, "Revocation Support", Shape.SIMPLE, "RFC 3543 3.2"),
        ExtensionKind(DYNAMIC_HOME_AGENT, "Dynamic Home Agent", Shape.EITHER, "RFC 4433 3.4"),
        ExtensionKind(UDP_TUNNEL_REQUEST, "UDP Tunnel Request", Shape.SHORT, "RFC 3519 3.1"),
        ExtensionKind(MESSAGE_STRING, "Message String", Shape.SHORT, "IANA"),
        ExtensionKind(PROXY_SKIPPABLE, "PMIPv4 Skippable", Shape.SHORT, "RFC 5563 5.2-5.5"),
        ExtensionKind(MOBILE_NETWORK, "Mobile Network", Shape.SHORT, "RFC 5177 4"),
        ExtensionKind(TRUSTED_NETWORKS, "Trusted Networks Configured", Shape.SHORT, "RFC 5265"),
        ExtensionKind(SERVICE_SELECTION, "Service Selection", Shape.SIMPLE, "RFC 5446 3"),
    )
}

_SIMPLE = frozenset(n for n, k in EXTENSIONS.items() if k.shape in (Shape.SIMPLE, Shape.SHORT))
_LONG = frozenset(n for n, k in EXTENSIONS.items() if k.shape is Shape.LONG)

HAS_LENGTH_OCTET = tuple(
    number in _SIMPLE or (number >= FIRST_SKIPPABLE and number != DYNAMIC_HOME_AGENT) for number in range(256)
)
"""By type: whether the second octet is the length of the data behind it; ``extent`` knows of the others."""

_SIMPLE_HEADER = Struct("!BB")
_LONG_HEADER = Struct("!BBH")

Span = tuple[int, int, int, int]
"""(type, first octet, first octet of the data, octet after the last).

The data of a short extension begins with its sub-type; the sub-type of a long one is the octet after the type.
"""


def extent(datagram: bytes, first: int, *, draft03: bool = False) -> tuple[int, int]:
    """The first octet of the data of the extension at octet ``first``, and the octet after its last.

    A run of pads is one extension. Raises UnrecognizedNonSkippable for unknown types 0-127 (E1), Truncated where a
    length runs past the end (E4). ``draft03``: type 47 has the forms of draft-leung-mip4-proxy-mode-03, which have no
    length.
    """
    kind = datagram[first]
    end = len(datagram)
    if HAS_LENGTH_OCTET[kind]:
        body = first + 2
        after = body + datagram[first + 1] if body <= end else end + 1
    elif kind == PAD:
        body = after = end - len(datagram[first:].lstrip(b"\0"))
    elif kind == DYNAMIC_HOME_AGENT:
        body = first + 2
        after = body + datagram[first + 1] if body <= end else end + 1
        if datagram[first + 1 : first + 4] in (b"\1\0\4", b"\2\0\4"):
            after = first + 8  # the form drawn in RFC 4433 3.4
    elif draft03 and kind == PROXY_NON_SKIPPABLE:
        body = first + 2
        after = body + 2 if datagram[body : body + 2] in DRAFT03_METHODS else body
    elif kind in _LONG:
        body = first + 4
        after = body + int.from_bytes(datagram[first + 2 : body], "big") if body <= end else end + 1
    else:
        raise UnrecognizedNonSkippable(f"unknown non-skippable extension {kind}", first)
    if after > end:
        raise Truncated(f"extension {kind} is longer than the message", first)
    return body, after


def walk(datagram: bytes, start: int, *, draft03: bool = False) -> list[Span]:
    """Every extension from octet ``start`` to the end, in order, for who asks where they stand.

    Unknown types 128-255 come along, to be skipped by whoever reads (E2). Raises what ``extent`` raises, and
    Malformed for more than 64.
    """
    spans: list[Span] = []
    first = start
    while first < len(datagram):
        if len(spans) == MAX_EXTENSIONS:
            raise Malformed(f"more than {MAX_EXTENSIONS} extensions", first)
        body, after = extent(datagram, first, draft03=draft03)
        spans.append((datagram[first], first, body, after))
        first = after
    return spans


def simple(kind: int, data: bytes) -> bytes:
    """An extension of the simple shape, or the short one when ``data`` begins with the sub-type.

    Malformed: more than 255 octets of data.
    """
    if len(data) > 255:
        raise Malformed(f"extension {kind} with {len(data)} octets; 255 fit")
    return _SIMPLE_HEADER.pack(kind, len(data)) + data


def long(kind: int, subtype: int, data: bytes) -> bytes:
    """An extension of the long shape."""
    return _LONG_HEADER.pack(kind, subtype, len(data)) + data
