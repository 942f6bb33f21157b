"""The contract of IForwardingPlane at an LMA, on the memory twin and on the TUN provider with real packets."""

import pytest
from zope.interface.verify import verifyObject

from pmip_tw.addresses import Endpoint
from pmip_tw.errors import ForwardingError
from pmip_tw.forwarding import drops
from pmip_tw.interfaces import IForwardingPlane, ITunnelDataReceiver
from pmip_tw.mobility.tunnels import AlikeEntries, AnchorEntry, Counters, Entry
from pmip_tw.wire.icmp import DESTINATION_UNREACHABLE, HOST_UNREACHABLE, IcmpMessage
from pmip_tw.wire.ipv4 import Ipv4Packet
from pmip_tw.wire.udp import udp_packet
from tests.conformance import covers

from ..forwarding.packets import CORRESPONDENT, HOME, OTHER_HOME, from_node, hop, to_node
from ..forwarding.worlds import LOCAL, MemoryAnchor, TunAnchorWorld, tunnel
from .entries import both_encapsulations, entry

AnchorWorld = MemoryAnchor | TunAnchorWorld


class TestAnchorContract:
    """A plane that serves an LMA."""

    def test_provides_the_interface(self, anchor: AnchorWorld) -> None:
        verifyObject(IForwardingPlane, anchor.plane)
        verifyObject(ITunnelDataReceiver, anchor.plane)

    def test_holds_replaces_and_removes(self, anchor: AnchorWorld) -> None:
        first = AnchorEntry(home_address=HOME, tunnel=tunnel())
        moved = AnchorEntry(home_address=HOME, tunnel=tunnel(1))
        anchor.plane.install(first)
        anchor.plane.install(moved)
        assert anchor.plane.snapshot() == (moved,)
        anchor.plane.remove(moved.key)
        assert anchor.plane.snapshot() == ()
        assert anchor.plane.remove(moved.key) == Counters()

    @pytest.mark.parametrize("over_udp", [False, True], ids=["ip-in-ip", "udp"])
    def test_many_that_are_alike_are_held_at_once(self, anchor: AnchorWorld, over_udp: bool) -> None:
        alike = AlikeEntries(tunnel(over_udp=over_udp), "", [HOME, OTHER_HOME])
        assert [*anchor.plane.install_alike(alike)] == []
        assert set(anchor.plane.snapshot()) == {alike.of(HOME), alike.of(OTHER_HOME)}
        packet = to_node(b"hello")
        anchor.host_sends(packet)
        anchor.until(lambda: anchor.tunnelled() == [(alike.tunnel, hop(packet))])
        for home_address in (HOME, OTHER_HOME):
            anchor.plane.remove(alike.of(home_address).key)
        assert anchor.plane.snapshot() == ()

    def test_whom_it_cannot_hold_like_the_others_comes_back(self, anchor: AnchorWorld) -> None:
        """Where packets were counted, a tunnel's own end, an unknown domain: ``install`` has the last word."""
        held = AnchorEntry(home_address=HOME, tunnel=tunnel(1))
        anchor.plane.install(held)
        anchor.host_sends(to_node(b"hello"))
        anchor.until(lambda: anchor.plane.counters(held.key).packets_down == 1)
        alike = AlikeEntries(tunnel(), "", [HOME, OTHER_HOME])
        assert [*anchor.plane.install_alike(alike)] == [HOME]
        assert set(anchor.plane.snapshot()) == {held, alike.of(OTHER_HOME)}
        anchor.plane.install(alike.of(HOME))
        assert anchor.plane.counters(held.key).packets_down == 1
        assert set(anchor.plane.snapshot()) == {alike.of(HOME), alike.of(OTHER_HOME)}
        for wrong in (AlikeEntries(tunnel(), "", [LOCAL]), AlikeEntries(tunnel(), "elsewhere", [HOME])):
            assert wrong.home_addresses == [*anchor.plane.install_alike(wrong)]

    def test_many_that_are_alike_replace_who_was_silent(self, anchor: AnchorWorld) -> None:
        """The tunnel of before is left, and taken again: its way is forgotten with the last who needs it."""
        for number in (1, 0, 1):
            alike = AlikeEntries(tunnel(number), "", [HOME, OTHER_HOME])
            assert [*anchor.plane.install_alike(alike)] == []
            assert set(anchor.plane.snapshot()) == {alike.of(HOME), alike.of(OTHER_HOME)}
        packet = to_node(b"hello")
        anchor.host_sends(packet)
        anchor.until(lambda: anchor.tunnelled() == [(tunnel(1), hop(packet))])
        for home_address in (HOME, OTHER_HOME):
            anchor.plane.remove(alike.of(home_address).key)
        assert anchor.plane.snapshot() == ()

    @covers("P41")
    @both_encapsulations
    def test_downstream_goes_into_the_tunnel(self, anchor: AnchorWorld, over_udp: bool) -> None:
        way = tunnel(over_udp=over_udp)
        held = AnchorEntry(home_address=HOME, tunnel=way)
        anchor.plane.install(held)
        packet = to_node(b"hello")
        anchor.host_sends(packet)
        anchor.until(lambda: anchor.tunnelled() == [(way, hop(packet))])
        counters = anchor.plane.counters(held.key)
        assert (counters.packets_down, counters.octets_down) == (1, len(packet))

    @covers("P41")
    @both_encapsulations
    def test_upstream_reaches_the_machine(self, anchor: AnchorWorld, over_udp: bool) -> None:
        way = tunnel(over_udp=over_udp)
        held = AnchorEntry(home_address=HOME, tunnel=way)
        anchor.plane.install(held)
        anchor.tunnel_gives(way, from_node(b"hello back"))
        anchor.until(lambda: len(anchor.delivered()) == 1)
        assert anchor.delivered()[0].endswith(b"hello back")
        counters = anchor.plane.remove(held.key)
        assert (counters.packets_up, counters.octets_up) == (1, len(from_node(b"hello back")))
        assert counters.last_heard > 0

    @covers("T6")
    def test_upstream_without_a_binding_is_dropped(self, anchor: AnchorWorld) -> None:
        anchor.tunnel_gives(tunnel(), from_node(b"nobody"))
        anchor.until(lambda: anchor.plane.drops() == {drops.UNKNOWN_SOURCE: 1})
        assert anchor.delivered() == []

    @covers("N29", "N31", "T6", "T7")
    @both_encapsulations
    def test_upstream_only_from_the_right_tunnel(self, anchor: AnchorWorld, over_udp: bool) -> None:
        """T6, N29, N31: another MAG, another encapsulation, another port."""
        anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=tunnel(over_udp=over_udp)))
        wrong = [
            tunnel(1, over_udp=over_udp),
            tunnel(over_udp=not over_udp),
            tunnel(over_udp=True, port=40000),
        ]
        for way in wrong:
            anchor.tunnel_gives(way, from_node(b"forged"))
        anchor.until(lambda: anchor.plane.drops() == {drops.WRONG_TUNNEL: len(wrong)})
        assert anchor.delivered() == []

    @covers("P34", "T6")
    def test_handover_moves_both_directions_and_keeps_the_counters(self, anchor: AnchorWorld) -> None:
        held = AnchorEntry(home_address=HOME, tunnel=tunnel())
        anchor.plane.install(held)
        anchor.host_sends(to_node(b"one"))
        anchor.until(lambda: len(anchor.tunnelled()) == 1)
        anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=tunnel(1)))
        anchor.host_sends(to_node(b"two"))
        anchor.until(lambda: len(anchor.tunnelled()) == 2)
        assert anchor.tunnelled()[1] == (tunnel(1), hop(to_node(b"two")))
        anchor.tunnel_gives(tunnel(0), from_node(b"from the old MAG"))
        anchor.until(lambda: anchor.plane.drops() == {drops.WRONG_TUNNEL: 1})
        assert anchor.plane.remove(held.key).packets_down == 2

    @covers("N32", "T9")
    def test_a_narrow_core_network_is_learnt(self, anchor: AnchorWorld) -> None:
        """T9: the sender is told, and what may be fragmented is, before encapsulation (N32)."""
        anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=tunnel()))
        anchor.narrow(1300)
        fields = {"source": CORRESPONDENT, "destination": HOME, "protocol": 17, "payload": bytes(1400)}
        anchor.host_sends(Ipv4Packet(**fields, dont_fragment=True).encode())
        anchor.until(lambda: anchor.plane.drops() == {drops.OUTER_TOO_BIG: 1})
        anchor.host_sends(Ipv4Packet(**fields, dont_fragment=True).encode())
        anchor.until(lambda: len(anchor.delivered()) == 1)
        error = IcmpMessage.decode(Ipv4Packet.decode(anchor.delivered()[0]))
        assert (error.type, error.code, error.rest & 0xFFFF) == (3, 4, 1280)
        anchor.host_sends(Ipv4Packet(**fields).encode())
        anchor.until(lambda: len(anchor.tunnelled()) == 2)
        pieces = [Ipv4Packet.decode(inner).payload for _, inner in anchor.tunnelled()]
        assert b"".join(pieces) == bytes(1400)

    @covers("T9")
    def test_what_was_learnt_of_a_path_does_not_outlive_it(self, anchor: AnchorWorld) -> None:
        """Or one forged ICMP message would make the tunnel narrow for good."""
        anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=tunnel()))
        anchor.narrow(1300)
        fields = {"source": CORRESPONDENT, "destination": HOME, "protocol": 17, "payload": bytes(1400)}
        packet = Ipv4Packet(**fields, dont_fragment=True).encode()
        anchor.host_sends(packet)
        anchor.until(lambda: anchor.plane.drops() == {drops.OUTER_TOO_BIG: 1})
        anchor.narrow(1500)
        anchor.host_sends(packet)
        anchor.until(lambda: len(anchor.tunnelled()) == 1)
        assert anchor.delivered() == []

    @covers("P52")
    def test_an_address_without_binding_is_host_unreachable(self, anchor: AnchorWorld) -> None:
        """P52."""
        anchor.host_sends(to_node(b"anybody home"))
        anchor.until(lambda: len(anchor.delivered()) == 1)
        answer = Ipv4Packet.decode(anchor.delivered()[0])
        assert (answer.source, answer.destination) == (LOCAL, CORRESPONDENT)
        error = IcmpMessage.decode(answer)
        assert (error.type, error.code) == (DESTINATION_UNREACHABLE, HOST_UNREACHABLE)
        assert anchor.plane.drops() == {drops.NO_BINDING: 1}
        assert anchor.tunnelled() == []

    @covers("P52")
    def test_errors_about_unbound_addresses_are_rate_limited(self, anchor: AnchorWorld) -> None:
        for _ in range(60):
            anchor.host_sends(to_node(b"scan"))
        anchor.until(lambda: anchor.plane.drops() == {drops.NO_BINDING: 60})
        assert 1 <= len(anchor.delivered()) < 40

    @covers("T2")
    def test_a_packet_from_the_tunnels_exit_is_not_tunnelled(self, anchor: AnchorWorld) -> None:
        """T2: it would chase its own tail."""
        anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=tunnel()))
        anchor.host_sends(udp_packet(Endpoint(tunnel().remote, 1), Endpoint(HOME, 1), b"loop"))
        anchor.until(lambda: anchor.plane.drops() == {drops.RECURSIVE: 1})
        assert anchor.tunnelled() == []

    def test_a_correspondent_behind_the_mags_nat_is_heard(self, anchor: AnchorWorld) -> None:
        """RFC 3519: a UDP tunnel's remote address is its NAT's, which others share; that is no recursion."""
        way = tunnel(over_udp=True)
        anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=way))
        packet = udp_packet(Endpoint(way.remote, 1), Endpoint(HOME, 1), b"hello from next door")
        anchor.host_sends(packet)
        anchor.until(lambda: anchor.tunnelled() == [(way, hop(packet))])
        assert anchor.plane.drops() == {}

    def test_a_scan_of_unbound_addresses_does_not_starve_path_mtu_discovery(
        self, anchor: AnchorWorld
    ) -> None:
        """Each kind of ICMP error has its own budget."""
        anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=tunnel()))
        anchor.narrow(1300)
        for _ in range(60):
            anchor.host_sends(to_node(b"scan", OTHER_HOME))
        fields = {"source": CORRESPONDENT, "destination": HOME, "protocol": 17, "payload": bytes(1400)}
        for _ in range(2):  # the first one teaches the anchor what the path takes
            anchor.host_sends(Ipv4Packet(**fields, dont_fragment=True).encode())
        anchor.until(lambda: anchor.plane.drops().get(drops.TOO_BIG) == 1)
        kinds = [Ipv4Packet.decode(octets).payload[:2] for octets in anchor.delivered()]
        assert kinds.count(b"\x03\x04") == 1
        assert 1 <= kinds.count(b"\x03\x01") < 40

    @covers("T2")
    @pytest.mark.parametrize(
        "bad",
        [AnchorEntry(home_address=tunnel().remote, tunnel=tunnel()), entry()],
        ids=["swallows its tunnel", "a MAG's"],
    )
    def test_an_entry_that_cannot_be_carried_is_refused(self, anchor: AnchorWorld, bad: Entry) -> None:
        with pytest.raises(ForwardingError):
            anchor.plane.install(bad)
        assert anchor.plane.snapshot() == ()
