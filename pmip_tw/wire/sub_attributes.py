"""Sub-attributes inside the value of a RADIUS vendor attribute: type, length and value back to back.

WiMAX and 3GPP2 write them alike; the length counts the two octets before the value.
"""

from collections.abc import Iterable

from pmip_tw.errors import Malformed

_HEADER_SIZE = 2
_LONGEST = 0xFF - _HEADER_SIZE

SubAttribute = tuple[int, bytes]
"""(type, value)."""


def read_sub_attributes(value: bytes) -> tuple[SubAttribute, ...]:
    """All of them, in order. Malformed: one does not end where the value does, or its length is below 2."""
    found: list[SubAttribute] = []
    offset = 0
    while offset < len(value):
        size = value[offset + 1] if offset + 1 < len(value) else 0
        if size < _HEADER_SIZE or offset + size > len(value):
            raise Malformed("a sub-attribute does not end where its attribute does", offset)
        found.append((value[offset], value[offset + _HEADER_SIZE : offset + size]))
        offset += size
    return tuple(found)


def write_sub_attributes(found: Iterable[SubAttribute]) -> bytes:
    """Their octets. ValueError: a value is longer than 253 octets."""
    written = bytearray()
    for number, value in found:
        if len(value) > _LONGEST:
            raise ValueError(
                f"{len(value)} octets are too many for sub-attribute {number}, at most {_LONGEST}"
            )
        written += bytes((number, _HEADER_SIZE + len(value))) + value
    return bytes(written)
