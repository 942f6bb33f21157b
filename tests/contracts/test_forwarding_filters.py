"""Filters of mobile nodes (AA25) at both ends of the tunnels, on the twin and on real packets."""

import pytest
from msgspec.structs import replace

from pmip_tw.addresses import Endpoint, prefix
from pmip_tw.forwarding import drops
from pmip_tw.forwarding.keepalives import keepalive
from pmip_tw.mobility.filter_grammar import filter_rule
from pmip_tw.mobility.packet_filters import PacketFilter
from pmip_tw.mobility.tunnels import AccessEntry, AlikeEntries, AnchorEntry, Broadcasts
from pmip_tw.wire.udp import udp_packet
from tests.conformance import covers

from ..forwarding.packets import CORRESPONDENT, HOME, NODE_MAC, OTHER_HOME, OTHER_MAC, frame, from_node, hop
from ..forwarding.worlds import (
    LOCAL,
    PORTS,
    MemoryAccess,
    MemoryAnchor,
    TunAccessWorld,
    TunAnchorWorld,
    tunnel,
)
from .entries import both_encapsulations, entry

AccessWorld = MemoryAccess | TunAccessWorld
AnchorWorld = MemoryAnchor | TunAnchorWorld

ONLY_53 = PacketFilter("walled", (filter_rule("permit both udp 10.9.0.2 port 53"),))
NO_53 = PacketFilter("no-dns", (filter_rule("deny both udp any port 53"),), permits_others=True)
LINK = prefix("10.1.0.0/24")


def down(port: int, text: bytes = b"and back", home=HOME) -> bytes:
    """From that port of the correspondent."""
    return udp_packet(Endpoint(CORRESPONDENT, port), Endpoint(home, 4000), text)


def anchored(home=HOME, **more) -> AnchorEntry:
    return AnchorEntry(home_address=home, tunnel=more.pop("way", tunnel()), **more)


@covers("AA25")
class TestAccess:
    """At a MAG."""

    @both_encapsulations
    def test_what_the_node_sends(self, access: AccessWorld, over_udp: bool) -> None:
        way = tunnel(over_udp=over_udp)
        access.plane.install(entry(way=way, filters=(ONLY_53,)))
        access.node_sends(PORTS[0], frame(from_node(b"stopped", port=80)))
        access.node_sends(PORTS[0], frame(allowed := from_node(b"allowed", port=53)))
        access.until(lambda: access.tunnelled() == [(way, hop(allowed))])
        counters = access.plane.counters(entry().key)
        assert (counters.packets_up, counters.filtered) == (1, 1)
        assert counters.last_heard > 0, "it is there, whatever it may not say"
        assert access.plane.drops()[drops.filtered_by("walled")] == 1

    @both_encapsulations
    def test_what_comes_for_it(self, access: AccessWorld, over_udp: bool) -> None:
        way = tunnel(over_udp=over_udp)
        access.plane.install(entry(way=way, filters=(ONLY_53,)))
        access.tunnel_gives(way, down(80))
        access.tunnel_gives(way, allowed := down(53))
        access.until(lambda: [octets[14:] for _, octets in access.transmitted()] == [allowed])
        counters = access.plane.counters(entry().key)
        assert (counters.packets_down, counters.filtered) == (1, 1)

    def test_others_have_none_of_it(self, access: AccessWorld) -> None:
        access.plane.install(entry(filters=(ONLY_53,)))
        access.plane.install(entry(mac=OTHER_MAC, home=OTHER_HOME))
        access.node_sends(PORTS[0], frame(from_node(b"stopped", port=80)))
        access.node_sends(PORTS[0], frame(free := from_node(b"free", OTHER_HOME, port=80), OTHER_MAC))
        access.until(lambda: access.tunnelled() == [(tunnel(), hop(free))])

    def test_another_filter_applies_at_once_and_counters_go_on(self, access: AccessWorld) -> None:
        steps = (((ONLY_53,), 80), ((NO_53,), 80), ((NO_53,), 53), ((ONLY_53, NO_53), 53), ((), 53))
        seen = []
        for sent, (filters, port) in enumerate(steps, start=1):
            access.plane.install(entry(filters=filters))
            access.node_sends(PORTS[0], frame(from_node(b"?", port=port)))

            def counted(sent: int = sent) -> bool:
                now = access.plane.counters(entry().key)
                return now.packets_up + now.filtered == sent

            access.until(counted)
            seen.append(access.plane.counters(entry().key).packets_up)
        assert seen == [0, 1, 1, 1, 2]

    def test_it_is_there_before_the_registration_is(self, access: AccessWorld) -> None:
        """What comes early for a node that asks (P77) passes its filters, too."""
        access.plane.install(entry(upstream=False, filters=(ONLY_53,)))
        access.tunnel_gives(tunnel(), down(80))
        access.tunnel_gives(tunnel(), allowed := down(53))
        access.until(lambda: [octets[14:] for _, octets in access.transmitted()] == [allowed])

    def test_a_keepalive_is_no_traffic_of_the_nodes(self, access: AccessWorld) -> None:
        """A filter must not make a good tunnel look lost (P81)."""
        access.plane.install(held := entry(filters=(ONLY_53,)))
        access.plane.keepalive(held.key)
        access.until(lambda: len(access.tunnelled()) == 1)
        (_, echo), *_ = access.tunnelled()
        answer = bytearray(echo)
        answer[12:16], answer[16:20] = echo[16:20], echo[12:16]
        answer[20] = 0
        answer[22:24] = (int.from_bytes(echo[22:24], "big") + 0x0800).to_bytes(2, "big")
        access.tunnel_gives(tunnel(), bytes(answer))
        access.until(lambda: access.receiver.answered == [held.key])
        assert access.plane.counters(held.key).filtered == 0

    def test_dhcp_of_the_mag_is_not_filtered(self, access: AccessWorld) -> None:
        access.plane.install(entry(filters=(ONLY_53,)))
        renewal = udp_packet(Endpoint(HOME, 68), Endpoint(CORRESPONDENT, 67), bytes(240))
        access.node_sends(PORTS[0], frame(renewal))
        access.until(lambda: len(access.receiver.frames) == 1)

    def test_broadcasts_of_the_home_link(self, access: AccessWorld) -> None:
        no_mdns = PacketFilter(
            "quiet", (filter_rule("deny both udp any node-port 5353"),), permits_others=True
        )
        listening = entry(broadcasts=True, prefix=LINK, filters=(no_mdns,))
        access.plane.install(listening)
        shout = udp_packet(Endpoint(HOME, 5353), Endpoint(LINK.broadcast, 5353), b"anybody", ttl=1)
        heard = udp_packet(Endpoint(OTHER_HOME, 5353), Endpoint(LINK.broadcast, 5353), b"me", ttl=1)
        access.node_sends(PORTS[0], frame(shout, destination=b"\xff" * 6))
        access.tunnel_gives(tunnel(), heard)
        access.until(lambda: access.plane.counters(listening.key).filtered == 2)
        assert (access.tunnelled(), access.transmitted()) == ([], [])

    def test_it_is_told_what_is_held(self, access: AccessWorld) -> None:
        held = entry(filters=(ONLY_53, NO_53))
        access.plane.install(held)
        assert access.plane.snapshot() == (held,)


def test_nodes_of_one_mag_are_kept_apart_by_a_filter_as_well() -> None:
    """What stays here (P86) passes the filter of who sends it and of who gets it."""
    world = MemoryAccess(local_routing=True)
    alone = PacketFilter("alone", (filter_rule("deny both ip 10.1.0.0/24"),), permits_others=True)

    def sent(sender: tuple[PacketFilter, ...], receiver: tuple[PacketFilter, ...]) -> int:
        world.plane.install(entry(filters=sender))
        world.plane.install(entry(mac=OTHER_MAC, home=OTHER_HOME, filters=receiver))
        before = len(world.transmitted())
        packet = udp_packet(Endpoint(HOME, 4000), Endpoint(OTHER_HOME, 4000), b"neighbor")
        world.node_sends(PORTS[0], frame(packet, NODE_MAC))
        return len(world.transmitted()) - before

    assert [sent((), ()), sent((alone,), ()), sent((), (alone,))] == [1, 0, 0]
    assert world.tunnelled() == []


@covers("AA25")
class TestAnchor:
    """At an LMA."""

    @both_encapsulations
    def test_what_the_node_sends(self, anchor: AnchorWorld, over_udp: bool) -> None:
        way = tunnel(over_udp=over_udp)
        anchor.plane.install(held := anchored(way=way, filters=(ONLY_53,)))
        anchor.tunnel_gives(way, from_node(b"stopped", port=80))
        anchor.tunnel_gives(way, allowed := from_node(b"allowed", port=53))
        anchor.until(lambda: len(anchor.delivered()) == 1)
        assert anchor.delivered()[0][20:] == allowed[20:]
        counters = anchor.plane.counters(held.key)
        assert (counters.packets_up, counters.filtered) == (1, 1)
        assert anchor.plane.drops()[drops.filtered_by("walled")] == 1

    @both_encapsulations
    def test_what_comes_for_it(self, anchor: AnchorWorld, over_udp: bool) -> None:
        way = tunnel(over_udp=over_udp)
        anchor.plane.install(held := anchored(way=way, filters=(ONLY_53,)))
        anchor.host_sends(down(80))
        anchor.host_sends(allowed := down(53))
        anchor.until(lambda: anchor.tunnelled() == [(way, hop(allowed))])
        assert anchor.plane.counters(held.key).filtered == 1

    def test_a_keepalive_is_answered(self, anchor: AnchorWorld) -> None:
        """It has the node's address, and is the MAG's (N37)."""
        anchor.plane.install(anchored(filters=(ONLY_53,)))
        anchor.tunnel_gives(tunnel(), keepalive(HOME, LOCAL, 7))
        anchor.until(lambda: len(anchor.tunnelled()) == 1)

    def test_it_applies_to_who_was_silent_and_goes_with_the_next_entry(self, anchor: AnchorWorld) -> None:
        """A node among many that are alike gets a filter, moves with it, and loses it."""
        anchor.plane.install_alike(AlikeEntries(tunnel(), "", [HOME, OTHER_HOME]))
        anchor.plane.install(held := anchored(filters=(ONLY_53,)))
        anchor.host_sends(down(80))
        anchor.until(lambda: anchor.plane.counters(held.key).filtered == 1)
        anchor.plane.install(moved := replace(held, tunnel=tunnel(1)))
        assert set(anchor.plane.snapshot()) == {moved, anchored(OTHER_HOME)}
        anchor.host_sends(down(80))
        anchor.host_sends(allowed := down(53))
        anchor.until(lambda: anchor.tunnelled() == [(tunnel(1), hop(allowed))])
        anchor.plane.install(replace(moved, filters=()))
        anchor.host_sends(free := down(80, b"free"))
        anchor.until(lambda: len(anchor.tunnelled()) == 2)
        assert anchor.tunnelled()[1] == (tunnel(1), hop(free))
        assert anchor.plane.counters(held.key).filtered == 2

    def test_it_is_told_what_is_held_though_nobody_has_spoken(self, anchor: AnchorWorld) -> None:
        anchor.plane.install(held := anchored(filters=(NO_53,)))
        assert anchor.plane.snapshot() == (held,)

    @pytest.mark.parametrize("kind", [Broadcasts.DIRECT, Broadcasts.WRAPPED])
    def test_broadcasts_from_the_node(self, anchor: AnchorWorld, kind: Broadcasts) -> None:
        quiet = PacketFilter("quiet", (filter_rule("deny up ip any"),), permits_others=True)
        more = {"broadcasts": kind, "prefix": LINK}
        anchor.plane.install(held := anchored(filters=(quiet,), **more))
        anchor.plane.install(anchored(OTHER_HOME, way=tunnel(1), **more))
        shout = udp_packet(Endpoint(HOME, 5353), Endpoint(LINK.broadcast, 5353), b"anybody", ttl=1)
        anchor.tunnel_gives(tunnel(), shout)
        anchor.until(lambda: anchor.plane.counters(held.key).filtered == 1)
        assert anchor.tunnelled() == []

    def test_broadcasts_that_are_wrapped_for_the_node(self, anchor: AnchorWorld) -> None:
        deaf = PacketFilter("deaf", (filter_rule("deny down ip any"),), permits_others=True)
        more = {"broadcasts": Broadcasts.WRAPPED, "prefix": LINK}
        anchor.plane.install(held := anchored(filters=(deaf,), **more))
        anchor.plane.install(anchored(OTHER_HOME, way=tunnel(1), **more))
        shout = udp_packet(Endpoint(OTHER_HOME, 5353), Endpoint(LINK.broadcast, 5353), b"anybody", ttl=1)
        anchor.tunnel_gives(tunnel(1), shout)
        anchor.until(lambda: anchor.plane.counters(held.key).filtered == 1)
        assert anchor.tunnelled() == []


def test_an_entry_without_filters_is_as_it_always_was() -> None:
    assert entry() == AccessEntry(port=PORTS[0], mac=NODE_MAC, home_address=HOME, tunnel=tunnel(), filters=())
    assert anchored() == AnchorEntry(home_address=HOME, tunnel=tunnel(), filters=())
