"""Addresses through tunnels that come first, where MAGs move, die, or stand behind NATs with equal addresses (P64)."""

import pytest

from pmip_tw.addresses import Endpoint, Ipv4, ipv4
from pmip_tw.dhcp.relaying import Fact, RelayPolicy
from pmip_tw.testing.nat import FakeNat
from pmip_tw.wire.dhcp import DhcpMessage, MessageType
from pmip_tw.wire.udp import udp_packet
from tests.agents.dhcp_server import LEASE, SERVER, DhcpServer
from tests.agents.world import LMA, MagNode, Station, World
from tests.conformance import covers

pytestmark = covers("P64")

PRIVATE = ipv4("10.9.8.7")
ROUTERS = (ipv4("203.0.113.1"), ipv4("203.0.113.2"))
FACTS = frozenset({Fact.SUBSCRIBER_ID, Fact.LINK_SELECTION})


def through_the_lma(nats=(), **more: object) -> tuple[World, DhcpServer]:
    world = World(
        mag_settings={"dhcp": "tunnel", "keepalive_interval": 30.0},
        lma_settings={"pre_tunnel": True},
        lma_relay=RelayPolicy(servers=(SERVER,), giaddr=LMA, option_82=FACTS),
        nats=nats,
        **more,  # type: ignore[arg-type]
    )
    return world, DhcpServer(world.network)


def behind_nats() -> tuple[World, DhcpServer]:
    """Two MAGs with one private address, each behind a router of its own (N28)."""
    return through_the_lma([FakeNat(PRIVATE, outside) for outside in ROUTERS])


def bound(world: World) -> list[Ipv4]:
    return [binding.home_address for binding in world.lma_engine.bindings]


def kinds(node: MagNode) -> list[MessageType | None]:
    return [message.message_type for message in node.told()]


def begin(world: World, node: MagNode, station: Station) -> DhcpMessage:
    """DISCOVER and what is offered."""
    world.hear(node, station.dhcp(MessageType.DISCOVER))
    [offer] = node.told()
    return offer


def take(world: World, node: MagNode, station: Station, offer: DhcpMessage) -> list[MessageType | None]:
    world.hear(
        node, station.dhcp(MessageType.REQUEST, requested=offer.yiaddr, server=offer.server_identifier)
    )
    return kinds(node)


def data_flows(world: World, node: MagNode, station: Station, home: Ipv4) -> None:
    before = len(world.plane.delivered)
    world.hear(node, station.data(home))
    assert len(world.plane.delivered) == before + 1
    node.plane.transmitted.clear()
    world.plane.host_sends(udp_packet(Endpoint(SERVER, 7), Endpoint(home, 5000), b"hello"))
    world.network.deliver()
    assert [frame[:6] for _, frame in node.plane.transmitted] == [station.mac]
    node.plane.transmitted.clear()


@covers("N28", "N51")
def test_two_nodes_behind_two_nats_get_theirs_in_one_moment() -> None:
    world, _ = behind_nats()
    offers = [begin(world, node, station) for node, station in zip(world.mags, world.stations, strict=True)]
    for node, station, offer in zip(world.mags, world.stations, offers, strict=True):
        assert take(world, node, station, offer) == [MessageType.ACK]
    homes = [offer.yiaddr for offer in offers]
    assert sorted(bound(world)) == sorted(homes)
    for node, station, home in zip(world.mags, world.stations, homes, strict=True):
        data_flows(world, node, station, home)


@covers("N51")
def test_two_nodes_share_one_tunnel() -> None:
    """Their DHCP is told apart by their MACs."""
    world, _ = behind_nats()
    node = world.mags[0]
    offers = [begin(world, node, station) for station in world.stations]
    for station, offer in zip(world.stations, offers, strict=True):
        assert take(world, node, station, offer) == [MessageType.ACK]
    assert sorted(bound(world)) == sorted(offer.yiaddr for offer in offers)


@covers("D38")
def test_handover_between_two_nats_with_the_lease() -> None:
    """Seen by its packets it needs no DHCP; its lease is learnt when it is renewed through the new tunnel."""
    world, server = behind_nats()
    [station, _] = world.stations
    first, second = world.mags
    home = world.attach(station, first)
    world.advance(2)
    asked = len(server.heard)
    world.hear(second, station.data(home))
    assert second.states == {station.nai: "registered"}
    assert server.heard[asked:] == []
    data_flows(world, second, station, home)
    world.hear(second, station.dhcp(MessageType.REQUEST, ciaddr=home, server=SERVER))
    carried = world.plane.delivered[-1]
    reply = server.answer(DhcpMessage.decode(carried[28:]))
    assert reply is not None
    second.told()
    world.plane.host_sends(udp_packet(Endpoint(SERVER, 67), Endpoint(home, 68), reply.encode()))
    world.network.deliver()
    assert kinds(second) == [MessageType.ACK]
    assert second.notes.named("dhcp-ack")[-1].details["lease"] == LEASE


@covers("D38", "N47")
def test_who_reboots_behind_the_other_nat_keeps_its_address() -> None:
    """INIT-REBOOT: the server says yes through the new MAG's tunnel, and the binding moves."""
    world, _ = behind_nats()
    [station, _] = world.stations
    first, second = world.mags
    home = world.attach(station, first)
    world.advance(2)
    world.hear(second, station.dhcp(MessageType.REQUEST, requested=home))
    assert kinds(second) == [MessageType.ACK]
    assert bound(world) == [home]
    data_flows(world, second, station, home)


@covers("N57")
def test_operators_see_where_the_lma_has_seen_the_mag() -> None:
    world, _ = behind_nats()
    [station, _] = world.stations
    node = world.mags[0]
    world.attach(station, node)
    [row] = node.agent.tables()["tunnels"]()
    assert (row["local"], row["public"]) == ("10.9.8.7", "203.0.113.1")


@covers("N49")
def test_a_silent_lma_is_asked_again_when_the_node_asks_again() -> None:
    world, server = behind_nats()
    [station, _] = world.stations
    node = world.mags[0]
    world.network.silent.add(LMA)
    world.hear(node, station.dhcp(MessageType.DISCOVER))
    world.advance(16)
    assert node.notes.named("pre-tunnel-failed")
    assert (node.told(), server.heard) == ([], [])
    world.network.silent.clear()
    home = world.attach(station, node)
    data_flows(world, node, station, home)


@pytest.mark.parametrize("asked", ["discover", "request"])
def test_a_mag_that_is_killed_in_the_middle(asked: str) -> None:
    world, _ = behind_nats()
    [station, _] = world.stations
    node = world.mags[0]
    offer = begin(world, node, station)
    node.kill()
    world.advance(1)
    node.start()
    if asked == "discover":
        offer = begin(world, node, station)
    assert take(world, node, station, offer) == [MessageType.ACK]
    data_flows(world, node, station, offer.yiaddr)


def test_an_lma_that_is_restarted_in_the_middle_is_asked_for_the_tunnel_again() -> None:
    world, _ = through_the_lma()
    [station, _] = world.stations
    node = world.mags[0]
    offer = begin(world, node, station)
    world.lma.stop()
    world.plane.stop()
    world.start_lma()
    assert take(world, node, station, offer) == []  # the new one knows nothing of the tunnel
    world.advance(4)
    assert take(world, node, station, offer) == [MessageType.ACK]
    data_flows(world, node, station, offer.yiaddr)


@covers("N54")
def test_an_address_that_is_another_nodes_stays_his() -> None:
    """A server gives it to a second node as well: that one gets no ACK, and the first notices nothing."""
    world, server = behind_nats()
    first, second = world.stations
    node = world.mags[0]
    home = world.attach(first, node)
    server.leases[second.mac] = home
    world.hear(node, second.dhcp(MessageType.DISCOVER))
    world.hear(node, second.dhcp(MessageType.REQUEST, requested=home, server=SERVER))
    assert MessageType.ACK not in kinds(node)
    assert [(one.nai, one.home_address) for one in world.lma_engine.bindings] == [(first.nai.encode(), home)]
    data_flows(world, node, first, home)


@covers("N52")
def test_nothing_else_comes_out_of_the_tunnel() -> None:
    """Data of a node that has no address yet; DHCP of a node that has asked for no tunnel."""
    world, server = through_the_lma()
    [station, other] = world.stations
    node = world.mags[0]
    begin(world, node, station)
    tunnel = node.plane.tunnelled[0][0]
    heard = len(server.heard)
    node.plane.send_dhcp(tunnel, other.data(ipv4("10.1.0.77"))[14:])
    node.plane.send_dhcp(tunnel, other.dhcp(MessageType.DISCOVER)[14:])
    world.network.deliver()
    assert len(server.heard) == heard
    assert world.plane.delivered == []


def test_a_plane_that_cannot_open_it_leaves_the_node_to_ask_again() -> None:
    world, _ = through_the_lma()
    [station, _] = world.stations
    node = world.mags[0]
    node.plane._locals.clear()  # its address is gone
    world.hear(node, station.dhcp(MessageType.DISCOVER))
    assert node.told() == []
    node.plane._locals.add(node.address)
    world.advance(4)
    assert world.attach(station, node) == ipv4("10.1.0.101")
