"""A network whose access points authenticate by themselves (AA27), from the Accept to the end of the visit."""

import attrs

from pmip_tw.agents.mag import Mag
from pmip_tw.mobility.tunnels import AccessKey
from pmip_tw.wire.dhcp import MessageType
from tests.agents.world import PORT, MagNode, Station, World
from tests.conformance import covers
from tests.mag.test_elsewhere import behind_access_points

pytestmark = covers("AA27")


class Campus(World):
    """All access interfaces have access points behind them."""

    def __init__(self) -> None:
        super().__init__(mag_settings={"access": behind_access_points(PORT, "acc1")})

    def let_in(self, station: Station, node: MagNode, port: str = PORT) -> None:
        node.access_points.let_in(AccessKey(port, station.mac), self.verdicts[station.mac].profile)
        self.network.deliver()


def test_who_was_let_in_has_service_and_nobody_else() -> None:
    world = Campus()
    station, stranger = world.stations
    node = world.mags[0]
    world.let_in(station, node)
    assert node.states == {station.nai: "registered"}
    address = world.attach(station, node)
    world.hear(node, station.data(address))
    assert len(world.plane.delivered) == 1
    world.hear(node, stranger.dhcp(MessageType.DISCOVER))
    world.hear(node, stranger.data(address))
    assert node.told() == [] and len(world.plane.delivered) == 1 and node.aaa.asked == []


def test_an_accept_at_another_mag_is_a_handover() -> None:
    """The node has not sent anything there yet, and what is sent to it arrives there already."""
    world = Campus()
    station, _ = world.stations
    first, second = world.mags
    world.let_in(station, first)
    address = world.attach(station, first)
    world.let_in(station, second)
    assert second.states == {station.nai: "registered"}
    assert first.states == {}
    world.hear(second, station.data(address))
    assert len(world.plane.delivered) == 1


def test_its_access_point_ends_the_visit() -> None:
    world = Campus()
    station, _ = world.stations
    node = world.mags[0]
    world.let_in(station, node)
    node.access_points.let_go(AccessKey(PORT, station.mac))
    world.network.deliver()
    assert node.states == {} and len(world.lma_engine.bindings) == 0
    assert node.access_points.expelled == []


def test_the_operator_ends_it_and_its_access_point_is_told() -> None:
    world = Campus()
    station, _ = world.stations
    node = world.mags[0]
    world.let_in(station, node)
    assert isinstance(node.agent, Mag)
    node.agent.detach(station.nai)
    assert node.access_points.expelled == [AccessKey(PORT, station.mac)]


@covers("AA25")
def test_filters_that_nobody_knows_are_a_reject_before_anybody_is_let_in() -> None:
    world = Campus()
    station, _ = world.stations
    node = world.mags[0]
    profile = attrs.evolve(world.verdicts[station.mac].profile, filter_ids=("unheard-of",))
    node.access_points.let_in(AccessKey(PORT, station.mac), profile)
    assert node.states == {} and node.access_points.expelled == []
    world.hear(node, station.dhcp(MessageType.DISCOVER))
    assert node.states == {}
