"""The twin as part of a simulated network."""

from pmip_tw.forwarding.memory import MemoryPlane, far_end
from pmip_tw.mobility.tunnels import AccessEntry, AnchorEntry

from .packets import GATEWAY_MAC, HOME, NODE_MAC, frame, from_node, hop, to_node
from .worlds import LOCAL, PEERS, tunnel


def test_two_twins_carry_packets_to_each_other() -> None:
    """A MAG and an LMA, joined by their carriers, with both encapsulations."""
    for over_udp in (False, True):
        mag = MemoryPlane(monotonic=lambda: 5.0, local=LOCAL, ports=("eth1",))
        lma = MemoryPlane(monotonic=lambda: 6.0, local=PEERS[0])
        mag.carrier = lambda way, inner, lma=lma: lma.arrive(far_end(way), inner)
        lma.carrier = lambda way, inner, mag=mag: mag.arrive(far_end(way), inner)
        way = tunnel(over_udp=over_udp)
        mag.install(AccessEntry(port="eth1", mac=NODE_MAC, home_address=HOME, tunnel=way))
        held = AnchorEntry(home_address=HOME, tunnel=far_end(way))
        lma.install(held)
        mag.node_sends("eth1", frame(from_node(b"up")))
        lma.host_sends(to_node(b"down"))
        assert lma.delivered == [hop(from_node(b"up"))]
        assert mag.transmitted == [("eth1", NODE_MAC + GATEWAY_MAC + b"\x08\x00" + to_node(b"down"))]
        assert lma.counters(held.key).last_heard == 6.0
        assert mag.drops() == lma.drops() == {}


def test_the_far_end_of_the_far_end_is_the_tunnel_itself() -> None:
    for over_udp in (False, True):
        assert far_end(far_end(tunnel(over_udp=over_udp))) == tunnel(over_udp=over_udp)
