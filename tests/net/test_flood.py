"""An LMA on a real socket beside a flood of requests that prove nothing: fifty of them to one good one.

What the LMA can do in a turn is what it has; the flood is five times that.
"""

import socket
from collections.abc import Iterator

import pytest
from twisted.internet.posixbase import PosixReactorBase

from pmip_tw.addresses import Ipv4, ipv4, ipv4_text, prefix
from pmip_tw.agents.lma import Lma
from pmip_tw.forwarding.memory import MemoryPlane
from pmip_tw.lma.addresses.address_pool import AddressPool
from pmip_tw.lma.addresses.pools import Pools
from pmip_tw.lma.engine import LmaEngine
from pmip_tw.lma.policy import LmaPolicy
from pmip_tw.manage.counters import Tally
from pmip_tw.manage.sources import Sources
from pmip_tw.mobility.associations import AssociationTable, SecurityAssociation
from pmip_tw.mobility.replay import ntp_timestamp
from pmip_tw.net.signalling import UdpSignalling
from pmip_tw.secret import Secret
from pmip_tw.store.unsaved import Unsaved
from pmip_tw.testing.clock import FakeClock
from pmip_tw.wire.registration import COLOCATED, REVERSE_TUNNEL, RegistrationReply, RegistrationRequest
from tests.conformance import covers
from tests.loops import on_private_reactor, run_until

LMA, MAGS = ipv4("127.0.6.1"), (ipv4("127.0.6.2"), ipv4("127.0.6.3"))
ATTACKER = ipv4("127.0.6.66")
NODES = 20


def nai(node: int) -> str:
    return f"mn{node}@example.net"


def association(node: int) -> SecurityAssociation:
    return SecurityAssociation(4096 + node, Secret(b"key of mobile node %03d" % node))


class Peer:
    """A socket at ``address``, and the codes of what it was answered."""

    def __init__(self, address: Ipv4, lma: tuple[str, int]) -> None:
        self.address = address
        self.codes: list[int] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind((ipv4_text(address), 0))
        self._socket.connect(lma)

    def send(self, payload: bytes) -> None:
        self._socket.send(payload)

    def listen(self) -> None:
        while True:
            try:
                self.codes.append(RegistrationReply.decode(self._socket.recv(2048)).code)
            except BlockingIOError:
                return

    def close(self) -> None:
        self._socket.close()


class Bench:
    """The agent, engine, observers and socket of an LMA; time stands still, so that what counts is turns."""

    def __init__(self, reactor: PosixReactorBase) -> None:
        self.reactor = reactor
        self.clock = FakeClock()
        self.tally, self.sources = Tally(), Sources()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((ipv4_text(LMA), 0))
            self.lma = probe.getsockname()
        self.signalling = UdpSignalling(reactor, [LMA], self.lma[1])
        self.agent = Lma(
            LmaEngine(
                LmaPolicy(address=LMA),
                AssociationTable((nai(node), association(node)) for node in range(NODES)),
                Pools([(AddressPool(prefix("10.1.0.0/24")), [])]),
            ),
            clock=self.clock,
            signalling=self.signalling,
            forwarding=MemoryPlane(monotonic=lambda: self.clock.monotonic, local=LMA),
            store=Unsaved(),
            observers=[self.tally, self.sources],
        )
        self.agent.start()
        self.peers: list[Peer] = []
        self._asked = 0

    def peer(self, address: Ipv4) -> Peer:
        self.peers.append(Peer(address, self.lma))
        return self.peers[-1]

    def request(self, node: int, mag: Ipv4, *, key: int | None = None) -> bytes:
        """A new one of ``node``; ``key``: whose it is made with, if it is not the node's own."""
        self._asked += 1
        request = RegistrationRequest(
            flags=REVERSE_TUNNEL | COLOCATED,
            nai=nai(node).encode(),
            lifetime=600,
            home_agent=LMA,
            care_of_address=mag,
            identification=ntp_timestamp(self.clock.wall) + self._asked,
        )
        signed = (
            association(node) if key is None else SecurityAssociation(4096 + node, Secret(b"%016d" % key))
        )
        return request.encode(mn_ha=signed)

    def turn(self) -> None:
        self.reactor.iterate(0)
        for peer in self.peers:
            peer.listen()

    def close(self) -> None:
        self.agent.stop()
        for peer in self.peers:
            peer.close()


@pytest.fixture
def bench() -> Iterator[Bench]:
    with on_private_reactor(Bench) as bench:
        yield bench


@covers("H4")
def test_no_good_request_is_lost_and_the_flood_is_hardly_answered(bench: Bench) -> None:
    """From one address with many ports, in the names of nodes that exist. 131 is for the address, once a second."""
    mags = [bench.peer(address) for address in MAGS]
    attackers = [bench.peer(ATTACKER) for _ in range(30)]
    flood = [bench.request(node, ATTACKER, key=1) for node in range(NODES)]
    turns, good = 60, 0
    for number in range(turns):
        for _ in range(6):
            mag = mags[good % 2]  # always the same for a node
            mag.send(bench.request(good % NODES, mag.address))
            good += 1
        for attacker in attackers:
            for _ in range(10):
                attacker.send(flood[number % NODES])
        bench.turn()
    bench.turn()
    answered = sum(len(mag.codes) for mag in mags)
    assert answered == good == 6 * turns
    assert {code for mag in mags for code in mag.codes} == {1}
    assert [code for attacker in attackers for code in attacker.codes] == [131]
    refused = bench.tally.count("message-discarded", "bad-authenticator")
    assert refused > 30 * turns
    [flooded] = bench.sources.rows()
    assert (flooded["source"], flooded["count"]) == (ipv4_text(ATTACKER), refused)


@covers("H4")
def test_every_request_is_checked_though_its_source_has_sent_nothing_but_rubbish(bench: Bench) -> None:
    """A MAG behind the same NAT as an attacker, or whose address is borrowed: the same port even."""
    shared = bench.peer(MAGS[0])
    for number in range(40):
        for _ in range(50):
            shared.send(bench.request(number % NODES, MAGS[0], key=1))
        shared.send(bench.request(number % NODES, MAGS[0]))
        bench.turn()
    run_until(bench.reactor, lambda: bench.tally.count("message-discarded", "bad-authenticator") == 2000)
    bench.turn()
    assert shared.codes.count(1) == 40
    assert bench.signalling.drops() == {}
