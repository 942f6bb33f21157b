"""The UDP socket under more than it can handle: real sockets on loopback, turn by turn."""

import random
import socket
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import pytest
from twisted.internet.posixbase import PosixReactorBase
from zope.interface import implementer

from pmip_tw.addresses import Ipv4, ipv4, ipv4_text
from pmip_tw.interfaces import Datagram, ISignallingReceiver, Unreachable
from pmip_tw.net import kernel_buffers
from pmip_tw.net.signalling import UdpSignalling
from pmip_tw.net.udp import MAX_BATCH, MAX_OCTETS
from tests.loops import on_private_reactor, run_until
from tests.rights import no_rights

LOCAL, OTHER = ipv4("127.0.5.1"), ipv4("127.0.5.2")
GOOD, BAD = b"\x01good", b"\x01bad"


@implementer(ISignallingReceiver)
class Agent:
    """Believes what is GOOD. ``handled``: payloads by the sender's port; ``turns``: how many at a time."""

    def __init__(self, signalling: UdpSignalling) -> None:
        self.signalling = signalling
        self.handled: list[tuple[int, bytes]] = []
        self.turns: list[int] = []

    def datagrams_received(self, batch: list[Datagram]) -> None:
        self.turns.append(len(batch))
        self.handled += [(one.source.port, one.payload) for one in batch]
        self.signalling.authenticated([one.source for one in batch if one.payload.startswith(GOOD)])

    def peer_unreachable(self, report: Unreachable) -> None:
        raise AssertionError("everybody is there")

    def of(self, sender: "Sender") -> list[bytes]:
        return [payload for port, payload in self.handled if port == sender.port]


class Sender:
    """A socket of some peer's."""

    def __init__(self, destination: tuple[str, int]) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.5.9", 0))
        self._socket.connect(destination)
        self.port: int = self._socket.getsockname()[1]

    def send(self, payload: bytes, times: int = 1) -> None:
        for _ in range(times):
            self._socket.send(payload)

    def close(self) -> None:
        self._socket.close()


class Bench:
    """A started UdpSignalling and as many peers as wanted. A turn of the reactor is all the time that there is."""

    def __init__(self, reactor: PosixReactorBase) -> None:
        self.reactor = reactor
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("0.0.0.0", 0))
            self.port = int(probe.getsockname()[1])
        self.signalling = UdpSignalling(reactor, [LOCAL], self.port)
        self.agent = Agent(self.signalling)
        self.signalling.start(self.agent, None)
        self._senders: list[Sender] = []

    def sender(self, to: Ipv4 = LOCAL) -> Sender:
        self._senders.append(Sender((ipv4_text(to), self.port)))
        return self._senders[-1]

    def turn(self, times: int = 1) -> None:
        for _ in range(times):
            self.reactor.iterate(0)

    def rest(self, sent: int) -> None:
        """Go on until every datagram was handled or counted."""
        run_until(
            self.reactor, lambda: len(self.agent.handled) + sum(self.signalling.drops().values()) >= sent
        )

    def buffer(self, size: int) -> None:
        """Of the socket, as the kernel counts it."""
        self.signalling._sockets[LOCAL]._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)

    def close(self) -> None:
        self.signalling.stop()
        for sender in self._senders:
            sender.close()


@pytest.fixture
def bench() -> Iterator[Bench]:
    with on_private_reactor(Bench) as bench:
        yield bench


def test_a_flood_of_strangers_costs_no_good_one(bench: Bench) -> None:
    """Fifty to one, and five times what can be handled: all good ones are handled almost at once."""
    mags, strangers = [bench.sender() for _ in range(3)], [bench.sender() for _ in range(50)]
    sent = Counter[bool]()
    for round_number in range(100):
        for number in range(6):
            mags[number % 3].send(GOOD + b"%d" % (2 * round_number + number // 3))
            for stranger in strangers:
                stranger.send(BAD)
        sent += Counter({True: 6, False: 300})
        bench.turn()
    bench.turn(2)
    assert [bench.agent.of(mag) for mag in mags] == [[GOOD + b"%d" % n for n in range(200)]] * 3
    assert sum(payload == BAD for _, payload in bench.agent.handled) < sent[False] / 3
    bench.rest(sent.total())
    drops = bench.signalling.drops()
    assert set(drops) == {"overload"}
    assert len(bench.agent.handled) + drops["overload"] == sent.total()


def test_every_request_is_handled_while_there_is_time(bench: Bench) -> None:
    """Of strangers too: nothing is dropped for where it comes from, or for what came from there before."""
    stranger, mag = bench.sender(), bench.sender()
    for _ in range(50):
        stranger.send(BAD, 50)
        mag.send(GOOD)
        bench.turn()
    bench.rest(50 * 51)
    assert (len(bench.agent.of(stranger)), len(bench.agent.of(mag))) == (2500, 50)
    assert bench.signalling.drops() == {}


def test_a_stranger_is_heard_beside_a_flood(bench: Bench) -> None:
    """A MAG that was just switched on: nobody has ever heard of it."""
    flood, newcomer = bench.sender(), bench.sender()
    for _ in range(20):
        flood.send(BAD, 300)
        bench.turn()
    newcomer.send(GOOD)
    bench.turn(3)
    assert bench.agent.of(newcomer) == [GOOD]


def test_a_flood_in_the_name_of_a_good_mag_locks_out_nobody(bench: Bench) -> None:
    """There is nothing to choose by, so that no time is spent on reading what cannot be handled: each turn is full."""
    shared, other, chance = bench.sender(), bench.sender(), random.Random(1)
    bench.buffer(1 << 20)
    for _ in range(100):
        before = chance.randrange(300)
        shared.send(BAD, before)
        shared.send(GOOD)
        other.send(GOOD)
        shared.send(BAD, 299 - before)
        bench.turn()
    assert bench.agent.turns == [MAX_BATCH] * 100
    assert "overload" not in bench.signalling.drops()
    share = 100 * MAX_BATCH // 302
    for sender in (shared, other):
        assert share // 2 < bench.agent.of(sender).count(GOOD) < 2 * share


def test_beside_strangers_such_a_flood_is_read_no_further_than_it_is_handled(bench: Bench) -> None:
    """What cannot be handled stays in the kernel as long as it has room."""
    shared, stranger = bench.sender(), bench.sender()
    shared.send(GOOD)
    bench.turn()
    for _ in range(30):
        shared.send(BAD, 100)
        stranger.send(BAD, 10)
        bench.turn()
    assert bench.agent.turns == [1, *[MAX_BATCH] * 30]
    assert bench.agent.of(stranger)
    assert bench.signalling.drops() == {}


def test_twice_as_much_as_can_be_handled_is_not_read_in_vain(bench: Bench) -> None:
    """If all of it is good: what is too much stays in the kernel, in order, and each turn handles a full batch."""
    mags = [bench.sender() for _ in range(4)]
    for _ in range(50):
        for mag in mags:
            mag.send(GOOD, MAX_BATCH // 2)
        bench.turn()
    assert bench.agent.turns == [MAX_BATCH] * 50
    assert "overload" not in bench.signalling.drops()


def test_timers_wait_for_one_batch_at_most(bench: Bench) -> None:
    """However much there is, and whatever it is worth."""
    ticks: list[int] = []

    def tick() -> None:
        ticks.append(len(bench.agent.handled))
        bench.reactor.callLater(0, tick)

    bench.reactor.callLater(0, tick)
    flood = bench.sender()
    for _ in range(60):
        flood.send(BAD, 600)
        bench.turn()
    assert len(bench.agent.handled) > 50 * MAX_BATCH
    assert max(later - earlier for earlier, later in pairwise(ticks)) <= MAX_BATCH


def test_what_waits_has_its_turn_though_nothing_more_comes(bench: Bench) -> None:
    """The kernel has nothing left to wake us for."""
    flood = bench.sender()
    flood.send(BAD, 600)
    bench.turn(8)
    handled = len(bench.agent.handled)
    flood.send(BAD, 8 * MAX_BATCH)
    bench.turn()
    assert len(bench.agent.handled) < handled + 8 * MAX_BATCH
    bench.rest(600 + 8 * MAX_BATCH)
    assert bench.signalling.drops() == {}


def test_stopped_in_the_middle_of_it(bench: Bench) -> None:
    flood = bench.sender()
    flood.send(BAD, 2000)
    bench.turn(8)
    bench.signalling.stop()
    handled = len(bench.agent.handled)
    bench.turn(3)
    assert len(bench.agent.handled) == handled
    assert bench.reactor.getDelayedCalls() == []


def test_giants_make_short_batches(bench: Bench) -> None:
    size = MAX_OCTETS // 3 + 1
    sender = bench.sender()
    sender.send(bytes(size), 9)
    bench.turn(3)
    assert bench.agent.turns == [3, 3, 3]


def test_what_the_kernel_has_no_room_for_is_counted(bench: Bench) -> None:
    """Also of a socket that is no longer used."""
    bench.buffer(1)
    flood = bench.sender()
    flood.send(BAD, 100)
    bench.turn(3)
    lost = 100 - len(bench.agent.handled)
    assert lost > 50
    assert bench.signalling.drops() == {"socket-buffer": lost}
    bench.signalling.use_address(LOCAL, OTHER)
    assert bench.signalling.drops() == {"socket-buffer": lost}
    bench.signalling.stop()
    assert bench.signalling.drops() == {"socket-buffer": lost}


class TestBuffers:
    @pytest.fixture
    def sock(self) -> Iterator[socket.socket]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            yield sock

    def test_the_size_is_what_we_ask_for(self, sock: socket.socket) -> None:
        """Whatever the machine's limits are; the kernel doubles it for its own needs."""
        try:
            sock.setsockopt(socket.SOL_SOCKET, kernel_buffers._SO_RCVBUFFORCE, 4096)
        except PermissionError:
            pytest.skip("larger buffers need CAP_NET_ADMIN")
        kernel_buffers.enlarge(sock)
        for kind in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            assert sock.getsockopt(socket.SOL_SOCKET, kind) == 2 * kernel_buffers.SIZE

    def test_without_the_right_it_is_what_the_machine_allows(self, sock: socket.socket) -> None:
        before = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        with open("/proc/sys/net/core/rmem_max") as limit:
            allowed = int(limit.read())
        with no_rights():
            kernel_buffers.enlarge(sock)
        granted = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        assert granted == max(before, 2 * min(allowed, kernel_buffers.SIZE))
