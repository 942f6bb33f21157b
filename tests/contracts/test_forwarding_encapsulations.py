"""The contract of IForwardingPlane in every encapsulation, at both ends, on the twin and on real packets."""

from typing import Any

import pytest

from pmip_tw.errors import ForwardingError
from pmip_tw.forwarding import drops
from pmip_tw.mobility.tunnels import AnchorEntry, Encapsulation, Tunnel
from pmip_tw.wire.icmp import IcmpMessage
from pmip_tw.wire.ipv4 import Ipv4Packet
from tests.conformance import covers

from ..forwarding.packets import (
    CORRESPONDENT,
    GATEWAY_MAC,
    HOME,
    NODE_MAC,
    OTHER_MAC,
    frame,
    from_node,
    hop,
    to_node,
)
from ..forwarding.worlds import (
    PORTS,
    MemoryAccess,
    MemoryAnchor,
    leaving,
    tunnel,
)
from .entries import entry, every_tunnel

Shape = dict[str, Any]
GRE, MINIMAL = Encapsulation.GRE, Encapsulation.MINIMAL


def kept(way: Tunnel, packet: bytes) -> bytes:
    """``packet`` as far as ``way`` keeps it: minimal encapsulation in UDP loses the original header's rest."""
    if way.encapsulation is not MINIMAL:
        return packet
    found = Ipv4Packet.decode(packet)
    rest: dict[str, int] = {"ttl": 64} if way.over_udp else {"ttl": found.ttl, "tos": found.tos}
    return Ipv4Packet(
        source=found.source,
        destination=found.destination,
        protocol=found.protocol,
        payload=found.payload,
        **rest,
    ).encode()


def overhead(way: Tunnel) -> int:
    """What RFC 5944 4.1 and RFC 3519 3.3 say that ``way`` costs."""
    octets = {Encapsulation.IP_IN_IP: 20, GRE: 24, MINIMAL: 12}[way.encapsulation]
    return octets + (0 if way.key_out is None else 4) + (12 if way.over_udp else 0)


class TestAccess:
    @covers("T4", "T5", "P41")
    @every_tunnel
    def test_upstream(self, access: MemoryAccess, shape: Shape) -> None:
        way = tunnel(**shape)
        access.plane.install(entry(way=way))
        packet = from_node(b"hi")
        access.node_sends(PORTS[0], frame(packet))
        access.until(lambda: len(access.tunnelled()) == 1)
        used, inner = access.tunnelled()[0]
        assert used == leaving(way)
        assert kept(way, inner) == kept(way, hop(packet))
        assert access.plane.counters(entry().key).packets_up == 1

    @covers("T4", "T5", "T7")
    @every_tunnel
    def test_downstream(self, access: MemoryAccess, shape: Shape) -> None:
        way = tunnel(**shape)
        access.plane.install(entry(way=way))
        packet = to_node(b"welcome to the home link, dear mobile node")
        access.tunnel_gives(way, packet)
        access.until(lambda: len(access.transmitted()) == 1)
        port, sent = access.transmitted()[0]
        assert (port, sent[:14]) == (PORTS[0], NODE_MAC + GATEWAY_MAC + b"\x08\x00")
        assert kept(way, sent[14:]) == kept(way, packet)

    @covers("T9", "N32")
    @every_tunnel
    def test_what_a_tunnel_takes(self, access: MemoryAccess, shape: Shape) -> None:
        """One octet more and the node is told; exactly that goes through."""
        way = tunnel(**shape)
        access.plane.install(entry(way=way))
        room = 1500 - overhead(way)
        fields = {"source": HOME, "destination": CORRESPONDENT, "protocol": 17, "dont_fragment": True}
        access.node_sends(PORTS[0], frame(Ipv4Packet(**fields, payload=bytes(room - 20)).encode()))
        access.until(lambda: len(access.tunnelled()) == 1)
        long = Ipv4Packet(**fields, payload=bytes(room - 19)).encode()
        access.node_sends(PORTS[0], frame(long))
        access.until(lambda: len(access.transmitted()) == 1)
        error = IcmpMessage.decode(Ipv4Packet.decode(access.transmitted()[0][1][14:]))
        assert (error.type, error.code, error.rest & 0xFFFF) == (3, 4, room)
        assert len(access.tunnelled()) == 1

    @covers("T5", "P44")
    @pytest.mark.parametrize("over_udp", [False, True], ids=["ip", "udp"])
    @pytest.mark.parametrize("keys", [None, (8, 9), (9, 7)], ids=["none", "another", "that of upstream"])
    def test_a_tunnel_with_a_key_takes_no_other(
        self, access: MemoryAccess, over_udp: bool, keys: tuple[int, int] | None
    ) -> None:
        access.plane.install(entry(way=tunnel(kind=GRE, keys=(7, 9), over_udp=over_udp)))
        access.tunnel_gives(tunnel(kind=GRE, keys=keys, over_udp=over_udp), to_node(b"forged"))
        access.until(lambda: access.plane.drops() == {drops.NO_ENTRY: 1})
        assert access.transmitted() == []

    @covers("T5")
    def test_a_tunnel_without_a_key_takes_none(self, access: MemoryAccess) -> None:
        access.plane.install(entry(way=tunnel(kind=GRE)))
        access.tunnel_gives(tunnel(kind=GRE, keys=(0, 0)), to_node(b"forged"))
        access.until(lambda: access.plane.drops() == {drops.NO_ENTRY: 1})

    @covers("P45", "P44")
    def test_keys_tell_two_nodes_with_one_address_apart(self, access: MemoryAccess) -> None:
        """Behind the same pair of agents, each reaches its own correspondent and is reached."""
        first, second = tunnel(kind=GRE, keys=(1, 11)), tunnel(kind=GRE, keys=(2, 12))
        access.plane.install(entry(way=first))
        access.plane.install(entry(port=PORTS[1], mac=OTHER_MAC, way=second))
        access.tunnel_gives(second, to_node(b"for the second"))
        access.until(lambda: len(access.transmitted()) == 1)
        assert access.transmitted()[0] == (
            PORTS[1],
            OTHER_MAC + GATEWAY_MAC + b"\x08\x00" + to_node(b"for the second"),
        )
        access.node_sends(PORTS[0], frame(from_node(b"from the first")))
        access.until(lambda: access.tunnelled() == [(leaving(first), hop(from_node(b"from the first")))])

    @covers("N30")
    @pytest.mark.parametrize("kind", [GRE, MINIMAL])
    def test_tunnel_data_of_another_encapsulation(self, access: MemoryAccess, kind: Encapsulation) -> None:
        access.plane.install(entry(way=tunnel(over_udp=True)))
        access.tunnel_gives(tunnel(over_udp=True, kind=kind), to_node(b"not as agreed"))
        access.until(lambda: access.plane.drops() == {drops.NEXT_HEADER: 1})
        assert access.transmitted() == []

    @covers("N30", "P45")
    def test_a_refused_entry_leaves_no_trace_of_its_tunnel(self, access: MemoryAccess) -> None:
        """Once the holder has gone as well, nothing is agreed upon with that endpoint."""
        way = tunnel(over_udp=True)
        access.plane.install(entry(way=way))
        with pytest.raises(ForwardingError, match="P45"):
            access.plane.install(entry(mac=OTHER_MAC, way=way))
        access.plane.remove(entry().key)
        access.tunnel_gives(tunnel(over_udp=True, kind=GRE), to_node(b"nobody"))
        access.until(lambda: access.plane.drops() == {drops.NO_ENTRY: 1})

    @covers("T3")
    @pytest.mark.parametrize("over_udp", [False, True], ids=["ip", "udp"])
    def test_a_fragment_does_not_fit_minimal_encapsulation(
        self, access: MemoryAccess, over_udp: bool
    ) -> None:
        access.plane.install(entry(way=tunnel(kind=MINIMAL, over_udp=over_udp)))
        fields = {"source": HOME, "destination": CORRESPONDENT, "protocol": 17, "payload": bytes(64)}
        for piece in (
            Ipv4Packet(**fields, more_fragments=True),
            Ipv4Packet(**fields, fragment_offset=64),
            Ipv4Packet(**fields, fragment_offset=8 * 256),
        ):
            access.node_sends(PORTS[0], frame(piece.encode()))
        access.until(lambda: access.plane.drops() == {drops.MINIMAL_FRAGMENT: 3})
        assert access.tunnelled() == []

    @covers("T3")
    def test_minimal_encapsulation_fragments_what_it_made(self, access: MemoryAccess) -> None:
        """The far end gets the packet whole: its kernel puts the outer packet together."""
        way = tunnel(kind=MINIMAL)
        access.plane.install(entry(way=way))
        payload = bytes(range(256)) * 5 + bytes(200)
        packet = Ipv4Packet(source=HOME, destination=CORRESPONDENT, protocol=17, payload=payload)
        access.node_sends(PORTS[0], frame(packet.encode()))
        access.until(lambda: len(access.tunnelled()) == 1)
        assert Ipv4Packet.decode(access.tunnelled()[0][1]).payload == payload
        assert access.plane.drops() == {}

    @covers("T3", "N32")
    def test_minimal_encapsulation_in_udp_fragments_nothing(self, access: MemoryAccess) -> None:
        access.plane.install(entry(way=tunnel(kind=MINIMAL, over_udp=True)))
        packet = Ipv4Packet(source=HOME, destination=CORRESPONDENT, protocol=17, payload=bytes(1480))
        access.node_sends(PORTS[0], frame(packet.encode()))
        access.until(lambda: access.plane.drops() == {drops.MINIMAL_FRAGMENT: 1})
        assert access.tunnelled() == []


class TestAnchor:
    @covers("T3")
    def test_the_longest_packet_has_no_room_for_minimal_encapsulation(self, access: MemoryAccess) -> None:
        """On an access link without limits."""
        access.plane.install(entry(way=tunnel(kind=MINIMAL)))
        access.plane.forward(PORTS[0], frame(from_node(bytes(0xFFFF - 28))))
        access.until(lambda: access.plane.drops() == {drops.OUTER_TOO_BIG: 1})
        assert access.tunnelled() == []

    @covers("L3", "T5")
    def test_two_tunnels_that_differ_in_what_leaves_are_removed_together(self, anchor: MemoryAnchor) -> None:
        """Their packets arrive alike."""
        first, second = tunnel(kind=GRE, keys=(7, 1)), tunnel(kind=GRE, keys=(7, 2))
        both = AnchorEntry(home_address=HOME, tunnel=first, copies=(second,))
        anchor.plane.install(both)
        anchor.plane.install(both)
        anchor.plane.remove(both.key)
        anchor.tunnel_gives(first, from_node(b"too late"))
        anchor.until(lambda: anchor.plane.drops() == {drops.UNKNOWN_SOURCE: 1})
        assert anchor.plane.snapshot() == ()

    @covers("T4", "T5", "P41")
    @every_tunnel
    def test_downstream(self, anchor: MemoryAnchor, shape: Shape) -> None:
        way = tunnel(**shape)
        anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=way))
        anchor.host_sends(to_node(b"hello"))
        anchor.until(lambda: len(anchor.tunnelled()) == 1)
        used, inner = anchor.tunnelled()[0]
        assert used == leaving(way)
        assert kept(way, inner) == kept(way, hop(to_node(b"hello")))

    @covers("T4", "T5", "T6")
    @every_tunnel
    def test_upstream(self, anchor: MemoryAnchor, shape: Shape) -> None:
        way = tunnel(**shape)
        anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=way))
        anchor.tunnel_gives(way, from_node(b"hello back"))
        anchor.until(lambda: len(anchor.delivered()) == 1)
        assert Ipv4Packet.decode(anchor.delivered()[0]).payload.endswith(b"hello back")
        assert anchor.plane.drops() == {}

    @covers("T5", "T6")
    @pytest.mark.parametrize("over_udp", [False, True], ids=["ip", "udp"])
    @pytest.mark.parametrize("keys", [None, (8, 9)], ids=["none", "another"])
    def test_a_tunnel_with_a_key_takes_no_other(
        self, anchor: MemoryAnchor, over_udp: bool, keys: tuple[int, int] | None
    ) -> None:
        way = tunnel(kind=GRE, keys=(7, 9), over_udp=over_udp)
        anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=way))
        anchor.tunnel_gives(tunnel(kind=GRE, keys=keys, over_udp=over_udp), from_node(b"forged"))
        anchor.until(lambda: anchor.plane.drops() == {drops.WRONG_TUNNEL: 1})
        assert anchor.delivered() == []

    @covers("T6", "T7")
    @pytest.mark.parametrize("kind", [GRE, MINIMAL])
    def test_another_encapsulation_than_agreed(self, anchor: MemoryAnchor, kind: Encapsulation) -> None:
        anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=tunnel(kind=kind)))
        anchor.tunnel_gives(tunnel(), from_node(b"forged"))
        anchor.until(lambda: anchor.plane.drops() == {drops.WRONG_TUNNEL: 1})
        assert anchor.delivered() == []

    @covers("T4")
    def test_what_would_go_straight_back_is_dropped(self, anchor: MemoryAnchor) -> None:
        """RFC 2784 3.1: the inner destination is the very end that wrapped it."""
        way = tunnel(kind=GRE)
        anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=way))
        back = Ipv4Packet(source=HOME, destination=way.remote, protocol=17, payload=bytes(20)).encode()
        anchor.tunnel_gives(way, back)
        anchor.until(lambda: anchor.plane.drops() == {drops.RECURSIVE: 1})
        assert anchor.delivered() == []

    def test_a_broken_wrapping_is_malformed(self, anchor: MemoryAnchor) -> None:
        """GRE flags that nobody understands; a minimal header whose checksum is wrong."""
        for kind, start in ((GRE, b"\x40\0\x08\0"), (MINIMAL, b"\x11\x80\0\0" + bytes(8))):
            way = tunnel(kind=kind)
            anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=way))
            outer = Ipv4Packet(
                source=way.remote, destination=way.local, protocol=kind, payload=start + from_node(b"broken")
            )
            anchor.outside_sends(outer.encode())
        anchor.until(lambda: anchor.plane.drops() == {drops.MALFORMED: 2})
        assert anchor.delivered() == []

    def test_keys_that_no_packet_can_have(self, anchor: MemoryAnchor) -> None:
        for way in (tunnel(keys=(1, 1)), tunnel(kind=GRE, keys=(1, 1 << 32))):
            with pytest.raises(ForwardingError, match="GRE"):
                anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=way))
        assert anchor.plane.snapshot() == ()
