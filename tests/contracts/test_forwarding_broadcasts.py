"""Broadcasts of a home link, at both ends of the tunnels, on the twin and on real packets."""

import pytest
from msgspec.structs import replace

from pmip_tw.addresses import BROADCAST_MAC, Endpoint, Ipv4, Mac, ipv4, prefix
from pmip_tw.forwarding import drops
from pmip_tw.mobility.tunnels import AccessEntry, AnchorEntry, Broadcasts
from pmip_tw.wire.encapsulation import ip_in_ip_header
from pmip_tw.wire.ipv4 import Ipv4Packet
from pmip_tw.wire.udp import udp_packet
from tests.conformance import covers

from ..forwarding.packets import CORRESPONDENT, GATEWAY_MAC, HOME, NODE_MAC, OTHER_HOME, OTHER_MAC, frame, hop
from ..forwarding.worlds import LOCAL, PEERS, PORTS, MemoryAccess, MemoryAnchor, tunnel
from .entries import entry

LINK = prefix("10.1.0.0/24")
ELSEWHERE = prefix("10.2.0.0/24")
THIRD_MAC, THIRD_HOME = Mac(b"\x02\0\0\0\0\x03"), ipv4("10.1.0.4")
ALL_ONES, DIRECTED, MDNS = ipv4("255.255.255.255"), ipv4("10.1.0.255"), ipv4("224.0.0.251")
DIRECT, WRAPPED = Broadcasts.DIRECT, Broadcasts.WRAPPED

everywhere = pytest.mark.parametrize(
    "destination", [ALL_ONES, DIRECTED, MDNS], ids=["all ones", "of the prefix", "link-local group"]
)


def shout(
    destination: Ipv4 = ALL_ONES, source: Ipv4 = HOME, text: bytes = b"anybody", port: int = 5353
) -> bytes:
    """A packet for everybody, with the time to live of mDNS's older siblings."""
    return udp_packet(Endpoint(source, port), Endpoint(destination, port), text, ttl=1)


def group_mac(destination: Ipv4) -> bytes:
    """Where a host sends it on Ethernet (RFC 1112 6.4)."""
    if destination != MDNS:
        return BROADCAST_MAC
    return b"\x01\x00\x5e" + (destination & 0x7FFFFF).to_bytes(3, "big")


def long(may_be_fragmented: bool, size: int = 1480) -> bytes:
    """A broadcast that fills an Ethernet frame, or with 20 octets less what fits IP-in-IP and not UDP."""
    packet = Ipv4Packet(
        source=HOME,
        destination=ALL_ONES,
        protocol=17,
        payload=bytes(size),
        dont_fragment=not may_be_fragmented,
    )
    return packet.encode()


def listening(link=LINK, **more) -> AccessEntry:
    return entry(broadcasts=True, prefix=link, **more)


def to(mac: bytes, packet: bytes, port: str = PORTS[0]) -> tuple[str, bytes]:
    """As the node gets it: in a frame of its own."""
    return port, mac + GATEWAY_MAC + b"\x08\x00" + packet


@covers("P68")
class TestAccess:
    @everywhere
    def test_a_nodes_broadcast_goes_into_its_tunnel_as_it_is(
        self, access: MemoryAccess, destination: Ipv4
    ) -> None:
        """The home link has no hop in it: the time to live stays 1."""
        access.plane.install(listening())
        packet = shout(destination)
        access.node_sends(PORTS[0], frame(packet, destination=group_mac(destination)))
        access.until(lambda: access.tunnelled() == [(tunnel(), packet)])
        assert access.plane.counters(listening().key).packets_up == 1
        assert access.receiver.frames == []

    @everywhere
    def test_without_the_setting_it_is_dropped(self, access: MemoryAccess, destination: Ipv4) -> None:
        access.plane.install(entry())
        access.node_sends(PORTS[0], frame(shout(destination), destination=group_mac(destination)))
        reason = drops.NOT_FOR_GATEWAY if destination == MDNS else drops.GROUP_DESTINATION
        access.until(lambda: access.plane.drops() == {reason: 1})
        assert access.tunnelled() == []

    def test_dhcp_and_arp_stay_on_the_access_link(self, access: MemoryAccess) -> None:
        access.plane.install(listening())
        frames = [
            frame(shout(port=67), destination=BROADCAST_MAC),
            (BROADCAST_MAC + NODE_MAC + b"\x08\x06").ljust(60, b"\0"),
        ]
        for octets in frames:
            access.node_sends(PORTS[0], octets)
        access.node_sends(PORTS[0], frame(shout(port=68), destination=BROADCAST_MAC))
        access.until(lambda: access.plane.drops() == {drops.GROUP_DESTINATION: 1})
        assert access.receiver.frames == [(PORTS[0], octets) for octets in frames]
        assert access.tunnelled() == []

    @covers("P48")
    def test_what_is_not_the_nodes_or_not_for_its_link_is_dropped(self, access: MemoryAccess) -> None:
        access.plane.install(listening())
        forged = shout(source=OTHER_HOME)
        routed_group = shout(ipv4("239.1.2.3"))
        foreign = shout(ipv4("10.2.0.255"))
        for packet in (forged, routed_group, foreign):
            access.node_sends(PORTS[0], frame(packet, destination=BROADCAST_MAC))
        expected = {drops.SPOOFED_SOURCE: 1, drops.GROUP_DESTINATION: 2}
        access.until(lambda: access.plane.drops() == expected)
        assert access.tunnelled() == []

    @everywhere
    def test_out_of_a_tunnel_to_every_listener_but_the_sender(
        self, access: MemoryAccess, destination: Ipv4
    ) -> None:
        """Each in a frame of its own, so that nobody else on the port hears it."""
        access.plane.install(listening())
        access.plane.install(listening(mac=OTHER_MAC, home=OTHER_HOME))
        access.plane.install(entry(mac=THIRD_MAC, home=THIRD_HOME))
        packet = shout(destination)
        access.tunnel_gives(tunnel(), packet)
        access.until(lambda: access.transmitted() == [to(OTHER_MAC, packet)])
        access.tunnel_gives(tunnel(), shout(destination, source=ipv4("10.1.0.77")))
        access.until(lambda: len(access.transmitted()) == 3)
        assert {sent[:6] for _, sent in access.transmitted()[1:]} == {NODE_MAC, OTHER_MAC}

    @covers("P44")
    def test_another_home_link_or_tunnel_hears_nothing(self, access: MemoryAccess) -> None:
        access.plane.install(listening())
        access.plane.install(listening(link=ELSEWHERE, mac=OTHER_MAC, home=ipv4("10.2.0.2")))
        access.plane.install(listening(mac=THIRD_MAC, home=THIRD_HOME, way=tunnel(1)))
        packet = shout(source=OTHER_HOME)
        access.tunnel_gives(tunnel(), packet)
        access.until(lambda: access.transmitted() == [to(NODE_MAC, packet)])
        access.tunnel_gives(tunnel(), shout(source=CORRESPONDENT))
        access.until(lambda: access.plane.drops() == {drops.NO_ENTRY: 1})
        assert len(access.transmitted()) == 1

    def test_dhcp_does_not_come_out_of_a_tunnel_this_way(self, access: MemoryAccess) -> None:
        access.plane.install(listening())
        access.tunnel_gives(tunnel(), shout(source=OTHER_HOME, port=68))
        packet = shout(source=OTHER_HOME)
        access.tunnel_gives(tunnel(), packet)
        access.until(lambda: access.transmitted() == [to(NODE_MAC, packet)])

    @covers("HL4", "P69")
    def test_what_the_lma_wrapped_is_unwrapped(self, access: MemoryAccess) -> None:
        access.plane.install(listening())
        access.plane.install(listening(mac=OTHER_MAC, home=OTHER_HOME))
        packet = shout(source=THIRD_HOME)
        access.tunnel_gives(tunnel(), ip_in_ip_header(PEERS[0], HOME, packet) + packet)
        access.until(lambda: access.transmitted() == [to(NODE_MAC, packet)])

    @covers("HL4", "P69")
    def test_a_nodes_own_tunnels_are_not_unwrapped(self, access: MemoryAccess) -> None:
        """From a correspondent, or not with a broadcast inside."""
        access.plane.install(listening())
        broadcast, plain = shout(source=THIRD_HOME), shout(HOME, source=CORRESPONDENT)
        own = [
            ip_in_ip_header(CORRESPONDENT, HOME, broadcast) + broadcast,
            ip_in_ip_header(PEERS[0], HOME, plain) + plain,
        ]
        for packet in own:
            access.tunnel_gives(tunnel(), packet)
        access.until(lambda: access.transmitted() == [to(NODE_MAC, packet) for packet in own])

    @covers("N32")
    @pytest.mark.parametrize("may_be_fragmented", [True, False])
    def test_a_long_one_is_fragmented_or_dropped_without_icmp(
        self, access: MemoryAccess, may_be_fragmented: bool
    ) -> None:
        access.plane.install(listening())
        access.node_sends(PORTS[0], frame(long(may_be_fragmented), destination=BROADCAST_MAC))
        if may_be_fragmented:
            access.until(lambda: len(access.tunnelled()) == 2)
            pieces = [Ipv4Packet.decode(inner).payload for _, inner in access.tunnelled()]
            assert b"".join(pieces) == bytes(1480)
        else:
            access.until(lambda: access.plane.drops() == {drops.TOO_BIG: 1})
            assert (access.tunnelled(), access.transmitted()) == ([], [])

    def test_a_removed_node_hears_nothing_more(self, access: MemoryAccess) -> None:
        access.plane.install(listening())
        access.plane.install(entry())
        access.tunnel_gives(tunnel(), shout(source=OTHER_HOME))
        access.until(lambda: access.plane.drops() == {drops.NO_ENTRY: 1})
        assert access.transmitted() == []


def held(home: Ipv4, peer: int, how: Broadcasts = DIRECT, link=LINK, **more) -> AnchorEntry:
    return AnchorEntry(home_address=home, tunnel=tunnel(peer), broadcasts=how, prefix=link, **more)


@covers("P68", "P69")
class TestAnchor:
    @everywhere
    def test_others_on_the_link_get_it_once_for_each_tunnel(
        self, anchor: MemoryAnchor, destination: Ipv4
    ) -> None:
        """Two of them share a tunnel; the sender's leads to nobody else; the machine does not see it."""
        anchor.plane.install(held(HOME, 0))
        anchor.plane.install(held(OTHER_HOME, 1))
        anchor.plane.install(held(THIRD_HOME, 1))
        packet = shout(destination)
        anchor.tunnel_gives(tunnel(0), packet)
        anchor.until(lambda: anchor.tunnelled() == [(tunnel(1), packet)])
        assert anchor.delivered() == []
        assert anchor.plane.counters(held(HOME, 0).key).packets_up == 1

    def test_a_neighbor_behind_the_same_mag_is_reached_by_the_same_tunnel(self, anchor: MemoryAnchor) -> None:
        """The MAG knows which of them sent it."""
        anchor.plane.install(held(HOME, 0))
        anchor.plane.install(held(OTHER_HOME, 0))
        anchor.tunnel_gives(tunnel(0), shout())
        anchor.until(lambda: anchor.tunnelled() == [(tunnel(0), shout())])

    @covers("HL4", "P69")
    def test_who_has_a_foreign_agent_gets_it_wrapped(self, anchor: MemoryAnchor) -> None:
        anchor.plane.install(held(HOME, 0, WRAPPED))
        anchor.plane.install(held(OTHER_HOME, 1, WRAPPED))
        anchor.plane.install(held(THIRD_HOME, 1, WRAPPED))
        anchor.tunnel_gives(tunnel(0), shout())
        anchor.until(lambda: len(anchor.tunnelled()) == 2)
        for (way, inner), home in zip(anchor.tunnelled(), (OTHER_HOME, THIRD_HOME), strict=True):
            outer = Ipv4Packet.decode(inner)
            assert (way, outer.source, outer.destination) == (tunnel(1), LOCAL, home)
            assert (outer.protocol, outer.payload) == (4, shout())

    @covers("HL4")
    def test_the_wrapping_leaves_less_room(self, anchor: MemoryAnchor) -> None:
        """Fragmented before it is wrapped (N32), so that the pieces with both headers fit."""
        anchor.plane.install(held(HOME, 0, WRAPPED))
        anchor.plane.install(held(OTHER_HOME, 1, WRAPPED))
        anchor.tunnel_gives(tunnel(0), long(may_be_fragmented=True, size=1456))
        anchor.until(lambda: len(anchor.tunnelled()) == 2)
        pieces = [Ipv4Packet.decode(Ipv4Packet.decode(inner).payload) for _, inner in anchor.tunnelled()]
        assert b"".join(piece.payload for piece in pieces) == bytes(1456)
        assert {piece.destination for piece in pieces} == {ALL_ONES}

    @covers("HL4")
    def test_nobody_else_hears_it(self, anchor: MemoryAnchor) -> None:
        """Who did not ask, and who is on another home link."""
        anchor.plane.install(held(HOME, 0))
        anchor.plane.install(AnchorEntry(home_address=OTHER_HOME, tunnel=tunnel(1), prefix=LINK))
        anchor.plane.install(held(THIRD_HOME, 1, link=prefix("10.1.0.0/25")))
        anchor.tunnel_gives(tunnel(0), shout())
        anchor.until(lambda: anchor.plane.counters(held(HOME, 0).key).packets_up == 1)
        assert anchor.tunnelled() == []
        assert anchor.plane.drops() == {}

    @pytest.mark.parametrize(
        ("sender", "packet"),
        [
            (AnchorEntry(home_address=HOME, tunnel=tunnel(), prefix=LINK), shout()),
            (AnchorEntry(home_address=HOME, tunnel=tunnel()), shout()),
            (held(HOME, 0), shout(port=67)),
            (held(HOME, 0), shout(port=68)),
        ],
        ids=["did not ask", "no home link", "to a DHCP server", "to DHCP clients"],
    )
    def test_what_is_not_copied_is_counted(
        self, anchor: MemoryAnchor, sender: AnchorEntry, packet: bytes
    ) -> None:
        anchor.plane.install(sender)
        anchor.plane.install(held(OTHER_HOME, 1))
        anchor.tunnel_gives(tunnel(0), packet)
        anchor.until(lambda: anchor.plane.drops() == {drops.GROUP_DESTINATION: 1})
        assert (anchor.tunnelled(), anchor.delivered()) == ([], [])

    @covers("T6")
    def test_a_forged_broadcast_is_not_copied(self, anchor: MemoryAnchor) -> None:
        anchor.plane.install(held(HOME, 0))
        anchor.plane.install(held(OTHER_HOME, 1))
        anchor.tunnel_gives(tunnel(1), shout())
        anchor.until(lambda: anchor.plane.drops() == {drops.WRONG_TUNNEL: 1})
        assert anchor.tunnelled() == []

    def test_one_sender_is_limited_and_others_are_not(self, anchor: MemoryAnchor) -> None:
        """Ten a second of each."""
        anchor.plane.install(held(HOME, 0))
        anchor.plane.install(held(OTHER_HOME, 1))
        for _ in range(60):
            anchor.tunnel_gives(tunnel(0), shout())
        anchor.tunnel_gives(tunnel(1), shout(source=OTHER_HOME))
        anchor.until(lambda: anchor.tunnelled()[-1:] == [(tunnel(0), shout(source=OTHER_HOME))])
        copied = len(anchor.tunnelled()) - 1
        assert 10 <= copied < 30
        assert anchor.plane.drops() == {drops.BROADCAST_LIMIT: 60 - copied}

    def test_many_senders_together_are_limited_by_the_copies(self, anchor: MemoryAnchor) -> None:
        """Each may send ten to all the others: squared, that would be all that the LMA does."""
        homes = [Ipv4(LINK.network + number) for number in range(2, 202)]
        for home in homes:
            anchor.plane.install(held(home, 0, WRAPPED))
        for home in homes:
            anchor.tunnel_gives(tunnel(0), shout(source=home))
        # Taken off while they come: what the far end has no room for would be lost.
        anchor.until(lambda: anchor.tunnelled() and anchor.plane.drops().get(drops.BROADCAST_LIMIT, 0) >= 100)
        assert set(anchor.plane.drops()) == {drops.BROADCAST_LIMIT}
        quiet, sender, listener = prefix("10.1.0.240/28"), ipv4("10.1.0.241"), ipv4("10.1.0.242")
        anchor.plane.install(held(sender, 0, link=quiet))
        anchor.plane.install(held(listener, 1, link=quiet))
        packet = shout(source=sender)
        anchor.tunnel_gives(tunnel(0), packet)
        anchor.until(lambda: (tunnel(1), packet) in anchor.tunnelled())

    def test_what_the_machine_routes_to_the_links_broadcast_address(self, anchor: MemoryAnchor) -> None:
        anchor.plane.install(held(HOME, 0))
        anchor.plane.install(held(OTHER_HOME, 1))
        packet = udp_packet(Endpoint(CORRESPONDENT, 9), Endpoint(DIRECTED, 9), b"wake up")
        anchor.host_sends(packet)
        anchor.until(lambda: len(anchor.tunnelled()) == 2)
        assert set(anchor.tunnelled()) == {(tunnel(0), hop(packet)), (tunnel(1), hop(packet))}

    @covers("P52")
    def test_a_link_without_listeners_has_no_broadcast_address(self, anchor: MemoryAnchor) -> None:
        anchor.plane.install(held(HOME, 0))
        anchor.plane.remove(held(HOME, 0).key)
        anchor.host_sends(udp_packet(Endpoint(CORRESPONDENT, 9), Endpoint(DIRECTED, 9), b"wake up"))
        anchor.until(lambda: anchor.plane.drops() == {drops.NO_BINDING: 1})
        assert anchor.tunnelled() == []

    def test_a_move_takes_the_listener_along(self, anchor: MemoryAnchor) -> None:
        anchor.plane.install(held(HOME, 0))
        anchor.plane.install(held(OTHER_HOME, 0))
        anchor.plane.install(held(OTHER_HOME, 1))
        anchor.tunnel_gives(tunnel(0), shout())
        anchor.until(lambda: anchor.tunnelled() == [(tunnel(1), shout())])

    @covers("HL4", "N32")
    @pytest.mark.parametrize("how", [DIRECT, WRAPPED])
    def test_a_long_one_is_fragmented_before_anything_else(
        self, anchor: MemoryAnchor, how: Broadcasts
    ) -> None:
        """So that each piece fits the tunnel with what is around it."""
        anchor.plane.install(held(HOME, 0, how))
        anchor.plane.install(replace(held(OTHER_HOME, 1, how), tunnel=tunnel(1, over_udp=True)))
        anchor.tunnel_gives(tunnel(0), long(may_be_fragmented=True, size=1460))
        anchor.until(lambda: len(anchor.tunnelled()) == 2)
        sent = [Ipv4Packet.decode(inner) for _, inner in anchor.tunnelled()]
        pieces = sent if how is DIRECT else [Ipv4Packet.decode(outer.payload) for outer in sent]
        assert b"".join(piece.payload for piece in pieces) == bytes(1460)
        assert anchor.plane.drops() == {}

    @pytest.mark.parametrize("how", [DIRECT, WRAPPED])
    def test_a_long_one_that_must_not_be_fragmented_is_dropped_without_icmp(
        self, anchor: MemoryAnchor, how: Broadcasts
    ) -> None:
        anchor.plane.install(held(HOME, 0, how))
        anchor.plane.install(replace(held(OTHER_HOME, 1, how), tunnel=tunnel(1, over_udp=True)))
        anchor.tunnel_gives(tunnel(0), long(may_be_fragmented=False, size=1460))
        anchor.until(lambda: anchor.plane.drops() == {drops.TOO_BIG: 1})
        assert (anchor.tunnelled(), anchor.delivered()) == ([], [])
