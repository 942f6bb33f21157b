"""GRE and minimal encapsulation, byte for byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmip_tw.addresses import ipv4
from pmip_tw.errors import Malformed, WireError
from pmip_tw.wire import minimal
from pmip_tw.wire.encapsulation import outer_header, overhead
from pmip_tw.wire.gre import gre_header, read_gre
from pmip_tw.wire.ipv4 import Ipv4Packet, is_fragment
from tests.conformance import covers
from tests.vectors import vectors

NAT = {vector["name"]: vector for vector in vectors("nat")}
MAG, LMA = ipv4("198.51.100.10"), ipv4("192.0.2.1")
MAG_OCTETS, LMA_OCTETS = MAG.to_bytes(4, "big"), LMA.to_bytes(4, "big")
INNER = Ipv4Packet(source=ipv4("10.20.0.5"), destination=LMA, protocol=17, payload=b"x" * 40).encode()


@covers("T4")
def test_gre_with_a_key_is_that_of_the_vector() -> None:
    vector = bytes.fromhex(NAT["gre-key-ip"]["udp_payload_hex"])
    inner = vector[28:]
    made = outer_header(MAG, LMA, 47, inner, shim=gre_header(0xBEEF), identification=8) + inner
    assert made == vector
    assert read_gre(vector[20:]) == (b"\0\0\xbe\xef", inner)


@covers("T4")
def test_gre_without_a_key() -> None:
    assert gre_header() == b"\0\0\x08\0"
    assert read_gre(gre_header() + INNER) == (b"", INNER)
    assert gre_header(0) == b"\x20\0\x08\0\0\0\0\0"


def checksummed(flags: int, fields: bytes) -> bytes:
    """A GRE packet with the checksum that its sender computed (RFC 2784 2.5)."""
    head = (flags | 0x8000).to_bytes(2, "big") + b"\x08\0"
    words = head + b"\0\0\0\0" + fields + INNER
    total = sum(int.from_bytes(words[at : at + 2], "big") for at in range(0, len(words), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return head + (0xFFFF - total).to_bytes(2, "big") + b"\0\0" + fields + INNER


@covers("T4")
@pytest.mark.parametrize(
    ("flags", "fields", "key"),
    [(0, b"", b""), (0x2000, b"\0\0\0\7", b"\0\0\0\7"), (0x3000, b"\0\0\0\7\0\0\0\1", b"\0\0\0\7")],
    ids=["alone", "with a key", "with key and sequence number"],
)
def test_a_gre_checksum_is_verified(flags: int, fields: bytes, key: bytes) -> None:
    octets = checksummed(flags, fields)
    assert read_gre(octets) == (key, INNER)
    with pytest.raises(Malformed, match="checksum"):
        read_gre(octets[:-1] + bytes([octets[-1] ^ 1]))


def test_a_gre_sequence_number_is_stepped_over() -> None:
    assert read_gre(b"\x10\0\x08\0\0\0\0\1" + INNER) == (b"", INNER)


@covers("T4")
@pytest.mark.parametrize("flags", [0x4000, 0x0800, 0x0400, 0x0001, 0x0007])
def test_gre_bits_that_change_what_follows_are_refused(flags: int) -> None:
    with pytest.raises(Malformed, match="flags"):
        read_gre(flags.to_bytes(2, "big") + b"\x08\0" + INNER)


@covers("T4")
@pytest.mark.parametrize("flags", [0x0200, 0x0100, 0x0080, 0x0008])
def test_other_reserved_gre_bits_are_ignored(flags: int) -> None:
    assert read_gre(flags.to_bytes(2, "big") + b"\x08\0" + INNER) == (b"", INNER)


@covers("T4")
def test_gre_carries_ipv4_only() -> None:
    with pytest.raises(Malformed, match="0x86dd"):
        read_gre(b"\0\0\x86\xdd" + INNER)


@covers("T3")
def test_minimal_encapsulation_is_that_of_the_vector() -> None:
    vector = NAT["minimal-encapsulation-ip"]
    original, outer = (
        bytes.fromhex(vector["fields"]["original_packet_hex"]),
        bytes.fromhex(vector["udp_payload_hex"]),
    )
    assert minimal.wrap(original, MAG_OCTETS, LMA_OCTETS, identification=7) == outer
    assert minimal.unwrap(outer) == original


@covers("T3")
def test_the_tunnels_entry_as_source_is_left_out() -> None:
    """8 octets then, and 12 otherwise."""
    own = Ipv4Packet(source=MAG, destination=ipv4("10.20.0.5"), protocol=1, payload=b"12345678").encode()
    outer = minimal.wrap(own, MAG_OCTETS, LMA_OCTETS)
    assert len(outer) == len(own) + 8
    assert minimal.unwrap(outer) == own
    assert len(minimal.wrap(INNER, MAG_OCTETS, LMA_OCTETS)) == len(INNER) + 12


@covers("T3")
def test_options_type_of_service_and_time_to_live_stay_in_the_one_header() -> None:
    packet = Ipv4Packet(
        source=ipv4("10.20.0.5"),
        destination=LMA,
        protocol=6,
        payload=b"data",
        ttl=9,
        tos=0xB8,
        dont_fragment=True,
        options=b"\x94\x04\0\0",
    ).encode()
    outer = Ipv4Packet.decode(minimal.wrap(packet, MAG_OCTETS, LMA_OCTETS))
    assert (outer.ttl, outer.tos, outer.dont_fragment, outer.options) == (9, 0xB8, True, b"\x94\x04\0\0")
    assert minimal.unwrap(outer.encode()) == packet


@covers("T3")
def test_a_minimal_header_with_a_wrong_checksum_is_refused() -> None:
    outer = bytearray(minimal.wrap(INNER, MAG_OCTETS, LMA_OCTETS))
    outer[25] ^= 1
    with pytest.raises(Malformed, match="checksum"):
        minimal.unwrap(bytes(outer))


@covers("T3")
def test_only_whole_packets_fit_minimal_encapsulation() -> None:
    assert not is_fragment(INNER)
    fields = {"source": MAG, "destination": LMA, "protocol": 17, "payload": bytes(16)}
    for piece in (
        Ipv4Packet(**fields, more_fragments=True),
        Ipv4Packet(**fields, fragment_offset=8),
        Ipv4Packet(**fields, fragment_offset=0x1000),
    ):
        assert is_fragment(piece.encode())
    assert not is_fragment(Ipv4Packet(**fields, dont_fragment=True).encode())


@covers("T9")
def test_what_each_way_costs() -> None:
    """On a link of 1500 octets these leave 1480 to 1460."""
    assert [overhead(4), overhead(47), overhead(47, keyed=True), overhead(55)] == [20, 24, 28, 12]
    in_udp = [overhead(kind, over_udp=True) for kind in (4, 47, 55)]
    assert in_udp == [32, 36, 24]
    assert overhead(47, over_udp=True, keyed=True) == 40


@given(st.binary(max_size=80))
def test_any_octets_give_a_packet_or_a_wire_error(octets: bytes) -> None:
    outer = Ipv4Packet(source=MAG, destination=LMA, protocol=55, payload=octets).encode()
    for take in (
        lambda: read_gre(octets),
        lambda: minimal.unwrap(outer),
        lambda: minimal.rebuild(octets, MAG, 1),
    ):
        try:
            take()
        except WireError as error:
            assert 0 <= error.offset <= 80


def test_a_total_length_less_than_the_headers_is_refused() -> None:
    """An ICMP error may quote anything."""
    outer = bytearray(minimal.wrap(INNER, MAG_OCTETS, LMA_OCTETS))
    outer[2:4] = (31).to_bytes(2, "big")
    with pytest.raises(Malformed, match="total length 31"):
        minimal.unwrap(bytes(outer))


@covers("T3")
def test_what_is_too_long_is_refused() -> None:
    """One octet less goes."""
    longest = Ipv4Packet(
        source=MAG, destination=LMA, protocol=17, payload=bytes(minimal.LONGEST - 20)
    ).encode()
    assert minimal.unwrap(minimal.wrap(longest, LMA_OCTETS, MAG_OCTETS)) == longest
    with pytest.raises(ValueError, match="does not fit"):
        minimal.wrap(longest + b"x", LMA_OCTETS, MAG_OCTETS)
    header = minimal.forwarding_header(longest)
    assert len(minimal.rebuild(header + bytes(0xFFFF - 20), MAG, 0)) == 0xFFFF
    with pytest.raises(Malformed, match="a payload of 65516 octets"):
        minimal.rebuild(header + bytes(0xFFFF - 19), MAG, 0)
