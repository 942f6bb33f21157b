"""An LMA's address spaces, and copies for simultaneous bindings, on the twin and on real packets.

10.9.0.2 --- [main] 10.1.0.2 == tunnel == a node of one realm
10.9.0.2 --- [blue] 10.1.0.2 == tunnel == a node of another
"""

import pytest

from pmip_tw.errors import ForwardingError
from pmip_tw.forwarding import drops
from pmip_tw.mobility.tunnels import AnchorEntry, AnchorKey, Encapsulation
from pmip_tw.wire.icmp import IcmpMessage
from pmip_tw.wire.ipv4 import Ipv4Packet
from tests.conformance import covers

from ..forwarding.packets import CORRESPONDENT, HOME, OTHER_HOME, from_node, hop, to_node
from ..forwarding.worlds import BLUE, MemoryAnchor, MemoryRealms, leaving, tunnel

MAIN_KEYED = tunnel(kind=Encapsulation.GRE, keys=(1, 11))
BLUE_KEYED = tunnel(kind=Encapsulation.GRE, keys=(2, 12))


@covers("P49", "P85")
class TestDomains:
    @pytest.mark.parametrize(
        ("main", "blue"),
        [(tunnel(0), tunnel(1)), (MAIN_KEYED, BLUE_KEYED)],
        ids=["two MAGs", "one MAG, keys"],
    )
    def test_one_address_in_two_realms(self, realms: MemoryRealms, main, blue) -> None:
        """Each node reaches its own correspondent and is reached by it."""
        realms.plane.install(AnchorEntry(home_address=HOME, tunnel=main))
        realms.plane.install(AnchorEntry(home_address=HOME, tunnel=blue, domain=BLUE))
        realms.host_sends(to_node(b"to blue"), BLUE)
        realms.until(lambda: realms.tunnelled() == [(leaving(blue), hop(to_node(b"to blue")))])
        realms.host_sends(to_node(b"to main"))
        realms.until(lambda: realms.tunnelled()[1:] == [(leaving(main), hop(to_node(b"to main")))])
        realms.tunnel_gives(blue, from_node(b"from blue"))
        realms.until(lambda: len(realms.delivered(BLUE)) == 1)
        assert realms.delivered(BLUE)[0].endswith(b"from blue")
        realms.tunnel_gives(main, from_node(b"from main"))
        realms.until(lambda: any(packet.endswith(b"from main") for packet in realms.delivered()))
        assert len(realms.delivered(BLUE)) == 1
        assert realms.plane.drops() == {}
        moved = realms.plane.counters(AnchorKey(HOME, BLUE))
        assert (moved.packets_up, moved.packets_down) == (1, 1)

    def test_a_domain_is_removed_alone(self, realms: MemoryRealms) -> None:
        main = AnchorEntry(home_address=HOME, tunnel=tunnel(0))
        blue = AnchorEntry(home_address=HOME, tunnel=tunnel(1), domain=BLUE)
        realms.plane.install(main)
        realms.plane.install(blue)
        assert set(realms.plane.snapshot()) == {main, blue}
        realms.plane.remove(main.key)
        assert realms.plane.snapshot() == (blue,)
        realms.tunnel_gives(tunnel(0), from_node(b"forged"))
        realms.until(lambda: realms.plane.drops() == {drops.WRONG_TUNNEL: 1})
        assert realms.delivered(BLUE) == []

    @covers("P45")
    def test_one_tunnel_carries_an_address_once(self, realms: MemoryRealms) -> None:
        """Upstream could not tell the two apart; the first one stays."""
        first = AnchorEntry(home_address=HOME, tunnel=tunnel())
        realms.plane.install(first)
        for second in (
            AnchorEntry(home_address=HOME, tunnel=tunnel(), domain=BLUE),
            AnchorEntry(home_address=HOME, tunnel=tunnel(1), copies=(tunnel(),), domain=BLUE),
        ):
            with pytest.raises(ForwardingError, match=r"10\.1\.0\.2"):
                realms.plane.install(second)
        assert realms.plane.snapshot() == (first,)
        realms.tunnel_gives(tunnel(), from_node(b"of the first"))
        realms.until(lambda: len(realms.delivered()) == 1)
        assert realms.delivered(BLUE) == []

    def test_a_refused_entry_leaves_no_trace_of_its_tunnels(self, realms: MemoryRealms) -> None:
        """Once the holder has gone as well, nothing is agreed upon with that endpoint."""
        first = AnchorEntry(home_address=HOME, tunnel=tunnel(over_udp=True))
        realms.plane.install(first)
        second = AnchorEntry(
            home_address=HOME, tunnel=tunnel(1), copies=(tunnel(over_udp=True),), domain=BLUE
        )
        with pytest.raises(ForwardingError, match="P45"):
            realms.plane.install(second)
        realms.plane.remove(first.key)
        realms.plane.install(AnchorEntry(home_address=HOME, tunnel=tunnel(1)))
        realms.tunnel_gives(tunnel(over_udp=True, kind=Encapsulation.GRE), from_node(b"nobody"))
        realms.until(lambda: realms.plane.drops() == {drops.WRONG_TUNNEL: 1})

    def test_an_unknown_domain_is_named(self, realms: MemoryRealms) -> None:
        with pytest.raises(ForwardingError, match="there is no domain 'green'"):
            realms.plane.install(AnchorEntry(home_address=HOME, tunnel=tunnel(), domain="green"))

    @covers("P52")
    def test_errors_of_a_domain_reach_its_own_correspondent(self, realms: MemoryRealms) -> None:
        """From its home link's router; the other realm's correspondent has the same address and hears nothing."""
        realms.host_sends(to_node(b"anybody home", OTHER_HOME), BLUE)
        realms.until(lambda: realms.plane.drops() == {drops.NO_BINDING: 1})
        if isinstance(realms, MemoryRealms):
            errors = realms.plane.answered
        else:
            realms.until(lambda: len(realms.delivered(BLUE)) == 1)
            errors = realms.delivered(BLUE)
            assert realms.delivered() == []
        error = Ipv4Packet.decode(errors[0])
        assert (error.source, error.destination) == (HOME - 1, CORRESPONDENT)
        assert (IcmpMessage.decode(error).type, IcmpMessage.decode(error).code) == (3, 1)


@covers("L3")
class TestCopies:
    """Simultaneous bindings: one home address behind several MAGs."""

    HELD = AnchorEntry(home_address=HOME, tunnel=tunnel(0), copies=(tunnel(1), tunnel(1, over_udp=True)))

    def test_every_packet_goes_into_each_tunnel_and_is_counted_once(self, anchor: MemoryAnchor) -> None:
        anchor.plane.install(self.HELD)
        anchor.host_sends(to_node(b"to both"))
        anchor.until(lambda: len(anchor.tunnelled()) == 3)
        ways = (tunnel(0), tunnel(1), tunnel(1, over_udp=True))
        assert set(anchor.tunnelled()) == {(way, hop(to_node(b"to both"))) for way in ways}
        assert anchor.plane.counters(self.HELD.key).packets_down == 1

    def test_each_tunnel_may_bring_packets(self, anchor: MemoryAnchor) -> None:
        anchor.plane.install(self.HELD)
        for way in (tunnel(0), tunnel(1), tunnel(1, over_udp=True)):
            anchor.tunnel_gives(way, from_node(b"from one of them"))
        anchor.until(lambda: len(anchor.delivered()) == 3)
        assert anchor.plane.counters(self.HELD.key).packets_up == 3
        assert anchor.plane.drops() == {}

    @covers("T6")
    def test_one_less_is_heard_no_more(self, anchor: MemoryAnchor) -> None:
        """The others stay, and the counters go on."""
        anchor.plane.install(self.HELD)
        anchor.tunnel_gives(tunnel(1), from_node(b"one"))
        anchor.until(lambda: len(anchor.delivered()) == 1)
        anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=tunnel(0)))
        anchor.tunnel_gives(tunnel(1), from_node(b"two"))
        anchor.until(lambda: anchor.plane.drops() == {drops.WRONG_TUNNEL: 1})
        anchor.host_sends(to_node(b"to one"))
        anchor.until(lambda: anchor.tunnelled() == [(tunnel(0), hop(to_node(b"to one")))])
        assert anchor.plane.remove(self.HELD.key).packets_up == 1
        assert anchor.plane.snapshot() == ()

    @covers("T2")
    def test_from_none_of_the_far_ends_into_the_tunnels(self, anchor: MemoryAnchor) -> None:
        held = AnchorEntry(home_address=HOME, tunnel=tunnel(0), copies=(tunnel(1),))
        anchor.plane.install(held)
        for way in (held.tunnel, *held.copies):
            packet = Ipv4Packet(source=way.remote, destination=HOME, protocol=17, payload=bytes(16))
            anchor.host_sends(packet.encode())
        anchor.until(lambda: anchor.plane.drops() == {drops.RECURSIVE: 2})
        assert anchor.tunnelled() == []

    def test_the_same_tunnel_twice_is_one(self, anchor: MemoryAnchor) -> None:
        anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=tunnel(0), copies=(tunnel(0), tunnel(1))))
        anchor.host_sends(to_node(b"once each"))
        anchor.host_sends(to_node(b"and again"))
        anchor.until(lambda: len(anchor.tunnelled()) == 4)
        anchor.plane.remove(AnchorKey(HOME))
        assert anchor.plane.snapshot() == ()
