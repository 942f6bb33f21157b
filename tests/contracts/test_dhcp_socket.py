"""What every IDhcpSocket does: the twin on its network in memory, and a UDP socket on loopback."""

import socket
from collections.abc import Callable, Iterator, Sequence

import pytest
from zope.interface import implementer
from zope.interface.verify import verifyObject

from pmip_tw.addresses import Endpoint, Ipv4, ipv4, ipv4_text
from pmip_tw.errors import PmipError
from pmip_tw.interfaces import Datagram, IDhcpReceiver, IDhcpSocket
from pmip_tw.net.dhcp_socket import UdpDhcpSocket
from pmip_tw.testing.dhcp_socket import FakeDhcpSocket
from pmip_tw.testing.network import FakeNetwork
from tests.conformance import covers
from tests.loops import private_reactor, run_until

RELAY, SERVER, NOBODY = (ipv4(f"127.0.4.{number}") for number in (1, 2, 3))
FOREIGN = ipv4("192.0.2.99")


@implementer(IDhcpReceiver)
class Mailbox:
    """Keeps what arrives."""

    def __init__(self) -> None:
        self.arrived: list[Datagram] = []

    def dhcp_received(self, batch: Sequence[Datagram]) -> None:
        assert batch
        self.arrived += batch


class Provider:
    """``start`` gives one more started IDhcpSocket; ``turn`` lets everything happen until a condition holds."""

    def __init__(
        self, port: int, make: Callable[[Ipv4], IDhcpSocket], turn: Callable[[Callable[[], object]], None]
    ) -> None:
        self.port, self.turn = port, turn
        self._make = make
        self.made: list[IDhcpSocket] = []

    def make(self, address: Ipv4) -> IDhcpSocket:
        self.made.append(self._make(address))
        return self.made[-1]

    def start(self, address: Ipv4) -> tuple[IDhcpSocket, Mailbox]:
        made, mailbox = self.make(address), Mailbox()
        made.start(mailbox)
        return made, mailbox


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(params=["memory", "udp"])
def provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    if request.param == "memory":
        network = FakeNetwork()

        def turn(condition: Callable[[], object]) -> None:
            network.deliver()
            assert condition()

        yield Provider(67, lambda address: FakeDhcpSocket(network, address), turn)
        return
    with private_reactor() as reactor:
        port = free_port()
        udp = Provider(
            port,
            lambda address: UdpDhcpSocket(reactor, address, port),
            lambda condition: run_until(reactor, condition),
        )
        yield udp
        for made in udp.made:
            made.stop()


class TestDhcpSocketContract:
    """A relay and a server at the same port of two addresses."""

    def test_it_is_one(self, provider: Provider) -> None:
        assert verifyObject(IDhcpSocket, provider.make(RELAY))

    def test_from_our_address_and_port_to_the_servers(self, provider: Provider) -> None:
        relay, _ = provider.start(RELAY)
        _, server = provider.start(SERVER)
        relay.send(b"discover", SERVER)
        provider.turn(lambda: server.arrived)
        assert server.arrived == [Datagram(b"discover", Endpoint(RELAY, provider.port), SERVER)]

    def test_answers_in_order(self, provider: Provider) -> None:
        _, mailbox = provider.start(RELAY)
        server, _ = provider.start(SERVER)
        payloads = [b"%d" % number for number in range(200)]
        for payload in payloads:
            server.send(payload, RELAY)
        provider.turn(lambda: len(mailbox.arrived) == len(payloads))
        assert [one.payload for one in mailbox.arrived] == payloads

    def test_a_server_that_is_down_costs_nothing(self, provider: Provider) -> None:
        """ICMP about one does not keep the next from being asked, or from being heard."""
        relay, mailbox = provider.start(RELAY)
        server, questions = provider.start(SERVER)
        for _ in range(5):
            relay.send(b"question", NOBODY)
            relay.send(b"question", SERVER)
        provider.turn(lambda: len(questions.arrived) == 5)
        server.send(b"answer", RELAY)
        provider.turn(lambda: mailbox.arrived)

    def test_stop_is_final_and_may_be_repeated(self, provider: Provider) -> None:
        relay, mailbox = provider.start(RELAY)
        server, questions = provider.start(SERVER)
        relay.stop()
        relay.stop()
        relay.send(b"late", SERVER)
        again, successor = provider.start(RELAY)
        server.send(b"answer", RELAY)
        provider.turn(lambda: successor.arrived)
        assert (mailbox.arrived, questions.arrived) == ([], [])
        relay.stop()
        again.send(b"still there", SERVER)
        provider.turn(lambda: questions.arrived)

    @covers("P82")
    def test_another_address_of_ours(self, provider: Provider) -> None:
        """The old one is free then; one that is taken changes nothing."""
        relay, mailbox = provider.start(RELAY)
        server, questions = provider.start(SERVER)
        with pytest.raises(PmipError):
            relay.use_address(SERVER)
        relay.use_address(NOBODY)
        relay.use_address(NOBODY)
        relay.send(b"question", SERVER)
        provider.turn(lambda: questions.arrived)
        assert questions.arrived[0].source.address == NOBODY
        server.send(b"answer", NOBODY)
        provider.turn(lambda: mailbox.arrived)
        provider.start(RELAY)

    def test_an_address_before_the_start(self, provider: Provider) -> None:
        made, mailbox = provider.make(RELAY), Mailbox()
        made.use_address(NOBODY)
        made.start(mailbox)
        server, _ = provider.start(SERVER)
        server.send(b"answer", NOBODY)
        provider.turn(lambda: mailbox.arrived)

    def test_stop_without_start(self, provider: Provider) -> None:
        provider.make(RELAY).stop()

    def test_an_address_in_use_is_named(self, provider: Provider) -> None:
        provider.start(RELAY)
        with pytest.raises(PmipError, match=f"{ipv4_text(RELAY)}:{provider.port} cannot be bound"):
            provider.make(RELAY).start(Mailbox())


def test_an_address_of_another_machine() -> None:
    """The message says what to look at."""
    with private_reactor() as reactor, pytest.raises(PmipError, match="is it an address of this machine"):
        UdpDhcpSocket(reactor, FOREIGN, free_port()).start(Mailbox())
