"""Agents tell their socket whose datagrams were authentic: those are heard first when there are too many."""

from pmip_tw.addresses import Endpoint
from pmip_tw.dhcp.relaying import RelayPolicy
from pmip_tw.testing.network import FakeSignalling
from pmip_tw.wire.dhcp import MessageType
from tests.agents.dhcp_server import SERVER
from tests.agents.world import LMA, World, association


def authentic(agent) -> dict[Endpoint, int]:
    """As it told its socket."""
    assert isinstance(agent._signalling, FakeSignalling)
    return dict(agent._signalling.authentic)


def test_both_sides_name_each_other_once_for_each_message() -> None:
    world = World(mags=2, nodes=2)
    mag = world.mags[0]
    for number, station in enumerate(world.stations, 1):
        world.attach(station, mag)
        assert authentic(world.lma) == {Endpoint(mag.address, 434): number}
        assert authentic(mag.agent) == {Endpoint(LMA, 434): number}
    assert authentic(world.mags[1].agent) == {}


def test_a_tunnel_that_comes_before_the_address_counts() -> None:
    """Else a MAG whose nodes are all new would be heard last, and so nobody would ever be registered there."""
    relay = RelayPolicy(servers=(SERVER,), giaddr=LMA)
    world = World(mags=1, mag_settings={"dhcp": "tunnel"}, lma_settings={"pre_tunnel": True}, lma_relay=relay)
    [mag] = world.mags
    world.hear(mag, world.stations[0].dhcp(MessageType.DISCOVER))
    assert world.notes.named("pre-tunnel-opened")
    assert authentic(world.lma) == {Endpoint(mag.address, 434): 1}
    assert authentic(mag.agent) == {Endpoint(LMA, 434): 1}


def test_renewals_count() -> None:
    """From the second one on they take a way of their own through the LMA."""
    world = World(mags=1, nodes=1, mag_settings={"lifetime": 120, "nat_traversal": "off"})
    mag = world.mags[0]
    home_address = world.attach(world.stations[0], mag)
    for _ in range(180):
        world.hear(mag, world.stations[0].data(home_address))
        world.advance(5.0)
    accepted = [note.name for note in world.notes.all]
    assert set(accepted) == {"binding-created", "binding-renewed", "binding-released"}
    assert accepted.count("binding-renewed") > 10
    assert authentic(world.lma) == {Endpoint(mag.address, 434): len(accepted)}


def test_nobody_is_named_for_what_proves_nothing() -> None:
    """A wrong key, which the LMA answers with a refusal that proves as little; octets that are nothing."""
    world = World(mags=1, nodes=1, profile={"mn_ha": association(1, b"another key, 16 o")})
    mag = world.mags[0]
    world.hear(mag, world.stations[0].dhcp(MessageType.DISCOVER))
    world.network.send(Endpoint(mag.address, 434), Endpoint(LMA, 434), b"\x01nothing")
    world.network.send(Endpoint(LMA, 434), Endpoint(mag.address, 434), b"\x03nothing")
    world.network.deliver()
    assert world.notes.named("message-discarded")
    assert authentic(world.lma) == {}
    assert authentic(mag.agent) == {}


def test_a_revocation_names_the_lma() -> None:
    world = World(mags=2, nodes=1)
    first, second = world.mags
    world.attach(world.stations[0], first)
    before = authentic(first.agent)[Endpoint(LMA, 434)]
    world.advance(3.0)
    world.attach(world.stations[0], second)
    assert first.notes.named("revocation-received")
    assert authentic(first.agent)[Endpoint(LMA, 434)] == before + 1
