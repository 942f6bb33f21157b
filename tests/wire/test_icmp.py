"""ICMP answers, and above all the packets that must not get one (RFC 1812 4.3.2.7)."""

import attrs
import pytest

from pmip_tw.addresses import Endpoint, Ipv4, ipv4
from pmip_tw.errors import Malformed, Truncated
from pmip_tw.wire.icmp import (
    DESTINATION_UNREACHABLE,
    ECHO_REPLY,
    ECHO_REQUEST,
    FRAGMENTATION_NEEDED,
    HOST_UNREACHABLE,
    TIME_EXCEEDED,
    IcmpMessage,
    echo_reply,
    fragmentation_needed,
    host_unreachable,
    time_exceeded,
)
from pmip_tw.wire.ipv4 import PROTOCOL_ICMP, Ipv4Packet
from pmip_tw.wire.udp import udp_packet

NODE, GATEWAY, FAR = ipv4("10.20.0.5"), ipv4("10.20.0.1"), ipv4("192.0.2.80")


def icmp(kind: int, source: Ipv4 = NODE, destination: Ipv4 = GATEWAY) -> Ipv4Packet:
    message = IcmpMessage(type=kind, code=0, rest=0x1234_0001, payload=b"abcdefgh")
    return Ipv4Packet(
        source=source, destination=destination, protocol=PROTOCOL_ICMP, payload=message.encode()
    )


def data(length: int = 100, **fields: int | bool) -> Ipv4Packet:
    packet = Ipv4Packet.decode(udp_packet(Endpoint(NODE, 4000), Endpoint(FAR, 53), bytes(length)))
    return attrs.evolve(packet, **fields)


def decoded(octets: bytes | None) -> tuple[Ipv4Packet, IcmpMessage]:
    assert octets is not None
    packet = Ipv4Packet.decode(octets)
    return packet, IcmpMessage.decode(packet)


def test_known_echo_request() -> None:
    """Summed by hand: 0800 + 1 + 1 + 6162 + 6364 + 6566 + 6768 = 19996, folded 9997, complement 6668."""
    octets = bytes.fromhex("0800 6668 0001 0001 6162636465666768")
    message = IcmpMessage.decode(Ipv4Packet(source=NODE, destination=GATEWAY, protocol=1, payload=octets))
    assert (message.type, message.code, message.rest) == (ECHO_REQUEST, 0, 0x0001_0001)
    assert message.encode() == octets


def test_echo_reply_swaps_addresses_and_returns_the_data() -> None:
    packet, reply = decoded(echo_reply(attrs.evolve(icmp(ECHO_REQUEST), ttl=1)))
    assert (packet.source, packet.destination) == (GATEWAY, NODE)
    assert packet.ttl > 1
    assert (reply.type, reply.rest, reply.payload) == (ECHO_REPLY, 0x1234_0001, b"abcdefgh")


def test_only_an_echo_request_between_hosts_is_echoed() -> None:
    assert echo_reply(icmp(ECHO_REPLY)) is None
    assert echo_reply(data()) is None
    assert echo_reply(icmp(ECHO_REQUEST, source=ipv4("0.0.0.0"))) is None
    assert echo_reply(icmp(ECHO_REQUEST, destination=ipv4("255.255.255.255"))) is None


def test_broken_messages() -> None:
    whole = icmp(ECHO_REQUEST)
    with pytest.raises(Truncated):
        IcmpMessage.decode(attrs.evolve(whole, payload=whole.payload[:7]))
    with pytest.raises(Malformed, match="checksum"):
        IcmpMessage.decode(attrs.evolve(whole, payload=whole.payload[:-1] + b"!"))
    with pytest.raises(Malformed, match="fragment"):
        IcmpMessage.decode(attrs.evolve(whole, more_fragments=True))
    with pytest.raises(Malformed, match="protocol 17"):
        IcmpMessage.decode(data())


def test_time_exceeded_quotes_the_original() -> None:
    original = data(ttl=1)
    packet, error = decoded(time_exceeded(GATEWAY, original))
    assert (packet.source, packet.destination) == (GATEWAY, NODE)
    assert (error.type, error.code) == (TIME_EXCEEDED, 0)
    assert error.payload == original.encode()


def test_fragmentation_needed_names_the_mtu() -> None:
    packet, error = decoded(fragmentation_needed(GATEWAY, data(1472, dont_fragment=True), 1480))
    assert (error.type, error.code, error.rest) == (DESTINATION_UNREACHABLE, FRAGMENTATION_NEEDED, 1480)
    assert len(packet.encode()) == 576
    assert error.payload == data(1472, dont_fragment=True).encode()[:548]


def test_host_unreachable() -> None:
    _, error = decoded(host_unreachable(GATEWAY, data()))
    assert (error.type, error.code) == (DESTINATION_UNREACHABLE, HOST_UNREACHABLE)


@pytest.mark.parametrize(
    "original",
    [
        icmp(TIME_EXCEEDED, destination=FAR),
        icmp(DESTINATION_UNREACHABLE, destination=FAR),
        Ipv4Packet(source=NODE, destination=FAR, protocol=PROTOCOL_ICMP, payload=b""),
        data(fragment_offset=1480),
        data(source=ipv4("0.0.0.0")),
        data(source=ipv4("224.0.0.1")),
        data(source=ipv4("127.0.0.1")),
        data(destination=ipv4("239.255.255.250")),
        data(destination=ipv4("255.255.255.255")),
    ],
    ids=[
        "time exceeded",
        "unreachable",
        "empty ICMP",
        "later fragment",
        "no source",
        "multicast source",
        "loopback source",
        "multicast",
        "broadcast",
    ],
)
def test_no_error_about_these(original: Ipv4Packet) -> None:
    assert time_exceeded(GATEWAY, original) is None
    assert fragmentation_needed(GATEWAY, original, 1400) is None
    assert host_unreachable(GATEWAY, original) is None


def test_a_first_fragment_and_an_echo_do_get_errors() -> None:
    assert time_exceeded(GATEWAY, data(more_fragments=True)) is not None
    assert time_exceeded(GATEWAY, icmp(ECHO_REQUEST, destination=FAR)) is not None
