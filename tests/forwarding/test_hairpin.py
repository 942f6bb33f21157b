"""A packet from one mobile node to another comes out of a tunnel and goes into one, and the machine between agrees."""

from collections.abc import Iterator

import pytest

from pmip_tw.addresses import Endpoint
from pmip_tw.mobility.tunnels import AnchorEntry
from pmip_tw.wire.udp import udp_packet
from tests.conformance import covers

from .namespaces import require_namespaces
from .packets import HOME, OTHER_HOME, hop
from .worlds import TunAnchorWorld, tunnel

HELLO = udp_packet(Endpoint(HOME, 4000), Endpoint(OTHER_HOME, 4000), b"hello neighbor")


@pytest.fixture
def anchor() -> Iterator[TunAnchorWorld]:
    require_namespaces()
    world = TunAnchorWorld()
    yield world
    world.close()


@covers("P46")
@pytest.mark.parametrize("peer", [0, 1], ids=["same MAG", "another MAG"])
def test_one_node_reaches_another_through_the_lma(anchor: TunAnchorWorld, peer: int) -> None:
    """And is told of no shorter way: to the kernel both are behind one device, but there is none."""
    anchor.plane.install(AnchorEntry(home_address=HOME, tunnel=tunnel()))
    anchor.plane.install(AnchorEntry(home_address=OTHER_HOME, tunnel=tunnel(peer)))
    for _ in range(5):
        anchor.tunnel_gives(tunnel(), HELLO)
    anchor.until(lambda: len(anchor.tunnelled()) >= 5)
    for _ in range(10):
        anchor.reactor.iterate(0.01)
    assert set(anchor.tunnelled()) == {(tunnel(peer), hop(HELLO))}
    assert anchor.plane.drops() == {}
