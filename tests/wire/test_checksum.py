"""The Internet checksum against the plain definition of RFC 1071, and updates against recomputation."""

from hypothesis import given
from hypothesis import strategies as st

from pmip_tw.wire.checksum import internet_checksum, update_checksum


def by_definition(octets: bytes) -> int:
    """RFC 1071 section 1, word by word."""
    total = 0
    for high, low in zip(octets[::2], octets[1::2] + b"\0" * (len(octets) & 1), strict=True):
        total += high << 8 | low
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def test_example_of_rfc_1071() -> None:
    assert internet_checksum(bytes.fromhex("0001f203f4f5f6f7")) == ~0xDDF2 & 0xFFFF


def test_all_zero_and_all_ones_are_told_apart() -> None:
    """Both are 0 modulo 0xffff, and only one of them sums to 0xffff."""
    assert internet_checksum(bytes(4)) == 0xFFFF
    assert internet_checksum(b"\xff" * 4) == 0


def test_odd_length_counts_the_last_octet_as_a_high_half() -> None:
    assert internet_checksum(b"\x01\x02\x03") == internet_checksum(b"\x01\x02\x03\x00")


@given(st.binary(max_size=1500))
def test_equals_the_definition(octets: bytes) -> None:
    assert internet_checksum(octets) == by_definition(octets)


@given(
    st.binary(min_size=2, max_size=40).filter(lambda b: len(b) % 2 == 0), st.integers(0, 0xFFFF), st.data()
)
def test_update_equals_recomputation(octets: bytes, new: int, data: st.DataObject) -> None:
    """A fixed non-zero word keeps the sum away from zero, where RFC 1624 section 3 has two representations."""
    octets += b"\x12\x34"
    at = data.draw(st.integers(0, len(octets) // 2 - 2)) * 2
    changed = octets[:at] + new.to_bytes(2, "big") + octets[at + 2 :]
    old = int.from_bytes(octets[at : at + 2], "big")
    assert update_checksum(internet_checksum(octets), old, new) == internet_checksum(changed)
