"""Packets that would go round in a circle, or come out of the tunnel that they are put into."""

from pmip_tw.forwarding import drops
from pmip_tw.mobility.tunnels import AnchorEntry
from pmip_tw.wire.encapsulation import ip_in_ip_header
from tests.conformance import covers

from .packets import CORRESPONDENT, HOME, hop, to_node
from .worlds import MemoryAnchor, tunnel


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
