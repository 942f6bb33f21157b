"""Both agents and a DHCP server between them, for each way in which nodes get their addresses (P62, P63, P65)."""

import pytest

from pmip_tw.addresses import Endpoint, Ipv4, ipv4
from pmip_tw.agents.mag import Mag
from pmip_tw.dhcp.relaying import RelayPolicy
from pmip_tw.errors import PmipError
from pmip_tw.store.unsaved import Unsaved
from pmip_tw.testing.dhcp_socket import FakeDhcpSocket
from pmip_tw.testing.network import FakeSignalling
from pmip_tw.wire.dhcp import DhcpMessage, MessageType
from pmip_tw.wire.udp import udp_packet
from tests.agents.dhcp_server import LEASE, SERVER, DhcpServer
from tests.agents.world import GATEWAY, HOME, LMA, MagNode, Station, World
from tests.conformance import covers


def relaying(dhcp: str = "ack-trigger", **more: object) -> tuple[World, DhcpServer]:
    relay = RelayPolicy(servers=(SERVER,), subnet_selection=True)
    settings = {"dhcp": dhcp, "dhcp_relay": relay, "dhcp_subnet": HOME.network}
    world = World(mag_settings=settings, **more)  # type: ignore[arg-type]
    return world, DhcpServer(world.network)


def bound(world: World) -> list[Ipv4]:
    return [binding.home_address for binding in world.lma_engine.bindings]


def kinds(node: MagNode) -> list[MessageType | None]:
    return [message.message_type for message in node.told()]


def renewal(server: DhcpServer, world: World, node: MagNode, station: Station, home: Ipv4) -> None:
    """A unicast REQUEST of the node's, there and back through the tunnel."""
    world.hear(node, station.dhcp(MessageType.REQUEST, ciaddr=home, server=SERVER))
    carried = world.plane.delivered[-1]
    reply = server.answer(DhcpMessage.decode(carried[28:]))
    assert reply is not None
    packet = udp_packet(Endpoint(SERVER, 67), Endpoint(home, 68), reply.encode())
    world.plane.host_sends(packet)


@covers("P63", "D23")
def test_the_server_gives_the_address_and_the_lma_takes_it() -> None:
    world, server = relaying()
    [station, _] = world.stations
    node = world.mags[0]
    home = world.attach(station, node)
    assert home == ipv4("10.1.0.101")
    assert [binding.home_address for binding in world.lma_engine.bindings] == [home]
    assert server.heard == [(MessageType.DISCOVER, True), (MessageType.REQUEST, True)]
    before = len(world.plane.delivered)
    world.hear(node, station.data(home))
    assert len(world.plane.delivered) == before + 1


@covers("P63")
def test_an_address_that_the_lma_does_not_have_reaches_no_node() -> None:
    """The server is told that it has its lease back."""
    world, server = relaying()
    server.first = ipv4("10.9.0.100")
    [station, _] = world.stations
    node = world.mags[0]
    world.hear(node, station.dhcp(MessageType.DISCOVER))
    world.hear(node, station.dhcp(MessageType.REQUEST, requested=ipv4("10.9.0.101"), server=SERVER))
    assert kinds(node) == [MessageType.OFFER, MessageType.NAK]
    assert server.heard[-1] == (MessageType.RELEASE, False)
    assert list(world.lma_engine.bindings) == []


@covers("P63", "P65")
def test_a_move_in_the_middle_of_the_lease_and_its_renewal_at_the_new_mag() -> None:
    """The new MAG learns of the lease when it is renewed, through the tunnel (D38)."""
    world, server = relaying()
    [station, _] = world.stations
    first, second = world.mags
    home = world.attach(station, first)
    world.advance(2)
    world.hear(second, station.data(home))
    assert second.states == {station.nai: "registered"}
    asked = len(server.heard)
    renewal(server, world, second, station, home)
    assert server.heard[asked:] == [(MessageType.REQUEST, False)]
    assert kinds(second) == [MessageType.ACK]  # the server's own, out of the tunnel
    assert second.notes.named("dhcp-ack")[-1].details["lease"] == LEASE


@covers("P65")
def test_a_release_travels_to_the_server_and_ends_the_binding() -> None:
    world, _ = relaying()
    [station, _] = world.stations
    node = world.mags[0]
    home = world.attach(station, node)
    before = len(world.plane.delivered)
    world.hear(node, station.dhcp(MessageType.RELEASE, ciaddr=home, server=SERVER))
    assert len(world.plane.delivered) == before + 1
    world.advance(1.5)
    assert node.states == {}
    assert list(world.lma_engine.bindings) == []


@covers("P61", "D28")
def test_registered_first_with_the_address_that_the_server_reserves() -> None:
    """The LMA gives it by AAA's word, the server by a reservation: each node hears of one address."""
    home = ipv4("10.1.0.101")
    world, server = relaying(dhcp="relay", profile={"home_address": home}, nodes=1)
    [station] = world.stations
    node = world.mags[0]
    world.hear(node, station.dhcp(MessageType.DISCOVER))
    assert bound(world) == [home]
    assert kinds(node) == [MessageType.OFFER]
    assert world.attach(station, node) == home
    assert bound(world) == [home]
    assert {relayed for _, relayed in server.heard} == {True}


@covers("P61", "D28")
def test_registered_first_and_then_with_what_the_server_offers() -> None:
    """Nobody has reserved anything: the LMA's own choice is given up for the server's."""
    world, _ = relaying(dhcp="relay")
    [station, _] = world.stations
    node = world.mags[0]
    world.hear(node, station.dhcp(MessageType.DISCOVER))
    assert (node.told(), bound(world)) == ([], [])
    world.advance(4)
    assert world.attach(station, node) == ipv4("10.1.0.101")
    assert bound(world) == [ipv4("10.1.0.101")]


@covers("P62", "P65")
def test_independent_of_dhcp() -> None:
    """A fixed address; a lease renewed beyond the tunnel; nothing is ever answered by the MAG."""
    world = World(mag_settings={"dhcp": "independent"})
    server = DhcpServer(world.network)
    [station, other] = world.stations
    node = world.mags[0]
    home = ipv4("10.1.0.101")
    world.hear(node, station.dhcp(MessageType.DISCOVER))
    assert (node.states, node.told(), server.heard) == ({}, [], [])
    world.hear(node, station.arp(home, GATEWAY))
    assert node.states == {station.nai: "registered"}
    assert [binding.home_address for binding in world.lma_engine.bindings] == [home]
    node.told()
    renewal(server, world, node, station, home)
    assert node.notes.named("dhcp-ack")[-1].details["lease"] == LEASE
    assert kinds(node) == [MessageType.ACK]
    world.hear(node, other.arp(home, GATEWAY))  # somebody else claims it
    world.advance(1)
    assert node.states == {station.nai: "registered"}


@covers("P63", "P82")
def test_servers_are_asked_from_the_mags_new_address() -> None:
    world, server = relaying(mags=1)
    [station, _] = world.stations
    [node] = world.mags
    moved = ipv4("198.51.100.99")
    node.agent.uplink_changed(moved)
    node.told()
    world.hear(node, station.dhcp(MessageType.DISCOVER))
    assert kinds(node) == [MessageType.OFFER]
    [(source, _, payload)] = [one for one in world.network.carried if one[1] == Endpoint(SERVER, 67)]
    assert (source.address, DhcpMessage.decode(payload).giaddr) == (moved, moved)
    assert server.heard == [(MessageType.DISCOVER, True)]


@covers("P82")
def test_a_new_address_that_cannot_be_used_everywhere_is_used_nowhere() -> None:
    """Somebody else has its port 67: registrations and DHCP go on from the former."""
    world, server = relaying(mags=1)
    [station, _] = world.stations
    [node] = world.mags
    moved = ipv4("198.51.100.99")
    FakeDhcpSocket(world.network, moved).start(server)
    node.agent.uplink_changed(moved)
    world.hear(node, station.dhcp(MessageType.DISCOVER))
    world.hear(node, station.arp(ipv4("10.1.0.101"), GATEWAY))
    assert {source.address for source, _, _ in world.network.carried} <= {node.address, LMA, SERVER}
    assert node.states == {station.nai: "registered"}


def test_a_port_67_that_is_taken_leaves_nothing_open() -> None:
    world = World(mags=1)
    [node] = world.mags
    node.agent.stop()
    FakeDhcpSocket(world.network, node.address).start(DhcpServer(world.network))
    with pytest.raises(PmipError, match="67 cannot be bound"):
        node.agent.start()
    other = Mag(
        node.engine,
        clock=world.clock,
        signalling=FakeSignalling(world.network, (node.address,)),
        forwarding=node.plane,
        authenticator=node.aaa,
        store=Unsaved(),
    )
    other.start()  # port 434 is free again
