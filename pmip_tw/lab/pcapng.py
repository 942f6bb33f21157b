"""pcapng files (draft-ietf-opsawg-pcapng): several taps in one file, nanosecond time, direction of each packet."""

import struct
from collections.abc import Iterator
from enum import IntEnum
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO, Final

import attrs

from pmip_tw.errors import Malformed, Truncated

_SECTION: Final = 0x0A0D0D0A
_INTERFACE: Final = 1
_ENHANCED_PACKET: Final = 6
_BYTE_ORDER: Final = 0x1A2B3C4D
_ETHERNET: Final = 1

_END_OF_OPTIONS: Final = 0
_COMMENT: Final = 1
_INTERFACE_NAME: Final = 2
_INTERFACE_RESOLUTION: Final = 9
_APPLICATION: Final = 4
_PACKET_FLAGS: Final = 2

_BLOCK = struct.Struct("<II")
_PACKET = struct.Struct("<IIIII")
_OPTION = struct.Struct("<HH")


class Direction(IntEnum):
    """As seen by the host whose interface was tapped (epb_flags bits 0-1)."""

    UNKNOWN = 0
    INBOUND = 1
    OUTBOUND = 2


@attrs.frozen(slots=True, kw_only=True)
class Packet:
    """``time_ns``: Unix time in nanoseconds. ``original_length`` is more than ``len(octets)`` for a cut packet."""

    tap: str
    time_ns: int
    direction: Direction
    octets: bytes
    original_length: int


def _pad(octets: bytes) -> bytes:
    return octets + bytes(-len(octets) % 4)


def _block(kind: int, body: bytes) -> bytes:
    length = 12 + len(body)
    return _BLOCK.pack(kind, length) + body + length.to_bytes(4, "little")


def _option(code: int, value: bytes) -> bytes:
    return _OPTION.pack(code, len(value)) + _pad(value)


class Writer:
    """Writes one section. ``flush`` makes what was written so far a complete file."""

    def __init__(self, file: BinaryIO, taps: list[str], *, comment: str = "") -> None:
        self._file = file
        described = _option(_APPLICATION, b"pmip-lab")
        if comment:
            described += _option(_COMMENT, comment.encode())
        file.write(
            _block(
                _SECTION,
                struct.pack("<IHHq", _BYTE_ORDER, 1, 0, -1) + described + _option(_END_OF_OPTIONS, b""),
            )
        )
        for tap in taps:
            options = (
                _option(_INTERFACE_NAME, tap.encode())
                + _option(_INTERFACE_RESOLUTION, b"\x09")
                + _option(_END_OF_OPTIONS, b"")
            )
            file.write(_block(_INTERFACE, struct.pack("<HHI", _ETHERNET, 0, 0) + options))

    def write(
        self, tap: int, time_ns: int, direction: Direction, octets: bytes, original_length: int
    ) -> None:
        """One packet of the tap with that number."""
        header = _PACKET.pack(tap, time_ns >> 32, time_ns & 0xFFFFFFFF, len(octets), original_length)
        options = _option(_PACKET_FLAGS, int(direction).to_bytes(4, "little")) + _option(_END_OF_OPTIONS, b"")
        self._file.write(_block(_ENHANCED_PACKET, header + _pad(octets) + options))

    def flush(self) -> None:
        self._file.flush()


def _options(octets: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset + 4 <= len(octets):
        code, length = _OPTION.unpack_from(octets, offset)
        if code == _END_OF_OPTIONS:
            return
        yield code, octets[offset + 4 : offset + 4 + length]
        offset += 4 + length + (-length % 4)


def _blocks(octets: bytes | memoryview) -> Iterator[tuple[int, int, int]]:
    """Type, offset and length of each block."""
    offset = 0
    while offset < len(octets):
        if offset + 12 > len(octets):
            raise Truncated("the file ends inside a block", offset)
        kind, length = _BLOCK.unpack_from(octets, offset)
        if length < 12 or length % 4:
            raise Malformed(f"a block of {length} octets", offset)
        if offset + length > len(octets):
            raise Truncated("the file ends inside a block", offset)
        yield kind, offset, length
        offset += length


def read(path: Path) -> Iterator[Packet]:
    """The packets of a file that ``Writer`` wrote, in the file's order. Raises Truncated or Malformed."""
    taps: list[str] = []
    octets = path.read_bytes()
    for kind, offset, length in _blocks(octets):
        body = octets[offset + 8 : offset + length - 4]
        try:
            if kind == _SECTION and struct.unpack_from("<I", body) != (_BYTE_ORDER,):
                raise Malformed("a section of another byte order", offset)
            if kind == _INTERFACE:
                names = [value for code, value in _options(body[8:]) if code == _INTERFACE_NAME]
                taps.append(names[0].decode(errors="replace") if names else f"tap{len(taps)}")
            elif kind == _ENHANCED_PACKET:
                yield _packet(body, taps, offset)
        except struct.error:
            raise Truncated("a block too short for its type", offset) from None


def sort_by_time(path: Path) -> None:
    """Put the packets of a file that ``Writer`` wrote in order of time; all else comes before them, as it was.

    Each tap's packets are in order from the start, but a writer hears one tap after the other. The file is replaced
    in one step. Raises Truncated or Malformed.
    """
    octets = memoryview(path.read_bytes())
    heads: list[memoryview] = []
    packets: list[tuple[int, memoryview]] = []
    for kind, offset, length in _blocks(octets):
        block = octets[offset : offset + length]
        if kind != _ENHANCED_PACKET:
            heads.append(block)
        elif length < 12 + _PACKET.size:
            raise Truncated("a block too short for its type", offset)
        else:
            _, high, low, _, _ = _PACKET.unpack_from(block, _BLOCK.size)
            packets.append((high << 32 | low, block))
    packets.sort(key=itemgetter(0))
    beside = path.with_name(f"{path.name}.sorting")
    with beside.open("wb") as file:
        file.writelines(heads)
        file.writelines(block for _, block in packets)
    beside.replace(path)


def _packet(body: bytes, taps: list[str], offset: int) -> Packet:
    tap, high, low, captured, original = _PACKET.unpack_from(body)
    data = body[_PACKET.size : _PACKET.size + captured]
    rest = body[_PACKET.size + captured + (-captured % 4) :]
    if tap >= len(taps) or len(data) != captured:
        raise Malformed("a packet of an unknown interface, or longer than its block", offset)
    flags = [int.from_bytes(value, "little") & 3 for code, value in _options(rest) if code == _PACKET_FLAGS]
    return Packet(
        tap=taps[tap],
        time_ns=high << 32 | low,
        direction=Direction(flags[0]) if flags and flags[0] < 3 else Direction.UNKNOWN,
        octets=data,
        original_length=original,
    )
