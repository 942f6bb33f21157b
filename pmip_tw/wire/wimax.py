"""How vendor attributes of the WiMAX Forum carry long values (FreeRADIUS's dictionaries: format=1,1,c).

Behind type and length stands an octet that says whether the value goes on in the next attribute of the same type.
"""

from collections.abc import Iterable

from pmip_tw.errors import Malformed, Truncated

VENDOR_WIMAX = 24757

MORE_FOLLOWS = 0x80
_LAST = 0x00

LONGEST_FRAGMENT = 255 - 6 - 3
"""Octets of a value that one attribute has room for: behind its own header, and type, length and continuation."""


def join_fragments(fragments: Iterable[bytes]) -> tuple[bytes, ...]:
    """The values of one type in order of appearance, from what stands behind type and length of each attribute.

    Malformed: a continuation octet is neither 0x80 nor 0, or the last value goes on nowhere. Truncated: one is missing.
    """
    values: list[bytes] = []
    begun: bytearray | None = None
    for fragment in fragments:
        if not fragment:
            raise Truncated("a WiMAX attribute without continuation octet", 0)
        flag = fragment[0]
        if flag not in (_LAST, MORE_FOLLOWS):
            raise Malformed(f"continuation octet 0x{flag:02x} of a WiMAX attribute", 0)
        begun = bytearray() if begun is None else begun
        begun += fragment[1:]
        if flag == _LAST:
            values.append(bytes(begun))
            begun = None
    if begun is not None:
        raise Malformed("the last WiMAX attribute of its type says that more follows", 0)
    return tuple(values)


def split_value(value: bytes) -> tuple[bytes, ...]:
    """What stands behind type and length of each attribute that ``value`` needs: one, or several in this order."""
    parts = [value[start : start + LONGEST_FRAGMENT] for start in range(0, len(value), LONGEST_FRAGMENT)]
    *others, last = parts or [b""]
    return (*(bytes((MORE_FOLLOWS,)) + part for part in others), bytes((_LAST,)) + last)
