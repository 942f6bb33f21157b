"""What goes wrong around a MAG: AAA, LMA, packet plane and network fail, and come back."""

import attrs
import pytest

from pmip_tw.aaa.verdicts import Unavailable
from pmip_tw.addresses import Ipv4, ipv4
from pmip_tw.mobility.tunnels import AccessKey
from pmip_tw.wire.dhcp import MessageType
from tests.agents.world import GATEWAY, LMA, PORT, MagNode, Station, World, association
from tests.conformance import covers


def told_kinds(node: MagNode) -> list[MessageType | None]:
    return [message.message_type for message in node.told()]


def test_aaa_that_comes_back_serves_the_clients_next_discover() -> None:
    world = World()
    station, node = world.stations[0], world.mags[0]
    accepting = node.aaa.verdicts[station.mac]
    node.aaa.verdicts[station.mac] = Unavailable("192.0.2.5:1812 does not answer")
    world.hear(node, station.dhcp(MessageType.DISCOVER))
    assert node.told() == []
    [note] = node.notes.named("aaa-unavailable")
    assert note.cause == "192.0.2.5:1812 does not answer"
    node.aaa.verdicts[station.mac] = accepting
    world.advance(4)
    world.attach(station, node)


def test_lma_that_is_down_is_named_and_its_return_is_noticed_at_the_next_discover() -> None:
    world = World()
    station, node = world.stations[0], world.mags[0]
    world.lma.stop()
    for _ in range(3):
        world.hear(node, station.dhcp(MessageType.DISCOVER))
        world.advance(4)
    assert node.told() == []
    causes = [note.cause for note in node.notes.named("registration-unanswered")]
    assert "nothing listens on UDP port 434" in causes[0]
    world.start_lma()
    world.hear(node, station.dhcp(MessageType.DISCOVER))
    world.advance(0.1, step=0.02)
    assert told_kinds(node) == [MessageType.OFFER]


def test_lma_that_was_silent_for_minutes_is_asked_again_without_an_operator() -> None:
    world = World()
    station, node = world.stations[0], world.mags[0]
    world.network.silent.add(LMA)
    for _ in range(20):
        world.hear(node, station.dhcp(MessageType.DISCOVER))
        world.advance(10, step=1)
    world.network.silent.clear()
    world.hear(node, station.dhcp(MessageType.DISCOVER))
    world.advance(0.1, step=0.02)
    assert MessageType.OFFER in told_kinds(node)


@covers("I9", "P17")
def test_clocks_that_are_apart_are_followed_once_per_lma() -> None:
    world = World()
    node = world.mags[0]
    node.agent._clock = SlowClock(world, 100.0)
    for station in world.stations:
        world.attach(station, node)
    assert len(node.notes.named("clock-resynchronized")) == 1
    assert node.engine.clock_offset(LMA) == 100


class SlowClock:
    """The world's clock, behind by ``seconds`` of wall time."""

    def __init__(self, world: World, seconds: float) -> None:
        self._clock = world.clock
        self._seconds = seconds

    def now(self):
        now = self._clock.now()
        return attrs.evolve(now, wall=now.wall - self._seconds)

    def wake_at(self, deadline, callback) -> None:
        self._clock.wake_at(deadline, callback)


class TestPacketPlaneFails:
    """An entry that cannot be installed is that node's trouble alone."""

    def test_the_node_is_not_promised_anything_and_its_binding_goes(self) -> None:
        world = World()
        station, node = world.stations[0], world.mags[0]
        node.plane.fail_next_install("no room left")
        world.hear(node, station.dhcp(MessageType.DISCOVER))
        assert node.told() == []
        [failed] = node.notes.named("forwarding-failed")
        assert "no room left" in failed.cause and failed.nai == station.nai
        assert node.notes.named("registration-accepted") == []
        assert len(world.lma_engine.bindings) == 0
        assert len(node.engine.visitors) == 0
        world.advance(31)
        world.attach(station, node)

    def test_without_a_provisional_entry_it_is_registered_all_the_same(self) -> None:
        world = World()
        station, (first, second) = world.stations[0], world.mags
        address = world.attach(station, first)
        second.plane.fail_next_install("no room left")
        world.hear(second, station.data(address, b"moved"))
        assert second.states == {station.nai: "registered"}
        assert world.plane.delivered[-1].endswith(b"moved")

    def test_another_nodes_effects_in_the_same_wake_up_are_carried_out(self) -> None:
        """Two nodes try again at the same instant; one entry fails, and the other's request leaves all the same."""
        world = World(lma_settings={"handover_min_interval": 0.5})
        first, second = world.mags
        addresses = [world.attach(station, first) for station in world.stations]
        for node in (second, first):
            for station, address in zip(world.stations, addresses, strict=True):
                world.hear(node, station.data(address))
        assert set(first.states.values()) == {"waiting"}
        world.advance(0.5)
        for station, address in zip(world.stations, addresses, strict=True):
            world.hear(first, station.data(address))
        first.plane.fail_next_install("no room left")
        world.clock.advance(
            1.0
        )  # both are due in one wake-up, and nothing arrives before both have been served
        assert len(first.notes.named("not-prepared")) == 1
        world.network.deliver()
        assert set(first.states.values()) == {"registered"}

    def test_an_address_that_is_an_end_of_the_tunnel_is_no_way_to_stop_a_mag(self) -> None:
        world = World()
        station, node = world.stations[0], world.mags[0]
        world.hear(node, station.data(LMA))
        assert [note.reason for note in node.notes.named("not-prepared")] == ["forwarding"]
        world.advance(2)
        world.attach(station, node)


def test_stopping_leaves_no_wake_up_behind() -> None:
    world = World()
    node = world.mags[0]
    node.aaa.held = True
    world.hear(node, world.stations[0].data(ipv4("10.1.0.9")))
    world.hear(node, world.stations[1].data(ipv4("10.1.0.8")))
    node.agent.stop()
    sent = len(world.network.carried)
    world.advance(100, step=5)
    assert len(world.network.carried) == sent


@covers("P15", "P79")
class TestStrayFrames:
    """A frame that sat in a socket buffer says where the node was, not where it is (P15, P79)."""

    @pytest.mark.parametrize("late", [0.0, 0.3, 0.9])
    def test_after_the_revocation_it_does_not_bring_the_binding_back(self, late: float) -> None:
        world = World()
        station, (first, second) = world.stations[0], world.mags
        address = world.attach(station, first)
        world.advance(5)
        world.hear(second, station.data(address))
        world.advance(late, step=0.1)
        world.hear(first, station.data(address))
        for _ in range(40):
            world.advance(0.25)
            world.hear(second, station.data(address))
        assert first.states == {} and first.plane.snapshot() == ()
        assert second.states == {station.nai: "registered"}
        assert len(second.notes.named("registration-accepted")) == 1

    def test_who_really_came_back_at_once_is_served_after_the_interval(self) -> None:
        world = World()
        station, (first, second) = world.stations[0], world.mags
        address = world.attach(station, first)
        world.advance(5)
        world.hear(second, station.data(address))
        for _ in range(30):
            world.hear(first, station.data(address))
            world.advance(0.05, step=0.05)
        assert first.states == {station.nai: "registered"}
        assert second.states == {}


@pytest.mark.parametrize("seed", range(12))
def test_a_network_that_loses_and_doubles_settles(seed: int) -> None:
    """In the end exactly one MAG serves each node that is attached, and every table says the same."""
    world = World(seed=seed)
    world.network.loss, world.network.duplication = 0.3, 0.2
    addresses: dict[Station, Ipv4] = {}
    for station in world.stations:
        for _ in range(60):
            world.hear(world.mags[0], station.dhcp(MessageType.DISCOVER))
            world.advance(1)
            visitor = world.mags[0].engine.visitors.with_nai(station.nai)
            if visitor is not None and visitor.home_address:
                addresses[station] = visitor.home_address
                break
    assert len(addresses) == 2
    for move in range(1, 6):
        for number, station in enumerate(world.stations):
            for _ in range(8):
                world.hear(world.mags[(move + number) % 2], station.data(addresses[station]))
                world.advance(0.5)
    for _ in range(
        480
    ):  # both end at different MAGs and go on sending; even six lost revocations end with silence
        for number, station in enumerate(world.stations):
            world.hear(world.mags[(5 + number) % 2], station.data(addresses[station]))
        world.advance(5, step=1)
    for number, station in enumerate(world.stations):
        here, there = world.mags[(5 + number) % 2], world.mags[(6 + number) % 2]
        assert here.states.get(station.nai) == "registered"
        assert there.states.get(station.nai) != "registered"
    for node in world.mags:
        registered = [visitor for visitor in node.engine.visitors if visitor.state.value == "registered"]
        assert {entry.key for entry in node.plane.snapshot()} == {visitor.key for visitor in registered}
    bindings = {(binding.home_address, binding.care_of_address) for binding in world.lma_engine.bindings}
    assert bindings == {
        (addresses[station], world.mags[(5 + number) % 2].address)
        for number, station in enumerate(world.stations)
    }
    assert {entry.home_address for entry in world.plane.snapshot()} == {home for home, _ in bindings}


@covers("AA24")
def test_a_moved_mac_on_another_port_keeps_its_address() -> None:
    world = World(mag_settings={"duplicate_mac": "move"})
    station, node = world.stations[0], world.mags[0]
    address = world.attach(station, node)
    world.hear(node, station.data(address, b"over there"), port="acc1")
    assert world.plane.delivered[-1].endswith(b"over there")
    assert [entry.key for entry in node.plane.snapshot()] == [AccessKey("acc1", station.mac)]
    world.hear(node, station.dhcp(MessageType.RELEASE, ciaddr=address, server=GATEWAY), port="acc1")
    assert node.states == {} and len(world.lma_engine.bindings) == 0


def test_a_wrong_key_gives_no_address_and_the_trace_says_why() -> None:
    world = World()
    station, node = world.stations[0], world.mags[0]
    accepted = node.aaa.verdicts[station.mac]
    wrong = attrs.evolve(accepted.profile, mn_ha=association(station.number, b"what AAA has"))
    node.aaa.verdicts[station.mac] = type(accepted)(wrong)
    for _ in range(8):
        world.hear(node, station.dhcp(MessageType.DISCOVER))
        world.advance(4)
    assert node.told() == []
    assert any("the MN-HA key from AAA is not the LMA's" in note.cause for note in node.notes.all)
    node.aaa.verdicts[station.mac] = accepted
    world.advance(70, step=1)
    world.hear(node, station.dhcp(MessageType.DISCOVER))
    world.advance(0.2, step=0.05)
    assert MessageType.OFFER in told_kinds(node)
    assert node.engine.visitors.with_nai(station.nai).key.port == PORT


def test_a_defect_costs_one_effect_and_not_those_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame that cannot be sent for a reason nobody thought of: registrations and timers go on."""
    world = World()
    node, station = world.mags[0], world.stations[0]

    def broken(port: str, frame: bytes) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(node.plane, "transmit", broken)
    world.hear(node, station.dhcp(MessageType.DISCOVER))
    assert node.states == {station.nai: "registered"}
    monkeypatch.undo()
    address = world.attach(station, node)
    for _ in range(60):
        world.advance(20, step=5)
        world.hear(node, station.data(address))
    assert node.notes.named("registration-renewed")
