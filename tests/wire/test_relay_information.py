"""Option 82: the vector with what tshark read, sub-options that nobody knows, lengths that lie."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmip_tw.addresses import ipv4, mac
from pmip_tw.errors import Malformed, Truncated, WireError
from pmip_tw.wire.relay_information import RelayInformation
from tests.vectors import vectors

[VECTOR] = [one for one in vectors("dhcp") if one["name"] == "discover-relayed-opt82"]
OPTION = bytes.fromhex(VECTOR["option_82_hex"])[2:]


def test_every_sub_option_of_the_vector() -> None:
    found = RelayInformation.decode(OPTION)
    assert [code for code, _ in found.sub_options] == [1, 2, 5, 6, 7, 10, 11]
    assert found.circuit_id == b"mag1:wlan0.7"
    assert found.remote_id == mac("02:00:00:00:00:01")
    assert found.link_selection == ipv4("10.20.0.0")
    assert found.subscriber_id == b"mn1@example.net"
    assert found.server_identifier_override == ipv4("198.51.100.10")
    assert not found.unicast
    assert found.encode() == OPTION


def test_unknown_and_repeated_sub_options_stay_as_they_came() -> None:
    octets = bytes((200, 1, 7, 1, 2, 8, 9, 1, 0, 200, 2, 1, 2))
    found = RelayInformation.decode(octets)
    assert found.sub_options == ((200, b"\x07"), (1, b"\x08\x09"), (1, b""), (200, b"\x01\x02"))
    assert found.circuit_id == b"\x08\x09"
    assert (found.remote_id, found.link_selection, found.server_identifier_override) == (None, None, None)
    assert found.encode() == octets


@pytest.mark.parametrize(("flags", "unicast"), [(0x80, True), (0x00, False), (0xFF, True), (0x7F, False)])
def test_flags(flags: int, unicast: bool) -> None:
    """RFC 5010 3: the first bit; the others mean nothing."""
    assert RelayInformation.decode(bytes((10, 1, flags))).unicast is unicast


@pytest.mark.parametrize(
    ("octets", "error"),
    [
        (b"", Malformed),
        (b"\x01", Truncated),
        (b"\x01\x02x", Truncated),
        (b"\x01\x01x\x02", Truncated),
        (b"\x01\xff" + bytes(254), Truncated),
        (b"\x05\x03" + bytes(3), Malformed),
        (b"\x05\x00", Malformed),
        (b"\x0a\x02\x80\x00", Malformed),
        (b"\x0b\x05" + bytes(5), Malformed),
        (b"\x06\x00", Malformed),
    ],
)
def test_lengths_that_cannot_be(octets: bytes, error: type[WireError]) -> None:
    with pytest.raises(error):
        RelayInformation.decode(octets)


@pytest.mark.parametrize("sub_options", [(), ((1, bytes(254)),), ((1, bytes(200)), (2, bytes(52)))])
def test_what_fits_no_option(sub_options: tuple[tuple[int, bytes], ...]) -> None:
    made = RelayInformation(sub_options=sub_options)
    assert not made.fits
    with pytest.raises(ValueError, match="255"):
        made.encode()


def test_the_longest_that_fits() -> None:
    made = RelayInformation(sub_options=((1, bytes(200)), (2, bytes(51))))
    assert RelayInformation.decode(made.encode()) == made


@given(st.binary(max_size=300))
def test_any_octets(octets: bytes) -> None:
    """A value that has the same octets, or a WireError at one of them."""
    try:
        found = RelayInformation.decode(octets)
    except WireError as error:
        assert 0 <= error.offset <= len(octets)
        return
    assert found.size == len(octets)
    assert not found.fits or found.encode() == octets
