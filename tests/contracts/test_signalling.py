"""What every ISignalling does: the twin on its network in memory, and UDP sockets on loopback."""

import errno
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from twisted.internet.posixbase import PosixReactorBase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from pmip_tw.addresses import Endpoint, Ipv4, ipv4, ipv4_text
from pmip_tw.errors import PmipError
from pmip_tw.interfaces import (
    Datagram,
    ISignalling,
    ISignallingReceiver,
    ITunnelDataReceiver,
    Unreachable,
)
from pmip_tw.net.signalling import UdpSignalling
from pmip_tw.net.udp import MAX_BATCH
from pmip_tw.testing.network import FakeNetwork, FakeSignalling
from pmip_tw.wire.udp import udp_packet
from tests.conformance import covers
from tests.loops import private_reactor, run_until
from tests.namespaces import private_network

ONE, TWO, THREE, NOBODY = (ipv4(f"127.0.3.{number}") for number in (1, 2, 3, 4))
FOREIGN = ipv4("192.0.2.99")
"""No address of any machine that runs tests."""


@implementer(ISignallingReceiver, ITunnelDataReceiver)
class Mailbox:
    """Keeps what arrives."""

    def __init__(self) -> None:
        self.signalling: list[Datagram] = []
        self.tunnelled: list[Datagram] = []
        self.reports: list[Unreachable] = []
        self.largest_batch = 0

    def datagrams_received(self, batch: list[Datagram]) -> None:
        assert batch
        self.largest_batch = max(self.largest_batch, len(batch))
        self.signalling += batch

    def peer_unreachable(self, report: Unreachable) -> None:
        self.reports.append(report)

    def tunnel_data_received(self, batch: list[Datagram]) -> None:
        assert batch
        self.tunnelled += batch


class Provider:
    """``make`` gives one more ISignalling on the same port; ``turn`` lets everything happen until a condition holds."""

    def __init__(
        self,
        name: str,
        port: int,
        make: Callable[[tuple[Ipv4, ...]], ISignalling],
        turn: Callable[[Callable[[], object]], None],
    ) -> None:
        self.name, self.port, self._make, self.turn = name, port, make, turn
        self.made: list[ISignalling] = []

    def make(self, *addresses: Ipv4) -> ISignalling:
        made = self._make(addresses)
        self.made.append(made)
        return made

    def start(self, *addresses: Ipv4) -> tuple[ISignalling, Mailbox]:
        mailbox, made = Mailbox(), self.make(*addresses)
        made.start(mailbox, mailbox)
        return made, mailbox

    def at(self, address: Ipv4) -> Endpoint:
        return Endpoint(address, self.port)


def free_port() -> int:
    """A port that is free on all loopback addresses at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("0.0.0.0", 0))
        return probe.getsockname()[1]


def in_memory() -> Provider:
    network = FakeNetwork()

    def turn(condition: Callable[[], object]) -> None:
        network.deliver()
        assert condition()

    return Provider("memory", 434, lambda addresses: FakeSignalling(network, addresses), turn)


def on_loopback(reactor: PosixReactorBase) -> Provider:
    port = free_port()
    return Provider(
        "udp",
        port,
        lambda addresses: UdpSignalling(reactor, addresses, port),
        lambda condition: run_until(reactor, condition),
    )


@pytest.fixture(params=["memory", "udp"])
def provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    with ExitStack() as stack:
        on_network = request.param == "memory"
        found = in_memory() if on_network else on_loopback(stack.enter_context(private_reactor()))
        yield found
        for made in found.made:
            made.stop()


class TestSignalling:
    def test_it_is_one(self, provider: Provider) -> None:
        made = provider.make(ONE, TWO)
        assert verifyObject(ISignalling, made)
        assert made.addresses == (ONE, TWO)

    def test_many_at_once_arrive_as_one_by_one(self, provider: Provider) -> None:
        """Whole, to each its own, those of one size in their order; more than one system call can take."""
        sender, _ = provider.start(ONE)
        receivers = {address: provider.start(address)[1] for address in (TWO, THREE)}
        messages = [
            (b"\x01" + number.to_bytes(2, "big") * size, provider.at(address))
            for number in range(100)
            for address in receivers
            for size in (40, 700)
        ]
        sender.send_all(messages, ONE)
        sender.send_all([], ONE)
        provider.turn(lambda: all(len(each.signalling) == 200 for each in receivers.values()))
        for address, mailbox in receivers.items():
            assert {one.source for one in mailbox.signalling} == {provider.at(ONE)}
            for size in (40, 700):
                sent = [
                    payload
                    for payload, to in messages
                    if to.address == address and len(payload) == 1 + 2 * size
                ]
                came = [one.payload for one in mailbox.signalling if len(one.payload) == 1 + 2 * size]
                assert came == sent

    def test_of_many_to_nobody_the_others_arrive(self, provider: Provider) -> None:
        sender, reports = provider.start(ONE)
        _, mailbox = provider.start(TWO)
        for _ in range(3):
            sender.send_all([(b"\x01reply", provider.at(to)) for to in (NOBODY, TWO) * 3], ONE)
        provider.turn(lambda: len(mailbox.signalling) == 9)
        if provider.name == "udp":
            provider.turn(lambda: reports.reports)
            assert {report.peer for report in reports.reports} == {provider.at(NOBODY)}

    def test_many_are_not_sent_once_it_is_stopped(self, provider: Provider) -> None:
        sender, _ = provider.start(ONE)
        _, mailbox = provider.start(TWO)
        sender.stop()
        sender.send_all([(b"\x01late", provider.at(TWO))] * 2, ONE)
        other, _ = provider.start(THREE)
        other.send(b"\x01later", provider.at(TWO), THREE)
        provider.turn(lambda: mailbox.signalling)
        assert [one.payload for one in mailbox.signalling] == [b"\x01later"]

    def test_a_datagram_tells_source_and_local_address(self, provider: Provider) -> None:
        """A multihomed agent must know where it was asked, to answer from there (RFC 5944 3.8.3.1)."""
        _, mailbox = provider.start(ONE, TWO)
        sender, _ = provider.start(THREE)
        sender.send(b"\x01to one", provider.at(ONE), THREE)
        sender.send(b"\x01to two", provider.at(TWO), THREE)
        provider.turn(lambda: len(mailbox.signalling) == 2)
        assert {(one.payload, one.source, one.local) for one in mailbox.signalling} == {
            (b"\x01to one", provider.at(THREE), ONE),
            (b"\x01to two", provider.at(THREE), TWO),
        }

    def test_the_source_is_the_one_that_was_named(self, provider: Provider) -> None:
        sender, _ = provider.start(ONE, TWO)
        _, mailbox = provider.start(THREE)
        for source in (TWO, ONE):
            sender.send(b"\x01", provider.at(THREE), source)
        provider.turn(lambda: len(mailbox.signalling) == 2)
        assert [one.source for one in mailbox.signalling] == [provider.at(TWO), provider.at(ONE)]

    def test_in_order_and_complete(self, provider: Provider) -> None:
        sender, _ = provider.start(ONE)
        _, mailbox = provider.start(TWO)
        payloads = [b"\x01%d" % number for number in range(3 * MAX_BATCH)]
        for payload in payloads:
            sender.send(payload, provider.at(TWO), ONE)
        provider.turn(lambda: len(mailbox.signalling) == len(payloads))
        assert [one.payload for one in mailbox.signalling] == payloads
        assert mailbox.largest_batch <= MAX_BATCH

    @pytest.mark.parametrize("size", [0, 1, 9000, 65507])
    def test_every_size(self, provider: Provider, size: int) -> None:
        sender, _ = provider.start(ONE)
        _, mailbox = provider.start(TWO)
        sender.send(bytes(size), provider.at(TWO), ONE)
        provider.turn(lambda: mailbox.signalling)
        assert mailbox.signalling[0].payload == bytes(size)

    @covers("N12")
    def test_tunnel_data_goes_to_the_packet_plane(self, provider: Provider) -> None:
        """Both share the port (RFC 3519 3.3)."""
        sender, _ = provider.start(ONE)
        _, mailbox = provider.start(TWO)
        for payload in (b"\x01a", b"\x04b", b"\x03c", b"\x04d", b"\x0fe"):
            sender.send(payload, provider.at(TWO), ONE)
        provider.turn(lambda: len(mailbox.signalling) + len(mailbox.tunnelled) == 5)
        assert [one.payload for one in mailbox.signalling] == [b"\x01a", b"\x03c", b"\x0fe"]
        assert [one.payload for one in mailbox.tunnelled] == [b"\x04b", b"\x04d"]
        assert {one.local for one in mailbox.tunnelled} == {TWO}

    def test_tunnel_data_for_nobody_is_dropped(self, provider: Provider) -> None:
        sender, _ = provider.start(ONE)
        mailbox = Mailbox()
        provider.make(TWO).start(mailbox, None)
        sender.send(b"\x04data", provider.at(TWO), ONE)
        sender.send(b"\x01request", provider.at(TWO), ONE)
        provider.turn(lambda: mailbox.signalling)
        assert [one.payload for one in mailbox.signalling] == [b"\x01request"]

    def test_nobody_there_is_told(self, provider: Provider) -> None:
        sender, mailbox = provider.start(ONE)
        sender.send(b"\x01", provider.at(NOBODY), ONE)
        provider.turn(lambda: mailbox.reports)
        assert mailbox.reports == [Unreachable(provider.at(NOBODY), 3)]

    def test_it_outlives_any_number_of_icmp_errors(self, provider: Provider) -> None:
        """Reactors drop a reader whose error queue is not empty."""
        sender, mailbox = provider.start(ONE)
        other, others = provider.start(TWO)
        for round_number in range(1, 6):
            for _ in range(5):
                sender.send(b"\x01", provider.at(NOBODY), ONE)
            provider.turn(lambda: len(mailbox.reports) >= 1)
            mailbox.reports.clear()
            other.send(b"\x03%d" % round_number, provider.at(ONE), TWO)
            provider.turn(lambda: len(mailbox.signalling) == round_number)  # noqa: B023 - called at once
        assert others.reports == []

    def test_an_icmp_error_costs_no_datagram_to_somebody_else(self, provider: Provider) -> None:
        sender, mailbox = provider.start(ONE)
        _, others = provider.start(TWO)
        for _ in range(20):
            sender.send(b"\x01", provider.at(NOBODY), ONE)
            sender.send(b"\x01", provider.at(TWO), ONE)
        provider.turn(lambda: len(others.signalling) == 20)
        provider.turn(lambda: mailbox.reports)
        assert {report.peer for report in mailbox.reports} == {provider.at(NOBODY)}

    def test_what_does_not_get_away_is_told(self, provider: Provider) -> None:
        sender, _ = provider.start(ONE)
        provider.start(TWO)
        assert sender.send(b"\x01", provider.at(TWO), ONE) == 0
        assert sender.send(b"\x01", provider.at(TWO), THREE) == errno.EADDRNOTAVAIL
        sender.stop()
        assert sender.send(b"\x01", provider.at(TWO), ONE) == errno.EADDRNOTAVAIL

    def test_stop_is_final_and_may_be_repeated(self, provider: Provider) -> None:
        sender, _ = provider.start(ONE)
        stopped, mailbox = provider.start(TWO)
        stopped.stop()
        stopped.stop()
        stopped.send(b"\x01late", provider.at(ONE), TWO)
        _, successor = provider.start(TWO)
        sender.send(b"\x01", provider.at(TWO), ONE)
        provider.turn(lambda: successor.signalling)
        stopped.stop()
        sender.send(b"\x01", provider.at(TWO), ONE)
        provider.turn(lambda: len(successor.signalling) == 2)
        assert mailbox.signalling == []

    @covers("P82")
    def test_another_address_takes_the_place_of_one(self, provider: Provider) -> None:
        """Both directions change over, and what is still sent from the old address is lost."""
        moving, mailbox = provider.start(ONE)
        peer, peers = provider.start(THREE)
        moving.use_address(ONE, TWO)
        assert moving.addresses == (TWO,)
        moving.send(b"\x01from the old", provider.at(THREE), ONE)
        moving.send(b"\x01from the new", provider.at(THREE), TWO)
        peer.send(b"\x01to the old", provider.at(ONE), THREE)
        peer.send(b"\x01to the new", provider.at(TWO), THREE)
        provider.turn(lambda: mailbox.signalling and peers.signalling)
        provider.turn(lambda: peers.reports)
        assert [(one.payload, one.source) for one in peers.signalling] == [
            (b"\x01from the new", provider.at(TWO))
        ]
        assert [(one.payload, one.local) for one in mailbox.signalling] == [(b"\x01to the new", TWO)]
        moving.stop()
        provider.start(TWO)

    @covers("P82")
    def test_an_address_that_cannot_be_bound_leaves_the_old_one(self, provider: Provider) -> None:
        moving, mailbox = provider.start(ONE)
        peer, _ = provider.start(TWO)
        with pytest.raises(PmipError, match="cannot be bound"):
            moving.use_address(ONE, TWO)
        assert moving.addresses == (ONE,)
        peer.send(b"\x01still here", provider.at(ONE), TWO)
        provider.turn(lambda: mailbox.signalling)

    @covers("P82")
    def test_the_same_address_again_changes_nothing(self, provider: Provider) -> None:
        same, mailbox = provider.start(ONE)
        same.use_address(ONE, ONE)
        same.send(b"\x01", provider.at(ONE), ONE)
        provider.turn(lambda: mailbox.signalling)
        assert same.addresses == (ONE,)

    def test_who_is_authentic_changes_nothing_while_there_is_time(self, provider: Provider) -> None:
        """It only says who goes first."""
        receiver, mailbox = provider.start(ONE)
        known, _ = provider.start(TWO)
        stranger, _ = provider.start(THREE)
        receiver.authenticated([provider.at(TWO), provider.at(TWO)])
        for number in range(10):
            stranger.send(b"\x01%d" % number, provider.at(ONE), THREE)
            known.send(b"\x01%d" % number, provider.at(ONE), TWO)
        provider.turn(lambda: len(mailbox.signalling) == 20)
        assert [one.source.address for one in mailbox.signalling] == [THREE, TWO] * 10
        assert receiver.drops() == {}

    def test_drops_before_the_start_and_after_the_end(self, provider: Provider) -> None:
        made = provider.make(ONE)
        assert made.drops() == {}
        made.start(Mailbox(), None)
        made.stop()
        assert made.drops() == {}

    def test_stop_without_start(self, provider: Provider) -> None:
        provider.make(ONE).stop()

    def test_an_address_in_use_is_named(self, provider: Provider) -> None:
        """And nothing stays bound: the free address is free again."""
        provider.start(TWO)
        failing = provider.make(ONE, TWO)
        with pytest.raises(PmipError, match=f"{ipv4_text(TWO)}:{provider.port} cannot be bound"):
            failing.start(Mailbox(), None)
        provider.start(ONE)


class TestSockets:
    """What only sockets can do wrong."""

    @pytest.fixture
    def udp(self) -> Iterator[Provider]:
        with private_reactor() as reactor:
            provider = on_loopback(reactor)
            yield provider
            for made in provider.made:
                made.stop()

    def test_an_address_of_another_machine(self, udp: Provider) -> None:
        """The message says what to look at."""
        with pytest.raises(PmipError) as told:
            udp.make(FOREIGN).start(Mailbox(), None)
        assert f"UDP 192.0.2.99:{udp.port} cannot be bound" in str(told.value)
        assert "is it an address of this machine" in str(told.value)

    def test_a_port_that_another_program_has(self, udp: Provider) -> None:
        """And how to find out which."""
        udp.start(ONE)
        with pytest.raises(PmipError, match=rf"in use; .*ss -ulnp sport = :{udp.port} "):
            udp.make(ONE).start(Mailbox(), None)

    @covers("H1", "M1")
    def test_a_wrong_udp_checksum_is_never_heard_and_none_is_no_mistake(self, udp: Provider) -> None:
        """RFC 5944 3.1; it is the kernel that looks, so that it must be asked."""
        _, mailbox = udp.start(ONE)
        source, destination = udp.at(TWO), udp.at(ONE)
        try:
            raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        except PermissionError:
            pytest.skip("a raw socket needs CAP_NET_RAW")
        with raw:
            for payload, checksum in (
                (b"\x01wrong", b"\x12\x34"),
                (b"\x01none", b"\0\0"),
                (b"\x01right", b""),
            ):
                packet = udp_packet(source, destination, payload)
                raw.sendto(packet[:26] + (checksum or packet[26:28]) + packet[28:], (ipv4_text(ONE), 0))
        udp.turn(lambda: len(mailbox.signalling) == 2)
        assert [one.payload for one in mailbox.signalling] == [b"\x01none", b"\x01right"]

    def test_no_route_is_told_and_survived(self, udp: Provider) -> None:
        """From a loopback address nothing leaves the machine."""
        sender, mailbox = udp.start(ONE)
        sender.send(b"\x01", Endpoint(FOREIGN, 434), ONE)
        sender.send(b"\x01", udp.at(ONE), ONE)
        udp.turn(lambda: mailbox.signalling)

    def test_what_the_kernel_does_not_take_is_told(self, udp: Provider) -> None:
        sender, mailbox = udp.start(ONE)
        assert sender.send(bytes(65508), udp.at(TWO), ONE) == errno.EMSGSIZE
        assert sender.send(b"\x01", Endpoint(FOREIGN, 434), ONE) != 0
        assert mailbox.reports == []

    def test_a_full_buffer_is_told(self, udp: Provider) -> None:
        """Datagrams to a neighbor that does not answer wait in the buffer."""
        local = ipv4("192.0.2.1")
        with private_network():
            for command in (
                "link add up0 type veth peer name down0",
                "address add 192.0.2.1/24 dev up0",
                "link set up0 up",
                "link set down0 up",
            ):
                subprocess.run(["ip", *command.split()], check=True)
            sender, _ = udp.start(local)
            sender._sockets[local]._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
            told = [sender.send(bytes(1000), Endpoint(FOREIGN, 434), local) for _ in range(20)]
            sender.stop()
        assert told[0] == 0
        assert told[-1] == errno.EAGAIN

    def test_a_receiver_that_fails_does_not_end_the_reading(self, udp: Provider) -> None:
        """One bad datagram must not silence an agent."""
        mailbox = Mailbox()

        @implementer(ISignallingReceiver)
        class Failing(Mailbox):
            def datagrams_received(self, batch: list[Datagram]) -> None:
                mailbox.signalling += batch
                if len(mailbox.signalling) == 1:
                    raise RuntimeError("a defect")

        receiver = udp.make(ONE)
        receiver.start(Failing(), None)
        sender, _ = udp.start(TWO)
        for number in (1, 2):
            sender.send(b"\x01", udp.at(ONE), TWO)
            udp.turn(lambda: len(mailbox.signalling) == number)  # noqa: B023 - called at once
