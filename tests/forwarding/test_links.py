"""Links that go down, come back, or vanish under a running packet plane, with a reactor that polls for real."""

from collections.abc import Iterator

import pytest
from twisted.internet.epollreactor import EPollReactor
from twisted.internet.pollreactor import PollReactor
from twisted.logger import LogEvent, globalLogPublisher

from pmip_tw.mobility.tunnels import AccessEntry, AnchorEntry

from .namespaces import require_namespaces
from .packets import HOME, NODE_MAC, frame, from_node, hop, to_node
from .worlds import PORTS, TunAccessWorld, TunAnchorWorld, tunnel


@pytest.fixture(params=[EPollReactor, PollReactor], ids=["epoll", "poll"])
def access(request: pytest.FixtureRequest) -> Iterator[TunAccessWorld]:
    """A MAG's plane with one mobile node."""
    require_namespaces()
    world = TunAccessWorld(request.param())
    world.plane.install(AccessEntry(port=PORTS[0], mac=NODE_MAC, home_address=HOME, tunnel=tunnel()))
    yield world
    world.close()


@pytest.fixture
def logged() -> Iterator[list[LogEvent]]:
    events: list[LogEvent] = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


def hears(world: TunAccessWorld, packet: bytes) -> bool:
    """Send once more: until the kernel has noticed the carrier, a link that just came up swallows frames."""
    world.node_sends(PORTS[0], frame(packet))
    return (tunnel(), hop(packet)) in world.tunnelled()


def test_an_access_interface_that_went_down_is_read_again_when_it_is_up(
    access: TunAccessWorld, logged: list[LogEvent]
) -> None:
    """Otherwise no node behind it would be heard until the daemon is restarted."""
    for number in range(1, 4):
        access.inside.set_state(PORTS[0], "down")
        access.until(lambda: [event["what"] for event in logged].count(PORTS[0]) == number)  # noqa: B023
        access.inside.set_state(PORTS[0], "up")
        packet = from_node(b"again %d" % number)
        access.until(lambda: hears(access, packet))  # noqa: B023 - called at once
    access.tunnel_gives(tunnel(), to_node(b"and downstream"))
    access.until(lambda: [octets[-14:] for _, octets in access.transmitted()] == [b"and downstream"])


def test_the_other_interface_does_not_notice(access: TunAccessWorld) -> None:
    access.inside.set_state(PORTS[1], "down")
    access.reactor.iterate(0.01)
    packet = from_node(b"hello")
    access.node_sends(PORTS[0], frame(packet))
    access.until(lambda: access.tunnelled() == [(tunnel(), hop(packet))])


def test_an_interface_that_vanished_is_named_once(access: TunAccessWorld, logged: list[LogEvent]) -> None:
    """A new one of its name is another interface: the plane must be started again."""
    access.inside.delete(PORTS[1])

    def told() -> list[str]:
        return [event["what"] for event in logged if event["log_level"].name == "critical"]

    access.until(lambda: told() == [PORTS[1]])
    for _ in range(5):
        access.reactor.iterate(0.01)
    assert told() == [PORTS[1]]


def test_an_anchor_whose_device_is_taken_down_says_what_that_costs(logged: list[LogEvent]) -> None:
    """The kernel forgets the routes of a device that goes down, and nothing else would tell. Once is enough."""
    require_namespaces()
    world = TunAnchorWorld()
    try:
        world.plane.install(AnchorEntry(home_address=HOME, tunnel=tunnel()))
        world.inside.set_state("mip0", "down")
        for _ in range(3):
            world.tunnel_gives(tunnel(), from_node(b"anybody"))
        world.until(lambda: sum(world.plane.drops().values()) == 3)
        told = [event for event in logged if event["log_level"].name == "critical"]
        assert [event["device"] for event in told] == ["mip0"]
    finally:
        world.close()
