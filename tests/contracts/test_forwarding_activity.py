"""What the packet plane tells of a path (IForwardingPlane.activity), at both ends, on the twin and on real packets."""

from typing import Any

from pmip_tw.mobility.tunnels import Activity, AnchorEntry, Encapsulation
from tests.conformance import covers

from ..forwarding.packets import HOME, OTHER_HOME, OTHER_MAC, frame, from_node, to_node
from ..forwarding.worlds import PORTS, MemoryAccess, MemoryAnchor, tunnel
from .entries import entry, every_tunnel

Shape = dict[str, Any]
NOTHING = Activity()


class TestAccess:
    @covers("N38", "N59")
    @every_tunnel
    def test_who_has_sent_waits_for_what_comes(self, access: MemoryAccess, shape: Shape) -> None:
        way = tunnel(**shape)
        access.plane.install(entry(way=way))
        assert access.plane.activity(way) == NOTHING
        access.node_sends(PORTS[0], frame(from_node(b"up")))
        access.until(lambda: len(access.tunnelled()) == 1)
        asked = access.plane.activity(way)
        assert 0 < asked.waiting_since == asked.sent == access.plane.counters(entry().key).last_sent
        assert (asked.waiting, asked.heard) == (entry().key, 0)
        access.tunnel_gives(way, to_node(b"down"))
        access.until(lambda: len(access.transmitted()) == 1)
        told = access.plane.activity(way)
        assert told.waiting is None and told.sent == asked.sent <= told.heard

    @covers("N59")
    def test_who_has_waited_longest_is_told_since_its_first_packet(self, access: MemoryAccess) -> None:
        second = entry(mac=OTHER_MAC, home=OTHER_HOME)
        for one in (entry(), second):
            access.plane.install(one)
        frames = [frame(from_node(b"up")), frame(from_node(b"up", OTHER_HOME), OTHER_MAC)]
        for number, sent in enumerate((*frames, frames[0]), 1):
            access.node_sends(PORTS[0], sent)
            access.until(lambda number=number: len(access.tunnelled()) == number)
        found = access.plane.activity(tunnel())
        assert found.waiting == entry().key and found.waiting_since < found.sent
        access.tunnel_gives(tunnel(), to_node(b"down"))
        access.until(lambda: access.plane.activity(tunnel()).waiting == second.key)

    @covers("N42")
    def test_one_path_for_all_keys(self, access: MemoryAccess) -> None:
        mine, others = (tunnel(kind=Encapsulation.GRE, keys=keys) for keys in ((1, 2), (3, 4)))
        access.plane.install(entry(way=mine))
        access.plane.install(entry(mac=OTHER_MAC, home=OTHER_HOME, way=others))
        access.node_sends(PORTS[0], frame(from_node(b"up")))
        access.until(lambda: len(access.tunnelled()) == 1)
        assert access.plane.activity(others) == access.plane.activity(mine) != NOTHING
        assert access.plane.activity(tunnel(kind=Encapsulation.GRE)).waiting == entry().key
        assert access.plane.activity(tunnel()) == NOTHING

    @covers("N38")
    def test_a_keepalive_is_sent_and_nobody_waits_for_it(self, access: MemoryAccess) -> None:
        access.plane.install(entry())
        access.plane.keepalive(entry().key)
        access.until(lambda: len(access.tunnelled()) == 1)
        found = access.plane.activity(tunnel())
        assert found.sent > 0 and found.waiting is None
        assert access.plane.counters(entry().key).last_sent == 0

    def test_who_is_replaced_or_gone_waits_no_more(self, access: MemoryAccess) -> None:
        access.plane.install(entry())
        for number in (1, 2):
            access.node_sends(PORTS[0], frame(from_node(b"up")))
            access.until(lambda number=number: len(access.tunnelled()) == number)
            assert access.plane.activity(tunnel()).waiting == entry().key
            if number == 1:
                access.plane.install(entry())
                assert access.plane.activity(tunnel()).waiting is None
        access.plane.remove(entry().key)
        assert access.plane.activity(tunnel()) == NOTHING

    def test_only_what_came_through_the_tunnel_was_heard(self, access: MemoryAccess) -> None:
        access.plane.install(entry())
        access.node_sends(PORTS[0], frame(from_node(b"up")))
        access.until(lambda: len(access.tunnelled()) == 1)
        access.tunnel_gives(tunnel(1), to_node(b"down"))
        access.until(lambda: access.plane.drops() != {})
        assert access.plane.activity(tunnel()).waiting == entry().key
        assert access.plane.activity(tunnel()).heard == 0


class TestAnchor:
    @every_tunnel
    def test_both_ways(self, anchor: MemoryAnchor, shape: Shape) -> None:
        way = tunnel(**shape)
        anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=way))
        assert anchor.plane.activity(way) == NOTHING
        anchor.tunnel_gives(way, from_node(b"up"))
        anchor.until(lambda: len(anchor.delivered()) == 1)
        heard = anchor.plane.activity(way)
        assert heard.heard > 0 == heard.sent
        anchor.host_sends(to_node(b"down"))
        anchor.until(lambda: len(anchor.tunnelled()) == 1)
        sent = anchor.plane.activity(way)
        assert sent.sent >= sent.heard == heard.heard and sent.waiting is None

    def test_of_several_tunnels_the_one_that_it_came_through(self, anchor: MemoryAnchor) -> None:
        anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=tunnel(0), copies=(tunnel(1),)))
        anchor.tunnel_gives(tunnel(1), from_node(b"up"))
        anchor.until(lambda: len(anchor.delivered()) == 1)
        assert anchor.plane.activity(tunnel(1)).heard > 0 == anchor.plane.activity(tunnel(0)).heard

    def test_what_is_dropped_was_not_heard(self, anchor: MemoryAnchor) -> None:
        anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=tunnel(0)))
        anchor.plane.install(AnchorEntry(home_address=OTHER_HOME, tunnel=tunnel(1)))
        anchor.tunnel_gives(tunnel(1), from_node(b"up"))
        anchor.until(lambda: anchor.plane.drops() != {})
        assert anchor.plane.activity(tunnel(1)) == anchor.plane.activity(tunnel(0)) == NOTHING
