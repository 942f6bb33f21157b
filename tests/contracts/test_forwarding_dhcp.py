"""DHCP of nodes without an address, through tunnels (IForwardingPlane.open_dhcp), at both ends, on the twin and on
real packets."""

from typing import Any

import attrs
import pytest

from pmip_tw.addresses import ALL_ONES, UNSPECIFIED, Endpoint, Ipv4
from pmip_tw.errors import ForwardingError
from pmip_tw.forwarding import drops
from pmip_tw.forwarding.fragments import fragment
from pmip_tw.mobility.tunnels import AnchorEntry
from pmip_tw.wire.udp import udp_packet
from tests.conformance import covers

from ..forwarding.packets import CORRESPONDENT, HOME, OTHER_HOME, to_node
from ..forwarding.worlds import MemoryAccess, MemoryAnchor, leaving, tunnel
from .entries import entry, every_tunnel

Shape = dict[str, Any]


def discover(source: Ipv4 = UNSPECIFIED, port: int = 67, text: bytes = b"discover") -> bytes:
    """What a MAG puts into a tunnel for a node that has no address."""
    return udp_packet(Endpoint(source, 68), Endpoint(ALL_ONES, port), text)


def offer(destination: Ipv4 = ALL_ONES, port: int = 68, source_port: int = 67) -> bytes:
    """What an LMA answers."""
    return udp_packet(Endpoint(CORRESPONDENT, source_port), Endpoint(destination, port), b"offer")


class TestAnchor:
    @covers("N52")
    @every_tunnel
    def test_what_comes_out_of_an_open_tunnel_is_handed_up(self, anchor: MemoryAnchor, shape: Shape) -> None:
        way = tunnel(**shape)
        anchor.plane.open_dhcp(way)
        anchor.tunnel_gives(way, discover())
        anchor.until(lambda: len(anchor.receiver.tunneled) == 1)
        used, packet = anchor.receiver.tunneled[0]
        assert (used, packet[12:]) == (way, discover()[12:])
        assert anchor.delivered() == []

    @covers("N52")
    @every_tunnel
    def test_what_is_sent_goes_into_it_as_it_is(self, anchor: MemoryAnchor, shape: Shape) -> None:
        way = tunnel(**shape)
        anchor.plane.open_dhcp(way)
        anchor.plane.send_dhcp(way, offer())
        anchor.until(lambda: len(anchor.tunnelled()) == 1)
        used, packet = anchor.tunnelled()[0]
        assert (used, packet[12:]) == (leaving(way), offer()[12:])

    @covers("N52")
    def test_nothing_else_is(self, anchor: MemoryAnchor) -> None:
        """Other ports, the other direction, fragments: dropped as without it."""
        anchor.plane.open_dhcp(tunnel())
        pieces = fragment(discover(text=bytes(600)), 576)
        others = [discover(port=69), udp_packet(Endpoint(UNSPECIFIED, 67), Endpoint(ALL_ONES, 68), b"ack")]
        for packet in [*others, *pieces]:
            anchor.tunnel_gives(tunnel(), packet)
        anchor.until(lambda: anchor.plane.drops() == {drops.UNKNOWN_SOURCE: len(others) + len(pieces)})
        assert (anchor.receiver.tunneled, anchor.delivered()) == ([], [])

    @covers("N29", "N30", "N52")
    @pytest.mark.parametrize("over_udp", [False, True], ids=["ip", "udp"])
    def test_nothing_comes_from_another_tunnel(self, anchor: MemoryAnchor, over_udp: bool) -> None:
        """Another MAG, another port, another encapsulation."""
        anchor.plane.open_dhcp(tunnel(over_udp=over_udp))
        wrong = [
            tunnel(1, over_udp=over_udp),
            tunnel(over_udp=not over_udp),
            tunnel(over_udp=True, port=40000),
        ]
        for way in wrong:
            anchor.tunnel_gives(way, discover())
        anchor.until(lambda: anchor.plane.drops() == {drops.UNKNOWN_SOURCE: len(wrong)})
        assert anchor.receiver.tunneled == []

    @covers("N52", "T6")
    def test_what_a_home_address_sends_is_an_entrys(self, anchor: MemoryAnchor) -> None:
        """Renewals are data (N55); but for what all servers are asked; in the wrong tunnel they are nothing."""
        anchor.plane.open_dhcp(tunnel())
        anchor.plane.open_dhcp(tunnel(1))
        anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=tunnel()))
        renew = udp_packet(Endpoint(HOME, 68), Endpoint(CORRESPONDENT, 67), b"renew")
        anchor.tunnel_gives(tunnel(1), renew)
        anchor.until(lambda: anchor.plane.drops() == {drops.WRONG_TUNNEL: 1})
        anchor.tunnel_gives(tunnel(), renew)
        anchor.until(lambda: len(anchor.delivered()) == 1)
        assert anchor.receiver.tunneled == []
        rebind = udp_packet(Endpoint(HOME, 68), Endpoint(ALL_ONES, 67), b"rebind")
        anchor.tunnel_gives(tunnel(1), rebind)
        anchor.tunnel_gives(tunnel(), rebind)
        anchor.until(lambda: len(anchor.receiver.tunneled) == 1)
        assert anchor.receiver.tunneled == [(tunnel(), rebind)]
        assert anchor.plane.drops() == {drops.WRONG_TUNNEL: 2} and len(anchor.delivered()) == 1


class TestAccess:
    @covers("N52")
    @every_tunnel
    def test_what_comes_out_of_an_open_tunnel_is_handed_up(self, access: MemoryAccess, shape: Shape) -> None:
        """To everybody, or to an address that no node here has."""
        way = tunnel(**shape)
        access.plane.open_dhcp(way)
        for destination in (ALL_ONES, HOME):
            access.tunnel_gives(way, offer(destination))
        access.until(lambda: len(access.receiver.tunneled) == 2)
        assert [used for used, _ in access.receiver.tunneled] == [way, way]
        assert [packet[12:] for _, packet in access.receiver.tunneled] == [offer()[12:], offer(HOME)[12:]]
        assert access.transmitted() == []

    @covers("N52")
    @every_tunnel
    def test_what_is_sent_goes_into_it_as_it_is(self, access: MemoryAccess, shape: Shape) -> None:
        way = tunnel(**shape)
        access.plane.open_dhcp(way)
        access.plane.send_dhcp(way, discover())
        access.until(lambda: len(access.tunnelled()) == 1)
        used, packet = access.tunnelled()[0]
        assert (used, packet[12:]) == (leaving(way), discover()[12:])

    @covers("N52")
    def test_nothing_else_is(self, access: MemoryAccess) -> None:
        access.plane.open_dhcp(tunnel())
        others = [offer(port=69), offer(source_port=69), discover(), to_node(b"data")]
        for packet in others:
            access.tunnel_gives(tunnel(), packet)
        access.until(lambda: access.plane.drops() == {drops.NO_ENTRY: len(others)})
        assert (access.receiver.tunneled, access.transmitted()) == ([], [])

    @covers("N29", "N52")
    def test_nothing_comes_from_another_tunnel(self, access: MemoryAccess) -> None:
        access.plane.open_dhcp(tunnel())
        access.tunnel_gives(tunnel(1), offer())
        access.tunnel_gives(tunnel(over_udp=True), offer())
        access.until(lambda: access.plane.drops() == {drops.NO_ENTRY: 2})
        assert access.receiver.tunneled == []

    @covers("D23", "P77")
    def test_a_node_that_is_being_registered_gets_none_past_the_agent(self, access: MemoryAccess) -> None:
        """Its entry is provisional: an ACK would tell it that the address is its."""
        access.plane.open_dhcp(tunnel())
        access.plane.install(entry(upstream=False))
        access.tunnel_gives(tunnel(), offer(HOME))
        access.until(lambda: [used for used, _ in access.receiver.tunneled] == [tunnel()])
        access.tunnel_gives(tunnel(), to_node(b"data"))
        access.until(lambda: len(access.transmitted()) == 1)
        assert access.transmitted()[0][1].endswith(b"data")

    @covers("N55")
    def test_what_is_for_a_home_address_is_its_nodes(self, access: MemoryAccess) -> None:
        held = entry(shows_dhcp=True)
        access.plane.open_dhcp(held.tunnel)
        access.plane.install(held)
        access.tunnel_gives(held.tunnel, offer(HOME))
        access.until(lambda: len(access.transmitted()) == 1)
        assert access.receiver.dhcp == [(held.key, offer(HOME))]
        assert access.receiver.tunneled == []


class TestOpenAndClosed:
    """At either end."""

    @covers("N52")
    def test_without_it_dhcp_is_dropped_as_ever(self, anchor: MemoryAnchor) -> None:
        anchor.tunnel_gives(tunnel(), discover())
        anchor.until(lambda: anchor.plane.drops() == {drops.UNKNOWN_SOURCE: 1})
        anchor.plane.open_dhcp(tunnel())
        anchor.plane.open_dhcp(tunnel())
        anchor.plane.close_dhcp(tunnel())
        anchor.plane.close_dhcp(tunnel())
        anchor.tunnel_gives(tunnel(), discover())
        anchor.until(lambda: anchor.plane.drops() == {drops.UNKNOWN_SOURCE: 2})
        assert anchor.receiver.tunneled == []

    @covers("N52")
    def test_what_is_sent_where_nothing_is_open_is_lost_and_counted(self, access: MemoryAccess) -> None:
        access.plane.install(entry())
        access.plane.send_dhcp(tunnel(), discover())
        assert access.plane.drops() == {drops.NO_ENTRY: 1}
        assert access.tunnelled() == []

    @covers("P45")
    def test_an_entry_has_its_tunnel_whether_dhcp_is_open_or_not(self, access: MemoryAccess) -> None:
        access.plane.open_dhcp(tunnel())
        access.plane.install(entry())
        access.plane.close_dhcp(tunnel())
        access.tunnel_gives(tunnel(), to_node(b"data"))
        access.until(lambda: len(access.transmitted()) == 1)
        access.plane.open_dhcp(tunnel())
        access.plane.remove(entry().key)
        access.tunnel_gives(tunnel(), offer())
        access.until(lambda: len(access.receiver.tunneled) == 1)
        assert access.plane.snapshot() == ()

    def test_a_tunnel_that_cannot_be_is_refused(self, access: MemoryAccess) -> None:
        keyed = attrs.evolve(tunnel(), key_in=1, key_out=1)
        with pytest.raises(ForwardingError):
            access.plane.open_dhcp(keyed)
        access.tunnel_gives(tunnel(), offer(OTHER_HOME))
        access.until(lambda: access.plane.drops() == {drops.NO_ENTRY: 1})

    @covers("N32")
    def test_what_is_too_long_is_fragmented_before(self, access: MemoryAccess) -> None:
        """Never the outer packet."""
        way = tunnel(over_udp=True)
        access.plane.open_dhcp(way)
        long = discover(text=bytes(2000))
        access.plane.send_dhcp(way, long)
        access.until(lambda: len(access.tunnelled()) == 2)
        assert b"".join(packet[20:] for _, packet in access.tunnelled()) == long[20:]
