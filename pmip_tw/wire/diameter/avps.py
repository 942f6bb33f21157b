"""Attribute-value pairs of Diameter (RFC 6733 4): written from values, and looked for in a message.

Over python-diameter's codec, which believes what an AVP says about its own length and flags: ``decode_avps`` looks at
these first. Values are read by whoever looks for them, and never by the library's dictionary.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import attrs
from diameter.message.avp.avp import Avp as LibraryAvp
from diameter.message.packer import Packer, Unpacker

from pmip_tw.addresses import Ipv4
from pmip_tw.errors import Malformed, WireError
from pmip_tw.wire.diameter.codes import Code, Result

VENDOR_FLAG: Final = 0x80
MANDATORY_FLAG: Final = 0x40
_KNOWN_FLAGS: Final = VENDOR_FLAG | MANDATORY_FLAG | 0x20
_HEADER_SIZE: Final = 8
_VENDOR_SIZE: Final = 4
_IPV4_FAMILY: Final = b"\0\1"
"""Of the type Address (RFC 6733 4.3.1)."""


@attrs.frozen(slots=True, kw_only=True)
class Avp:
    """One AVP; ``data`` is without padding. ``vendor`` 0: of the IETF."""

    code: int
    vendor: int = 0
    data: bytes = attrs.field(default=b"", repr=False)
    mandatory: bool = True

    @property
    def name(self) -> str:
        """For people: ``Session-Id (263)``, ``AVP 58 of vendor 5535``."""
        if self.vendor:
            return f"AVP {self.code} of vendor {self.vendor}"
        try:
            return f"{Code(self.code).name.title().replace('_', '-')} ({self.code})"
        except ValueError:
            return f"AVP {self.code}"


class InvalidAvp(Malformed):
    """An AVP that cannot be used, or is not there: ``result`` is the Result-Code that says so, ``failed`` the content
    of Failed-AVP (RFC 6733 7.5)."""

    def __init__(self, text: str, result: Result, failed: Avp, offset: int = 0) -> None:
        super().__init__(text, offset)
        self.result = result
        self.failed = failed


@attrs.frozen(slots=True)
class Avps:
    """The AVPs of a message or group, in their order."""

    all_in_order: tuple[Avp, ...] = ()

    def __iter__(self) -> Iterator[Avp]:
        return iter(self.all_in_order)

    def __len__(self) -> int:
        return len(self.all_in_order)

    def all(self, code: int, vendor: int = 0) -> tuple[bytes, ...]:
        return tuple(avp.data for avp in self.all_in_order if avp.code == code and avp.vendor == vendor)

    def first(self, code: int, vendor: int = 0) -> bytes | None:
        found = self._find(code, vendor)
        return None if found is None else found.data

    def number(self, code: int, vendor: int = 0) -> int | None:
        """An Unsigned32 or Enumerated; None if there is none. InvalidAvp: of another size."""
        found = self._find(code, vendor)
        if found is None:
            return None
        if len(found.data) != 4:
            raise InvalidAvp(
                f"{found.name} has {len(found.data)} octets instead of 4", Result.INVALID_AVP_LENGTH, found
            )
        return int.from_bytes(found.data, "big")

    def text(self, code: int) -> str | None:
        """A UTF8String or DiameterIdentity; None if there is none. InvalidAvp: no printable text."""
        found = self._find(code, 0)
        if found is None:
            return None
        try:
            text = found.data.decode()
        except UnicodeDecodeError:
            text = ""
        if not text or not text.isprintable():
            raise InvalidAvp(f"{found.name} is no text", Result.INVALID_AVP_VALUE, found)
        return text

    def address(self, code: int) -> Ipv4 | None:
        """An Address, if it is IPv4; None if there is none, or of another family. InvalidAvp: of another size."""
        found = self._find(code, 0)
        if found is None or (len(found.data) >= 2 and found.data[:2] != _IPV4_FAMILY):
            return None
        if len(found.data) != 6:
            raise InvalidAvp(
                f"{found.name} has {len(found.data)} octets instead of 6", Result.INVALID_AVP_LENGTH, found
            )
        return Ipv4(int.from_bytes(found.data[2:], "big"))

    def group(self, code: int) -> "Avps | None":
        """A Grouped; None if there is none. InvalidAvp: it does not hold AVPs."""
        found = self._find(code, 0)
        if found is None:
            return None
        try:
            return decode_avps(found.data)
        except WireError as error:
            raise InvalidAvp(f"{found.name}: {error}", Result.INVALID_AVP_VALUE, found) from None

    def required_number(self, code: int) -> int:
        """InvalidAvp: as ``number``, or it is missing."""
        found = self.number(code)
        if found is None:
            raise missing(code)
        return found

    def required_text(self, code: int) -> str:
        """InvalidAvp: as ``text``, or it is missing."""
        found = self.text(code)
        if found is None:
            raise missing(code)
        return found

    def _find(self, code: int, vendor: int) -> Avp | None:
        return next((avp for avp in self.all_in_order if avp.code == code and avp.vendor == vendor), None)


def missing(code: int) -> InvalidAvp:
    """It has to be there, and is not: Failed-AVP has an example of it, all zero (RFC 6733 7.5)."""
    absent = Avp(code=code, data=bytes(4))
    return InvalidAvp(f"{absent.name} is missing", Result.MISSING_AVP, absent)


def octets(code: int, data: bytes) -> Avp:
    return Avp(code=code, data=data)


def text(code: int, value: str) -> Avp:
    """A UTF8String or DiameterIdentity."""
    return Avp(code=code, data=value.encode())


def unsigned32(code: int, value: int) -> Avp:
    """An Unsigned32 or Enumerated."""
    return Avp(code=code, data=value.to_bytes(4, "big"))


def unsigned64(code: int, value: int) -> Avp:
    return Avp(code=code, data=value.to_bytes(8, "big"))


def address(code: int, value: Ipv4) -> Avp:
    """An Address: family and IPv4 address."""
    return Avp(code=code, data=_IPV4_FAMILY + value.to_bytes(4, "big"))


def grouped(code: int, *avps: Avp) -> Avp:
    return Avp(code=code, data=encode_avps(avps))


def encode_avps(avps: Iterable[Avp]) -> bytes:
    packer = Packer()
    for avp in avps:
        to_library(avp).as_packed(packer)
    encoded: bytes = packer.get_buffer()
    return encoded


def to_library(avp: Avp) -> LibraryAvp:
    """Without the library's dictionary: it would change values and flags."""
    return LibraryAvp(avp.code, avp.vendor, avp.data, MANDATORY_FLAG if avp.mandatory else 0)


def decode_avps(encoded: bytes, start: int = 0) -> Avps:
    """Everything from ``start`` on.

    InvalidAvp, of 5014: an AVP is longer than what it is in, or shorter than its own header; of 3009: it has flags
    that do not exist (RFC 6733 4.1).
    """
    unpacker = Unpacker(encoded)
    unpacker.set_position(start)
    found: list[Avp] = []
    offset = start
    while offset < len(encoded):
        _check(encoded, offset)
        avp = LibraryAvp.from_unpacker(unpacker)
        found.append(
            Avp(
                code=avp.code,
                vendor=avp.vendor_id,
                data=avp.payload,
                mandatory=bool(avp.flags & MANDATORY_FLAG),
            )
        )
        offset = unpacker.get_position()
    return Avps(tuple(found))


def _check(encoded: bytes, offset: int) -> None:
    """What the library takes on trust: that an AVP ends where its own message does."""
    left = len(encoded) - offset
    if left < _HEADER_SIZE:
        failed = Avp(code=int.from_bytes(encoded[offset : offset + 4].ljust(4, b"\0"), "big"))
        raise InvalidAvp(f"an AVP of {left} octets", Result.INVALID_AVP_LENGTH, failed, offset)
    code = int.from_bytes(encoded[offset : offset + 4], "big")
    flags = encoded[offset + 4]
    length = int.from_bytes(encoded[offset + 5 : offset + 8], "big")
    failed = Avp(code=code)
    least = _HEADER_SIZE + (_VENDOR_SIZE if flags & VENDOR_FLAG else 0)
    if not least <= length or -(-length // 4) * 4 > left:
        raise InvalidAvp(
            f"{failed.name} says that it has {length} octets; there are {left}",
            Result.INVALID_AVP_LENGTH,
            failed,
            offset,
        )
    if flags & ~_KNOWN_FLAGS:
        raise InvalidAvp(
            f"{failed.name} has flags {flags:#04x}, which do not exist",
            Result.INVALID_AVP_BITS,
            failed,
            offset,
        )
