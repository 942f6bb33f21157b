"""Packets that would go round in a circle, or come out of the tunnel that they are put into."""

import pytest

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.forwarding import drops
from pmip_tw.mobility.tunnels import AnchorEntry, Tunnel
from pmip_tw.wire.encapsulation import ip_in_ip_header
from pmip_tw.wire.udp import udp_packet
from tests.conformance import covers

from .packets import CORRESPONDENT, HOME, OTHER_HOME, hop, to_node
from .worlds import LOCAL, PEERS, MemoryAnchor, tunnel


@covers("L8", "T2")
def test_what_the_care_of_address_tunnels_to_the_home_address_is_not_tunnelled_back() -> None:
    """It came out of there, or says so: the circle that RFC 5944 4.2.3 forbids."""
    anchor = MemoryAnchor()
    anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=tunnel()))
    inner = to_node(b"round and round")
    anchor.host_sends(ip_in_ip_header(tunnel().remote, HOME, inner) + inner)
    assert anchor.tunnelled() == []
    assert anchor.plane.drops() == {drops.RECURSIVE: 1}


@covers("L8")
def test_what_somebody_else_tunnels_to_the_home_address_is_nested() -> None:
    anchor = MemoryAnchor()
    anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=tunnel()))
    inner = to_node(b"a tunnel of its own")
    outer = ip_in_ip_header(CORRESPONDENT, HOME, inner) + inner
    anchor.host_sends(outer)
    assert anchor.tunnelled() == [(tunnel(), hop(outer))]
    assert anchor.plane.drops() == {}


@covers("T2")
def test_what_the_machine_itself_sends_reaches_its_nodes() -> None:
    """Its ICMP errors come from its own address: without them path MTU discovery would fail."""
    anchor = MemoryAnchor()
    anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=tunnel()))
    own = udp_packet(Endpoint(LOCAL, 53), Endpoint(HOME, 4000), b"from the LMA's machine")
    anchor.host_sends(own)
    assert anchor.tunnelled() == [(tunnel(), hop(own))]


@covers("L8", "T2")
@pytest.mark.parametrize(
    ("way", "source"),
    [(tunnel(), LOCAL), (tunnel(over_udp=True), LOCAL), (tunnel(over_udp=True), PEERS[0])],
    ids=["our own address", "our own address, UDP", "the MAG's NAT"],
)
def test_what_is_in_a_tunnel_to_the_node_already_does_not_go_round(way: Tunnel, source: Ipv4) -> None:
    anchor = MemoryAnchor()
    anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=way))
    inner = to_node(b"round and round")
    anchor.host_sends(ip_in_ip_header(source, HOME, inner) + inner)
    assert anchor.tunnelled() == []
    assert anchor.plane.drops() == {drops.RECURSIVE: 1}
    other = to_node(b"somewhere else", OTHER_HOME)
    nested = ip_in_ip_header(source, HOME, other) + other
    anchor.host_sends(nested)
    assert anchor.tunnelled() == [(way, hop(nested))]
