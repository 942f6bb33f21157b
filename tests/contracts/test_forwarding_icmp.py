"""ICMP about packets in tunnels, told to the senders of the packets inside, on the twin and on real packets.

node --- MAG ===== a router that cannot go on ===== LMA --- correspondent
 <-- ICMP --|<------- ICMP ------|------- ICMP ------->|-- ICMP -->
"""

from typing import Any

import pytest

from pmip_tw.addresses import Endpoint, Ipv4, ipv4, prefix
from pmip_tw.forwarding import drops
from pmip_tw.forwarding.memory import wrapped
from pmip_tw.mobility.tunnels import AnchorEntry, Broadcasts, Encapsulation, Tunnel
from pmip_tw.wire.icmp import IcmpMessage
from pmip_tw.wire.ipv4 import Ipv4Packet
from pmip_tw.wire.udp import udp_packet
from tests.conformance import covers

from ..forwarding.packets import CORRESPONDENT, HOME, OTHER_HOME, OTHER_MAC, frame, from_node, hop, to_node
from ..forwarding.worlds import LOCAL, PORTS, MemoryAccess, MemoryAnchor, tunnel
from .entries import entry, every_tunnel

Shape = dict[str, Any]
ROUTER = ipv4("192.0.2.200")
GATEWAY = ipv4("10.1.0.1")

UNREACHABLE, QUENCH, REDIRECT, TIME_EXCEEDED, PARAMETER = 3, 4, 5, 11, 12


def outer_of(way: Tunnel, inner: bytes) -> bytes:
    """The packet that we have sent."""
    octets = wrapped(way, inner)
    if not way.over_udp:
        return octets
    return udp_packet(Endpoint(way.local, 434), Endpoint(way.remote, way.remote_port), octets)


def error(kind: int, code: int, outer: bytes, rest: int = 0, quoted: int = 548) -> bytes:
    """What a router between the tunnel's ends sends to us."""
    message = IcmpMessage(type=kind, code=code, rest=rest, payload=outer[:quoted])
    return Ipv4Packet(source=ROUTER, destination=LOCAL, protocol=1, payload=message.encode()).encode()


def big(source: Ipv4, destination: Ipv4, size: int = 1400, dont_fragment: bool = True) -> bytes:
    packet = Ipv4Packet(
        source=source, destination=destination, protocol=17, payload=bytes(size), dont_fragment=dont_fragment
    )
    return packet.encode()


def narrowed(anchor: MemoryAnchor, way: Tunnel) -> None:
    """A router on ``way``, which is in use, takes 1300 octets from now on, and has said so."""
    anchor.path_takes(1300)
    about = big(CORRESPONDENT, HOME, dont_fragment=False)
    anchor.outside_sends(error(UNREACHABLE, 4, outer_of(way, about), rest=1300))
    anchor.until(lambda: anchor.learnt(1300, way))


RELAYED = {
    (UNREACHABLE, 0): (3, 0),
    (UNREACHABLE, 1): (3, 1),
    (UNREACHABLE, 2): (3, 1),
    (TIME_EXCEEDED, 0): (3, 1),
}
NOT_RELAYED = [
    (UNREACHABLE, 3),
    (UNREACHABLE, 5),
    (UNREACHABLE, 13),
    (TIME_EXCEEDED, 1),
    (QUENCH, 0),
    (REDIRECT, 1),
    (PARAMETER, 0),
]


@covers("T9")
class TestAccess:
    @pytest.mark.parametrize(("received", "expected"), RELAYED.items())
    def test_the_node_is_told_by_its_gateway(
        self, access: MemoryAccess, received: tuple[int, int], expected: tuple[int, int]
    ) -> None:
        access.plane.install(entry())
        sent = hop(from_node(b"into the dark"))
        access.outside_sends(error(*received, outer_of(tunnel(), sent)))
        access.until(lambda: len(access.transmitted()) == 1)
        answer = Ipv4Packet.decode(access.transmitted()[0][1][14:])
        assert (answer.source, answer.destination) == (GATEWAY, HOME)
        message = IcmpMessage.decode(answer)
        assert (message.type, message.code, message.payload) == (*expected, sent)

    @pytest.mark.parametrize("received", NOT_RELAYED)
    def test_what_is_between_the_tunnels_ends_stays_there(
        self, access: MemoryAccess, received: tuple[int, int]
    ) -> None:
        access.plane.install(entry())
        sent = hop(from_node(b"into the dark"))
        access.outside_sends(error(*received, outer_of(tunnel(), sent)))
        access.outside_sends(error(UNREACHABLE, 1, outer_of(tunnel(), sent)))
        access.until(lambda: len(access.transmitted()) == 1)
        assert IcmpMessage.decode(Ipv4Packet.decode(access.transmitted()[0][1][14:])).code == 1

    @every_tunnel
    def test_in_every_encapsulation(self, access: MemoryAccess, shape: Shape) -> None:
        way = tunnel(**shape)
        access.plane.install(entry(way=way))
        sent = hop(from_node(b"into the dark"))
        access.outside_sends(error(UNREACHABLE, 1, outer_of(way, sent)))
        access.until(lambda: len(access.transmitted()) == 1)
        message = IcmpMessage.decode(Ipv4Packet.decode(access.transmitted()[0][1][14:]))
        assert (message.type, message.code) == (3, 1)
        assert message.payload[12:20] + message.payload[20:] == sent[12:20] + sent[20:]

    @every_tunnel
    def test_too_big_is_told_at_once_less_what_the_tunnel_adds(
        self, access: MemoryAccess, shape: Shape
    ) -> None:
        way = tunnel(**shape)
        access.plane.install(entry(way=way))
        packet = big(HOME, CORRESPONDENT)
        access.node_sends(PORTS[0], frame(packet))
        access.until(lambda: len(access.tunnelled()) == 1)
        access.path_takes(1300)
        access.outside_sends(error(UNREACHABLE, 4, outer_of(way, hop(packet)), rest=1300))
        minimal_in_udp = way.encapsulation is Encapsulation.MINIMAL and way.over_udp
        if minimal_in_udp:  # whose don't-fragment bit nobody can see: the next packet is answered
            access.until(lambda: access.learnt(1300, way))
            access.node_sends(PORTS[0], frame(packet))
        access.until(lambda: len(access.transmitted()) == 1)
        message = IcmpMessage.decode(Ipv4Packet.decode(access.transmitted()[0][1][14:]))
        octets = {Encapsulation.IP_IN_IP: 20, Encapsulation.GRE: 24, Encapsulation.MINIMAL: 12}
        added = octets[way.encapsulation] + 12 * way.over_udp + (0 if way.key_out is None else 4)
        assert (message.type, message.code, message.rest) == (3, 4, 1300 - added)

    def test_a_forged_too_big_narrows_nothing(self, access: MemoryAccess) -> None:
        """Less than the kernel believes: it has a limit."""
        access.plane.install(entry())
        packet = big(HOME, CORRESPONDENT, size=100)
        access.outside_sends(error(UNREACHABLE, 4, outer_of(tunnel(), hop(packet)), rest=68))
        access.node_sends(PORTS[0], frame(packet))
        access.until(lambda: access.tunnelled() == [(tunnel(), hop(packet))])
        assert access.transmitted() == []

    def test_without_the_inner_header_nobody_can_be_told(self, access: MemoryAccess) -> None:
        """Eight octets behind the outer header, as RFC 792 has it: the path's MTU is learnt all the same."""
        access.plane.install(entry())
        packet = big(HOME, CORRESPONDENT)
        access.node_sends(PORTS[0], frame(packet))
        access.until(lambda: len(access.tunnelled()) == 1)
        access.path_takes(1300)
        access.outside_sends(error(UNREACHABLE, 4, outer_of(tunnel(), hop(packet)), rest=1300, quoted=28))
        access.outside_sends(error(UNREACHABLE, 1, outer_of(tunnel(), hop(packet)), quoted=28))
        access.until(lambda: access.learnt(1300, tunnel()))
        assert access.transmitted() == []
        access.node_sends(PORTS[0], frame(packet))
        access.until(lambda: access.plane.drops() == {drops.TOO_BIG: 1})

    @pytest.mark.parametrize(
        "outer",
        [
            outer_of(tunnel(1), hop(from_node(b"another tunnel"))),
            outer_of(tunnel(), hop(from_node(b"nobody here", source=OTHER_HOME))),
            outer_of(tunnel(kind=Encapsulation.GRE), hop(from_node(b"another encapsulation"))),
            from_node(b"no tunnel at all"),
            b"",
            b"\x45",
            outer_of(tunnel(), bytes(20) + from_node(b"broken")),
        ],
        ids=["tunnel", "node", "encapsulation", "none", "nothing", "one octet", "broken"],
    )
    def test_about_anything_else_nobody_is_told(self, access: MemoryAccess, outer: bytes) -> None:
        access.plane.install(entry())
        access.outside_sends(error(UNREACHABLE, 1, outer))
        access.outside_sends(error(UNREACHABLE, 1, outer_of(tunnel(), hop(from_node(b"mine")))))
        access.until(lambda: len(access.transmitted()) == 1)
        assert access.transmitted()[0][1].endswith(b"mine")

    def test_about_our_own_keepalive_the_node_is_not_told(self, access: MemoryAccess) -> None:
        access.plane.install(entry())
        access.plane.keepalive(entry().key)
        access.until(lambda: len(access.tunnelled()) == 1)
        access.outside_sends(error(UNREACHABLE, 1, outer_of(tunnel(), access.tunnelled()[0][1])))
        access.outside_sends(error(UNREACHABLE, 1, outer_of(tunnel(), hop(from_node(b"mine")))))
        access.until(lambda: len(access.transmitted()) == 1)
        assert access.transmitted()[0][1].endswith(b"mine")

    def test_a_tunnel_that_looks_alike_as_it_leaves_is_still_known(self, access: MemoryAccess) -> None:
        """Two that differ only in the key of what arrives, and one of them goes."""
        first = tunnel(kind=Encapsulation.GRE, keys=(1, 9))
        second = tunnel(kind=Encapsulation.GRE, keys=(2, 9))
        gone, kept = entry(way=first), entry(mac=OTHER_MAC, home=OTHER_HOME, way=second)
        access.plane.install(gone)
        access.plane.install(kept)
        access.plane.remove(gone.key)
        sent = hop(from_node(b"into the dark", source=OTHER_HOME))
        access.outside_sends(error(UNREACHABLE, 1, outer_of(second, sent)))
        access.until(lambda: len(access.transmitted()) == 1)
        assert access.transmitted()[0][1][:6] == OTHER_MAC

    def test_errors_are_limited(self, access: MemoryAccess) -> None:
        access.plane.install(entry())
        sent = error(UNREACHABLE, 1, outer_of(tunnel(), hop(from_node(b"again"))))
        for _ in range(60):
            access.outside_sends(sent)
        access.outside_sends(sent)
        access.until(lambda: len(access.transmitted()) >= 10)
        access.until(lambda: True)
        assert len(access.transmitted()) < 40


@covers("T9")
class TestAnchor:
    @every_tunnel
    def test_the_correspondent_is_told(self, anchor: MemoryAnchor, shape: Shape) -> None:
        way = tunnel(**shape)
        anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=way))
        sent = hop(to_node(b"into the dark"))
        anchor.outside_sends(error(UNREACHABLE, 1, outer_of(way, sent)))
        anchor.until(lambda: len(anchor.delivered()) == 1)
        answer = Ipv4Packet.decode(anchor.delivered()[0])
        assert (answer.source, answer.destination) == (LOCAL, CORRESPONDENT)
        message = IcmpMessage.decode(answer)
        assert (message.type, message.code) == (3, 1)
        assert message.payload[12:20] + message.payload[20:] == sent[12:20] + sent[20:]

    def test_too_big_is_told_at_once(self, anchor: MemoryAnchor) -> None:
        anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=tunnel()))
        packet = big(CORRESPONDENT, HOME)
        anchor.host_sends(packet)
        anchor.until(lambda: len(anchor.tunnelled()) == 1)
        anchor.path_takes(1300)
        anchor.outside_sends(error(UNREACHABLE, 4, outer_of(tunnel(), hop(packet)), rest=1300))
        anchor.until(lambda: len(anchor.delivered()) == 1)
        message = IcmpMessage.decode(Ipv4Packet.decode(anchor.delivered()[0]))
        assert (message.type, message.code, message.rest) == (3, 4, 1280)

    def test_about_our_own_answers_nobody_is_told(self, anchor: MemoryAnchor) -> None:
        """To keepalives, and what the machine itself sent: its kernel knows."""
        anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=tunnel()))
        own = udp_packet(Endpoint(LOCAL, 53), Endpoint(HOME, 4000), b"from the LMA's machine")
        anchor.outside_sends(error(UNREACHABLE, 1, outer_of(tunnel(), own)))
        anchor.outside_sends(error(UNREACHABLE, 1, outer_of(tunnel(), hop(to_node(b"mine")))))
        anchor.until(lambda: len(anchor.delivered()) == 1)
        assert anchor.delivered()[0].endswith(b"mine")

    def test_what_may_be_fragmented_needs_no_word(self, anchor: MemoryAnchor) -> None:
        """The next one is fragmented before it goes in (N32)."""
        way = tunnel(over_udp=True)
        anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=way))
        packet = big(CORRESPONDENT, HOME, dont_fragment=False)
        anchor.host_sends(packet)
        anchor.until(lambda: len(anchor.tunnelled()) == 1)
        anchor.path_takes(1300)
        anchor.outside_sends(error(UNREACHABLE, 4, outer_of(way, hop(packet)), rest=1300))
        anchor.until(lambda: anchor.learnt(1300, way))
        anchor.host_sends(packet)
        anchor.until(lambda: len(anchor.tunnelled()) == 3)
        assert anchor.delivered() == []

    @covers("P71")
    def test_a_long_echo_is_answered_in_pieces(self, anchor: MemoryAnchor) -> None:
        anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=tunnel()))
        narrowed(anchor, tunnel())
        message = IcmpMessage(type=8, code=0, rest=1, payload=bytes(1400))
        request = Ipv4Packet(source=HOME, destination=GATEWAY, protocol=1, payload=message.encode())
        anchor.tunnel_gives(tunnel(), request.encode())
        anchor.until(lambda: len(anchor.tunnelled()) == 2)
        pieces = [Ipv4Packet.decode(inner) for _, inner in anchor.tunnelled()]
        assert [piece.fragment_offset for piece in pieces] == [0, 1256]
        assert b"".join(piece.payload for piece in pieces)[8:] == bytes(1400)

    @covers("P68", "T3")
    def test_a_broadcast_goes_through_minimal_encapsulation_in_one_piece(self, anchor: MemoryAnchor) -> None:
        """Which has no room for fragments: what is fragmented is the outer packet."""
        link, way = prefix("10.1.0.0/24"), tunnel(1, kind=Encapsulation.MINIMAL)
        for home, into in ((HOME, tunnel()), (OTHER_HOME, way)):
            anchor.plane.install(
                AnchorEntry(home_address=home, tunnel=into, broadcasts=Broadcasts.DIRECT, prefix=link)
            )
        narrowed(anchor, way)
        anchor.tunnel_gives(tunnel(), big(HOME, link.broadcast, dont_fragment=False))
        anchor.until(lambda: len(anchor.tunnelled()) == 1)
        used, inner = anchor.tunnelled()[0]
        assert (used, Ipv4Packet.decode(inner).payload) == (way, bytes(1400))
        assert anchor.plane.drops() == {}
