"""Keepalives through a tunnel (IForwardingPlane.keepalive), at both ends, on the twin and on real packets."""

from typing import Any

import pytest

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.forwarding import drops
from pmip_tw.mobility.tunnels import AccessKey, AnchorEntry
from pmip_tw.wire.icmp import ECHO_REPLY, ECHO_REQUEST, IcmpMessage, echo_reply
from pmip_tw.wire.ipv4 import PROTOCOL_ICMP, Ipv4Packet
from pmip_tw.wire.udp import udp_packet
from tests.conformance import covers

from ..forwarding.packets import CORRESPONDENT, HOME, NODE_MAC, OTHER_HOME, OTHER_MAC, from_node
from ..forwarding.worlds import LOCAL, PEERS, PORTS, MemoryAccess, MemoryAnchor, leaving, tunnel
from .entries import entry, every_tunnel

Shape = dict[str, Any]
GATEWAY = Ipv4(HOME - 1)


def echo(source: Ipv4, destination: Ipv4, rest: int = 0x10001, payload: bytes = b"ping") -> bytes:
    """An echo request."""
    request = IcmpMessage(type=ECHO_REQUEST, code=0, rest=rest, payload=payload)
    packet = Ipv4Packet(
        source=source, destination=destination, protocol=PROTOCOL_ICMP, payload=request.encode()
    )
    return packet.encode()


def reply_to(packet: bytes) -> bytes:
    """What an LMA answers."""
    reply = echo_reply(Ipv4Packet.decode(packet))
    assert reply is not None
    return reply


def asked(access: MemoryAccess, key: AccessKey | None = None) -> bytes:
    """Send one keepalive; what went into the tunnel."""
    before = len(access.tunnelled())
    access.plane.keepalive(key or entry().key)
    access.until(lambda: len(access.tunnelled()) == before + 1)
    return access.tunnelled()[before][1]


class TestAccess:
    @covers("N37", "N43", "P81")
    @every_tunnel
    def test_it_goes_through_the_tunnel_and_its_answer_is_told(
        self, access: MemoryAccess, shape: Shape
    ) -> None:
        """From the home address to the far end; neither the node nor its counters notice."""
        way = tunnel(**shape)
        access.plane.install(entry(way=way))
        sent = asked(access)
        assert access.tunnelled()[0][0] == leaving(way)
        request = Ipv4Packet.decode(sent)
        assert (request.source, request.destination) == (HOME, way.remote)
        assert IcmpMessage.decode(request).type == ECHO_REQUEST
        access.tunnel_gives(way, reply_to(sent))
        access.until(lambda: access.receiver.answered == [entry().key])
        assert access.transmitted() == []
        counters = access.plane.counters(entry().key)
        assert (counters.packets_up, counters.packets_down, counters.last_heard) == (0, 0, 0.0)

    @covers("N37")
    def test_only_the_last_one_counts_and_only_once(self, access: MemoryAccess) -> None:
        """An answer that comes late or twice says nothing of the tunnel as it is now."""
        access.plane.install(entry())
        first, second = asked(access), asked(access)
        for sent in (first, second, second):
            access.tunnel_gives(tunnel(), reply_to(sent))
        access.until(lambda: len(access.transmitted()) == 2)
        assert access.receiver.answered == [entry().key]

    @covers("N37")
    def test_what_a_node_pings_itself_is_answered_to_the_node(self, access: MemoryAccess) -> None:
        access.plane.install(entry())
        asked(access)
        pong = reply_to(echo(HOME, PEERS[0]))
        access.tunnel_gives(tunnel(), pong)
        access.until(lambda: [sent[14:] for _, sent in access.transmitted()] == [pong])
        assert access.receiver.answered == []

    @covers("N37")
    def test_an_answer_of_somebody_else_is_none(self, access: MemoryAccess) -> None:
        """Another source, another tunnel."""
        access.plane.install(entry())
        access.plane.install(entry(mac=OTHER_MAC, way=tunnel(1)))
        sent = Ipv4Packet.decode(asked(access))
        forged = IcmpMessage(
            type=ECHO_REPLY, code=0, rest=IcmpMessage.decode(sent).rest, payload=sent.payload[8:]
        )
        for source, way in ((PEERS[1], tunnel()), (PEERS[0], tunnel(1))):
            packet = Ipv4Packet(
                source=source, destination=HOME, protocol=PROTOCOL_ICMP, payload=forged.encode()
            )
            access.tunnel_gives(way, packet.encode())
        access.until(lambda: len(access.transmitted()) == 2)
        assert access.receiver.answered == []

    def test_without_an_entry_nothing_is_sent(self, access: MemoryAccess) -> None:
        access.plane.keepalive(AccessKey(PORTS[0], NODE_MAC))
        access.plane.install(entry())
        asked(access)
        assert len(access.tunnelled()) == 1


class TestAnchor:
    @covers("N37", "N44")
    @every_tunnel
    def test_it_is_answered_into_its_tunnel(self, anchor: MemoryAnchor, shape: Shape) -> None:
        """By the agent: the machine's own stack does not see it."""
        way = tunnel(**shape)
        held = AnchorEntry(home_address=HOME, tunnel=way)
        anchor.plane.install(held)
        request = echo(HOME, LOCAL)
        anchor.tunnel_gives(way, request)
        anchor.until(lambda: len(anchor.tunnelled()) == 1)
        used, inner = anchor.tunnelled()[0]
        assert used == leaving(way)
        answer = Ipv4Packet.decode(inner)
        assert (answer.source, answer.destination) == (LOCAL, HOME)
        assert answer.payload == Ipv4Packet.decode(reply_to(request)).payload
        assert anchor.delivered() == []
        assert anchor.plane.counters(held.key).last_heard > 0

    @covers("P71")
    @every_tunnel
    def test_the_nodes_gateway_answers_as_well(self, anchor: MemoryAnchor, shape: Shape) -> None:
        """In its own name, although no machine has that address; what is no echo request is the machine's."""
        way = tunnel(**shape)
        anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=way))
        anchor.tunnel_gives(way, echo(HOME, GATEWAY))
        anchor.until(lambda: len(anchor.tunnelled()) == 1)
        used, inner = anchor.tunnelled()[0]
        assert used == leaving(way)
        answer = Ipv4Packet.decode(inner)
        assert (answer.source, answer.destination) == (GATEWAY, HOME)
        assert IcmpMessage.decode(answer).type == ECHO_REPLY
        assert anchor.delivered() == []

    @covers("P71", "N31")
    def test_it_answers_nobody_else(self, anchor: MemoryAnchor) -> None:
        """Not through another tunnel, and not in the name of another host."""
        anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=tunnel()))
        anchor.tunnel_gives(tunnel(1), echo(HOME, GATEWAY))
        anchor.until(lambda: anchor.plane.drops() == {drops.WRONG_TUNNEL: 1})
        anchor.tunnel_gives(tunnel(), echo(HOME, CORRESPONDENT))
        anchor.until(lambda: len(anchor.delivered()) == 1)
        assert anchor.tunnelled() == []

    @covers("L3", "N37", "N44")
    def test_of_several_tunnels_it_is_answered_into_the_one_that_asks(self, anchor: MemoryAnchor) -> None:
        """Or a tunnel that carries nothing any more would seem alive."""
        anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=tunnel(0), copies=(tunnel(1),)))
        anchor.tunnel_gives(tunnel(1), echo(HOME, LOCAL))
        anchor.tunnel_gives(tunnel(0), echo(HOME, LOCAL, rest=0x20002))
        anchor.until(lambda: len(anchor.tunnelled()) == 2)
        answered = [
            (way, IcmpMessage.decode(Ipv4Packet.decode(inner)).rest) for way, inner in anchor.tunnelled()
        ]
        assert sorted(answered, key=lambda one: one[1]) == [(tunnel(1), 0x10001), (tunnel(0), 0x20002)]

    @covers("N31", "T6")
    @pytest.mark.parametrize("over_udp", [False, True], ids=["ip", "udp"])
    def test_an_echo_that_fails_the_reverse_tunnel_check_is_not_answered(
        self, anchor: MemoryAnchor, over_udp: bool
    ) -> None:
        anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=tunnel(over_udp=over_udp)))
        anchor.tunnel_gives(tunnel(1, over_udp=over_udp), echo(HOME, LOCAL))
        anchor.tunnel_gives(tunnel(over_udp=over_udp), echo(OTHER_HOME, LOCAL))
        anchor.until(lambda: anchor.plane.drops() == {drops.WRONG_TUNNEL: 1, drops.UNKNOWN_SOURCE: 1})
        assert anchor.tunnelled() == []

    @covers("N37")
    @pytest.mark.parametrize(
        "packet",
        [
            udp_packet(Endpoint(HOME, 5), Endpoint(LOCAL, 9), b"to a service of the LMA's machine"),
            echo(HOME, LOCAL)[:-1] + b"!",
        ],
        ids=["no echo", "wrong checksum"],
    )
    def test_anything_else_is_not_answered_here(self, anchor: MemoryAnchor, packet: bytes) -> None:
        anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=tunnel()))
        anchor.tunnel_gives(tunnel(), packet)
        anchor.tunnel_gives(tunnel(), from_node(b"after that"))
        anchor.until(lambda: anchor.delivered()[-1:] != [])
        assert anchor.delivered()[-1].endswith(b"after that")
        assert anchor.tunnelled() == []
