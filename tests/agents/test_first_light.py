"""An unmodified host is authenticated, registered, and keeps its session while it moves."""

from pmip_tw.addresses import ipv4
from pmip_tw.wire.dhcp import MessageType
from tests.agents.world import GATEWAY, HOME, World
from tests.conformance import covers


@covers("DY1", "P60")
def test_attach_gives_the_home_address_by_dhcp() -> None:
    world = World()
    address = world.attach(world.stations[0], world.mags[0])
    assert address in HOME
    assert world.mags[0].states == {"mn1@example.net": "registered"}
    [binding] = world.lma_engine.bindings
    assert (binding.home_address, binding.care_of_address) == (address, world.mags[0].address)
    assert binding.revocation is not None


@covers("P40")
def test_data_flows_both_ways_and_only_through_the_tunnel() -> None:
    world = World()
    node, station = world.mags[0], world.stations[0]
    address = world.attach(station, node)
    world.hear(node, station.data(address, b"up"))
    assert len(world.plane.delivered) == 1
    assert world.plane.delivered[0].endswith(b"up")


@covers("P34", "P35", "P78")
def test_handover_keeps_the_address_and_revokes_the_old_mag() -> None:
    world = World()
    station, (first, second) = world.stations[0], world.mags
    address = world.attach(station, first)
    world.advance(2)
    world.hear(second, station.data(address, b"moved"))
    assert world.plane.delivered[-1].endswith(b"moved")  # the first frame was held, not lost
    assert second.states == {station.nai: "registered"}
    assert first.states == {}
    assert first.plane.snapshot() == ()
    assert [note.name for note in world.notes.all if note.name.startswith("revocation")] == [
        "revocation-sent",
        "revocation-acknowledged",
    ]
    [binding] = world.lma_engine.bindings
    assert (binding.home_address, binding.care_of_address) == (address, second.address)


@covers("P34", "RV26")
def test_five_moves_back_and_forth() -> None:
    world = World()
    station = world.stations[0]
    address = world.attach(station, world.mags[0])
    for move in range(1, 6):
        world.advance(1.5)
        here, there = world.mags[move % 2], world.mags[(move + 1) % 2]
        payload = b"move %d" % move
        world.hear(here, station.data(address, payload))
        assert world.plane.delivered[-1].endswith(payload)
        assert here.states == {station.nai: "registered"}
        assert there.states == {}


@covers("P21", "P60")
def test_release_leaves_nothing_on_either_side() -> None:
    world = World()
    station, node = world.stations[0], world.mags[0]
    address = world.attach(station, node)
    world.hear(node, station.dhcp(MessageType.RELEASE, ciaddr=address, server=GATEWAY))
    assert node.states == {}
    assert len(world.lma_engine.bindings) == 0
    assert node.plane.snapshot() == () and world.plane.snapshot() == ()


@covers("P20")
def test_renewal_at_half_the_lifetime_while_the_node_is_heard() -> None:
    world = World()
    station, node = world.stations[0], world.mags[0]
    address = world.attach(station, node)
    for _ in range(100):
        world.advance(20, step=5)
        world.hear(node, station.data(address))
    assert node.states == {station.nai: "registered"}
    assert len(world.notes.named("binding-renewed")) >= 2


@covers("P15", "P21")
def test_silence_ends_in_deregistration() -> None:
    world = World()
    station, node = world.stations[0], world.mags[0]
    world.attach(station, node)
    world.advance(1000, step=1)
    assert node.states == {}
    assert len(world.lma_engine.bindings) == 0
    [left] = node.notes.named("visitor-left")
    assert "silent" in left.cause and "3 ARP probes" in left.cause


@covers("P15")
def test_a_node_that_answers_arp_probes_stays() -> None:
    world = World()
    station, node = world.stations[0], world.mags[0]
    address = world.attach(station, node)
    for _ in range(1000):
        world.advance(1, step=1)
        if node.plane.transmitted:
            node.plane.transmitted.clear()
            world.hear(node, station.arp(address, GATEWAY))
    assert node.states == {station.nai: "registered"}
    assert node.notes.named("registration-renewed")


@covers("P30")
def test_addresses_of_two_nodes_differ() -> None:
    world = World()
    one, two = (world.attach(station, world.mags[0]) for station in world.stations)
    assert one != two


@covers("P60")
def test_a_node_that_moved_while_it_slept_gets_its_address_acknowledged() -> None:
    """INIT-REBOOT at a MAG that knows nothing of it."""
    world = World()
    station, (first, second) = world.stations[0], world.mags
    address = world.attach(station, first)
    world.advance(5)
    world.hear(second, station.dhcp(MessageType.REQUEST, requested=address))
    [ack] = second.told()
    assert (ack.message_type, ack.yiaddr) == (MessageType.ACK, address)


@covers("P60")
def test_an_address_from_elsewhere_is_refused_and_a_fresh_one_offered() -> None:
    world = World()
    station, node = world.stations[0], world.mags[0]
    world.hear(node, station.dhcp(MessageType.REQUEST, requested=ipv4("192.168.1.7")))
    [nak] = node.told()
    assert nak.message_type is MessageType.NAK
    address = world.attach(station, node)
    assert address in HOME
