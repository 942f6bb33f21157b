"""The imitated home link: the gateway's MAC for every address but the node's own, and its pings."""

import attrs
import pytest

from pmip_tw.access.homelink import Refusal, arp_answer, arp_probe, echo_answer
from pmip_tw.addresses import Endpoint, Ipv4, Mac, ipv4, mac, prefix
from pmip_tw.errors import Malformed
from pmip_tw.wire.arp import REPLY, REQUEST, Arp
from pmip_tw.wire.ethernet import ETHERTYPE_ARP, ETHERTYPE_IPV4, EthernetFrame
from pmip_tw.wire.icmp import ECHO_REPLY, ECHO_REQUEST, TIME_EXCEEDED, IcmpMessage
from pmip_tw.wire.ipv4 import PROTOCOL_ICMP, Ipv4Packet
from pmip_tw.wire.udp import udp_packet
from tests.conformance import covers

NODE, OTHER = mac("02:00:00:00:00:01"), mac("02:00:00:00:00:02")
GATEWAY_MAC = mac("02:00:5e:50:4d:49")
HOME, GATEWAY = ipv4("10.20.0.5"), ipv4("10.20.0.1")
NEIGHBOR, FAR = ipv4("10.20.0.77"), ipv4("192.0.2.80")


def asked(
    target: Ipv4, sender: Ipv4 = HOME, *, sender_mac: Mac = NODE, operation: int = REQUEST
) -> bytes | Refusal | None:
    request = Arp(
        operation=operation,
        sender_mac=sender_mac,
        sender_address=sender,
        target_mac=Mac(bytes(6)),
        target_address=target,
    )
    return arp_answer(
        request,
        NODE,
        home_address=HOME,
        prefix=prefix("10.20.0.0/24"),
        gateway=GATEWAY,
        gateway_mac=GATEWAY_MAC,
    )


class TestArp:
    @covers("P53", "P55", "P71")
    @pytest.mark.parametrize("target", [GATEWAY, NEIGHBOR])
    def test_the_whole_link_is_at_the_gateways_mac(self, target: Ipv4) -> None:
        """P53, P55."""
        answer = asked(target)
        assert isinstance(answer, bytes)
        frame = EthernetFrame.decode(answer)
        assert (frame.destination, frame.source, frame.ethertype) == (NODE, GATEWAY_MAC, ETHERTYPE_ARP)
        assert Arp.decode(frame.payload) == Arp(
            operation=REPLY,
            sender_mac=GATEWAY_MAC,
            sender_address=target,
            target_mac=NODE,
            target_address=HOME,
        )

    @covers("P70")
    def test_a_gateway_outside_the_prefix_is_answered(self) -> None:
        """P70: RFC 4332 gateways need not lie in it."""
        request = Arp(
            operation=REQUEST,
            sender_mac=NODE,
            sender_address=HOME,
            target_mac=Mac(bytes(6)),
            target_address=FAR,
        )
        link = {"home_address": HOME, "prefix": prefix("10.20.0.0/24"), "gateway_mac": GATEWAY_MAC}
        assert isinstance(arp_answer(request, NODE, gateway=FAR, **link), bytes)
        assert arp_answer(request, NODE, gateway=GATEWAY, **link) is None

    @covers("P56")
    @pytest.mark.parametrize("target", [HOME, NEIGHBOR, GATEWAY])
    def test_probes_get_silence(self, target: Ipv4) -> None:
        """P56: an answer would be a duplicate address to the node."""
        assert asked(target, ipv4("0.0.0.0")) is None

    @covers("P56")
    def test_silence_for_the_own_address_announcements_replies_and_other_links(self) -> None:
        assert asked(HOME) is None
        assert asked(HOME, operation=REPLY) is None
        assert asked(GATEWAY, operation=REPLY) is None
        assert asked(FAR) is None

    @covers("P56")
    @pytest.mark.parametrize(
        "target", ["10.20.0.0", "10.20.0.255", "255.255.255.255", "0.0.0.0", "224.0.0.1"]
    )
    def test_what_no_host_can_have_is_nobodys(self, target: str) -> None:
        assert asked(ipv4(target)) is None

    @covers("P55")
    def test_a_link_of_two_has_no_broadcast_address(self) -> None:
        """RFC 3021; a host configuration may say so."""
        request = Arp(
            operation=REQUEST,
            sender_mac=NODE,
            sender_address=HOME,
            target_mac=Mac(bytes(6)),
            target_address=ipv4("10.20.0.4"),
        )
        answer = arp_answer(
            request,
            NODE,
            home_address=HOME,
            prefix=prefix("10.20.0.4/31"),
            gateway=ipv4("10.20.0.4"),
            gateway_mac=GATEWAY_MAC,
        )
        assert isinstance(answer, bytes)

    @covers("P56")
    @pytest.mark.parametrize("operation", [0, 3, 8, 0xFFFF])
    def test_other_operations_are_not_questions(self, operation: int) -> None:
        """RARP and whatever else there is."""
        assert asked(GATEWAY, operation=operation) is None

    def test_spoofing_is_named(self) -> None:
        assert asked(GATEWAY, sender_mac=OTHER) is Refusal.SPOOFED_ARP_MAC
        assert asked(GATEWAY, NEIGHBOR) is Refusal.SPOOFED_ARP_ADDRESS
        assert asked(NEIGHBOR, NEIGHBOR) is Refusal.SPOOFED_ARP_ADDRESS

    @covers("P15")
    def test_presence_probe_is_unicast_and_from_the_gateway(self) -> None:
        """P15."""
        frame = EthernetFrame.decode(arp_probe(HOME, NODE, GATEWAY, GATEWAY_MAC))
        assert (frame.destination, frame.source, frame.ethertype) == (NODE, GATEWAY_MAC, ETHERTYPE_ARP)
        probe = Arp.decode(frame.payload)
        assert (probe.operation, probe.target_address) == (REQUEST, HOME)
        assert (probe.sender_mac, probe.sender_address) == (GATEWAY_MAC, GATEWAY)
        assert not probe.is_probe


def echo(destination: Ipv4, ttl: int = 1, source: Ipv4 = HOME, kind: int = ECHO_REQUEST) -> Ipv4Packet:
    message = IcmpMessage(type=kind, code=0, rest=0x00070001, payload=b"ping")
    return Ipv4Packet(
        source=source, destination=destination, protocol=PROTOCOL_ICMP, ttl=ttl, payload=message.encode()
    )


def answered(packet: Ipv4Packet) -> bytes | Refusal | None:
    return echo_answer(packet, NODE, home_address=HOME, gateway=GATEWAY, gateway_mac=GATEWAY_MAC)


def icmp_in(answer: bytes | Refusal | None) -> tuple[Ipv4Packet, IcmpMessage]:
    assert isinstance(answer, bytes)
    frame = EthernetFrame.decode(answer)
    assert (frame.destination, frame.source, frame.ethertype) == (NODE, GATEWAY_MAC, ETHERTYPE_IPV4)
    packet = Ipv4Packet.decode(frame.payload)
    assert (packet.source, packet.destination) == (GATEWAY, HOME)
    return packet, IcmpMessage.decode(packet)


class TestLastHop:
    @covers("P58")
    def test_echo_to_the_gateway(self) -> None:
        """P58."""
        _, reply = icmp_in(answered(echo(GATEWAY)))
        assert (reply.type, reply.rest, reply.payload) == (ECHO_REPLY, 0x00070001, b"ping")

    @covers("P59")
    @pytest.mark.parametrize(
        "packet",
        [
            echo(FAR),
            Ipv4Packet.decode(udp_packet(Endpoint(HOME, 4000), Endpoint(FAR, 33434), b"traceroute", ttl=1)),
        ],
        ids=["icmp", "udp"],
    )
    def test_the_gateway_is_the_first_hop_of_a_traceroute(self, packet: Ipv4Packet) -> None:
        """P59."""
        _, error = icmp_in(answered(packet))
        assert (error.type, error.code) == (TIME_EXCEEDED, 0)
        assert error.payload == packet.encode()

    @covers("P58", "P59")
    @pytest.mark.parametrize(
        "packet",
        [
            echo(GATEWAY, ttl=2),
            echo(FAR, ttl=64),
            echo(GATEWAY, kind=ECHO_REPLY),
            echo(ipv4("224.0.0.251")),
            echo(FAR, kind=TIME_EXCEEDED),
            echo(GATEWAY, source=ipv4("0.0.0.0")),
            Ipv4Packet.decode(udp_packet(Endpoint(HOME, 4000), Endpoint(GATEWAY, 33434), b"", ttl=1)),
            attrs.evolve(echo(GATEWAY), more_fragments=True),
        ],
        ids=[
            "TTL 2",
            "tunnel",
            "reply",
            "multicast",
            "error",
            "no source",
            "gateway's own",
            "fragment",
        ],
    )
    def test_nothing_to_say_about(self, packet: Ipv4Packet) -> None:
        assert answered(packet) is None

    @covers("P48")
    def test_another_source_is_spoofing(self) -> None:
        """P48."""
        assert answered(echo(GATEWAY, source=NEIGHBOR)) is Refusal.SPOOFED_SOURCE

    def test_a_broken_echo_is_a_wire_error(self) -> None:
        whole = echo(GATEWAY)
        with pytest.raises(Malformed, match="ICMP checksum"):
            answered(attrs.evolve(whole, payload=whole.payload[:-1] + b"!"))
