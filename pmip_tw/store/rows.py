"""The records of one group commit <-> octets: a row is one MessagePack array.

Each record is an array of its tag and its fields. Secrets are an extension type of their own, so that whoever reads a
row, with the kinds at hand or without, knows what must not be shown.
"""

import struct
from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any
from zlib import crc32

import msgspec
from msgspec.msgpack import Decoder, Encoder, Ext

from pmip_tw.mobility.records import Fields, JournalFormat, Record, Superseded
from pmip_tw.secret import Secret

SECRET = 1
"""The MessagePack extension type of a Secret."""


class UnreadableRow(Exception):
    """The octets are no row of this format; the text says why."""


class RowCodec:
    """Rows of one format."""

    def __init__(self, form: JournalFormat) -> None:
        kinds: Any = reduce(or_, form.kinds)
        self._decoder = Decoder(list[kinds], ext_hook=_from_extension)
        outline: Any = form.outline
        self._outlines = None if outline is None else Decoder(list[outline])
        self._encode = _ENCODER.encode

    def encode(self, records: Sequence[Record]) -> bytes:
        """TypeError, ValueError or OverflowError: a field holds what no row can."""
        return self._encode(records)

    def decode(self, row: bytes) -> Sequence[Record]:
        try:
            records: Sequence[Record] = self._decoder.decode(row)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise UnreadableRow(str(error)) from None
        return records

    def is_superseded(self, row: bytes, superseded: Superseded) -> bool:
        """Whether ``row`` need not be decoded: all in it is of the kind that has an outline, and ``superseded``."""
        if self._outlines is None:
            return False
        try:
            outlines = self._outlines.decode(row)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return False
        return superseded(outlines)


def checksum(row: bytes, since_boot: float, monotonic: float, wall: float, until: float) -> int:
    """CRC-32 of a row and of the clocks that stand beside it: SQLite keeps none of what it is given."""
    return crc32(row, crc32(_clocks(since_boot, monotonic, wall, until)))


def verify(expected: int, row: bytes, since_boot: float, monotonic: float, wall: float, until: float) -> None:
    """UnreadableRow: this is not what was written."""
    try:
        if crc32(row, crc32(_clocks(since_boot, monotonic, wall, until))) == expected:
            return
    except (struct.error, TypeError):
        pass  # the disk has made something else of a number
    raise UnreadableRow("its checksum is wrong: the disk has changed it")


def encode_fields(records: Sequence[Fields]) -> bytes:
    """A row of records without their types."""
    return _ENCODER.encode(records)


def decode_fields(row: bytes) -> list[Fields]:
    """A row of any kinds, without their types; Secrets are Secret all the same."""
    try:
        return _UNTYPED.decode(row)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UnreadableRow(str(error)) from None


def _to_extension(value: object) -> Ext:
    if isinstance(value, Secret):
        return Ext(SECRET, value.reveal())
    raise TypeError(f"a record cannot hold {type(value).__name__}")


def _from_extension(code: int, octets: memoryview) -> Secret:
    if code == SECRET:
        return Secret(bytes(octets))
    raise msgspec.ValidationError(f"extension type {code} is unknown")


_clocks = struct.Struct("<4d").pack
_ENCODER = Encoder(enc_hook=_to_extension)
_UNTYPED = Decoder(list[list[Any]], ext_hook=_from_extension)
