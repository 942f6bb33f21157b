"""IP-in-IP and RFC 3519 tunnel data, byte for byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmip_tw.addresses import ipv4
from pmip_tw.errors import Malformed, Truncated, WireError
from pmip_tw.wire.encapsulation import (
    IP_IN_IP_OVERHEAD,
    UDP_OVERHEAD,
    IpInIp,
    TunnelData,
    ip_in_ip_header,
    tunnel_data_header,
)
from pmip_tw.wire.icmp import ECHO_REPLY, ECHO_REQUEST, IcmpMessage
from pmip_tw.wire.ipv4 import Ipv4Packet
from tests.conformance import covers
from tests.vectors import vectors

NAT = {vector["name"]: vector for vector in vectors("nat")}
MAG, LMA = ipv4("198.51.100.10"), ipv4("192.0.2.1")
INNER = Ipv4Packet(
    source=ipv4("10.20.0.5"), destination=LMA, protocol=17, payload=b"x" * 40, tos=0xB8, dont_fragment=True
).encode()


@pytest.mark.parametrize(
    ("name", "kind"), [("keepalive-request", ECHO_REQUEST), ("keepalive-reply", ECHO_REPLY)]
)
def test_keepalives_decode_and_round_trip(name: str, kind: int) -> None:
    octets = bytes.fromhex(NAT[name]["udp_payload_hex"])
    data = TunnelData.decode(octets)
    assert data.next_header == NAT[name]["fields"]["next_header"]
    assert IcmpMessage.decode(Ipv4Packet.decode(data.payload)).type == kind
    assert data.encode() == octets


def test_gre_in_udp_says_so() -> None:
    octets = bytes.fromhex(NAT["data-gre-in-udp"]["udp_payload_hex"])
    data = TunnelData.decode(octets)
    assert data.next_header == 47
    assert (
        data.payload.hex()
        == NAT["data-gre-in-udp"]["parts"][1]["hex"] + NAT["data-gre-in-udp"]["parts"][2]["hex"]
    )
    assert data.encode() == octets


@pytest.mark.parametrize("name", ["gre-key-ip", "minimal-encapsulation-ip"])
def test_other_encapsulations_are_not_taken_for_ip_in_ip(name: str) -> None:
    with pytest.raises(Malformed, match="IP-in-IP"):
        IpInIp.decode(bytes.fromhex(NAT[name]["udp_payload_hex"]))


@covers("T1")
def test_outer_header_copies_type_of_service_and_dont_fragment() -> None:
    """T1."""
    outer = Ipv4Packet.decode(ip_in_ip_header(MAG, LMA, INNER, identification=7) + INNER)
    assert (outer.source, outer.destination, outer.protocol, outer.ttl) == (MAG, LMA, 4, 64)
    assert (outer.tos, outer.dont_fragment, outer.identification) == (0xB8, True, 7)
    assert outer.payload == INNER


def test_ip_in_ip_round_trip() -> None:
    assert IpInIp.decode(ip_in_ip_header(MAG, LMA, INNER) + INNER) == IpInIp(
        source=MAG, destination=LMA, inner=INNER
    )


def test_a_fragment_of_an_outer_packet_is_refused() -> None:
    octets = Ipv4Packet(source=MAG, destination=LMA, protocol=4, payload=INNER, more_fragments=True).encode()
    with pytest.raises(Malformed, match="fragment"):
        IpInIp.decode(octets)


@pytest.mark.parametrize("inner", [b"", bytes(19), bytes(0xFFFF)])
def test_what_cannot_be_wrapped_is_an_error(inner: bytes) -> None:
    with pytest.raises(ValueError, match="octets"):
        ip_in_ip_header(MAG, LMA, inner)


def test_short_and_foreign_tunnel_data() -> None:
    with pytest.raises(Truncated):
        TunnelData.decode(b"\x04\x04\x00")
    with pytest.raises(Malformed, match="type 1 "):
        TunnelData.decode(b"\x01\x04\x00\x00")


def test_reserved_octets_are_sent_zero_and_ignored() -> None:
    assert tunnel_data_header(4) == b"\x04\x04\x00\x00"
    assert TunnelData.decode(b"\x04\x04\xff\xff") == TunnelData(next_header=4, payload=b"")


def test_overheads_are_those_of_the_documents() -> None:
    """20 octets, and 32 behind a NAT: 1480 and 1468 on a link of 1500."""
    assert (IP_IN_IP_OVERHEAD, UDP_OVERHEAD) == (20, 32)


@given(st.binary(max_size=120))
def test_any_octets_give_a_value_or_a_wire_error(octets: bytes) -> None:
    for decode in (TunnelData.decode, IpInIp.decode):
        try:
            decode(octets)
        except WireError as error:
            assert 0 <= error.offset <= max(len(octets), 20)
