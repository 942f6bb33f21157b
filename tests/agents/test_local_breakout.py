"""Local breakout (N58) through a node's life: it comes with the registration and goes with it."""

from pmip_tw.addresses import Ipv4, ipv4, prefix
from pmip_tw.forwarding.breakout import BreakoutRules
from pmip_tw.mobility.tunnels import Encapsulation
from pmip_tw.wire.dhcp import MessageType
from tests.agents.world import CORRESPONDENT, GATEWAY, HOME, MagNode, Station, World
from tests.conformance import covers

RULES = BreakoutRules(prefixes=(prefix("203.0.113.0/24"),), home_prefixes=(HOME,))
"""The correspondent is in the network around."""


def leaves_locally(world: World, node: MagNode, station: Station, address: Ipv4) -> bool:
    """Whether the node's packet to the correspondent leaves past the tunnel; else it is in the tunnel."""
    local, far = node.plane.local_network.left, world.plane.delivered
    before = len(local), len(far)
    world.hear(node, station.data(address))
    assert len(local) + len(far) == sum(before) + 1
    return len(local) > before[0]


def admitted(node: MagNode) -> set[Ipv4]:
    return node.plane.local_network.admitted


@covers("N58")
def test_from_the_registration_to_the_release() -> None:
    world = World(breakout=RULES)
    node, station = world.mags[0], world.stations[0]
    assert admitted(node) == set()
    address = world.attach(station, node)
    assert leaves_locally(world, node, station, address)
    for _ in range(50):  # each is a sign of life, too, without which there would be no renewal
        world.advance(20)
        assert leaves_locally(world, node, station, address)
    assert node.notes.named("registration-renewed")
    [row] = node.agent.tables()["visitors"]()
    assert (row["packets_up"], row["local_packets_up"]) == (0, 51)
    world.hear(node, station.dhcp(MessageType.RELEASE, ciaddr=address, server=GATEWAY))
    world.advance(20)
    assert admitted(node) == set()


@covers("N58", "P43")
def test_it_moves_with_the_node() -> None:
    world = World(breakout=RULES)
    station = world.stations[0]
    address = world.attach(station, world.mags[0])
    world.hear(world.mags[1], station.data(address))
    world.advance(20)
    assert [admitted(node) for node in world.mags] == [set(), {address}]
    assert leaves_locally(world, world.mags[1], station, address)


@covers("N58", "P82")
def test_another_own_address_ends_nothing() -> None:
    world = World(mags=1, breakout=RULES)
    [node] = world.mags
    station = world.stations[0]
    address = world.attach(station, node)
    node.uplink.change(ipv4("198.51.100.77"))
    world.advance(20)
    assert leaves_locally(world, node, station, address)


@covers("N58")
def test_a_restart_brings_it_back_before_anybody_is_heard() -> None:
    world = World(mags=1, breakout=RULES)
    [node] = world.mags
    address = world.attach(world.stations[0], node)
    node.kill()
    node.start()
    assert admitted(node) == {address}
    assert leaves_locally(world, node, world.stations[0], address)


@covers("N58", "P45")
def test_the_second_with_one_address_is_told_of_in_its_trace() -> None:
    """And served through its tunnel like any other."""
    keys = {"encapsulation": Encapsulation.GRE, "gre_key": "lma", "gre_key_with_d": True}
    world = World(mags=1, blue=(2,), mag_settings=keys, breakout=RULES)
    [node] = world.mags
    first, second = world.stations
    address = world.attach(first, node)
    assert world.attach(second, node) == address
    assert leaves_locally(world, node, first, address)
    assert not leaves_locally(world, node, second, address)
    [told] = node.notes.named("breakout-refused")
    assert (told.nai, told.reason) == (second.nai, "local-breakout")
    assert "has that address too" in told.cause
    rows = {row["nai"]: row for row in node.agent.tables()["visitors"]()}
    assert "local_packets_up" in rows[first.nai]
    assert "local_packets_up" not in rows[second.nai]
    assert CORRESPONDENT in RULES.prefixes[0]
