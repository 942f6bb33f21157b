"""IPv4 headers and UDP datagrams: what is accepted, what is refused and why."""

import pytest

from pmip_tw.addresses import Endpoint, ipv4
from pmip_tw.errors import Malformed, Truncated, WireError
from pmip_tw.wire.checksum import internet_checksum
from pmip_tw.wire.ipv4 import PROTOCOL_UDP, Ipv4Packet, is_group_address, is_host_address
from pmip_tw.wire.udp import UdpDatagram, udp_packet

A = Endpoint(ipv4("10.20.0.5"), 68)
B = Endpoint(ipv4("198.51.100.10"), 67)

# The header of the Internet checksum's best known example.
EXAMPLE = bytes.fromhex("4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7")


def resummed(octets: bytes) -> bytes:
    """``octets`` with the checksum that its header needs."""
    length = (octets[0] & 0xF) * 4
    header = octets[:10] + b"\0\0" + octets[12:length]
    return header[:10] + internet_checksum(header).to_bytes(2, "big") + octets[12:]


def test_known_header() -> None:
    packet = Ipv4Packet.decode(EXAMPLE + bytes(0x73 - 20))
    assert (packet.source, packet.destination) == (ipv4("192.168.0.1"), ipv4("192.168.0.199"))
    assert (packet.protocol, packet.ttl, packet.dont_fragment) == (PROTOCOL_UDP, 64, True)
    assert packet.encode()[:20] == EXAMPLE


def test_ethernet_padding_is_not_payload() -> None:
    packet = udp_packet(A, B, b"short")
    assert Ipv4Packet.decode(packet + bytes(13)) == Ipv4Packet.decode(packet)


def test_fragment_offset_is_in_octets() -> None:
    packet = Ipv4Packet(
        source=A.address,
        destination=B.address,
        protocol=1,
        payload=b"x",
        fragment_offset=1480,
        more_fragments=True,
    )
    octets = packet.encode()
    assert octets[6:8] == (0x2000 | 185).to_bytes(2, "big")
    assert Ipv4Packet.decode(octets) == packet
    assert packet.is_fragment


def test_options_are_kept_and_counted() -> None:
    packet = Ipv4Packet(source=1, destination=2, protocol=6, payload=b"data", options=b"\x94\x04\x00\x00")
    octets = packet.encode()
    assert octets[0] == 0x46
    assert Ipv4Packet.decode(octets) == packet


@pytest.mark.parametrize(
    ("octets", "error"),
    [
        (EXAMPLE[:19], Truncated),
        (EXAMPLE, Truncated),
        (resummed(b"\x65" + EXAMPLE[1:] + bytes(95)), Malformed),
        (b"\x44" + EXAMPLE[1:] + bytes(95), Malformed),
        (resummed(EXAMPLE[:2] + b"\x00\x13" + EXAMPLE[4:]), Malformed),
        (EXAMPLE[:10] + b"\xb8\x62" + EXAMPLE[12:] + bytes(95), Malformed),
        (b"\x4f" + EXAMPLE[1:3] + b"\x20" + EXAMPLE[4:] + bytes(12), Malformed),
    ],
    ids=["header cut", "payload cut", "version 6", "IHL 4", "total 19", "checksum", "total within options"],
)
def test_broken_headers(octets: bytes, error: type[WireError]) -> None:
    with pytest.raises(error):
        Ipv4Packet.decode(octets)


def test_oversized_packets_are_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="65536"):
        Ipv4Packet(source=1, destination=2, protocol=6, payload=bytes(65516)).encode()
    with pytest.raises(ValueError, match="44"):
        Ipv4Packet(source=1, destination=2, protocol=6, payload=b"", options=bytes(44)).encode()
    with pytest.raises(ValueError, match="65528"):
        udp_packet(A, B, bytes(65528))


@pytest.mark.parametrize(
    ("address", "host", "group"),
    [
        ("10.20.0.5", True, False),
        ("0.0.0.0", False, False),
        ("127.0.0.1", False, False),
        ("224.0.0.22", False, True),
        ("240.0.0.1", False, False),
        ("255.255.255.255", False, True),
    ],
)
def test_kinds_of_addresses(address: str, host: bool, group: bool) -> None:
    assert is_host_address(ipv4(address)) is host
    assert is_group_address(ipv4(address)) is group


def test_udp_there_and_back() -> None:
    packet = Ipv4Packet.decode(udp_packet(A, B, b"odd", ttl=3))
    assert (packet.source, packet.destination, packet.ttl) == (A.address, B.address, 3)
    datagram = UdpDatagram.decode(packet)
    assert datagram == UdpDatagram(source_port=68, destination_port=67, payload=b"odd")


def udp_in(datagram: bytes, **fields: int | bool) -> Ipv4Packet:
    return Ipv4Packet(source=A.address, destination=B.address, protocol=17, payload=datagram, **fields)


def test_udp_checksum_zero_means_none() -> None:
    datagram = bytes.fromhex("0044 0043 000a 0000 6869")
    assert UdpDatagram.decode(udp_in(datagram)).payload == b"hi"


def test_udp_checksum_that_computes_to_zero_is_sent_as_ones() -> None:
    """RFC 768: otherwise the receiver would take it for no checksum."""
    plain = udp_packet(A, B, b"\0\0")
    unsent = int.from_bytes(plain[26:28], "big")
    packet = Ipv4Packet.decode(udp_packet(A, B, unsent.to_bytes(2, "big")))
    assert packet.payload[6:8] == b"\xff\xff"
    assert UdpDatagram.decode(packet).payload == unsent.to_bytes(2, "big")


@pytest.mark.parametrize(
    ("packet", "error"),
    [
        (udp_in(bytes.fromhex("0044 0043 000a 0001 6869")), Malformed),
        (udp_in(bytes.fromhex("0044 0043 0007 0000")), Malformed),
        (udp_in(bytes.fromhex("0044 0043 000b 0000 6869")), Truncated),
        (udp_in(bytes.fromhex("0044 0043 0008 00")), Truncated),
        (udp_in(bytes.fromhex("0044 0043 000a 0000 6869"), more_fragments=True), Malformed),
        (Ipv4Packet(source=1, destination=2, protocol=6, payload=bytes(8)), Malformed),
    ],
    ids=["checksum", "length 7", "length behind the end", "header cut", "fragment", "TCP"],
)
def test_broken_datagrams(packet: Ipv4Packet, error: type[WireError]) -> None:
    with pytest.raises(error):
        UdpDatagram.decode(packet)


def test_udp_surplus_behind_its_length_is_ignored() -> None:
    """It is not under the checksum either."""
    assert UdpDatagram.decode(udp_in(bytes.fromhex("0044 0043 000a 0000 6869 ffff"))).payload == b"hi"
    whole = Ipv4Packet.decode(udp_packet(A, B, b"hi"))
    assert UdpDatagram.decode(udp_in(whole.payload + b"junk")).payload == b"hi"
