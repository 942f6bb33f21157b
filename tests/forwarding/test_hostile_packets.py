"""Whatever somebody puts into a tunnel in its other end's name is carried or counted: nothing raises."""

import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.forwarding import drops, offloads
from pmip_tw.forwarding.memory import MemoryPlane
from pmip_tw.interfaces import Datagram
from pmip_tw.mobility.tunnels import AccessEntry, AnchorEntry
from pmip_tw.wire.icmp import IcmpMessage
from pmip_tw.wire.ipv4 import Ipv4Packet

from .packets import CORRESPONDENT, GATEWAY_MAC, HOME, NODE_MAC, tcp_packet
from .worlds import LOCAL, PEERS, tunnel

LENGTHS = (*range(64), 100, 1400, 1480, 1481, 1500, 1501, 4000, 65000)
OUTER = struct.pack("!BBHHHBBHII", 0x45, 0, 0, 0, 0, 64, 4, 0, tunnel().remote, LOCAL)


def anchor() -> MemoryPlane:
    made = MemoryPlane(monotonic=lambda: 1.0, local=LOCAL)
    made.install(AnchorEntry(home_address=HOME, tunnel=tunnel()))
    return made


def access() -> MemoryPlane:
    made = MemoryPlane(monotonic=lambda: 1.0, local=LOCAL, ports=("eth1",))
    made.install(AccessEntry(port="eth1", mac=NODE_MAC, home_address=HOME, tunnel=tunnel()))
    return made


def looks_merged(packet: bytearray) -> None:
    """Put the sum that GRO leaves where the header says that TCP's checksum is, however wrong that header is."""
    header = (packet[0] & 0xF) * 4
    if header == 0:
        return  # the addresses stand there
    length = int.from_bytes(packet[2:4], "big") - header
    value = (int.from_bytes(packet[12:20], "big") + 6 + length) % 0xFFFF
    packet[header + 16 : header + 18] = value.to_bytes(2, "big")


def hostile(chance: random.Random, source: Ipv4, destination: Ipv4) -> bytes:
    """A TCP packet with everything wrong that an attacker may get wrong, but its addresses."""
    length = chance.choice(LENGTHS)
    packet = bytearray(chance.randbytes(max(length, 20)))
    packet[0] = chance.choice((0x45, 0x45, 0x46, 0x4F, 0x40, 0x41, 0x44, 0x65, 0x05))
    packet[2:4] = chance.choice((length, length, 0, 19, 20, 0xFFFF)).to_bytes(2, "big")
    packet[6:8] = chance.choice((b"\0\0", b"\x40\0", b"\x20\0", b"\x3f\xff"))
    packet[9] = chance.choice((6, 6, 6, 17, 1))
    packet[12:20] = source.to_bytes(4, "big") + destination.to_bytes(4, "big")
    if len(packet) >= 40:
        packet[32] = chance.choice((0x50, 0x60, 0xF0, 0x00))
        packet[33] = chance.choice((0x02, 0x10, 0xFF))
        if chance.random() < 0.5:
            looks_merged(packet)
    return bytes(packet[:length])


@pytest.mark.parametrize("role", ["anchor", "access"])
def test_forged_inner_packets_never_raise(role: str) -> None:
    """The inner packet arrives as the raw socket gives it, behind an outer header that is right."""
    chance = random.Random(f"hostile {role}")
    for _ in range(4000):
        plane = anchor() if role == "anchor" else access()
        to_role = (HOME, CORRESPONDENT) if role == "anchor" else (CORRESPONDENT, HOME)
        inner = hostile(chance, *to_role)
        plane.outside_sends(OUTER + inner)
        went_on = len(plane.delivered) + len(plane.transmitted)
        assert went_on or sum(plane.drops().values()) == 1, inner.hex()


@given(st.binary(max_size=100))
def test_any_inner_octets_never_raise(octets: bytes) -> None:
    for plane in (anchor(), access()):
        plane.outside_sends(OUTER + octets)
        assert sum(plane.drops().values()) == 1


@pytest.mark.parametrize("protocol", [47, 55, 17])
@given(st.binary(max_size=100), st.booleans())
def test_any_wrapping_never_raises(protocol: int, octets: bytes, is_keyed: bool) -> None:
    """GRE, minimal encapsulation and tunnel data with anything behind a right outer header: dropped and counted."""
    for plane in (anchor(), access()):
        if protocol == 17:
            for next_header in (4, 47, 55, 99):
                data = bytes((4, next_header, 0, 0)) + (b"\x20\0\x08\0" if is_keyed else b"") + octets
                for payload in (data, data[:1], data[:3]):
                    plane.tunnel_data_received([Datagram(payload, Endpoint(PEERS[0], 434), LOCAL)])
            assert sum(plane.drops().values()) == 12
        else:
            start = b"\x20\0\x08\0" if is_keyed else b""
            outer = Ipv4Packet(source=PEERS[0], destination=LOCAL, protocol=protocol, payload=start + octets)
            plane.outside_sends(outer.encode())
            assert sum(plane.drops().values()) == 1


@given(
    st.sampled_from(((3, 1), (3, 4), (11, 0), (3, 0))),
    st.sampled_from((4, 47, 55, 17, 6)),
    st.binary(max_size=100),
    st.integers(0, 0xFFFF),
)
def test_any_icmp_error_never_raises(kind: tuple[int, int], protocol: int, octets: bytes, total: int) -> None:
    """About a packet of which everything but the addresses is invented, and it may end anywhere: nobody is told."""
    quoted = bytearray(OUTER)
    quoted[2:4], quoted[9] = total.to_bytes(2, "big"), protocol
    quoted[12:20] = quoted[16:20] + quoted[12:16]
    message = IcmpMessage(type=kind[0], code=kind[1], rest=0, payload=bytes(quoted) + octets)
    packet = Ipv4Packet(
        source=CORRESPONDENT, destination=LOCAL, protocol=1, payload=message.encode()
    ).encode()
    for plane in (anchor(), access()):
        plane.outside_sends(packet)
        assert plane.answered + plane.transmitted == []


@pytest.mark.parametrize("first", [0x40, 0x41, 0x44, 0x65, 0x05])
@pytest.mark.parametrize("size", [100, 4000])
def test_a_forged_header_length_is_malformed(first: int, size: int) -> None:
    """Also where the rest looks as if the kernel had merged it, or is too long for a link."""
    for plane, turned in ((anchor(), False), (access(), True)):
        packet = bytearray(tcp_packet(bytes(size)))
        packet[0] = first
        if turned:
            packet[12:20] = packet[16:20] + packet[12:16]
        looks_merged(packet)
        plane.arrive(tunnel(), bytes(packet))
        assert plane.drops() == {drops.MALFORMED: 1}


def test_an_anchor_keeps_padding_out() -> None:
    """What follows the packet in its tunnel is not part of it, and is not counted."""
    plane = anchor()
    plane.arrive(tunnel(), tcp_packet(b"data") + b"something else")
    assert plane.delivered == [tcp_packet(b"data")]


@pytest.mark.parametrize("first", [0x40, 0x44, 0x65])
@pytest.mark.parametrize(("kind", "protocol"), [(1, 6), (5, 17)])
def test_a_super_frame_without_an_ipv4_header_is_named(first: int, kind: int, protocol: int) -> None:
    packet = bytearray(tcp_packet(bytes(3000)))
    packet[0], packet[9] = first, protocol
    data = struct.pack("=BBHHHH", 0, kind, 0, 1000, 0, 0) + GATEWAY_MAC + NODE_MAC + b"\x08\x00" + packet
    with pytest.raises(offloads.UnknownOffload, match="not IPv4"):
        offloads.finish(data)


def test_segments_that_fit_in_no_packet_are_named() -> None:
    whole = Ipv4Packet(source=HOME, destination=CORRESPONDENT, protocol=17, payload=bytes(65000)).encode()
    data = struct.pack("=BBHHHH", 0, 5, 0, 0xFFFF, 0, 0) + GATEWAY_MAC + NODE_MAC + b"\x08\x00" + whole
    with pytest.raises(offloads.UnknownOffload, match="65535"):
        offloads.finish(data + bytes(600))
