"""EAP packets, as far as somebody must look into them who only passes them on (RFC 3748 4)."""

from enum import IntEnum
from typing import Final

import attrs

from pmip_tw.errors import Malformed, Truncated

HEADER: Final = 4
_TYPED: Final = HEADER + 1
"""A Request or Response has a type behind its header."""

EXPANDED: Final = 254
NAK: Final = 3
IDENTITY: Final = 1

_METHODS: Final = {
    1: "identity",
    2: "notification",
    3: "nak",
    4: "md5",
    5: "otp",
    6: "gtc",
    13: "tls",
    17: "leap",
    18: "sim",
    21: "ttls",
    23: "aka",
    25: "peap",
    26: "mschapv2",
    43: "fast",
    50: "aka-prime",
    52: "pwd",
    55: "teap",
    EXPANDED: "expanded",
}
"""Types as an operator knows them (IANA, EAP method types)."""


class EapCode(IntEnum):
    """What a packet is (RFC 3748 4)."""

    REQUEST = 1
    RESPONSE = 2
    SUCCESS = 3
    FAILURE = 4


@attrs.frozen(slots=True, kw_only=True)
class Eap:
    """One packet. ``kind``: the type of a Request or Response, 0 in others; ``data``: what follows it, a method's own.

    Nothing of ``data`` is for anybody's eyes: an identity may be, and there are passwords in it.
    """

    code: EapCode
    identifier: int
    kind: int = 0
    data: bytes = attrs.field(default=b"", repr=False)

    @property
    def method(self) -> str:
        """The name of the type, "type 99" if it is unknown here, "" if there is none."""
        return method_name(self.kind) if self.kind else ""

    @property
    def size(self) -> int:
        """Octets, without padding."""
        return len(self.encode())

    @classmethod
    def decode(cls, octets: bytes) -> "Eap":
        """What is behind the packet's own length is padding (RFC 3748 4.1). Truncated, Malformed."""
        if len(octets) < HEADER:
            raise Truncated("an EAP header has 4 octets", len(octets))
        length = octets[2] << 8 | octets[3]
        if length > len(octets):
            raise Truncated(f"the EAP packet says that it has {length} octets", len(octets))
        try:
            code = EapCode(octets[0])
        except ValueError:
            raise Malformed(f"EAP code {octets[0]} means nothing") from None
        identifier = octets[1]
        if code in (EapCode.SUCCESS, EapCode.FAILURE):
            if length != HEADER:
                raise Malformed(f"EAP {code.name.title()} of {length} octets instead of {HEADER}", 2)
            return cls(code=code, identifier=identifier)
        if length < _TYPED:
            raise Malformed(f"EAP {code.name.title()} of {length} octets has no type", 2)
        return cls(code=code, identifier=identifier, kind=octets[HEADER], data=octets[_TYPED:length])

    def encode(self) -> bytes:
        typed = self.code in (EapCode.REQUEST, EapCode.RESPONSE)
        body = bytes((self.kind,)) + self.data if typed else b""
        length = HEADER + len(body)
        return bytes((self.code, self.identifier, length >> 8, length & 0xFF)) + body


def method_name(kind: int) -> str:
    """What people call an EAP type."""
    return _METHODS.get(kind, f"type {kind}")
