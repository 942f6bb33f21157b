"""The law of the wire for packets and frames: any octets give a value or a WireError; what was encoded comes back."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmip_tw.access.evidence import evidence
from pmip_tw.addresses import Endpoint, Ipv4, Mac
from pmip_tw.dhcp.requests import client_message
from pmip_tw.errors import WireError
from pmip_tw.wire.arp import Arp
from pmip_tw.wire.dhcp import DhcpMessage
from pmip_tw.wire.ethernet import ETHERTYPE_IPV4, EthernetFrame
from pmip_tw.wire.icmp import IcmpMessage, echo_reply, time_exceeded
from pmip_tw.wire.ipv4 import PROTOCOL_ICMP, PROTOCOL_UDP, Ipv4Packet
from pmip_tw.wire.udp import UdpDatagram, udp_packet

GATEWAY_MAC = Mac(b"\x02\x00\x5e\x50\x4d\x49")

addresses = st.integers(0, 0xFFFFFFFF).map(Ipv4)
macs = st.binary(min_size=6, max_size=6).map(Mac)
halves = st.integers(0, 0xFFFF)
octets = st.integers(0, 0xFF)
bits = st.booleans()

frames = st.builds(EthernetFrame, destination=macs, source=macs, ethertype=halves, payload=st.binary())
arps = st.builds(
    Arp,
    operation=halves,
    sender_mac=macs,
    sender_address=addresses,
    target_mac=macs,
    target_address=addresses,
)
packets = st.builds(
    Ipv4Packet,
    source=addresses,
    destination=addresses,
    protocol=st.sampled_from((PROTOCOL_ICMP, PROTOCOL_UDP)) | octets,
    payload=st.binary(max_size=200),
    ttl=octets,
    tos=octets,
    identification=halves,
    dont_fragment=bits,
    more_fragments=bits,
    fragment_offset=st.integers(0, 0x1FFF).map(lambda units: units * 8),
    options=st.integers(0, 10).flatmap(lambda words: st.binary(min_size=words * 4, max_size=words * 4)),
)
options = st.dictionaries(
    # The options whose length is fixed are tested with their lengths by name.
    st.integers(1, 254).filter(lambda code: code not in (50, 51, 52, 53, 54, 57, 58, 59)),
    st.binary(max_size=600),
    max_size=6,
).map(lambda found: tuple(found.items()))
names = st.binary(max_size=64).map(lambda name: name.rstrip(b"\0"))
messages = st.builds(
    DhcpMessage,
    op=st.sampled_from((1, 2)),
    xid=addresses,
    chaddr=macs,
    hops=octets,
    secs=halves,
    flags=halves,
    ciaddr=addresses,
    yiaddr=addresses,
    siaddr=addresses,
    giaddr=addresses,
    sname=names,
    file=names,
    options=options.flatmap(
        lambda rest: st.sampled_from([((53, bytes((kind,))), *rest) for kind in range(1, 14)])
    ),
)

DECODERS: list[Callable[[bytes], object]] = [
    EthernetFrame.decode,
    Arp.decode,
    Ipv4Packet.decode,
    DhcpMessage.decode,
]


@pytest.mark.parametrize("decode", DECODERS, ids=lambda decode: decode.__self__.__name__)
@given(noise=st.binary(max_size=400))
def test_any_octets_give_a_value_or_a_wire_error(decode: Callable[[bytes], object], noise: bytes) -> None:
    with suppress(WireError):
        decode(noise)


@given(message=messages, cut=st.integers(0, 400), at=st.integers(0, 400), value=octets)
def test_damaged_dhcp_gives_a_value_or_a_wire_error(
    message: DhcpMessage, cut: int, at: int, value: int
) -> None:
    """Noise alone hardly ever passes the cookie: damage what is whole."""
    damaged = bytearray(message.encode())
    damaged[at % len(damaged)] = value
    with suppress(WireError):
        found = DhcpMessage.decode(bytes(damaged[: max(240, len(damaged) - cut)]))
        assert DhcpMessage.decode(found.encode()) == found


@given(packet=packets)
def test_any_payload_gives_a_value_or_a_wire_error(packet: Ipv4Packet) -> None:
    for decode in (UdpDatagram.decode, IcmpMessage.decode, echo_reply):
        with suppress(WireError):
            decode(packet)


@given(frame=frames)
def test_ethernet_comes_back(frame: EthernetFrame) -> None:
    assert EthernetFrame.decode(frame.encode()) == frame


@given(arp=arps, padding=st.binary(max_size=18))
def test_arp_comes_back(arp: Arp, padding: bytes) -> None:
    assert Arp.decode(arp.encode() + padding) == arp


@given(packet=packets, padding=st.binary(max_size=46))
def test_ipv4_comes_back(packet: Ipv4Packet, padding: bytes) -> None:
    assert Ipv4Packet.decode(packet.encode() + padding) == packet


@given(source=addresses, destination=addresses, ports=st.tuples(halves, halves), payload=st.binary())
def test_udp_comes_back(source: Ipv4, destination: Ipv4, ports: tuple[int, int], payload: bytes) -> None:
    packet = udp_packet(Endpoint(source, ports[0]), Endpoint(destination, ports[1]), payload)
    datagram = UdpDatagram.decode(Ipv4Packet.decode(packet))
    assert (datagram.source_port, datagram.destination_port, datagram.payload) == (*ports, payload)


@given(packet=packets, bit=st.integers(0, 159))
def test_one_flipped_bit_of_a_header_is_noticed(packet: Ipv4Packet, bit: int) -> None:
    """The header checksum, or a stricter rule before it, sees every single error."""
    octets = bytearray(packet.encode())
    octets[bit // 8] ^= 1 << bit % 8
    with pytest.raises(WireError):
        Ipv4Packet.decode(bytes(octets))


@given(message=messages)
def test_dhcp_comes_back(message: DhcpMessage) -> None:
    assert DhcpMessage.decode(message.encode()) == message


@given(packet=packets)
def test_an_error_is_never_about_an_error(packet: Ipv4Packet) -> None:
    """Two routers must not talk to each other for ever."""
    error = time_exceeded(Ipv4(0x0A140001), packet)
    if error is not None:
        assert time_exceeded(packet.destination, Ipv4Packet.decode(error)) is None


@given(frame=frames, packet=st.binary(max_size=400) | packets.map(Ipv4Packet.encode))
def test_a_stranger_cannot_break_what_reads_first(frame: EthernetFrame, packet: bytes) -> None:
    """Frames of unknown nodes are read by these before anything is known about them."""
    for ethertype, destination in ((frame.ethertype, frame.destination), (ETHERTYPE_IPV4, GATEWAY_MAC)):
        stranger = EthernetFrame(
            destination=destination, source=frame.source, ethertype=ethertype, payload=packet
        )
        evidence(stranger, GATEWAY_MAC)
        with suppress(WireError):
            client_message(stranger, None)
