"""Real MAGs with a real LMA: every way to prove a registration, to carry its packets and to find the LMA."""

import pytest

from pmip_tw.addresses import Endpoint, ipv4
from pmip_tw.lma.mags import KnownMag
from pmip_tw.mag.registration.protection import LmaAssociation
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.mobility.authenticators import Algorithm
from pmip_tw.mobility.tunnels import Encapsulation
from pmip_tw.secret import Secret
from pmip_tw.wire.dhcp import MessageType
from pmip_tw.wire.udp import udp_packet
from tests.agents.world import CORRESPONDENT, LMA, World
from tests.conformance import covers

MAGS = tuple(ipv4(f"198.51.100.{number}") for number in (10, 11))
NEW = ipv4("198.51.100.200")


def shared(algorithm: Algorithm = Algorithm.HMAC_MD5) -> SecurityAssociation:
    return SecurityAssociation(5000, Secret(b"between each MAG and the LMA"), algorithm)


def per_node(**settings: object) -> World:
    """MAGs with keys of their own; the nodes have none."""
    key = shared()
    return World(
        profile={"mn_ha": None},
        mag_settings={
            "associations": (LmaAssociation(address=LMA, mode=AuthenticationMode.FA_HA, fa_ha=key),),
            **settings,
        },
        lma_mags=[
            KnownMag(address=address, mode=AuthenticationMode.FA_HA, associations=(key,))
            for address in (*MAGS, NEW)
        ],
    )


def talks(world: World, node, station, address) -> None:
    """Packets flow in both directions."""
    world.plane.delivered.clear()
    world.hear(node, station.data(address))
    assert len(world.plane.delivered) == 1
    node.plane.transmitted.clear()
    world.plane.host_sends(station_packet(address))
    [(_, frame)] = node.plane.transmitted
    assert frame[:6] == bytes(station.mac)
    node.plane.transmitted.clear()


def station_packet(address) -> bytes:

    return udp_packet(Endpoint(CORRESPONDENT, 7), Endpoint(address, 5000), b"hello to you", 64)


class TestPerNode:
    """FA-HA instead of the nodes' keys."""

    @covers("P11", "P13", "P72")
    @pytest.mark.parametrize("colocated", [True, False])
    def test_attach_renew_move_and_leave(self, colocated: bool) -> None:
        world = per_node(colocated=colocated)
        station, (first, second) = world.stations[0], world.mags
        address = world.attach(station, first)
        talks(world, first, station, address)
        world.advance(5)
        world.hear(second, station.data(address))
        world.advance(1)
        assert (first.states, second.states) == ({}, {station.nai: "registered"})  # revoked, by FA-HA (P76)
        assert len(first.notes.named("revocation-received")) == 1
        talks(world, second, station, address)
        second.agent.detach(station.nai)
        world.advance(1)
        assert second.states == {} and not list(world.lma_engine.bindings)

    @covers("P75", "P16", "P27")
    def test_150_ends_it_for_this_node_with_the_cause(self) -> None:
        key = shared()
        world = World(
            mag_settings={
                "associations": (LmaAssociation(address=LMA, mode=AuthenticationMode.FA_HA, fa_ha=key),)
            },
            lma_mags=[
                KnownMag(
                    address=MAGS[0],
                    mode=AuthenticationMode.FA_HA,
                    associations=(key,),
                    realms=frozenset({b"example.org"}),
                )
            ],
        )
        world.hear(world.mags[0], world.stations[0].dhcp(MessageType.DISCOVER))
        assert world.mags[0].states == {}
        [refused] = world.mags[0].notes.named("registration-refused")
        assert refused.reason == "150"


@covers("N3", "RV2", "A2")
def test_both_keys_where_the_mag_is_a_foreign_agent() -> None:
    key = shared(Algorithm.HMAC_SHA1)
    world = World(
        mag_settings={"associations": (LmaAssociation(address=LMA, fa_ha=key),), "colocated": False},
        lma_mags=[
            KnownMag(address=address, mode=AuthenticationMode.FA_HA, associations=(key,)) for address in MAGS
        ],
    )
    station, (first, second) = world.stations[0], world.mags
    address = world.attach(station, first)
    world.advance(5)
    world.hear(second, station.data(address))
    world.advance(1)
    assert (first.states, second.states) == ({}, {station.nai: "registered"})
    second.agent.detach(station.nai)
    world.advance(1)
    assert second.states == {}


@covers("T4", "T5", "T7", "P50")
@pytest.mark.parametrize(
    ("settings", "keyed"),
    [
        ({"encapsulation": Encapsulation.GRE}, False),
        ({"encapsulation": Encapsulation.GRE, "gre_key": "lma", "gre_key_with_d": True}, True),
        ({"encapsulation": Encapsulation.GRE, "gre_key": "own", "gre_key_with_d": True}, True),
        ({"encapsulation": Encapsulation.MINIMAL}, False),
    ],
)
def test_encapsulations(settings: dict[str, object], keyed: bool) -> None:
    world = World(mag_settings=settings | {"attach_probe_max_age": 1e6})
    station, (first, second) = world.stations[0], world.mags
    address = world.attach(station, first)
    tunnel = first.engine.visitors.with_nai(station.nai).tunnel
    assert tunnel.encapsulation is settings["encapsulation"] and (tunnel.key_out is not None) == keyed
    talks(world, first, station, address)
    world.advance(800)
    world.hear(first, station.data(address))
    world.advance(110)
    assert len(first.notes.named("registration-renewed")) == 1
    assert first.engine.visitors.with_nai(station.nai).tunnel == tunnel
    talks(world, first, station, address)
    world.hear(second, station.data(address))
    world.advance(1)
    talks(world, second, station, address)


@covers("T5", "H11")
def test_what_the_lma_does_not_offer_is_done_without() -> None:
    world = World(
        mag_settings={"encapsulation": Encapsulation.GRE, "gre_key": "lma", "gre_key_with_d": True},
        lma_settings={"encapsulations": frozenset({Encapsulation.IP_IN_IP})},
    )
    station, node = world.stations[0], world.mags[0]
    address = world.attach(station, node)
    assert node.engine.visitors.with_nai(station.nai).tunnel.encapsulation is Encapsulation.IP_IN_IP
    talks(world, node, station, address)


@covers("DY5", "DY6", "DY8", "DY9", "P7")
def test_an_lma_that_is_asked_for() -> None:
    world = World(
        profile={"lmas": ()},
        mag_settings={"default_lmas": (LMA,), "dynamic_home_agent": True},
        lma_settings={"dynamic_home_agent": True},
    )
    station, node = world.stations[0], world.mags[0]
    address = world.attach(station, node)
    assert len(node.notes.named("lma-assigned")) == 1
    visitor = node.engine.visitors.with_nai(station.nai)
    assert visitor.grant.lifetime == 1800
    talks(world, node, station, address)


@covers("DY10")
def test_an_lma_that_knows_nothing_of_being_asked_for() -> None:
    world = World(profile={"lmas": ()}, mag_settings={"default_lmas": (LMA,), "dynamic_home_agent": True})
    assert world.attach(world.stations[0], world.mags[0])


class TestOwnAddress:
    """The uplink's address changes under running sessions (P82)."""

    @covers("P82")
    @pytest.mark.parametrize("make", [World, per_node])
    def test_sessions_go_on(self, make) -> None:
        world = make()
        node = world.mags[0]
        addresses = {station: world.attach(station, node) for station in world.stations}
        world.advance(2)
        node.uplink.change(NEW)
        world.advance(5)
        for station, address in addresses.items():
            visitor = node.engine.visitors.with_nai(station.nai)
            assert visitor.home_address == address and visitor.tunnel.local == NEW
            talks(world, node, station, address)
        assert {binding.care_of_address for binding in world.lma_engine.bindings} == {NEW}

    @covers("P82")
    def test_without_any_address_it_waits_for_the_next(self) -> None:
        world = World()
        station, node = world.stations[0], world.mags[0]
        address = world.attach(station, node)
        world.advance(2)
        node.uplink.change(None)
        world.advance(5)
        node.uplink.change(NEW)
        world.advance(5)
        talks(world, node, station, address)

    @covers("P82")
    def test_one_that_cannot_be_used_changes_nothing(self) -> None:
        world = World()
        station, node = world.stations[0], world.mags[0]
        address = world.attach(station, node)
        node.plane.foreign.add(NEW)
        node.uplink.change(NEW)
        world.advance(2)
        assert node.engine.care_of_address == node.address
        talks(world, node, station, address)


class TestLiveness:
    """Keepalives through the real planes (P81)."""

    @covers("P81", "N37", "N44")
    def test_they_are_answered_by_the_lma_and_the_node_sees_nothing(self) -> None:
        world = World(mag_settings={"liveness": True, "liveness_interval": 10.0})
        station, node = world.stations[0], world.mags[0]
        world.attach(station, node)
        node.plane.transmitted.clear()
        world.advance(65)
        assert len(node.notes.named("tunnel-silent")) == 0
        assert node.plane.transmitted == []

    @covers("P81")
    def test_an_lma_that_lost_its_bindings_gets_them_back(self) -> None:
        world = World(mag_settings={"liveness": True, "liveness_interval": 10.0, "attach_probe_max_age": 1e6})
        station, node = world.stations[0], world.mags[0]
        address = world.attach(station, node)
        world.lma.stop()
        world.disk.rows.clear()
        world.start_lma()
        assert world.plane.snapshot() == ()
        world.advance(20)
        assert len(node.notes.named("tunnel-silent")) == 1
        talks(world, node, station, address)


@covers("RV5", "RV33", "RV40")
def test_a_handover_tells_the_node_nothing_even_where_the_i_bit_is_agreed_upon() -> None:
    world = World(mag_settings={"on_revoke": "dhcp_nak"}, lma_settings={"revocation_inform": True})
    station, (first, second) = world.stations[0], world.mags
    address = world.attach(station, first)
    assert first.engine.visitors.with_nai(station.nai).grant.inform
    world.advance(5)
    world.hear(second, station.data(address))
    world.advance(1)
    assert len(first.notes.named("revocation-received")) == 1
    world.advance(5)
    world.hear(first, station.dhcp(MessageType.REQUEST, ciaddr=address))
    world.advance(1)
    assert [message.message_type for message in first.told()] == [MessageType.ACK]


@covers("P70")
def test_the_lma_tells_what_dhcp_is_to_tell() -> None:
    world = World(mag_settings={"host_configuration": True})
    assert world.attach(world.stations[0], world.mags[0])
