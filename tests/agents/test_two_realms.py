"""Two nodes of two realms with one home address (P85): each reaches its own correspondent, and nobody else."""

import pytest

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.mobility.tunnels import Encapsulation
from pmip_tw.wire.ethernet import EthernetFrame
from pmip_tw.wire.udp import udp_packet
from tests.agents.world import CORRESPONDENT, MagNode, Station, World
from tests.conformance import covers

KEYS = {"encapsulation": Encapsulation.GRE, "gre_key": "lma", "gre_key_with_d": True}


def world_of_two(**mag_settings: object) -> World:
    return World(blue=(2,), mag_settings=mag_settings)


def asks(world: World, node: MagNode, station: Station, address: Ipv4, domain: str) -> None:
    """What the host sends comes out of its own domain, and the answer from there reaches this host alone."""
    text = station.nai.encode()
    for delivered in world.plane.delivered_in.values():
        delivered.clear()
    world.hear(node, station.data(address, text))
    assert {name: len(packets) for name, packets in world.plane.delivered_in.items() if packets} == {
        domain: 1
    }
    for one in world.mags:
        one.plane.transmitted.clear()
    world.plane.host_sends(udp_packet(Endpoint(CORRESPONDENT, 7), Endpoint(address, 5000), text, 64), domain)
    heard = [EthernetFrame.decode(frame) for one in world.mags for _, frame in one.plane.transmitted]
    assert [frame.destination for frame in heard] == [station.mac]
    assert heard[0].payload.endswith(text)


@covers("P85", "P43", "P44")
def test_at_two_mags() -> None:
    world = world_of_two()
    first, second = world.stations
    address = world.attach(first, world.mags[0])
    assert world.attach(second, world.mags[1]) == address
    asks(world, world.mags[0], first, address, "")
    asks(world, world.mags[1], second, address, "blue")


@covers("P85", "P44", "P45", "P49", "T5")
def test_at_one_mag_with_keys() -> None:
    world = world_of_two(**KEYS)
    node = world.mags[0]
    address = world.attach(world.stations[0], node)
    assert world.attach(world.stations[1], node) == address
    for station, domain in zip(world.stations, ("", "blue"), strict=True):
        asks(world, node, station, address, domain)
    world.advance(1000)  # both were renewed
    for station, domain in zip(world.stations, ("", "blue"), strict=True):
        asks(world, node, station, address, domain)


@covers("P85", "P34")
@pytest.mark.parametrize("mover", [0, 1])
def test_one_moves_and_the_other_stays(mover: int) -> None:
    world = world_of_two(**KEYS)
    stay, move = world.stations[1 - mover], world.stations[mover]
    domains = {world.stations[0].nai: "", world.stations[1].nai: "blue"}
    address = world.attach(stay, world.mags[0])
    assert world.attach(move, world.mags[0]) == address
    world.advance(5)
    world.hear(world.mags[1], move.data(address))
    world.advance(2)
    asks(world, world.mags[1], move, address, domains[move.nai])
    asks(world, world.mags[0], stay, address, domains[stay.nai])
    assert move.nai not in world.mags[0].states


@covers("P45")
def test_at_one_mag_without_keys_the_second_is_refused() -> None:
    """Rather than one of them getting the other's packets."""
    world = world_of_two()
    first, second = world.stations
    node = world.mags[0]
    address = world.attach(first, node)
    world.hear(node, second.data(address))
    world.advance(3)
    assert node.states.get(second.nai) != "registered"
    asks(world, node, first, address, "")
    assert len(world.plane.snapshot()) == 1
