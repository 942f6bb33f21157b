"""The contract of IForwardingPlane at a MAG, on the memory twin and on the TUN provider with real packets."""

import pytest
from zope.interface.verify import verifyObject

from pmip_tw.addresses import BROADCAST_MAC, Endpoint, ipv4
from pmip_tw.errors import ForwardingError
from pmip_tw.forwarding import drops
from pmip_tw.interfaces import IForwardingPlane, ITunnelDataReceiver
from pmip_tw.mobility.tunnels import AccessKey, AnchorEntry, Counters, Entry, Tunnel
from pmip_tw.wire.icmp import IcmpMessage
from pmip_tw.wire.ipv4 import Ipv4Packet
from pmip_tw.wire.udp import udp_packet
from tests.conformance import covers

from ..forwarding.packets import (
    CORRESPONDENT,
    GATEWAY_MAC,
    HOME,
    NODE_MAC,
    OTHER_HOME,
    OTHER_MAC,
    frame,
    from_node,
    hop,
    tcp_packet,
    to_node,
)
from ..forwarding.worlds import LOCAL, PORTS, MemoryAccess, TunAccessWorld, tunnel
from .entries import both_encapsulations, entry

AccessWorld = MemoryAccess | TunAccessWorld


class TestAccessContract:
    """A plane that serves a MAG."""

    def test_provides_the_interfaces(self, access: AccessWorld) -> None:
        verifyObject(IForwardingPlane, access.plane)
        verifyObject(ITunnelDataReceiver, access.plane)
        assert access.plane.name in ("memory", "tun")

    def test_holds_exactly_what_was_installed_and_not_removed(self, access: AccessWorld) -> None:
        first, second = entry(), entry(mac=OTHER_MAC, home=OTHER_HOME)
        access.plane.install(first)
        access.plane.install(second)
        assert set(access.plane.snapshot()) == {first, second}
        access.plane.remove(first.key)
        assert access.plane.snapshot() == (second,)

    def test_installing_the_same_key_replaces(self, access: AccessWorld) -> None:
        access.plane.install(entry())
        moved = entry(way=tunnel(1), home=OTHER_HOME)
        access.plane.install(moved)
        assert access.plane.snapshot() == (moved,)

    def test_removing_what_is_not_there_gives_zeros(self, access: AccessWorld) -> None:
        assert access.plane.remove(AccessKey(PORTS[0], NODE_MAC)) == Counters()
        assert access.plane.counters(AccessKey(PORTS[0], NODE_MAC)) == Counters()

    @covers("P40", "T1", "N33")
    @both_encapsulations
    def test_upstream_goes_into_the_tunnel_one_hop_older_and_is_counted(
        self, access: AccessWorld, over_udp: bool
    ) -> None:
        way = tunnel(over_udp=over_udp)
        access.plane.install(entry(way=way))
        packet = from_node(b"hi")
        access.node_sends(PORTS[0], frame(packet))
        access.until(lambda: access.tunnelled() == [(way, hop(packet))])
        counters = access.plane.counters(entry().key)
        assert (counters.packets_up, counters.octets_up) == (1, len(packet))
        assert counters.last_heard > 0

    @covers("P41")
    @both_encapsulations
    def test_downstream_reaches_the_node_unchanged_and_is_counted(
        self, access: AccessWorld, over_udp: bool
    ) -> None:
        way = tunnel(over_udp=over_udp)
        access.plane.install(entry(way=way))
        packet = to_node(b"welcome to the home link, dear mobile node")
        access.tunnel_gives(way, packet)
        expected = (PORTS[0], NODE_MAC + GATEWAY_MAC + b"\x08\x00" + packet)
        access.until(lambda: access.transmitted() == [expected])
        counters = access.plane.remove(entry().key)
        assert (counters.packets_down, counters.octets_down) == (1, len(packet))

    @covers("P43", "P45")
    def test_upstream_tunnel_is_chosen_by_mac_not_by_source_address(self, access: AccessWorld) -> None:
        """Two nodes with one home address under two LMAs (P43)."""
        access.plane.install(entry())
        access.plane.install(entry(mac=OTHER_MAC, way=tunnel(1)))
        access.node_sends(PORTS[0], frame(from_node(b"two"), source=OTHER_MAC))
        access.node_sends(PORTS[0], frame(from_node(b"one")))
        expected = [(tunnel(1), hop(from_node(b"two"))), (tunnel(0), hop(from_node(b"one")))]
        access.until(lambda: access.tunnelled() == expected)

    @covers("P44", "P45")
    def test_downstream_node_is_chosen_by_tunnel_and_address(self, access: AccessWorld) -> None:
        """The same two nodes, the other way (P44)."""
        access.plane.install(entry())
        access.plane.install(entry(port=PORTS[1], mac=OTHER_MAC, way=tunnel(1)))
        access.tunnel_gives(tunnel(1), to_node(b"for the second"))
        access.until(lambda: len(access.transmitted()) == 1)
        port, sent = access.transmitted()[0]
        assert (port, sent[:6]) == (PORTS[1], OTHER_MAC)

    @covers("P48")
    def test_spoofed_source_is_dropped_and_counted(self, access: AccessWorld) -> None:
        access.plane.install(entry())
        access.node_sends(PORTS[0], frame(from_node(b"liar", source=OTHER_HOME)))
        access.until(lambda: access.plane.drops() == {drops.SPOOFED_SOURCE: 1})
        assert access.tunnelled() == []
        assert access.receiver.frames == []
        assert access.plane.counters(entry().key) == Counters()

    @covers("P84")
    def test_ipv6_is_dropped_and_counted(self, access: AccessWorld) -> None:
        access.plane.install(entry())
        access.node_sends(PORTS[0], (GATEWAY_MAC + NODE_MAC + b"\x86\xdd").ljust(60, b"\0"))
        access.until(lambda: access.plane.drops() == {drops.IPV6: 1})

    def test_unknown_node_is_handed_up(self, access: AccessWorld) -> None:
        sent = frame(from_node(b"who am I"))
        access.node_sends(PORTS[1], sent)
        access.until(lambda: access.receiver.frames == [(PORTS[1], sent)])

    def test_same_mac_on_another_port_is_unknown(self, access: AccessWorld) -> None:
        access.plane.install(entry())
        sent = frame(from_node(b"where am I"))
        access.node_sends(PORTS[1], sent)
        access.until(lambda: access.receiver.frames == [(PORTS[1], sent)])
        assert access.tunnelled() == []

    @covers("P77", "P78")
    def test_provisional_entry_delivers_downstream_and_hands_upstream_up(self, access: AccessWorld) -> None:
        """P77 and P78; the frame that was held goes on when the entry is final."""
        access.plane.install(entry(upstream=False))
        sent = frame(from_node(b"early"))
        access.node_sends(PORTS[0], sent)
        access.until(lambda: access.receiver.frames == [(PORTS[0], sent)])
        access.tunnel_gives(tunnel(), to_node(b"early too"))
        access.until(lambda: len(access.transmitted()) == 1)
        access.plane.install(entry())
        access.plane.forward(PORTS[0], sent)
        access.until(lambda: access.tunnelled() == [(tunnel(), hop(from_node(b"early")))])

    @covers("D21", "P40")
    def test_dhcp_arp_eapol_and_last_hop_are_handed_up(self, access: AccessWorld) -> None:
        access.plane.install(entry())
        discover = udp_packet(Endpoint(ipv4("0.0.0.0"), 68), Endpoint(ipv4("255.255.255.255"), 67), b"D")
        frames = [
            frame(discover, destination=BROADCAST_MAC),
            frame(from_node(b"renew", port=67)),
            (BROADCAST_MAC + NODE_MAC + b"\x08\x06").ljust(60, b"\0"),
            (bytes.fromhex("0180c2000003") + NODE_MAC + b"\x88\x8e").ljust(60, b"\0"),
            frame(from_node(b"traceroute", ttl=1)),
        ]
        for octets in frames:
            access.node_sends(PORTS[0], octets)
        access.until(lambda: access.receiver.frames == [(PORTS[0], octets) for octets in frames])
        assert access.tunnelled() == []

    @covers("P65")
    @both_encapsulations
    def test_dhcp_with_servers_beyond_the_tunnel_is_carried_and_shown(
        self, access: AccessWorld, over_udp: bool
    ) -> None:
        """Both ways, and nothing but DHCP; a broadcast has no way through the tunnel and is handed up."""
        shown = entry(way=tunnel(over_udp=over_udp), shows_dhcp=True)
        access.plane.install(shown)
        renew, answer = from_node(b"renew", port=67), to_node(b"ack", port=68)
        access.node_sends(PORTS[0], frame(renew))
        access.node_sends(PORTS[0], frame(from_node(b"other")))
        access.until(lambda: len(access.tunnelled()) == 2)
        access.tunnel_gives(shown.tunnel, answer)
        access.tunnel_gives(shown.tunnel, to_node(b"other"))
        access.until(lambda: len(access.transmitted()) == 2)
        assert access.tunnelled()[0] == (shown.tunnel, hop(renew))
        assert access.transmitted()[0][1].endswith(answer)
        assert access.receiver.dhcp == [(shown.key, renew), (shown.key, answer)]
        assert access.receiver.frames == []
        rebind = udp_packet(Endpoint(HOME, 68), Endpoint(ipv4("255.255.255.255"), 67), b"R")
        access.node_sends(PORTS[0], frame(rebind, destination=BROADCAST_MAC))
        access.until(lambda: len(access.receiver.frames) == 1)

    @covers("P48", "P65")
    def test_spoofed_dhcp_is_neither_carried_nor_shown(self, access: AccessWorld) -> None:
        access.plane.install(entry(shows_dhcp=True))
        access.node_sends(PORTS[0], frame(from_node(b"release", source=OTHER_HOME, port=67)))
        access.until(lambda: access.plane.drops() == {drops.SPOOFED_SOURCE: 1})
        assert (access.tunnelled(), access.receiver.dhcp, access.receiver.frames) == ([], [], [])

    @covers("P47", "T8")
    def test_frames_between_others_and_to_groups_are_counted_only(self, access: AccessWorld) -> None:
        access.plane.install(entry())
        access.node_sends(PORTS[0], frame(from_node(b"neighbour"), destination=OTHER_MAC))
        access.node_sends(PORTS[0], frame(from_node(b"browser"), destination=BROADCAST_MAC))
        mdns = udp_packet(Endpoint(HOME, 5353), Endpoint(ipv4("224.0.0.251"), 5353), b"mdns")
        access.node_sends(PORTS[0], frame(mdns))
        expected = {drops.NOT_FOR_GATEWAY: 1, drops.GROUP_DESTINATION: 2}
        access.until(lambda: access.plane.drops() == expected)
        assert access.receiver.frames == []
        assert access.tunnelled() == []

    @covers("N29", "N36", "P51", "T7")
    @both_encapsulations
    def test_downstream_only_from_the_right_tunnel(self, access: AccessWorld, over_udp: bool) -> None:
        """Another LMA, another encapsulation, another port: dropped silently (P51, N29, N36)."""
        access.plane.install(entry(way=tunnel(over_udp=over_udp)))
        wrong = [
            tunnel(1, over_udp=over_udp),
            tunnel(over_udp=not over_udp),
            tunnel(over_udp=True, port=40000),
        ]
        for way in wrong:
            access.tunnel_gives(way, to_node(b"forged"))
        access.until(lambda: access.plane.drops() == {drops.NO_ENTRY: len(wrong)})
        assert access.transmitted() == []

    @covers("P51", "RV39", "T10")
    def test_removal_stops_both_directions_at_once(self, access: AccessWorld) -> None:
        access.plane.install(entry())
        access.plane.remove(entry().key)
        sent = frame(from_node(b"still here"))
        access.node_sends(PORTS[0], sent)
        access.tunnel_gives(tunnel(), to_node(b"still there"))
        access.until(lambda: access.receiver.frames == [(PORTS[0], sent)])
        access.until(lambda: access.plane.drops() == {drops.NO_ENTRY: 1})
        assert access.tunnelled() == []
        assert access.transmitted() == []

    def test_replacement_moves_traffic_and_keeps_the_counters(self, access: AccessWorld) -> None:
        access.plane.install(entry())
        access.node_sends(PORTS[0], frame(from_node(b"old")))
        access.until(lambda: len(access.tunnelled()) == 1)
        access.plane.install(entry(way=tunnel(1, over_udp=True)))
        access.node_sends(PORTS[0], frame(from_node(b"new")))
        access.until(lambda: len(access.tunnelled()) == 2)
        assert access.tunnelled()[1] == (tunnel(1, over_udp=True), hop(from_node(b"new")))
        assert access.plane.remove(entry().key).packets_up == 2

    @covers("P45")
    def test_two_nodes_cannot_share_an_address_in_one_tunnel(self, access: AccessWorld) -> None:
        """P45: without a GRE key downstream could not tell them apart; the first one stays."""
        access.plane.install(entry())
        with pytest.raises(ForwardingError, match=r"10\.1\.0\.2|02:00:00:00:00:01"):
            access.plane.install(entry(mac=OTHER_MAC))
        assert access.plane.snapshot() == (entry(),)
        access.tunnel_gives(tunnel(), to_node(b"for the first"))
        access.until(lambda: len(access.transmitted()) == 1)
        assert access.transmitted()[0][1][:6] == NODE_MAC

    @covers("T2")
    @pytest.mark.parametrize(
        "bad",
        [
            entry(port="acc9"),
            entry(way=Tunnel(local=LOCAL, remote=tunnel().remote, key_in=1, key_out=1)),
            entry(home=LOCAL),
            AnchorEntry(home_address=HOME, tunnel=tunnel()),
        ],
        ids=["no such port", "a key where there is none", "home address is our own", "an anchor's"],
    )
    def test_an_entry_that_cannot_be_carried_is_refused(self, access: AccessWorld, bad: Entry) -> None:
        with pytest.raises(ForwardingError):
            access.plane.install(bad)
        assert access.plane.snapshot() == ()

    def test_transmit_sends_the_frame_as_it_is(self, access: AccessWorld) -> None:
        """And does not take it for one that arrived."""
        sent = NODE_MAC + GATEWAY_MAC + b"\x08\x06" + bytes(46)
        access.plane.transmit(PORTS[1], sent)
        access.until(lambda: access.transmitted() == [(PORTS[1], sent)])
        later = frame(from_node(b"after that"))
        access.node_sends(PORTS[1], later)
        access.until(lambda: access.receiver.frames == [(PORTS[1], later)])
        assert access.plane.drops() == {}

    @covers("T9")
    def test_a_narrow_core_network_is_learnt(self, access: AccessWorld) -> None:
        """T9: what the path takes less than Ethernet is told to the node."""
        access.plane.install(entry())
        access.narrow(1300)
        packet = Ipv4Packet(
            source=HOME, destination=CORRESPONDENT, protocol=17, payload=bytes(1400), dont_fragment=True
        )
        access.node_sends(PORTS[0], frame(packet.encode()))
        access.until(lambda: access.plane.drops() == {drops.OUTER_TOO_BIG: 1})
        access.node_sends(PORTS[0], frame(packet.encode()))
        access.until(lambda: len(access.transmitted()) == 1)
        error = IcmpMessage.decode(Ipv4Packet.decode(access.transmitted()[0][1][14:]))
        assert (error.type, error.code, error.rest & 0xFFFF) == (3, 4, 1280)

    @covers("T9")
    def test_what_was_learnt_of_a_path_does_not_outlive_it(self, access: AccessWorld) -> None:
        """Or one forged ICMP message would make the tunnel narrow for good: for long packets, and for TCP."""
        access.plane.install(entry())
        access.narrow(1300)
        packet = Ipv4Packet(
            source=HOME, destination=CORRESPONDENT, protocol=17, payload=bytes(1400), dont_fragment=True
        ).encode()
        syn = tcp_packet(flags=2, options=b"\x02\x04\x05\xb4")
        access.node_sends(PORTS[0], frame(packet))
        access.until(lambda: access.plane.drops() == {drops.OUTER_TOO_BIG: 1})
        access.node_sends(PORTS[0], frame(syn))
        access.until(lambda: len(access.tunnelled()) == 1)
        access.narrow(1500)
        access.node_sends(PORTS[0], frame(syn))
        access.until(lambda: len(access.tunnelled()) == 2)
        assert [inner[42:44] for _, inner in access.tunnelled()] == [
            (mtu - 40).to_bytes(2, "big") for mtu in (1280, 1480)
        ]
        access.narrow(1300)
        access.node_sends(PORTS[0], frame(packet))
        access.until(lambda: access.plane.drops() == {drops.OUTER_TOO_BIG: 2})
        access.narrow(1500)
        access.node_sends(PORTS[0], frame(packet))
        access.until(lambda: access.tunnelled()[2:] == [(tunnel(), hop(packet))])

    def test_no_port_of_another_name(self, access: AccessWorld) -> None:
        for act in (access.plane.transmit, access.plane.forward):
            with pytest.raises(ForwardingError, match="acc9"):
                act("acc9", frame(from_node(b"where to")))

    @covers("N32", "T9")
    def test_too_big_and_not_to_be_fragmented_is_answered_by_the_gateway(self, access: AccessWorld) -> None:
        """N32: the node learns the tunnel's MTU from the router it believes to have."""
        access.plane.install(entry(way=tunnel(over_udp=True)))
        packet = Ipv4Packet(
            source=HOME, destination=CORRESPONDENT, protocol=17, payload=bytes(1480), dont_fragment=True
        )
        access.node_sends(PORTS[0], frame(packet.encode()))
        access.until(lambda: len(access.transmitted()) == 1)
        answer = Ipv4Packet.decode(access.transmitted()[0][1][14:])
        assert (answer.source, answer.destination) == (ipv4("10.1.0.1"), HOME)
        error = IcmpMessage.decode(answer)
        assert (error.type, error.code, error.rest & 0xFFFF) == (3, 4, 1468)
        assert access.plane.drops() == {drops.TOO_BIG: 1}

    @covers("N32")
    @both_encapsulations
    def test_too_big_is_fragmented_before_encapsulation(self, access: AccessWorld, over_udp: bool) -> None:
        way = tunnel(over_udp=over_udp)
        access.plane.install(entry(way=way))
        payload = bytes(range(256)) * 5 + bytes(200)
        packet = Ipv4Packet(source=HOME, destination=CORRESPONDENT, protocol=17, payload=payload)
        access.node_sends(PORTS[0], frame(packet.encode()))
        access.until(lambda: len(access.tunnelled()) == 2)
        pieces = [Ipv4Packet.decode(inner) for _, inner in access.tunnelled()]
        assert b"".join(piece.payload for piece in pieces) == payload
        assert [piece.more_fragments for piece in pieces] == [True, False]
        assert pieces[1].fragment_offset == len(pieces[0].payload)
