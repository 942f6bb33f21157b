"""What a sender left to its network card, finished."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmip_tw.addresses import Endpoint
from pmip_tw.forwarding.offloads import (
    NO_OFFLOAD,
    UnknownOffload,
    cut_merged,
    finish,
    is_merged,
    tcp_segments,
)
from pmip_tw.wire.ipv4 import Ipv4Packet
from pmip_tw.wire.udp import udp_packet

from .packets import CORRESPONDENT, HOME, frame, tcp_packet, transport_checksum_holds

FIN, SYN, PSH, ACK, CWR = 0x01, 0x02, 0x08, 0x10, 0x80


def vnet(*, flags: int = 0, kind: int = 0, size: int = 0, start: int = 0, offset: int = 0) -> bytes:
    return struct.pack("=BBHHHH", flags, kind, 0, size, start, offset)


def unfinished(packet: bytes, offset: int) -> bytes:
    """The packet as a kernel hands it over: the sum of the pseudo-header where the checksum belongs."""
    value = (int.from_bytes(packet[12:20], "big") + packet[9] + len(packet) - 20) % 0xFFFF
    return packet[: 20 + offset] + value.to_bytes(2, "big") + packet[22 + offset :]


def test_a_finished_frame_stays_as_it_is() -> None:
    octets = frame(tcp_packet(b"data"))
    assert finish(NO_OFFLOAD + octets) == [octets]


@pytest.mark.parametrize("payload", [b"even", b"odd length"[:9], b""])
def test_a_partial_tcp_checksum_is_completed(payload: bytes) -> None:
    packet = tcp_packet(payload)
    data = vnet(flags=1, start=34, offset=16) + bytes(12) + b"\x08\x00" + unfinished(packet, 16)
    assert finish(data) == [bytes(12) + b"\x08\x00" + packet]


def test_a_udp_checksum_is_never_completed_to_zero() -> None:
    """Zero would say that there is none."""
    for word in range(0x10000):
        packet = udp_packet(Endpoint(HOME, 1), Endpoint(CORRESPONDENT, 2), word.to_bytes(2, "big"))
        if packet[26:28] == b"\xff\xff":
            break
    data = vnet(flags=1, start=34, offset=6) + bytes(12) + b"\x08\x00" + unfinished(packet, 6)
    assert finish(data) == [bytes(12) + b"\x08\x00" + packet]


@given(
    st.binary(max_size=9000), st.integers(100, 1460), st.sampled_from((ACK, ACK | FIN | PSH, ACK | CWR | PSH))
)
def test_a_tcp_super_frame_becomes_segments(payload: bytes, size: int, flags: int) -> None:
    whole = tcp_packet(payload, flags=flags, options=b"\x01\x01\x08\x0a" + bytes(8), identification=0xFFFE)
    segments = [Ipv4Packet.decode(segment) for segment in tcp_segments(whole, size)]
    assert b"".join(segment.payload[32:] for segment in segments) == payload
    assert all(len(segment.payload) - 32 <= size for segment in segments)
    at = 0
    for number, segment in enumerate(segments):
        assert transport_checksum_holds(segment.encode())
        assert segment.identification == (0xFFFE + number) & 0xFFFF
        assert int.from_bytes(segment.payload[4:8], "big") == (0xFFFFFF00 + at) & 0xFFFFFFFF
        at += len(segment.payload) - 32
    seen = [segment.payload[13] for segment in segments]
    assert all(not seen[n] & (FIN | PSH) for n in range(len(seen) - 1))
    assert all(not seen[n] & CWR for n in range(1, len(seen)))
    assert seen[-1] & (FIN | PSH) == flags & (FIN | PSH)
    assert seen[0] & CWR == flags & CWR


def test_a_udp_super_frame_becomes_datagrams() -> None:
    whole = udp_packet(Endpoint(HOME, 1), Endpoint(CORRESPONDENT, 2), bytes(range(250)))
    frames = finish(vnet(flags=1, kind=5, size=100, start=34, offset=6) + bytes(12) + b"\x08\x00" + whole)
    expected = [
        udp_packet(Endpoint(HOME, 1), Endpoint(CORRESPONDENT, 2), bytes(range(at, min(at + 100, 250))))
        for at in (0, 100, 200)
    ]
    assert [Ipv4Packet.decode(octets[14:]).payload for octets in frames] == [
        Ipv4Packet.decode(packet).payload for packet in expected
    ]


@pytest.mark.parametrize(
    "data",
    [
        vnet(kind=3, size=1000) + frame(tcp_packet(bytes(3000))),
        vnet(kind=4, size=1000) + (bytes(12) + b"\x86\xdd").ljust(3000, b"\0"),
        vnet(kind=1, size=0) + frame(tcp_packet(bytes(3000))),
        vnet(kind=1, size=1000) + frame(tcp_packet(bytes(3000)))[:60],
        vnet(kind=1, size=1000) + bytes(12) + b"\x08\x00" + b"\x45",
        vnet(flags=1, start=34, offset=40) + frame(tcp_packet())[:60],
    ],
    ids=["UDP fragmentation", "IPv6", "no segment size", "cut off", "no header", "checksum beyond the end"],
)
def test_what_cannot_be_finished_is_named(data: bytes) -> None:
    with pytest.raises(UnknownOffload):
        finish(data)


@given(st.binary(max_size=400))
def test_any_octets_are_finished_or_named(octets: bytes) -> None:
    """A packet socket gives at least the two headers."""
    try:
        frames = finish(octets.ljust(24, b"\0"))
    except UnknownOffload:
        return
    assert frames


def test_a_merged_packet_is_recognized_and_cut() -> None:
    whole = tcp_packet(bytes(4000))
    merged = unfinished(whole, 16)
    assert is_merged(merged)
    assert not is_merged(whole)
    pieces = cut_merged(merged, 1500)
    assert [len(piece) for piece in pieces] == [1500, 1500, 1120]
    assert all(transport_checksum_holds(piece) for piece in pieces)


def test_a_small_merged_packet_only_gets_its_checksum() -> None:
    whole = tcp_packet(bytes(700))
    assert cut_merged(unfinished(whole, 16), 1500) == [whole]


@pytest.mark.parametrize("place", [{"more_fragments": True}, {"fragment_offset": 1480}])
def test_a_fragment_is_never_taken_for_merged(place: dict[str, int]) -> None:
    """One in 65535 looks like it, and would have two octets of its payload changed."""
    fragment = unfinished(tcp_packet(bytes(700), **place), 16)
    assert not is_merged(fragment)
    long = tcp_packet(bytes(3000), **place)
    with pytest.raises(UnknownOffload):
        cut_merged(long, 1500)
