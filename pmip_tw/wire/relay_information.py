"""The relay agent information option of DHCP, option 82 (RFC 3046 2.0): what relays say about where a client is."""

from enum import IntEnum
from typing import Final

import attrs

from pmip_tw.addresses import Ipv4
from pmip_tw.errors import Malformed, Truncated

LONGEST: Final = 255
"""Octets of all sub-options together: the option is never split, since it has to be the last one (D6)."""

UNICAST: Final = 0x80
"""Of the flags: the client's message was addressed to one, not broadcast (RFC 5010 3)."""


class SubOptionCode(IntEnum):
    """The sub-options that we read or write; every other one is carried as it came."""

    CIRCUIT_ID = 1
    REMOTE_ID = 2
    LINK_SELECTION = 5
    SUBSCRIBER_ID = 6
    RADIUS_ATTRIBUTES = 7
    FLAGS = 10
    SERVER_IDENTIFIER_OVERRIDE = 11


_FIXED_LENGTHS: Final[dict[int, int]] = {
    SubOptionCode.LINK_SELECTION: 4,  # RFC 3527 3
    SubOptionCode.FLAGS: 1,  # RFC 5010 3
    SubOptionCode.SERVER_IDENTIFIER_OVERRIDE: 4,  # RFC 5107 4
}

SubOption = tuple[int, bytes]


@attrs.frozen(slots=True, kw_only=True)
class RelayInformation:
    """``sub_options``: (code, value) in the order in which they stand, repeated ones as often as they came."""

    sub_options: tuple[SubOption, ...]

    @classmethod
    def decode(cls, octets: bytes) -> "RelayInformation":
        """From the option's value. There is no padding and no end in it.

        Raises Truncated; or Malformed for an option without any sub-option, a sub-option of another length than its
        RFC gives it, or a subscriber without a name.
        """
        if not octets:
            raise Malformed("option 82 without a sub-option")
        found: list[SubOption] = []
        offset = 0
        while offset < len(octets):
            if offset + 2 > len(octets):
                raise Truncated(f"sub-option {octets[offset]} has no length", offset)
            code, length = octets[offset], octets[offset + 1]
            start, end = offset + 2, offset + 2 + length
            if end > len(octets):
                raise Truncated(f"sub-option {code} ends behind option 82", offset)
            expected = _FIXED_LENGTHS.get(code, length)
            if length != expected:
                raise Malformed(f"sub-option {code} of {length} octets instead of {expected}", offset)
            if code == SubOptionCode.SUBSCRIBER_ID and not length:
                raise Malformed("a subscriber without a name", offset)  # RFC 3993 3.1
            found.append((code, octets[start:end]))
            offset = end
        return cls(sub_options=tuple(found))

    def encode(self) -> bytes:
        """The option's value. ValueError: it would have more than 255 octets, or none."""
        if not self.fits:
            raise ValueError(f"option 82 has 1 to {LONGEST} octets, not {self.size}")
        return b"".join(bytes((code, len(value))) + value for code, value in self.sub_options)

    @property
    def size(self) -> int:
        """Octets of the option's value."""
        return sum(2 + len(value) for _, value in self.sub_options)

    @property
    def fits(self) -> bool:
        """Whether it can be encoded."""
        return 0 < self.size <= LONGEST

    def value(self, code: int) -> bytes | None:
        """Of the first sub-option ``code``, None if there is none."""
        for found, value in self.sub_options:
            if found == code:
                return value
        return None

    @property
    def circuit_id(self) -> bytes | None:
        return self.value(SubOptionCode.CIRCUIT_ID)

    @property
    def remote_id(self) -> bytes | None:
        return self.value(SubOptionCode.REMOTE_ID)

    @property
    def subscriber_id(self) -> bytes | None:
        return self.value(SubOptionCode.SUBSCRIBER_ID)

    @property
    def link_selection(self) -> Ipv4 | None:
        """The subnet that the client is to get an address of (RFC 3527)."""
        return self._address(SubOptionCode.LINK_SELECTION)

    @property
    def server_identifier_override(self) -> Ipv4 | None:
        """What the server is to call itself (RFC 5107)."""
        return self._address(SubOptionCode.SERVER_IDENTIFIER_OVERRIDE)

    @property
    def unicast(self) -> bool:
        """What the flags say; False without them."""
        flags = self.value(SubOptionCode.FLAGS)
        return flags is not None and bool(flags[0] & UNICAST)

    def _address(self, code: SubOptionCode) -> Ipv4 | None:
        value = self.value(code)
        return None if value is None else Ipv4(int.from_bytes(value, "big"))
