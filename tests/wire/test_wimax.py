"""Long values of WiMAX, and sub-attributes, against packets that FreeRADIUS made."""

import json
from pathlib import Path

import pytest

from pmip_tw.errors import Malformed, Truncated, WireError
from pmip_tw.wire.sub_attributes import read_sub_attributes, write_sub_attributes
from pmip_tw.wire.wimax import LONGEST_FRAGMENT, join_fragments, split_value

FILE = json.loads((Path(__file__).parent.parent / "vectors" / "radius.json").read_text())


def fragments(name: str) -> list[bytes]:
    """Of all WiMAX attributes of a packet: what stands behind type and length."""
    [packet] = [packet for packet in FILE["packets"] if packet["name"] == name]
    values = [bytes.fromhex(one["value_hex"]) for one in packet["attributes"] if one["type"] == 26]
    return [value[6:] for value in values if value[:4] == (24757).to_bytes(4, "big")]


def test_a_value_over_two_attributes_both_ways() -> None:
    found = fragments("access-request-wimax-continuation")
    assert [len(fragment) for fragment in found] == [1 + LONGEST_FRAGMENT, 10]
    [value] = join_fragments(found)
    assert value == b"x" * 247 + b"abcdefgh"
    assert split_value(value) == tuple(found)


def test_a_capability_both_ways() -> None:
    [value] = join_fragments(fragments("access-request-wimax-capability"))
    assert read_sub_attributes(value) == ((1, b"1.0"), (2, b"\1"), (5, b"\x08"))
    assert write_sub_attributes(read_sub_attributes(value)) == value
    assert split_value(value) == (b"\0" + value,)


@pytest.mark.parametrize("size", [0, 1, LONGEST_FRAGMENT, LONGEST_FRAGMENT + 1, 3 * LONGEST_FRAGMENT])
def test_what_is_split_is_joined(size: int) -> None:
    value = bytes(index & 0xFF for index in range(size))
    parts = split_value(value)
    assert len(parts) == max(1, -(-size // LONGEST_FRAGMENT))
    assert all(len(part) <= 1 + LONGEST_FRAGMENT for part in parts)
    assert join_fragments([*parts, *split_value(b"the next")]) == (value, b"the next")


@pytest.mark.parametrize(
    ("found", "error"),
    [
        ([b""], Truncated),
        ([b"\x80begun"], Malformed),
        ([b"\x00whole", b"\x80begun"], Malformed),
        ([b"\x01odd"], Malformed),
        ([b"\x40odd"], Malformed),
    ],
)
def test_fragments_that_make_no_value(found: list[bytes], error: type[WireError]) -> None:
    with pytest.raises(error):
        join_fragments(found)


@pytest.mark.parametrize("value", [b"\1", b"\1\0", b"\1\1", b"\1\5ab", b"\1\4ab\2", b"\1\4ab\2\1"])
def test_sub_attributes_that_do_not_end_where_the_value_does(value: bytes) -> None:
    with pytest.raises(Malformed):
        read_sub_attributes(value)


def test_a_sub_attribute_that_is_too_long_is_not_written() -> None:
    assert len(write_sub_attributes([(1, bytes(253))])) == 255
    with pytest.raises(ValueError, match="254 octets are too many"):
        write_sub_attributes([(1, bytes(254))])
