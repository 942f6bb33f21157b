"""A DHCP relay by itself, between clients on two links and a server, all on twins (D1-D18).

client ---- eth1 ) relay ( ---- DHCP server 203.0.113.67
client ---- eth2 )
"""

from collections.abc import Sequence

import attrs
import pytest

from pmip_tw.addresses import ALL_ONES, BROADCAST_MAC, UNSPECIFIED, Endpoint, Ipv4, Mac, ipv4, prefix
from pmip_tw.agents.dhcp_relay import DhcpRelay
from pmip_tw.dhcp.relay_agent import ClientLink, RelayAgent
from pmip_tw.dhcp.relaying import Circuit, Fact, RelayPolicy
from pmip_tw.interfaces import Datagram
from pmip_tw.testing.client_links import FakeClientLinks
from pmip_tw.testing.clock import FakeClock
from pmip_tw.testing.dhcp_socket import FakeDhcpSocket
from pmip_tw.testing.network import FakeNetwork
from pmip_tw.wire.dhcp import BOOTREPLY, BROADCAST_FLAG, DhcpMessage, MessageType, OptionCode
from pmip_tw.wire.ethernet import EthernetFrame
from pmip_tw.wire.ipv4 import Ipv4Packet
from pmip_tw.wire.relay_information import RelayInformation
from pmip_tw.wire.udp import UdpDatagram, udp_packet
from tests.agents.dhcp_server import LEASE, SERVER, DhcpServer
from tests.agents.world import Station
from tests.conformance import covers
from tests.observers import Notes

FIRST_LINK, SECOND_LINK = ipv4("10.1.0.1"), ipv4("10.2.0.1")
ELSEWHERE = ipv4("192.0.2.200")
CLIENT, OTHER = Station(1), Station(2)
ADDRESS = ipv4("10.1.0.101")
EVERYTHING = frozenset(Fact)


class Server(DhcpServer):
    """It copies option 82, and goes by the name that it finds there (D15, D18)."""

    def answer(self, asked: DhcpMessage) -> DhcpMessage | None:
        self.asked = asked
        reply = super().answer(asked)
        value = asked.option(OptionCode.RELAY_AGENT_INFORMATION)
        if reply is None or value is None:
            return reply
        name = RelayInformation.decode(value).server_identifier_override or SERVER
        options = [(code, octets) for code, octets in reply.options if code != 54]
        return attrs.evolve(reply, options=(*options, (54, name.to_bytes(4, "big")), (82, value)))


class World:
    """``ask``: a client broadcasts; ``told``: what clients on a link got, as (MAC, IP destination, message)."""

    def __init__(self, facts: frozenset[Fact] = frozenset(), **policy: object) -> None:
        self.clock, self.network, self.notes = FakeClock(), FakeNetwork(), Notes()
        self.server = Server(self.network)
        settings = {"servers": (SERVER,), "option_82": facts, **policy}
        links = [
            ClientLink(
                name=name,
                prefix=prefix(subnet),
                circuit=Circuit(
                    port=name,
                    giaddr=giaddr,
                    circuit_id=f"relay1:{name}".encode(),
                    subnet=prefix(subnet).network,
                ),
            )
            for name, subnet, giaddr in (
                ("eth1", "10.1.0.0/24", FIRST_LINK),
                ("eth2", "10.2.0.0/24", SECOND_LINK),
            )
        ]
        self.links = FakeClientLinks(("eth1", "eth2"))
        self.agent = DhcpRelay(
            RelayAgent(RelayPolicy(**settings), links),  # type: ignore[arg-type]
            clock=self.clock,
            links=self.links,
            servers={address: FakeDhcpSocket(self.network, address) for address in (FIRST_LINK, SECOND_LINK)},
            observers=[self.notes],
        )
        self.agent.start()

    def ask(self, frame: bytes, link: str = "eth1") -> None:
        self.links.broadcast(link, EthernetFrame.decode(frame).payload)
        self.network.deliver()

    def send(self, payload: bytes, source: Endpoint, local: Ipv4 = FIRST_LINK) -> None:
        self.agent.dhcp_received([Datagram(payload, source, local)])
        self.network.deliver()

    def told(self, link: str = "eth1") -> list[tuple[Mac, Ipv4, DhcpMessage]]:
        found = []
        for where, octets, destination in self.links.sent:
            packet = Ipv4Packet.decode(octets)
            datagram = UdpDatagram.decode(packet)
            assert (datagram.source_port, datagram.destination_port) == (67, 68)
            if where == link:
                found.append((destination, packet.destination, DhcpMessage.decode(datagram.payload)))
        return found

    def kinds(self, link: str = "eth1") -> list[MessageType | None]:
        return [message.message_type for _, _, message in self.told(link)]

    def lease(self) -> None:
        self.ask(CLIENT.dhcp(MessageType.DISCOVER))
        name = self.told()[-1][2].server_identifier
        assert name is not None
        self.ask(CLIENT.dhcp(MessageType.REQUEST, requested=ADDRESS, server=name))
        assert self.kinds()[-1] is MessageType.ACK

    @property
    def reasons(self) -> list[str]:
        return [note.reason for note in self.notes.all if note.reason]


def renewal(kind: MessageType, server: Ipv4, ciaddr: Ipv4 = ADDRESS) -> bytes:
    frame = EthernetFrame.decode(CLIENT.dhcp(kind, ciaddr=ciaddr, server=server))
    return UdpDatagram.decode(Ipv4Packet.decode(frame.payload)).payload


@covers("D2", "D4", "D9")
def test_an_address_by_way_of_the_relay() -> None:
    """To the client's MAC and its new address, from our address on its link; the other link hears nothing."""
    world = World()
    world.lease()
    assert world.server.heard == [(MessageType.DISCOVER, True), (MessageType.REQUEST, True)]
    assert world.server.asked.giaddr == FIRST_LINK
    assert [(to, address) for to, address, _ in world.told()] == [(CLIENT.mac, ADDRESS)] * 2
    assert world.kinds() == [MessageType.OFFER, MessageType.ACK]
    assert world.told("eth2") == []
    assert world.reasons == []
    assert Ipv4Packet.decode(world.links.sent[0][1]).source == FIRST_LINK


@covers("D9")
def test_who_cannot_take_unicast_yet_gets_a_broadcast() -> None:
    world = World()
    frame = EthernetFrame.decode(CLIENT.dhcp(MessageType.DISCOVER))
    message = DhcpMessage.decode(UdpDatagram.decode(Ipv4Packet.decode(frame.payload)).payload)
    flagged = attrs.evolve(message, flags=BROADCAST_FLAG)
    reply = world.server.answer(attrs.evolve(flagged, giaddr=FIRST_LINK))
    assert reply is not None
    world.links.broadcast(
        "eth1", udp_packet(Endpoint(UNSPECIFIED, 68), Endpoint(ALL_ONES, 67), flagged.encode())
    )
    world.send(attrs.evolve(reply, flags=BROADCAST_FLAG).encode(), Endpoint(SERVER, 67))
    assert {(to, address) for to, address, _ in world.told()} >= {(BROADCAST_MAC, ALL_ONES)}


@covers("D4", "D10", "D12")
def test_each_link_has_its_address_and_its_circuit() -> None:
    """Two clients at once, one on each."""
    world = World(frozenset((Fact.CIRCUIT_ID, Fact.REMOTE_ID)))
    world.links.broadcast("eth2", EthernetFrame.decode(OTHER.dhcp(MessageType.DISCOVER)).payload)
    world.links.broadcast("eth1", EthernetFrame.decode(CLIENT.dhcp(MessageType.DISCOVER)).payload)
    world.network.deliver()
    assert [message.chaddr for _, _, message in world.told("eth1")] == [CLIENT.mac]
    assert [message.chaddr for _, _, message in world.told("eth2")] == [OTHER.mac]
    found = RelayInformation.decode(world.server.asked.option(82) or b"")
    assert (found.circuit_id, found.remote_id) == (b"relay1:eth1", CLIENT.mac)
    assert all(message.option(82) is None for _, _, message in world.told("eth1"))


@covers("D14", "D15")
class TestUnderTheRelaysName:
    """Clients take the relay for their server."""

    @pytest.fixture
    def world(self) -> World:
        world = World(EVERYTHING)
        world.lease()
        assert world.told()[-1][2].server_identifier == FIRST_LINK
        return world

    def test_a_renewal_comes_to_the_relay_and_its_answer_to_the_client(self, world: World) -> None:
        world.send(renewal(MessageType.REQUEST, FIRST_LINK), Endpoint(ADDRESS, 68))
        assert RelayInformation.decode(world.server.asked.option(82) or b"").unicast
        to, address, message = world.told()[-1]
        assert (to, address, message.message_type) == (CLIENT.mac, ADDRESS, MessageType.ACK)

    def test_a_release_is_passed_on(self, world: World) -> None:
        world.send(renewal(MessageType.RELEASE, FIRST_LINK), Endpoint(ADDRESS, 68))
        assert world.server.heard[-1] == (MessageType.RELEASE, True)
        assert world.agent.tables()["clients"]() == []

    @pytest.mark.parametrize(
        ("source", "ciaddr", "local"),
        [
            (ELSEWHERE, ADDRESS, FIRST_LINK),
            (ELSEWHERE, ELSEWHERE, FIRST_LINK),
            (ADDRESS, ADDRESS, SECOND_LINK),
        ],
        ids=["in another's name", "of no link", "to another link's address"],
    )
    def test_nobody_releases_what_is_not_his(
        self, world: World, source: Ipv4, ciaddr: Ipv4, local: Ipv4
    ) -> None:
        heard = list(world.server.heard)
        world.send(renewal(MessageType.RELEASE, local, ciaddr), Endpoint(source, 68), local)
        assert world.server.heard == heard
        assert len(world.reasons) == 1


@covers("D3", "D4", "D6")
def test_relays_in_a_row() -> None:
    """The one before us takes us for a server; it gets its answer itself."""
    world = World(EVERYTHING)
    before = FakeDhcpSocket(world.network, ELSEWHERE)
    answers: list[Datagram] = []

    class Relay:
        def dhcp_received(self, batch: Sequence[Datagram]) -> None:
            answers.extend(batch)

    before.start(Relay())  # type: ignore[arg-type]
    frame = EthernetFrame.decode(CLIENT.dhcp(MessageType.DISCOVER))
    message = DhcpMessage.decode(UdpDatagram.decode(Ipv4Packet.decode(frame.payload)).payload)
    before.send(attrs.evolve(message, giaddr=ELSEWHERE, hops=1).encode(), FIRST_LINK)
    world.network.deliver()
    assert (world.server.asked.giaddr, world.server.asked.hops) == (ELSEWHERE, 2)
    assert world.server.asked.option(82) is None
    assert len(answers) == 1
    assert world.links.sent == []
    assert world.agent.tables()["clients"]() == []


def broadcast(payload: bytes, *, source: Ipv4 = UNSPECIFIED, to: Ipv4 = ALL_ONES, port: int = 67) -> bytes:
    return udp_packet(Endpoint(source, 68), Endpoint(to, port), payload)


DISCOVER = DhcpMessage(op=1, xid=1, chaddr=CLIENT.mac, options=((53, b"\x01"),))
OFFER = DhcpMessage(op=BOOTREPLY, xid=1, chaddr=CLIENT.mac, yiaddr=ADDRESS, options=((53, b"\x02"),))


class TestBadInput:
    """It is dropped and counted, and reaches nobody."""

    @covers("D2", "D3", "D4", "D7", "D10")
    @pytest.mark.parametrize(
        ("packet", "reason"),
        [
            (broadcast(OFFER.encode()), "dhcp-not-a-request"),
            (broadcast(b""), "truncated"),
            (broadcast(DISCOVER.encode()[:239]), "truncated"),
            (broadcast(b"\x01\x01\x11" + DISCOVER.encode()[3:]), "malformed"),
            (broadcast(DISCOVER.encode()[:236] + bytes(64)), "malformed"),
            (broadcast(DISCOVER.encode()[:-1] + bytes((52, 1, 7, 255))), "malformed"),
            (
                broadcast(attrs.evolve(DISCOVER, options=((53, b"\x01"), (82, b"\x01\x01x"))).encode()),
                "dhcp-untrusted-circuit",
            ),
            (broadcast(attrs.evolve(DISCOVER, giaddr=SECOND_LINK).encode()), "dhcp-spoofed-relay"),
            (broadcast(attrs.evolve(DISCOVER, giaddr=FIRST_LINK).encode()), "dhcp-spoofed-relay"),
            (broadcast(attrs.evolve(DISCOVER, hops=5).encode()), "dhcp-too-many-hops"),
            (broadcast(attrs.evolve(DISCOVER, options=()).encode()), "dhcp-ignored"),
            (broadcast(attrs.evolve(DISCOVER, options=((53, b"\x09"),)).encode()), "dhcp-ignored"),
            (b"\x45", "truncated"),
        ],
    )
    def test_of_clients(self, packet: bytes, reason: str) -> None:
        world = World()
        world.links.broadcast("eth1", packet)
        world.network.deliver()
        assert world.reasons == [reason]
        assert (world.server.heard, world.links.sent) == ([], [])

    @covers("D2", "D11")
    @pytest.mark.parametrize(
        "packet",
        [
            broadcast(DISCOVER.encode(), port=68),
            broadcast(DISCOVER.encode(), to=ELSEWHERE),
            attrs.evolve(Ipv4Packet.decode(broadcast(DISCOVER.encode())), more_fragments=True).encode(),
            Ipv4Packet(
                source=ADDRESS, destination=ALL_ONES, protocol=51, payload=broadcast(DISCOVER.encode())[20:]
            ).encode(),
            Ipv4Packet(
                source=ADDRESS, destination=ALL_ONES, protocol=50, payload=broadcast(DISCOVER.encode())[20:]
            ).encode(),
        ],
        ids=["port 68", "to a server", "fragment", "AH", "ESP"],
    )
    def test_what_is_none_of_our_business(self, packet: bytes) -> None:
        world = World()
        world.links.broadcast("eth1", packet)
        world.network.deliver()
        assert world.notes.all == []
        assert (world.server.heard, world.links.sent) == ([], [])

    def test_to_the_broadcast_address_of_the_link(self) -> None:
        world = World()
        world.links.broadcast("eth1", broadcast(DISCOVER.encode(), to=ipv4("10.1.0.255")))
        world.network.deliver()
        assert world.kinds() == [MessageType.OFFER]

    @covers("D9", "D10")
    def test_of_servers(self) -> None:
        world = World()
        world.ask(CLIENT.dhcp(MessageType.DISCOVER))
        told = len(world.links.sent)
        offer = attrs.evolve(OFFER, giaddr=FIRST_LINK, xid=CLIENT.number)
        for payload, source in (
            (offer.encode(), ELSEWHERE),
            (offer.encode()[:100], SERVER),
            (attrs.evolve(offer, giaddr=ELSEWHERE).encode(), SERVER),
            (attrs.evolve(offer, xid=99).encode(), SERVER),
            (attrs.evolve(offer, giaddr=SECOND_LINK).encode(), SERVER),
            (offer.encode(), SERVER),
        ):
            world.send(payload, Endpoint(source, 67))
        assert world.reasons == [
            "dhcp-unknown-server",
            "truncated",
            "dhcp-other-relay",
            "dhcp-unexpected-reply",
            "dhcp-unexpected-reply",
            "dhcp-incomplete-reply",
        ]
        assert len(world.links.sent) == told


class TestWhatOperatorsSee:
    """Tables and observations."""

    def test_clients_and_the_end_of_their_leases(self) -> None:
        world = World()
        world.lease()
        [row] = world.agent.tables()["clients"]()
        assert row == {
            "mac": "02:00:00:00:00:01",
            "interface": "eth1",
            "address": "10.1.0.101",
            "state": "leased",
            "server": "203.0.113.67",
            "remaining": LEASE,
        }
        world.clock.advance(LEASE)
        [row] = world.agent.tables()["clients"]()
        assert (row["state"], row["remaining"]) == ("expired", 0)

    def test_silent_servers_are_told_of_once_and_so_is_their_return(self) -> None:
        world = World()
        world.server.socket.stop()
        for _ in range(3):
            world.ask(CLIENT.dhcp(MessageType.DISCOVER))
            world.clock.advance(4)
        [row] = world.agent.tables()["clients"]()
        assert (row["state"], row["mac"]) == ("waiting", "02:00:00:00:00:01")
        assert len(world.notes.named("dhcp-unanswered")) == 3
        [silent] = world.notes.named("dhcp-servers-silent")
        assert "203.0.113.67" in silent.cause
        world.server.socket.start(world.server)
        world.lease()
        assert len(world.notes.named("dhcp-servers-heard")) == 1
        assert len(world.notes.named("dhcp-servers-silent")) == 1

    @covers("D8")
    def test_option_82_left_out_is_told(self) -> None:
        world = World(EVERYTHING, max_size=576)
        filler = tuple((code, bytes(150)) for code in (77, 78))
        long = attrs.evolve(DISCOVER, options=(*DISCOVER.options, *filler))
        world.links.broadcast("eth1", broadcast(long.encode()))
        world.network.deliver()
        assert world.server.asked.option(82) is None
        assert world.reasons == ["dhcp-option-82-too-long"]

    def test_stop_is_final_and_may_be_repeated(self) -> None:
        world = World()
        world.ask(CLIENT.dhcp(MessageType.DISCOVER))
        world.agent.stop()
        world.agent.stop()
        world.ask(CLIENT.dhcp(MessageType.DISCOVER))
        world.clock.advance(60)
        assert len(world.server.heard) == 1
