"""Fragmentation before encapsulation (N32)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmip_tw.addresses import ipv4
from pmip_tw.forwarding.fragments import fragment
from pmip_tw.wire.ipv4 import Ipv4Packet
from tests.conformance import covers

ROUTER_ALERT = b"\x94\x04\x00\x00"  # copied into every fragment
RECORD_ROUTE = b"\x07\x07\x04\x00\x00\x00\x00"  # in the first only


def packet(payload: bytes, **more: object) -> bytes:
    fields = {"source": ipv4("10.1.0.2"), "destination": ipv4("10.9.0.2"), "protocol": 17, "payload": payload}
    return Ipv4Packet(**(fields | {"identification": 77, "ttl": 9, "tos": 8} | more)).encode()


@covers("N32")
@given(st.binary(min_size=1, max_size=4000), st.integers(68, 1500), st.booleans(), st.sampled_from((0, 800)))
def test_pieces_fit_and_join_to_the_whole(payload: bytes, mtu: int, more: bool, offset: int) -> None:
    """Also when the packet is itself a fragment, from the middle or the end of another."""
    whole = packet(payload, more_fragments=more, fragment_offset=offset)
    pieces = [Ipv4Packet.decode(piece) for piece in fragment(whole, mtu)]
    assert all(20 + len(piece.payload) <= mtu for piece in pieces)
    assert b"".join(piece.payload for piece in pieces) == payload
    at = offset
    for piece in pieces:
        assert piece.fragment_offset == at
        assert (piece.identification, piece.ttl, piece.tos) == (77, 9, 8)
        at += len(piece.payload)
    assert [piece.more_fragments for piece in pieces] == [True] * (len(pieces) - 1) + [more]


@covers("N32")
def test_later_fragments_carry_only_the_options_meant_for_them() -> None:
    whole = packet(bytes(300), options=RECORD_ROUTE + b"\x01" + ROUTER_ALERT)
    first, *later = [Ipv4Packet.decode(piece) for piece in fragment(whole, 120)]
    assert first.options == RECORD_ROUTE + b"\x01" + ROUTER_ALERT
    assert {piece.options for piece in later} == {ROUTER_ALERT}
    assert len(first.payload) + sum(len(piece.payload) for piece in later) == 300


@pytest.mark.parametrize("options", [b"\x94\x00\x00\x00", b"\x94\x09\x00\x00", b"\x00\x94\x04\x00"])
def test_broken_options_do_not_stop_it(options: bytes) -> None:
    later = Ipv4Packet.decode(fragment(packet(bytes(300), options=options), 120)[1])
    assert later.options == b""


def test_what_fits_stays_whole() -> None:
    whole = packet(bytes(48))
    assert fragment(whole, 68) == [whole]
