"""DHCP through an LMA with several workers: each node's is its worker's, and a crash loses no lease (N51, N54)."""

import random

import pytest

from pmip_tw.addresses import ALL_ONES, UNSPECIFIED, Endpoint, Ipv4, ipv4
from pmip_tw.dhcp.relaying import Fact, RelayPolicy
from pmip_tw.interfaces import Datagram
from pmip_tw.lma.workers.slices import worker_of_nai
from pmip_tw.mobility.replay import ntp_timestamp
from pmip_tw.mobility.tunnels import Tunnel
from pmip_tw.testing.accounting import FakeLedger
from pmip_tw.testing.clock import FakeClock
from pmip_tw.testing.network import FakeNetwork, FakeSignalling
from pmip_tw.testing.store import FakeDisk
from pmip_tw.wire.dhcp import DhcpMessage, MessageType
from pmip_tw.wire.ipv4 import Ipv4Packet
from pmip_tw.wire.pretunnel import PreTunnelReply, PreTunnelRequest, ethernet_device
from pmip_tw.wire.registration import COLOCATED, REVERSE_TUNNEL, RegistrationReply, RegistrationRequest
from pmip_tw.wire.udp import UdpDatagram, udp_packet
from tests.agents.dhcp_server import SERVER, DhcpServer
from tests.conformance import covers
from tests.lma.anchor import LMA, MAG1, association, nai
from tests.lma.dhcp_anchor import message, station
from tests.workers.crew import Other, Port, Zero

WORKERS = 2
DOWN = Tunnel(local=LMA, remote=MAG1)
OF_0, OF_1 = (
    [node for node in range(1, 40) if worker_of_nai(nai(node), WORKERS) == worker]
    for worker in range(WORKERS)
)


class Hostel:
    """Two workers, a DHCP server that goes by the LMA's name, and a MAG that does what the test says."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.network = FakeNetwork(clock=self.clock)
        self.chance = random.Random(1)
        self.nodes = 40
        self.pool = "10.1.0.0/24"
        option_82 = frozenset({Fact.SERVER_IDENTIFIER_OVERRIDE})
        self.dhcp_relay = RelayPolicy(servers=(SERVER,), giaddr=LMA, option_82=option_82)
        self.ledger = FakeLedger()
        self.server = DhcpServer(self.network)
        self.server.identifier = LMA
        self.disks = [FakeDisk(f"journal {worker}") for worker in range(WORKERS)]
        self.mag = FakeSignalling(self.network, (MAG1,))
        self.mag.start(self, None)
        self.heard: list[bytes] = []
        self.down: list[DhcpMessage] = []
        self._asked = 0
        port = Port(WORKERS)
        self.zero = Zero(self, port, WORKERS, self.disks[0])
        self.zero.plane.carrier = self._carried
        self.network.attach(Endpoint(LMA, 434), port)
        self._port = port
        self.other = Other(self, port, 1, WORKERS, self.disks[1], self.zero)
        self.wait()

    def says(self, worker: int, payload: bytes) -> None:
        """Nothing to be looked at."""

    def leases(self) -> dict[bytes, Ipv4]:
        """All that there are, of both workers; nobody has two."""
        every = [lease for one in (self.zero, self.other) for lease in one.engine.leases]
        found = {lease.nai: lease.key.home_address for lease in every}
        assert len(found) == len(every)
        return found

    def restart_other(self) -> None:
        """It is killed, and started again."""
        self.other.crash()
        self.wait()
        self.other = Other(self, self._port, 1, WORKERS, self.disks[1], self.zero)
        self.wait()

    def wait(self, seconds: float = 2.0) -> None:
        end = self.clock.monotonic + seconds
        while self.clock.step(end):
            pass

    def datagrams_received(self, batch) -> None:
        self.heard += [datagram.payload for datagram in batch]

    def peer_unreachable(self, report) -> None: ...

    def _carried(self, tunnel: Tunnel, inner: bytes) -> None:
        assert tunnel == DOWN
        self.down.append(DhcpMessage.decode(UdpDatagram.decode(Ipv4Packet.decode(inner)).payload))

    def said(self) -> list[bytes]:
        found, self.heard = self.heard, []
        return found

    def told(self) -> list[DhcpMessage]:
        found, self.down = self.down, []
        return found

    # The MAG

    def identification(self) -> int:
        self._asked += 1
        return ntp_timestamp(self.clock.wall) + self._asked

    def open(self, node: int, *, known: bool = True) -> None:
        request = PreTunnelRequest(
            nai=nai(node),
            home_agent=LMA,
            care_of_address=MAG1,
            identification=self.identification(),
            identifiers=(ethernet_device(station(node)),) if known else (),
        )
        self.mag.send(request.encode(mn_ha=association(node)), Endpoint(LMA, 434), MAG1)
        self.wait()
        [answer] = self.said()
        assert PreTunnelReply.decode(answer).status == 0

    def up(self, said: DhcpMessage) -> list[DhcpMessage]:
        """A node says it in the tunnel; what comes down."""
        packet = udp_packet(Endpoint(UNSPECIFIED, 68), Endpoint(ALL_ONES, 67), said.encode())
        self.zero.plane.carried(Tunnel(local=MAG1, remote=LMA), packet)
        self.wait()
        return self.told()

    def get_address(self, node: int) -> Ipv4:
        [offer] = self.up(message(MessageType.DISCOVER, node))
        assert (offer.message_type, offer.chaddr) == (MessageType.OFFER, station(node))
        asked = message(MessageType.REQUEST, node, requested=offer.yiaddr, server=LMA)
        [ack] = self.up(asked)
        assert (ack.message_type, ack.chaddr) == (MessageType.ACK, station(node))
        return ack.yiaddr

    def register(self, node: int, home: Ipv4, lifetime: int = 60) -> int:
        request = RegistrationRequest(
            flags=REVERSE_TUNNEL | COLOCATED,
            nai=nai(node),
            lifetime=lifetime,
            home_address=home,
            home_agent=LMA,
            care_of_address=MAG1,
            identification=self.identification(),
        )
        self.mag.send(request.encode(mn_ha=association(node)), Endpoint(LMA, 434), MAG1)
        self.wait()
        [answer] = self.said()
        return RegistrationReply.decode(answer).code


@covers("N51", "N53", "N54", "N55", "P64")
@pytest.mark.parametrize("known", [True, False])
def test_the_nodes_of_both_workers_get_their_addresses_through_one_tunnel(known: bool) -> None:
    hostel = Hostel()
    nodes = [OF_1[0], OF_0[0], OF_1[1]]
    for node in nodes:
        hostel.open(node, known=known)
    homes = [hostel.get_address(node) for node in nodes]
    assert len(set(homes)) == 3
    for node, home in zip(nodes, homes, strict=True):
        assert hostel.register(node, home) in (0, 1)
    installed = {entry.home_address for entry in hostel.zero.plane.snapshot()}
    assert installed == set(homes)
    assert len(hostel.zero.engine.leases) == 1 and len(hostel.other.engine.leases) == 2
    # Registered: nothing is open for DHCP any more.
    assert hostel.up(message(MessageType.DISCOVER, nodes[0])) == []
    assert hostel.zero.plane.drops().get("unknown-source") == 1
    assert hostel.other.defects == []


@covers("N54")
def test_nobody_else_gets_what_another_worker_has_leased() -> None:
    hostel = Hostel()
    hostel.open(OF_1[0])
    home = hostel.get_address(OF_1[0])
    assert hostel.register(OF_0[0], home) == 129
    assert hostel.register(OF_1[1], home) == 129
    assert hostel.register(OF_1[0], home) in (0, 1)
    assert hostel.register(OF_0[0], home) == 129


@covers("N54", "D35")
@pytest.mark.parametrize(("has_it", "wants_it"), [(OF_0[0], OF_1[0]), (OF_1[0], OF_0[0])])
def test_nobody_gets_the_address_of_another_workers_node(has_it: int, wants_it: int) -> None:
    """The server takes two clients for one; the address is that of who is registered with it, whose worker knows."""
    hostel = Hostel()
    hostel.open(has_it)
    home = hostel.get_address(has_it)
    assert hostel.register(has_it, home) in (0, 1)
    hostel.server.leases[station(wants_it)] = home
    hostel.open(wants_it)
    [_] = hostel.up(message(MessageType.DISCOVER, wants_it))
    assert hostel.up(message(MessageType.REQUEST, wants_it, requested=home, server=LMA)) == []
    assert hostel.leases() == {nai(has_it): home}
    assert hostel.register(wants_it, home) == 129
    assert hostel.register(has_it, home) in (0, 1)


@covers("N54", "D31")
@pytest.mark.parametrize(("had_it", "gets_it"), [(OF_0[0], OF_1[0]), (OF_1[0], OF_0[0])])
def test_what_a_server_gives_to_another_workers_node_is_its_alone(had_it: int, gets_it: int) -> None:
    """Who had it has released it, which nobody here has seen; also after both workers were killed."""
    hostel = Hostel()
    hostel.open(had_it)
    home = hostel.get_address(had_it)
    assert hostel.register(had_it, home) in (0, 1)
    assert hostel.register(had_it, home, lifetime=0) in (0, 1)
    hostel.server.leases[station(gets_it)] = home
    hostel.open(gets_it)
    assert hostel.get_address(gets_it) == home
    assert hostel.leases() == {nai(gets_it): home}
    hostel.restart_other()
    assert hostel.leases() == {nai(gets_it): home}
    assert hostel.register(had_it, home) == 129
    assert hostel.register(gets_it, home) in (0, 1)


@covers("N54")
def test_a_worker_is_killed_between_lease_and_registration() -> None:
    hostel = Hostel()
    hostel.open(OF_1[0])
    home = hostel.get_address(OF_1[0])
    hostel.restart_other()
    # What its former life has waited for is over.
    assert hostel.up(message(MessageType.DISCOVER, OF_1[0])) == []
    assert hostel.register(OF_1[0], home) in (0, 1)
    hostel.restart_other()
    assert [lease.key.home_address for lease in hostel.other.engine.leases] == [home]
    assert hostel.register(OF_1[1], home) == 129
    hostel.open(OF_1[1])
    assert hostel.get_address(OF_1[1]) != home


@covers("D14", "D31", "P38")
def test_a_renewal_and_a_release_find_the_worker() -> None:
    hostel = Hostel()
    node = OF_1[0]
    hostel.open(node)
    home = hostel.get_address(node)
    assert hostel.register(node, home) in (0, 1)

    def from_home(said: DhcpMessage) -> list[DhcpMessage]:
        hostel.zero.from_homes.arrive(Datagram(said.encode(), Endpoint(home, 68), LMA))
        hostel.wait()
        return hostel.told()

    [ack] = from_home(message(MessageType.REQUEST, node, ciaddr=home, xid=77))
    assert (ack.message_type, ack.yiaddr) == (MessageType.ACK, home)
    assert from_home(message(MessageType.RELEASE, node, ciaddr=home, server=LMA)) == []
    assert len(hostel.other.engine.leases) == 0
    assert hostel.zero.plane.snapshot() == ()
    assert from_home(message(MessageType.REQUEST, node, ciaddr=ipv4("10.1.0.9"))) == []
