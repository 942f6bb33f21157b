"""Two nodes of one MAG: through the LMA (P46), or past it where that is allowed (P86)."""

from collections.abc import Iterator

import attrs
import pytest

from pmip_tw.addresses import Endpoint
from pmip_tw.mobility.tunnels import AccessEntry
from pmip_tw.wire.udp import udp_packet
from tests.conformance import covers

from .namespaces import require_namespaces
from .packets import GATEWAY_MAC, HOME, NODE_MAC, OTHER_HOME, OTHER_MAC, frame, hop
from .worlds import PORTS, MemoryAccess, TunAccessWorld, tunnel

World = MemoryAccess | TunAccessWorld

ONE = AccessEntry(port=PORTS[0], mac=NODE_MAC, home_address=HOME, tunnel=tunnel())
OTHER = AccessEntry(port=PORTS[1], mac=OTHER_MAC, home_address=OTHER_HOME, tunnel=tunnel())
HELLO = udp_packet(Endpoint(HOME, 4000), Endpoint(OTHER_HOME, 4000), b"hello neighbor")


def made(kind: str, **more: object) -> World:
    if kind == "memory":
        return MemoryAccess(**more)
    require_namespaces()
    return TunAccessWorld(**more)


@pytest.fixture(params=["memory", "tun"])
def routing(request: pytest.FixtureRequest) -> Iterator[World]:
    world = made(request.param, local_routing=True)
    yield world
    world.close()


@pytest.fixture(params=["memory", "tun"])
def tunnelling(request: pytest.FixtureRequest) -> Iterator[World]:
    world = made(request.param)
    yield world
    world.close()


def through_the_lma(world: World, *entries: AccessEntry) -> bool:
    """HELLO goes into its sender's tunnel, and to nobody here."""
    for entry in entries:
        world.plane.install(entry)
    world.node_sends(PORTS[0], frame(HELLO))
    world.until(lambda: world.tunnelled() == [(tunnel(), hop(HELLO))])
    return world.transmitted() == []


@covers("P46")
def test_by_default_the_lma_sees_everything(tunnelling: World) -> None:
    assert through_the_lma(tunnelling, ONE, OTHER)


@covers("P86")
def test_directly_with_one_hop_and_counted_for_both(routing: World) -> None:
    for entry in (ONE, OTHER):
        routing.plane.install(entry)
    routing.node_sends(PORTS[0], frame(HELLO))
    expected = (PORTS[1], OTHER_MAC + GATEWAY_MAC + b"\x08\x00" + hop(HELLO))
    routing.until(lambda: routing.transmitted() == [expected])
    assert routing.tunnelled() == []
    assert routing.plane.counters(ONE.key).packets_up == 1
    assert routing.plane.counters(OTHER.key).packets_down == 1


@covers("P86")
@pytest.mark.parametrize(
    "other",
    [attrs.evolve(OTHER, tunnel=tunnel(1)), attrs.evolve(OTHER, upstream=False)],
    ids=["of another LMA", "only claims the address"],
)
def test_never_to_a_node_whose_address_this_lma_has_not_given(routing: World, other: AccessEntry) -> None:
    """It may be somebody else's there."""
    assert through_the_lma(routing, ONE, other)


@covers("P86")
def test_who_left_is_sent_for_by_the_lma(routing: World) -> None:
    for entry in (ONE, OTHER):
        routing.plane.install(entry)
    routing.plane.remove(OTHER.key)
    assert through_the_lma(routing, ONE)
