"""MAG, LMA and a DHCP server behind it: addresses through a tunnel that comes before them (N45-N55, P64)."""

import pytest

from pmip_tw.addresses import ALL_ONES, UNSPECIFIED, Endpoint, Ipv4, ipv4
from pmip_tw.agents.rows.leases import lease_rows
from pmip_tw.dhcp.relaying import Fact, RelayPolicy
from pmip_tw.interfaces import Datagram
from pmip_tw.mobility.tunnels import Tunnel
from pmip_tw.testing.nat import FakeNat
from pmip_tw.wire.dhcp import DhcpMessage, MessageType
from pmip_tw.wire.ipv4 import Ipv4Packet
from pmip_tw.wire.udp import UdpDatagram, udp_packet
from tests.agents.dhcp_server import LEASE, SERVER, DhcpServer
from tests.agents.world import LMA, MagNode, Station, World
from tests.conformance import covers

INSIDE, OUTSIDE = ipv4("198.51.100.10"), ipv4("203.0.113.77")
HOME = ipv4("10.1.0.101")
OVERRIDE = frozenset({Fact.SERVER_IDENTIFIER_OVERRIDE, Fact.SUBSCRIBER_ID})


def tunneled(*, option_82: frozenset[Fact] = frozenset(), **more: object) -> tuple[World, DhcpServer]:
    relay = RelayPolicy(servers=(SERVER,), giaddr=LMA, option_82=option_82)
    world = World(mag_settings={"dhcp": "tunnel"}, lma_settings={"pre_tunnel": True}, lma_relay=relay, **more)
    return world, DhcpServer(world.network)


def kinds(node: MagNode) -> list[MessageType | None]:
    return [message.message_type for message in node.told()]


def said_to_us(world: World) -> None:
    """What came out of the device for the LMA's own address is its socket's, as in a kernel."""
    for carried in world.plane.delivered:
        packet = Ipv4Packet.decode(carried)
        if packet.destination == LMA:
            datagram = UdpDatagram.decode(packet)
            source = Endpoint(packet.source, datagram.source_port)
            world.from_homes.arrive(Datagram(datagram.payload, source, LMA))
    world.plane.delivered.clear()
    world.network.deliver()


def asks(world: World, node: MagNode, station: Station, kind: MessageType, home: Ipv4) -> None:
    """A registered node, of us as its server."""
    world.hear(node, station.dhcp(kind, ciaddr=home, server=LMA))
    said_to_us(world)


def stays(world: World, node: MagNode, station: Station, seconds: float) -> None:
    """Time passes for a node that has something to say now and then."""
    for _ in range(int(seconds / 10)):
        world.hear(node, station.data(HOME))
        world.advance(10, step=1.0)
    world.plane.delivered.clear()


@covers("N47", "N48", "N53", "N54", "N55", "P64", "D32")
@pytest.mark.parametrize("nat", [None, FakeNat(INSIDE, OUTSIDE)], ids=["direct", "nat"])
def test_figure_3(nat: FakeNat | None) -> None:
    """DISCOVER, pre-tunnel, OFFER, REQUEST, ACK held, registration, ACK, data; through a NAT all in UDP."""
    world, server = tunneled(mags=1, nats=(nat,))
    [station, _] = world.stations
    [node] = world.mags
    home = world.attach(station, node)
    assert home == HOME
    [bound] = world.lma_engine.bindings
    assert (bound.home_address, bound.tunnel.over_udp) == (home, nat is not None)
    assert server.heard == [(MessageType.DISCOVER, True), (MessageType.REQUEST, True)]
    world.hear(node, station.data(home))
    assert len(world.plane.delivered) == 1
    names = world.notes.named("pre-tunnel-closed")
    assert [note.reason for note in names] == ["registered"]
    [row] = lease_rows(world.lma_engine, world.clock.monotonic)
    assert (row["nai"], row["mac"], row["home_address"], row["remaining"]) == (
        "mn1@example.net",
        "02:00:00:00:00:01",
        "10.1.0.101",
        LEASE,
    )


@covers("N27", "N28", "N51")
def test_two_nodes_behind_one_nat_share_an_endpoint() -> None:
    world, _ = tunneled(mags=1, nats=(FakeNat(INSIDE, OUTSIDE),))
    [node] = world.mags
    homes = [world.attach(station, node) for station in world.stations]
    assert homes == [HOME, HOME + 1]
    assert len({binding.tunnel for binding in world.lma_engine.bindings}) == 1


@covers("D14", "D30", "P65")
def test_a_renewal_through_the_tunnel_to_the_relay() -> None:
    world, server = tunneled(option_82=OVERRIDE)
    server.identifier = LMA
    [station, _] = world.stations
    node = world.mags[0]
    home = world.attach(station, node)
    server.heard.clear()
    stays(world, node, station, LEASE / 2)
    asks(world, node, station, MessageType.REQUEST, home)
    assert kinds(node) == [MessageType.ACK]
    assert server.heard == [(MessageType.REQUEST, True)]
    discover = udp_packet(Endpoint(UNSPECIFIED, 68), Endpoint(ALL_ONES, 67), b"")
    world.plane.carried(Tunnel(local=node.address, remote=LMA), discover)
    assert world.plane.drops()["unknown-source"] == 1  # the tunnel is for data again
    [lease] = world.lma_engine.leases
    assert lease.deadline == pytest.approx(world.clock.monotonic + LEASE, abs=1)
    stays(world, node, station, LEASE - 10)
    assert world.mags[0].states == {station.nai: "registered"}


@covers("D31", "P38", "P65")
def test_a_release_ends_lease_binding_and_visitor() -> None:
    world, server = tunneled(option_82=OVERRIDE)
    server.identifier = LMA
    [station, _] = world.stations
    node = world.mags[0]
    home = world.attach(station, node)
    asks(world, node, station, MessageType.RELEASE, home)
    world.advance(5)
    assert server.heard[-1] == (MessageType.RELEASE, True)
    assert list(world.lma_engine.bindings) == [] and list(world.lma_engine.leases) == []
    assert node.states == {}


@covers("D31")
def test_a_lease_that_is_not_renewed_ends_at_both_ends() -> None:
    world, server = tunneled(option_82=OVERRIDE)
    server.identifier = LMA
    [station, _] = world.stations
    node = world.mags[0]
    world.attach(station, node)
    stays(world, node, station, LEASE - 10)
    assert node.states == {station.nai: "registered"}
    stays(world, node, station, 20)
    assert [note.reason for note in world.notes.named("lease-ended")] == ["expired"]
    assert list(world.lma_engine.bindings) == [] and list(world.lma_engine.leases) == []
    assert node.states == {}


def test_a_silent_server_costs_nothing_and_is_told() -> None:
    """The node asks, and asks again; when the server is back it gets its address."""
    world, _ = tunneled()
    [station, _] = world.stations
    node = world.mags[0]
    world.network.silent.add(SERVER)
    for _ in range(3):
        world.hear(node, station.dhcp(MessageType.DISCOVER))
        world.advance(4)
    assert node.told() == []
    assert len(world.notes.named("dhcp-servers-silent")) == 1
    assert {note.nai for note in world.notes.named("dhcp-unanswered")} == {station.nai}
    assert list(world.lma_engine.bindings) == []
    world.network.silent.clear()
    assert world.attach(station, node) == HOME
    assert len(world.notes.named("dhcp-servers-heard")) == 1


@covers("N54")
def test_the_lma_crashes_between_lease_and_registration() -> None:
    """What was promised by the ACK is true after the restart."""
    world, _ = tunneled()
    [station, _] = world.stations
    node = world.mags[0]
    world.hear(node, station.dhcp(MessageType.DISCOVER))
    [offer] = node.told()
    world.hear(node, station.dhcp(MessageType.REQUEST, requested=offer.yiaddr, server=SERVER))
    assert kinds(node) == [MessageType.ACK]
    world.lma.stop()
    world.start_lma()
    [lease] = world.lma_engine.leases
    assert (lease.key.home_address, lease.nai) == (HOME, b"mn1@example.net")
    assert [binding.home_address for binding in world.lma_engine.bindings] == [HOME]


@covers("P34", "D38")
def test_a_handover_keeps_address_and_lease() -> None:
    world, _ = tunneled()
    [station, _] = world.stations
    first, second = world.mags
    home = world.attach(station, first)
    world.advance(5)
    world.hear(second, station.arp(home, ipv4("10.1.0.1")))
    world.advance(2)
    assert second.states == {station.nai: "registered"}
    [bound] = world.lma_engine.bindings
    assert (bound.home_address, bound.care_of_address) == (home, second.address)
    assert [lease.key.home_address for lease in world.lma_engine.leases] == [home]


def test_a_server_without_addresses_for_the_pool_is_no_use() -> None:
    world, server = tunneled()
    server.first = ipv4("10.9.0.100")
    [station, _] = world.stations
    world.hear(world.mags[0], station.dhcp(MessageType.DISCOVER))
    assert world.mags[0].told() == []
    [note] = world.notes.named("message-discarded")
    assert (note.reason, note.nai) == ("dhcp-unusable-address", station.nai)


def test_the_story_of_a_node_has_its_dhcp() -> None:
    world, _ = tunneled()
    [station, _] = world.stations
    world.attach(station, world.mags[0])
    story = [note.name for note in world.notes.all if note.nai == station.nai]
    assert story == [
        "pre-tunnel-opened",
        "dhcp-forwarded",
        "dhcp-offer",
        "dhcp-forwarded",
        "dhcp-ack",
        "lease-recorded",
        "binding-created",
        "pre-tunnel-closed",
    ]


def test_what_another_says_to_the_relay_from_the_core_is_no_answer() -> None:
    world, _ = tunneled()
    [station, _] = world.stations
    world.attach(station, world.mags[0])
    forged = DhcpMessage.decode(
        UdpDatagram.decode(
            Ipv4Packet.decode(station.dhcp(MessageType.RELEASE, ciaddr=HOME, server=LMA)[14:])
        ).payload
    )
    world.lma_dhcp.arrive(Datagram(forged.encode(), Endpoint(HOME, 68), LMA))
    assert [note.reason for note in world.notes.named("message-discarded")] == ["dhcp-unknown-server"]
    assert len(world.lma_engine.leases) == 1
