"""What every IClientLinks does: the twin, and packet sockets in a private network.

host, which has no address ---- link-a ) relay ( link-b ---- host
"""

import socket
from collections.abc import Callable, Iterator, Sequence

import pytest
from zope.interface import implementer
from zope.interface.verify import verifyObject

from pmip_tw.addresses import ALL_ONES, BROADCAST_MAC, UNSPECIFIED, Endpoint, Ipv4, Mac, ipv4, mac
from pmip_tw.errors import PmipError
from pmip_tw.interfaces import IClientLinks, IClientLinksReceiver
from pmip_tw.net.client_links import PacketClientLinks
from pmip_tw.testing.client_links import FakeClientLinks
from pmip_tw.wire.ethernet import EthernetFrame, ethernet_frame
from pmip_tw.wire.ipv4 import Ipv4Packet
from pmip_tw.wire.udp import udp_packet
from tests.conformance import covers
from tests.loops import private_reactor, run_until
from tests.namespaces import private_network
from tests.programs import require
from tests.services.daemons import shell

A, B = "link-a", "link-b"
HOST = mac("02:00:00:00:00:0a")
HOME = ipv4("10.1.0.9")
QUESTION = udp_packet(Endpoint(UNSPECIFIED, 68), Endpoint(ALL_ONES, 67), b"question")
OTHER_QUESTION = udp_packet(Endpoint(UNSPECIFIED, 68), Endpoint(ALL_ONES, 67), b"another")
ANSWER = udp_packet(Endpoint(ipv4("10.1.0.1"), 67), Endpoint(HOME, 68), b"answer")


@implementer(IClientLinksReceiver)
class Mailbox:
    """Keeps what arrives."""

    def __init__(self) -> None:
        self.arrived: list[tuple[str, bytes]] = []

    def client_packets_received(self, link: str, packets: Sequence[bytes]) -> None:
        assert packets
        self.arrived += [(link, packet) for packet in packets]


class World:
    """Two links, and the hosts behind them."""

    def __init__(
        self,
        links: IClientLinks,
        broadcast: Callable[[str, bytes], None],
        heard: Callable[[str], list[tuple[Mac, bytes]]],
        turn: Callable[[Callable[[], object]], None],
    ) -> None:
        self.links, self.broadcast, self.heard, self.turn = links, broadcast, heard, turn
        self.mailbox = Mailbox()

    def arrives(self, *expected: tuple[str, bytes]) -> None:
        self.turn(lambda: len(self.mailbox.arrived) >= len(expected))
        assert self.mailbox.arrived == list(expected)


class Wires:
    """Two veth pairs, the hosts' ends as raw sockets."""

    def __init__(self) -> None:
        self.hosts = {}
        for link in (A, B):
            shell(f"ip link add name {link} type veth peer name host-{link} address {HOST.hex(':')}")
            for end in (link, f"host-{link}"):
                shell(f"ip link set {end} up")
            self.hosts[link] = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
            self.hosts[link].bind((f"host-{link}", 0x0800))
            self.hosts[link].settimeout(5)

    def frame(self, link: str, frame: bytes) -> None:
        self.hosts[link].send(frame)

    def broadcast(self, link: str, packet: bytes) -> None:
        self.frame(link, ethernet_frame(BROADCAST_MAC, HOST, 0x0800, packet))

    def heard(self, link: str) -> list[tuple[Mac, bytes]]:
        """The next packet that is not our own."""
        while True:
            octets, (_, _, kind, *_) = self.hosts[link].recvfrom(65536)
            if kind != socket.PACKET_OUTGOING:
                found = EthernetFrame.decode(octets)
                return [(found.destination, found.payload)]


@pytest.fixture
def wires() -> Iterator[Wires]:
    require("ip")
    with private_network():
        made = Wires()
        yield made
        for host in made.hosts.values():
            host.close()


@pytest.fixture(params=["memory", "packet sockets"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "memory":
        twin = FakeClientLinks((A, B))

        def heard(link: str) -> list[tuple[Mac, bytes]]:
            return [(to, packet) for where, packet, to in twin.sent if where == link]

        def turn(condition: Callable[[], object]) -> None:
            assert condition()

        yield World(twin, twin.broadcast, heard, turn)
        return
    wires: Wires = request.getfixturevalue("wires")
    with private_reactor() as reactor:
        links = PacketClientLinks(reactor, (A, B))
        yield World(links, wires.broadcast, wires.heard, lambda condition: run_until(reactor, condition))
        links.stop()


@covers("D9")
def test_a_question_of_a_host_without_address_and_an_answer_without_arp(world: World) -> None:
    """To the MAC that is named, and on that link alone."""
    verifyObject(IClientLinks, world.links)
    world.links.start(world.mailbox)
    world.broadcast(A, QUESTION)
    world.arrives((A, QUESTION))
    world.links.send(A, ANSWER, HOST)
    assert world.heard(A) == [(HOST, ANSWER)]


def test_each_link_is_told_from_the_other(world: World) -> None:
    world.links.start(world.mailbox)
    world.broadcast(B, QUESTION)
    world.arrives((B, QUESTION))
    world.broadcast(A, QUESTION)
    world.arrives((B, QUESTION), (A, QUESTION))
    assert world.links.drops() == {}


def test_to_all_on_a_link(world: World) -> None:
    world.links.start(world.mailbox)
    world.links.send(B, QUESTION, BROADCAST_MAC)
    assert world.heard(B) == [(BROADCAST_MAC, QUESTION)]
    world.broadcast(A, QUESTION)
    world.arrives((A, QUESTION))


def test_stop_is_final_and_may_be_repeated(world: World) -> None:
    world.links.stop()
    world.links.start(world.mailbox)
    world.links.stop()
    world.links.stop()
    world.broadcast(A, QUESTION)
    world.links.send(A, ANSWER, HOST)
    world.links.start(world.mailbox)
    world.broadcast(B, QUESTION)
    world.arrives((B, QUESTION))


def own_mac(interface: str) -> Mac:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as opened:
        opened.bind((interface, 0))
        return Mac(opened.getsockname()[4])


def fragment(packet: bytes) -> bytes:
    return packet[:6] + b"\x20\x00" + packet[8:]


ESP = Ipv4Packet(source=HOME, destination=ALL_ONES, protocol=50, payload=b"\0\x44\0\x43 protected").encode()
AH = Ipv4Packet(source=HOME, destination=ALL_ONES, protocol=51, payload=b"\0\x44\0\x43 protected").encode()


class TestPacketSockets:
    """What the kernel keeps from us, and what it may hand over unfinished."""

    @covers("D2", "D11")
    @pytest.mark.parametrize(
        "frame",
        [
            ethernet_frame(BROADCAST_MAC, HOST, 0x0800, ANSWER),
            ethernet_frame(BROADCAST_MAC, HOST, 0x0800, fragment(QUESTION)),
            ethernet_frame(BROADCAST_MAC, HOST, 0x0800, ESP),
            ethernet_frame(BROADCAST_MAC, HOST, 0x0800, AH),
            ethernet_frame(BROADCAST_MAC, HOST, 0x86DD, QUESTION),
            ethernet_frame(BROADCAST_MAC, HOST, 0x8100, b"\0\x07\x08\x00" + QUESTION),
            ethernet_frame(HOST, HOST, 0x0800, QUESTION),
            ethernet_frame(BROADCAST_MAC, HOST, 0x0800, QUESTION[:20]),
            ethernet_frame(BROADCAST_MAC, HOST, 0x0800, b""),
        ],
        ids=["port 68", "fragment", "ESP", "AH", "IPv6", "VLAN", "another host's", "cut", "empty"],
    )
    def test_what_is_not_for_a_relay(self, wires: Wires, frame: bytes) -> None:
        mailbox = Mailbox()
        with private_reactor() as reactor:
            links = PacketClientLinks(reactor, (A, B))
            links.start(mailbox)
            wires.frame(A, frame)
            wires.broadcast(A, QUESTION)
            run_until(reactor, lambda: mailbox.arrived)
            links.stop()
        assert mailbox.arrived == [(A, QUESTION)]

    @covers("D10")
    @pytest.mark.parametrize("links", [(A, "above"), ("above", A), (A,)])
    def test_an_interface_above_another_is_a_link_of_its_own(
        self, wires: Wires, links: tuple[str, ...]
    ) -> None:
        """Such as a VLAN: what is said on it is not heard once more on the interface that carries it."""
        above = mac("02:00:00:00:00:0b")
        shell(f"ip link add link link-a name above address {above.hex(':')} type macvlan")
        shell("ip link set above up")
        mailbox = Mailbox()
        with private_reactor() as reactor:
            opened = PacketClientLinks(reactor, links)
            opened.start(mailbox)
            wires.frame(A, ethernet_frame(above, HOST, 0x0800, OTHER_QUESTION))
            wires.frame(A, ethernet_frame(own_mac(A), HOST, 0x0800, QUESTION))
            run_until(reactor, lambda: len(mailbox.arrived) >= len(links))
            opened.stop()
        expected = {(A, QUESTION), ("above", OTHER_QUESTION)}
        assert sorted(mailbox.arrived) == sorted(one for one in expected if one[0] in links)

    def test_options_in_the_header_are_no_hiding_place(self, wires: Wires) -> None:
        packet = Ipv4Packet.decode(QUESTION)
        longer = Ipv4Packet(
            source=Ipv4(0), destination=ALL_ONES, protocol=17, payload=packet.payload, options=bytes(8)
        ).encode()
        mailbox = Mailbox()
        with private_reactor() as reactor:
            links = PacketClientLinks(reactor, (A,))
            links.start(mailbox)
            wires.broadcast(A, longer)
            run_until(reactor, lambda: mailbox.arrived)
            links.stop()
        assert mailbox.arrived == [(A, longer)]

    def test_a_checksum_that_a_card_was_to_compute(self, wires: Wires) -> None:
        """As the kernel of a host on the same machine sends it: no checksum, instead of half of one."""
        shell("ip addr add 10.9.0.2/24 dev host-link-a")
        mailbox = Mailbox()
        with private_reactor() as reactor, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as host:
            links = PacketClientLinks(reactor, (A,))
            links.start(mailbox)
            host.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            host.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"host-link-a")
            host.sendto(b"question", ("255.255.255.255", 67))
            run_until(reactor, lambda: mailbox.arrived)
            links.stop()
        [(_, packet)] = mailbox.arrived
        assert packet[26:28] == b"\0\0"

    def test_a_packet_that_is_too_big_is_counted(self, wires: Wires) -> None:
        with private_reactor() as reactor:
            links = PacketClientLinks(reactor, (A,))
            links.start(Mailbox())
            links.send(A, bytes(1501), HOST)
            assert links.drops() == links.drops() == {"too-big": 1}
            links.stop()

    def test_a_link_that_goes_down_and_comes_back(self, wires: Wires) -> None:
        mailbox = Mailbox()
        with private_reactor() as reactor:
            links = PacketClientLinks(reactor, (A,))
            links.start(mailbox)
            shell("ip link set link-a down")
            reactor.iterate(0.05)
            links.send(A, ANSWER, HOST)
            shell("ip link set link-a up")
            wires.broadcast(A, QUESTION)
            run_until(reactor, lambda: mailbox.arrived)
            assert links.drops() == {"send-failed": 1}
            links.stop()

    def test_a_link_that_is_removed_ends_the_reading_and_nothing_else(self, wires: Wires) -> None:
        mailbox = Mailbox()
        with private_reactor() as reactor:
            links = PacketClientLinks(reactor, (A, B))
            links.start(mailbox)
            shell("ip link del link-a")
            wires.broadcast(B, QUESTION)
            run_until(reactor, lambda: mailbox.arrived)
            before = len(reactor.getReaders())
            for _ in range(3):
                reactor.iterate(0.01)
            assert len(reactor.getReaders()) == before
            links.stop()
        assert mailbox.arrived == [(B, QUESTION)]

    def test_an_interface_that_is_not_there(self, wires: Wires) -> None:
        """Nothing is left open."""
        with private_reactor() as reactor:
            links = PacketClientLinks(reactor, (A, "eth7"))
            with pytest.raises(
                PmipError,
                match="no interface 'eth7'; this machine has host-link-a",
            ):
                links.start(Mailbox())
            assert [reader for reader in reactor.getReaders() if "DHCP" in reader.logPrefix()] == []
