"""MAGs behind NATs, with the LMA and all datagrams in between: what the user notices, and what nobody may do."""

from pmip_tw.addresses import Endpoint, Ipv4, ipv4, ipv4_text
from pmip_tw.forwarding import drops
from pmip_tw.lma.mags import KnownMag
from pmip_tw.mag.registration.protection import LmaAssociation
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.mobility.tunnels import AnchorKey, Tunnel
from pmip_tw.secret import Secret
from pmip_tw.testing.nat import FakeNat
from pmip_tw.wire.codes import MessageType
from pmip_tw.wire.extension_values import UdpTunnelReply
from pmip_tw.wire.registration import RegistrationReply, RegistrationRequest
from pmip_tw.wire.udp import udp_packet
from tests.agents.world import CORRESPONDENT, LMA, MagNode, Station, World
from tests.conformance import covers

PRIVATE = ipv4("10.0.0.2")
HOME_ROUTER, OTHER_ROUTER = ipv4("203.0.113.1"), ipv4("203.0.113.2")
LMA_434 = Endpoint(LMA, 434)
ATTACKER = Endpoint(ipv4("203.0.113.66"), 4434)
TIMEOUT = 15.0
KEEPALIVE = 10
STAYS: dict[str, object] = {"attach_probe_max_age": 1e6}


class Operator(World):
    """``mags[0]``, and ``mags[1]`` if there are two NATs, have the same private address."""

    def __init__(
        self, *, nodes: int = 1, routers=(HOME_ROUTER,), timeout: float = TIMEOUT, **settings
    ) -> None:
        self.nats = [FakeNat(PRIVATE, outside, timeout=timeout) for outside in routers]
        settings.setdefault("mag_settings", STAYS)
        settings.setdefault("lma_settings", {"keepalive_interval": KEEPALIVE})
        super().__init__(nodes=nodes, nats=self.nats, **settings)

    def seen(self, nat: FakeNat) -> Endpoint:
        found = nat.seen_as(Endpoint(PRIVATE, 434))
        assert found is not None
        return found

    def up(self, node: MagNode, station: Station, address: Ipv4) -> bool:
        """Whether a packet of the node reaches its correspondent."""
        self.plane.delivered.clear()
        self.hear(node, station.data(address))
        return len(self.plane.delivered) == 1

    def down(self, node: MagNode, station: Station, address: Ipv4) -> bool:
        """Whether a packet of its correspondent reaches the node."""
        node.plane.transmitted.clear()
        self.plane.host_sends(udp_packet(Endpoint(CORRESPONDENT, 7), Endpoint(address, 5000), b"answer", 64))
        self.network.deliver()
        frames = [frame for _, frame in node.plane.transmitted if frame.endswith(b"answer")]
        node.plane.transmitted.clear()
        return bool(frames) and frames[0][:6] == bytes(station.mac)

    def tunnel_of(self, address: Ipv4) -> Tunnel:
        [entry] = [entry for entry in self.plane.snapshot() if entry.home_address == address]
        return entry.tunnel

    def on_the_wire(self) -> list[tuple[Endpoint, Endpoint, bytes]]:
        """What has passed the NATs since last asked."""
        carried, self.network.carried = self.network.carried, []
        return carried

    def keepalives(self) -> int:
        """How many passed since last asked."""
        return sum(b"pmip-keepalive" in payload and to == LMA_434 for _, to, payload in self.on_the_wire())

    def forge(self, payload: bytes, source: Endpoint = ATTACKER, to: Endpoint = LMA_434) -> None:
        self.network.send(source, to, payload)
        self.network.deliver()


def type_4(inner: bytes, next_header: int = 4) -> bytes:
    return bytes((MessageType.TUNNEL_DATA, next_header, 0, 0)) + inner


def from_node(address: Ipv4) -> bytes:
    return udp_packet(Endpoint(address, 5000), Endpoint(CORRESPONDENT, 7), b"hello", 64)


class TestEverythingIsUdp:
    @covers("N10", "N14", "N15", "N17")
    def test_one_port_for_data_and_registrations_which_are_in_no_tunnel(self) -> None:
        world = Operator()
        station, node = world.stations[0], world.mags[0]
        address = world.attach(station, node)
        assert world.up(node, station, address) and world.down(node, station, address)
        seen = world.seen(world.nats[0])
        wire = world.on_the_wire()
        assert {source for source, to, _ in wire if to == LMA_434} == {seen}
        assert {to for source, to, _ in wire if source == LMA_434} == {seen}
        [request] = [
            RegistrationRequest.decode(payload)
            for _, _, payload in wire
            if payload[0] == MessageType.REGISTRATION_REQUEST
        ]
        assert request.care_of_address == PRIVATE
        inside = [payload[4:] for _, _, payload in wire if payload[0] == MessageType.TUNNEL_DATA]
        assert len(inside) == 2 and not any(b"\x01\xb2" in inner[20:24] for inner in inside)
        assert world.tunnel_of(address) == Tunnel(local=LMA, remote=seen.address, remote_port=seen.port)

    @covers("N13", "N14", "N23")
    def test_the_port_may_be_another_one_after_the_next_registration(self) -> None:
        world = Operator()
        station, node = world.stations[0], world.mags[0]
        address = world.attach(station, node)
        before = world.tunnel_of(address)
        world.nats[0].forget()
        world.advance(320)  # past half of 600 s
        after = world.tunnel_of(address)
        assert before.remote == after.remote and before.remote_port != after.remote_port
        assert world.up(node, station, address) and world.down(node, station, address)

    @covers("N35")
    def test_with_the_binding_the_tunnel_is_over(self) -> None:
        world = Operator()
        station, node = world.stations[0], world.mags[0]
        address = world.attach(station, node)
        seen = world.seen(world.nats[0])
        world.lma.revoke(ipv4_text(address))
        world.network.deliver()
        assert world.plane.snapshot() == () and node.plane.snapshot() == ()
        world.forge(type_4(from_node(address)), seen)
        assert world.plane.delivered == [] and world.plane.drops()[drops.UNKNOWN_SOURCE] == 1
        assert not world.down(node, station, address)


class TestMapping:
    """A NAT that forgets after 15 s."""

    @covers("N37", "N38")
    def test_it_is_kept_for_whoever_calls(self) -> None:
        world = Operator()
        station, node = world.stations[0], world.mags[0]
        address = world.attach(station, node)
        seen = world.seen(world.nats[0])
        world.advance(200)
        assert world.seen(world.nats[0]) == seen
        assert world.down(node, station, address)
        assert node.notes.named("mapping-lost") == []

    @covers("N38", "N42")
    def test_by_no_more_keepalives_than_that_takes_however_many_nodes_there_are(self) -> None:
        world = Operator(nodes=12)
        for station in world.stations:
            world.attach(station, world.mags[0])
        world.on_the_wire()
        world.advance(120)
        assert 11 <= world.keepalives() <= 12

    @covers("N38")
    def test_none_while_there_is_traffic(self) -> None:
        world = Operator()
        station, node = world.stations[0], world.mags[0]
        address = world.attach(station, node)
        for _ in range(30):
            assert world.up(node, station, address) and world.down(node, station, address)
            world.advance(4)
        assert world.keepalives() == 0

    @covers("N41")
    def test_an_interval_that_is_too_long_is_found_out(self) -> None:
        """The LMA asks for 80 s, the NAT forgets after 15: 80, 40, 20, 10."""
        world = Operator(lma_settings={"keepalive_interval": 80})
        station, node = world.stations[0], world.mags[0]
        address = world.attach(station, node)
        world.advance(80 + 11 + 40 + 11 + 20 + 11 + 60)
        report = node.engine.path_report(node.plane.snapshot()[0].tunnel)
        assert report is not None and (report.told, report.interval) == (80, 10)
        assert report.mapping.survived is not None and report.mapping.survived >= 10
        assert report.mapping.expired is not None and 15 < report.mapping.expired <= 21
        lost = len(node.notes.named("mapping-lost"))
        world.advance(200)
        assert len(node.notes.named("mapping-lost")) == lost == 3
        assert world.down(node, station, address)


class TestNatReboot:
    """It comes back with other ports for everybody."""

    @covers("N21", "N28", "N29", "N59")
    def test_with_traffic_10_s_later_everything_works(self) -> None:
        world = Operator(nodes=3, timeout=300.0)
        node = world.mags[0]
        addresses = [world.attach(station, node) for station in world.stations]
        world.advance(60)
        world.nats[0].forget()
        assert not world.up(node, world.stations[0], addresses[0])
        assert not world.down(node, world.stations[0], addresses[0])
        world.advance(10)
        for station, address in zip(world.stations, addresses, strict=True):
            assert world.down(node, station, address) and world.up(node, station, address)
        assert len({world.tunnel_of(address) for address in addresses}) == 1

    @covers("N40")
    def test_without_traffic_the_next_keepalive_finds_out(self) -> None:
        world = Operator(nodes=3, timeout=300.0)
        node = world.mags[0]
        addresses = [world.attach(station, node) for station in world.stations]
        world.advance(60)
        world.nats[0].forget()
        world.advance(KEEPALIVE + 6 + 5 + 1)
        for station, address in zip(world.stations, addresses, strict=True):
            assert world.down(node, station, address)

    @covers("N26", "N28", "P79")
    def test_the_lma_sees_no_handover_tells_nobody_and_asks_for_no_other_interval(self) -> None:
        world = Operator(lma_settings={"keepalive_interval": KEEPALIVE, "handover_min_interval": 3600.0})
        station, node = world.stations[0], world.mags[0]
        world.attach(station, node)
        for _ in range(3):
            world.advance(30)
            world.nats[0].forget()
        world.advance(60)
        assert world.notes.named("binding-moved") == [] == world.notes.named("revocation-sent")
        assert world.notes.named("registration-refused") == []
        changed = world.notes.named("endpoint-changed")
        assert len(changed) == 3 and {note.reason for note in changed} == {"nat"}
        told = [
            RegistrationReply.decode(payload).udp_tunnel
            for _, _, payload in world.on_the_wire()
            if payload[0] == MessageType.REGISTRATION_REPLY
        ]
        assert set(told) == {UdpTunnelReply(code=0, keepalive_interval=KEEPALIVE)} and len(told) >= 4

    @covers("N59", "P82")
    def test_a_node_that_was_renewed_in_between_hides_no_other(self) -> None:
        """Its traffic flows; another one's does not, and is heard."""
        world = Operator(nodes=2, timeout=300.0)
        node = world.mags[0]
        fresh, stale = world.stations
        addresses = [world.attach(station, node) for station in world.stations]
        world.advance(30)
        world.nats[0].forget()
        visitor = node.engine.visitors.with_nai(fresh.nai)
        visitor.check_at = world.clock.monotonic
        node.engine._deadlines.schedule(visitor)
        world.advance(0.5)
        assert world.up(node, fresh, addresses[0]) and not world.up(node, stale, addresses[1])
        for _ in range(19):
            world.up(node, fresh, addresses[0])
            world.down(node, fresh, addresses[0])
            world.advance(0.5)
        assert world.up(node, stale, addresses[1]) and world.down(node, stale, addresses[1])

    @covers("N40", "N43")
    def test_nobody_is_forgotten_among_those_who_are_renewed(self) -> None:
        """They keep the mapping, so that no keepalive is due; nobody says a word."""
        world = Operator(nodes=4, timeout=300.0)
        node = world.mags[0]
        addresses = [world.attach(station, node) for station in world.stations]
        busy = node.engine.visitors.with_nai(world.stations[0].nai)
        for seconds in range(0, 54, 3):
            if seconds == 24:
                world.nats[0].forget()
            busy.check_at = world.clock.monotonic
            node.engine._deadlines.schedule(busy)
            world.advance(3)
        for station, address in zip(world.stations, addresses, strict=True):
            assert world.down(node, station, address)

    @covers("N40", "N59")
    def test_nor_beside_one_that_only_sends_and_was_renewed_in_time(self) -> None:
        """Its keepalives say that it has a way, and nothing of who is silent."""
        world = Operator(nodes=2, timeout=300.0)
        node = world.mags[0]
        addresses = [world.attach(station, node) for station in world.stations]
        sender, silent = world.stations
        visitor = node.engine.visitors.with_nai(sender.nai)
        for second in range(60):
            if second == 40:
                world.nats[0].forget()
                visitor.check_at = world.clock.monotonic
                node.engine._deadlines.schedule(visitor)
            world.up(node, sender, addresses[0])
            world.advance(1)
        assert world.down(node, silent, addresses[1])

    @covers("N59")
    def test_many_that_only_send_have_nobody_registered_anew_and_share_a_keepalive_a_second(self) -> None:
        world = Operator(nodes=20, timeout=300.0)
        node = world.mags[0]
        addresses = [world.attach(station, node) for station in world.stations]
        world.advance(10)
        world.keepalives()
        for _ in range(60):
            for station, address in zip(world.stations, addresses, strict=True):
                assert world.up(node, station, address)
            world.advance(1)
        assert node.notes.named("mapping-lost") == [] == node.notes.named("registration-renewed")
        assert 30 <= world.keepalives() <= 60

    @covers("N42")
    def test_after_a_restart_of_the_mag_too(self) -> None:
        world = Operator()
        station, node = world.stations[0], world.mags[0]
        address = world.attach(station, node)
        world.advance(1)
        node.kill()
        world.nats[0].forget()
        node.start()
        assert not world.up(node, station, address)
        world.advance(13)
        assert world.down(node, station, address)


class TestTwoMags:
    @covers("N28")
    def test_behind_one_nat(self) -> None:
        """Only the port tells them apart."""
        world = Operator(nodes=2, routers=(HOME_ROUTER,))
        nat = world.nats[0]
        site = world.mags[0].site
        other = FakeNatted(world, site)
        first, second = world.stations
        addresses = [world.attach(first, world.mags[0]), world.attach(second, other)]
        tunnels = [world.tunnel_of(address) for address in addresses]
        assert {tunnel.remote for tunnel in tunnels} == {nat.outside}
        assert tunnels[0].remote_port != tunnels[1].remote_port
        for node, station, address in zip((world.mags[0], other), world.stations, addresses, strict=True):
            assert world.up(node, station, address) and world.down(node, station, address)
        # A handover between them.
        world.advance(5)
        assert world.up(other, first, addresses[0])
        assert world.down(other, first, addresses[0]) and not world.down(world.mags[0], first, addresses[0])
        world.advance(2)
        assert first.nai not in world.mags[0].states

    @covers("N15", "N28")
    def test_behind_two_with_the_same_private_address(self) -> None:
        world = Operator(routers=(HOME_ROUTER, OTHER_ROUTER))
        station, (first, second) = world.stations[0], world.mags
        assert first.address == second.address == PRIVATE
        address = world.attach(station, first)
        world.advance(5)
        assert world.up(second, station, address) and world.down(second, station, address)
        assert world.tunnel_of(address).remote == OTHER_ROUTER
        world.advance(2)
        assert station.nai not in first.states and second.states == {station.nai: "registered"}
        assert len(first.notes.named("revocation-received")) == 1
        world.advance(30)
        assert world.down(second, station, address)

    @covers("N28")
    def test_the_one_that_was_left_ends_nothing_of_the_other(self) -> None:
        """It de-registers the same care-of address."""
        world = Operator(routers=(HOME_ROUTER, OTHER_ROUTER), lma_settings={"revoke_on_handover": False})
        station, (first, second) = world.stations[0], world.mags
        address = world.attach(station, first)
        world.advance(5)
        world.up(second, station, address)
        first.agent.detach(station.nai)
        world.network.deliver()
        world.advance(1)
        assert len(first.notes.named("deregistered")) == 1
        assert world.down(second, station, address) and world.up(second, station, address)


class FakeNatted(MagNode):
    """One more MAG at a site, with the next private address."""

    def __init__(self, world: World, site) -> None:
        inside = site.nat.inside
        site.nat.inside = Ipv4(inside + 1)
        super().__init__(world, 99, site)
        site.nat.inside = inside


def _key(number: int) -> SecurityAssociation:
    return SecurityAssociation(6000 + number, Secret(b"between MAG %02d and the LMA" % number))


class TestPerNode:
    """RFC 5563's per-node mode: the MAG's key is all that there is."""

    def operator(self, mag: int, routers=(HOME_ROUTER,)) -> Operator:
        """``mag``: whose key the MAGs have."""
        return Operator(
            routers=routers,
            profile={"mn_ha": None},
            mag_settings=STAYS
            | {
                "associations": (LmaAssociation(address=LMA, mode=AuthenticationMode.FA_HA, fa_ha=_key(mag)),)
            },
            lma_settings={"keepalive_interval": KEEPALIVE, "handover_min_interval": 3600.0},
            lma_mags=[
                KnownMag(
                    address=ipv4(f"198.51.100.{number}"),
                    mode=AuthenticationMode.FA_HA,
                    associations=(_key(number),),
                    behind_nat=True,
                )
                for number in (1, 2)
            ],
        )

    @covers("N4", "N27")
    def test_the_spi_alone_tells_whose_key_it_is(self) -> None:
        world = self.operator(2)
        station, node = world.stations[0], world.mags[0]
        address = world.attach(station, node)
        assert world.up(node, station, address) and world.down(node, station, address)

    @covers("N23", "N28")
    def test_another_address_of_the_nat_is_still_the_same_mag(self) -> None:
        """As of a line that is given another address every night: no handover, and nobody is told."""
        world = self.operator(1)
        station, node = world.stations[0], world.mags[0]
        address = world.attach(station, node)
        world.advance(20)
        world.nats[0].outside = OTHER_ROUTER
        world.nats[0].forget()
        world.network.connect(node.site)
        world.up(node, station, address)
        world.advance(10)
        assert world.tunnel_of(address).remote == OTHER_ROUTER
        assert world.down(node, station, address)
        assert world.notes.named("binding-moved") == [] == world.notes.named("revocation-sent")
        assert len(world.notes.named("endpoint-changed")) == 1
        node.agent.detach(station.nai)
        world.advance(1)
        assert world.plane.snapshot() == ()


class TestHijack:
    """A third host, which has heard everything that there was."""

    def talking(self) -> tuple[Operator, Station, MagNode, Ipv4]:
        world = Operator()
        station, node = world.stations[0], world.mags[0]
        address = world.attach(station, node)
        assert world.up(node, station, address)
        world.plane.delivered.clear()
        return world, station, node, address

    @covers("N29", "N31", "N36")
    def test_tunnel_data_from_elsewhere_moves_nothing(self) -> None:
        world, station, node, address = self.talking()
        before = world.plane.snapshot()
        for source in (ATTACKER, Endpoint(HOME_ROUTER, 9), Endpoint(ATTACKER.address, 434)):
            world.forge(type_4(from_node(address)), source)
        assert world.plane.delivered == [] and world.plane.snapshot() == before
        assert world.plane.drops()[drops.WRONG_TUNNEL] == 3
        assert world.down(node, station, address)
        assert not any(to == ATTACKER for _, to, _ in world.on_the_wire())

    @covers("N30")
    def test_nor_another_next_header_from_the_right_endpoint(self) -> None:
        world, _, _, address = self.talking()
        seen = world.seen(world.nats[0])
        for next_header in (47, 55, 50, 6, 0, 255):
            world.forge(type_4(from_node(address), next_header), seen)
        assert world.plane.delivered == []
        dropped = world.plane.drops()
        assert dropped.pop(drops.NEXT_HEADER) >= 4 and sum(dropped.values()) <= 2

    @covers("N29", "N31")
    def test_nor_the_address_of_nobody_from_the_right_endpoint(self) -> None:
        world, _, _, address = self.talking()
        world.forge(type_4(from_node(Ipv4(address + 7))), world.seen(world.nats[0]))
        assert world.plane.delivered == [] and world.plane.drops()[drops.UNKNOWN_SOURCE] == 1

    @covers("I10", "N13", "N29")
    def test_a_registration_that_was_heard_moves_no_tunnel(self) -> None:
        world, station, node, address = self.talking()
        [heard] = [
            payload for _, _, payload in world.on_the_wire() if payload[0] == MessageType.REGISTRATION_REQUEST
        ]
        before = world.plane.snapshot()
        world.forge(heard)
        world.advance(5)
        world.forge(heard)
        world.forge(heard[:-1] + bytes((heard[-1] ^ 1,)))
        assert world.plane.snapshot() == before and world.notes.named("endpoint-changed") == []
        assert world.down(node, station, address)

    @covers("N29", "N36")
    def test_the_mag_takes_nothing_but_from_its_lma(self) -> None:
        world, _, node, address = self.talking()
        node.plane.transmitted.clear()
        to_node = udp_packet(Endpoint(CORRESPONDENT, 7), Endpoint(address, 5000), b"forged", 64)
        world.forge(type_4(to_node), ATTACKER, world.seen(world.nats[0]))
        world.forge(type_4(to_node, 47), LMA_434, world.seen(world.nats[0]))
        assert node.plane.transmitted == []
        assert sum(node.plane.drops().values()) == 2

    @covers("N37")
    def test_a_keepalive_in_the_name_of_a_node_is_answered_to_nobody_else(self) -> None:
        world, *_ = self.talking()
        world.on_the_wire()
        world.advance(11)
        [keepalive] = [
            payload
            for _, to, payload in world.on_the_wire()
            if b"pmip-keepalive" in payload and to == LMA_434
        ]
        world.forge(keepalive)
        assert not any(to == ATTACKER for _, to, _ in world.on_the_wire())
        assert world.plane.drops()[drops.WRONG_TUNNEL] == 1

    def test_icmp_tells_nobody_who_is_there(self) -> None:
        world, _, _, address = self.talking()
        world.forge(type_4(from_node(address)))
        world.forge(type_4(b"nonsense"))
        assert [to for source, to, _ in world.on_the_wire() if source == LMA_434 and to == ATTACKER] == []


@covers("N15", "P82")
def test_the_mags_own_address_changes_behind_its_nat() -> None:
    """Its uplink is a DHCP client: sessions live on, through another mapping."""
    world = Operator(nodes=3)
    node = world.mags[0]
    addresses = [world.attach(station, node) for station in world.stations]
    node.site.nat.forget()
    renumbered = Ipv4(PRIVATE + 40)
    node.uplink.change(renumbered)
    world.advance(3)
    for station, address in zip(world.stations, addresses, strict=True):
        assert world.down(node, station, address) and world.up(node, station, address)
        binding = world.lma_engine.bound_to(AnchorKey(address))
        assert binding is not None and binding.care_of_address == renumbered
    assert len(node.notes.named("care-of-address-changed")) == 1
    world.advance(120)
    assert all(world.down(node, *pair) for pair in zip(world.stations, addresses, strict=True))
