"""The network in memory does what it is told to datagrams, and the same seed does the same."""

import pytest
from zope.interface import implementer

from pmip_tw.addresses import Endpoint, ipv4
from pmip_tw.interfaces import Datagram, ISignallingReceiver, Unreachable
from pmip_tw.testing.clock import FakeClock
from pmip_tw.testing.nat import FakeNat
from pmip_tw.testing.network import FakeNetwork, FakeSignalling

ONE, TWO, THREE = (ipv4(f"192.0.2.{number}") for number in (1, 2, 3))
OUTSIDE = ipv4("203.0.113.1")


@implementer(ISignallingReceiver)
class Arrivals:
    """``all``: (seconds since the start, payload)."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._start = clock.monotonic
        self.all: list[tuple[float, bytes]] = []
        self.unreachable: list[Unreachable] = []

    def datagrams_received(self, batch: list[Datagram]) -> None:
        self.all += [(self._clock.monotonic - self._start, datagram.payload) for datagram in batch]

    def peer_unreachable(self, report: Unreachable) -> None:
        self.unreachable.append(report)

    @property
    def payloads(self) -> list[bytes]:
        return [payload for _, payload in self.all]


class Pair:
    """ONE sends numbered datagrams to TWO."""

    def __init__(self, seed: int = 1, **conditions) -> None:
        self.clock = FakeClock()
        self.network = FakeNetwork(seed, clock=self.clock, **conditions)
        self.arrivals = {address: Arrivals(self.clock) for address in (ONE, TWO, THREE)}
        self.sockets = {}
        for address, arrivals in self.arrivals.items():
            self.sockets[address] = FakeSignalling(self.network, (address,))
            self.sockets[address].start(arrivals, None)

    def send(self, count: int, source=ONE, destination=TWO) -> None:
        for number in range(count):
            self.sockets[source].send(bytes((1, number)), Endpoint(destination, 434), source)

    def numbers(self, address=TWO) -> list[int]:
        return [payload[1] for payload in self.arrivals[address].payloads]


def test_each_datagram_has_a_delay_of_its_own() -> None:
    pair = Pair(delay=(0.1, 0.4))
    for _ in range(50):
        pair.send(1)
        pair.clock.advance(1)
    delays = [at - second for second, (at, _) in enumerate(pair.arrivals[TWO].all)]
    assert len(delays) == 50
    assert 0.1 <= min(delays) < 0.15 and 0.35 < max(delays) <= 0.4


def test_a_path_keeps_its_order() -> None:
    pair = Pair(delay=(0.0, 0.5))
    pair.send(50)
    pair.clock.advance(1)
    assert pair.numbers() == list(range(50))


def test_what_is_held_up_is_overtaken() -> None:
    pair = Pair(reordering=0.2, held_up=1.0)
    pair.send(50)
    pair.clock.advance(2)
    assert sorted(pair.numbers()) == list(range(50)) != pair.numbers()


def test_loss_and_duplication_are_about_as_likely_as_asked_for() -> None:
    pair = Pair(loss=0.3, duplication=0.3)
    pair.send(200)
    pair.clock.advance(1)
    arrived = pair.numbers()
    assert 100 < len(set(arrived)) < 180 < len(arrived)


def test_the_same_seed_does_the_same() -> None:
    def run(seed: int) -> list[tuple[float, bytes]]:
        pair = Pair(seed, loss=0.2, duplication=0.2, reordering=0.2, delay=(0.01, 0.5))
        pair.send(50)
        pair.clock.advance(5)
        return pair.arrivals[TWO].all

    assert run(7) == run(7) != run(8)


def test_one_datagram_for_each_step_of_the_clock() -> None:
    """Whoever watches the world can look at it between two."""
    pair = Pair()
    pair.send(3)
    seen = []
    while pair.clock.step(pair.clock.monotonic + 1):
        seen.append(len(pair.numbers()))
    assert seen == [1, 2, 3]


def test_a_partition_cuts_both_ways_and_heals() -> None:
    pair = Pair()
    pair.network.partition({ONE}, {TWO})
    for source, destination in ((ONE, TWO), (TWO, ONE), (ONE, THREE), (THREE, TWO)):
        pair.send(1, source, destination)
    pair.clock.advance(1)
    assert [len(pair.numbers(address)) for address in (ONE, TWO, THREE)] == [0, 1, 1]
    pair.network.heal()
    pair.send(1)
    pair.clock.advance(1)
    assert len(pair.numbers()) == 2


def test_what_is_on_its_way_when_the_network_parts_is_lost() -> None:
    pair = Pair(delay=(0.1, 0.1))
    pair.send(1)
    pair.network.partition({ONE}, {TWO})
    pair.clock.advance(1)
    assert pair.numbers() == []
    assert pair.arrivals[ONE].unreachable == []


def test_who_has_no_socket_is_answered_for_unless_he_is_silent() -> None:
    pair = Pair()
    pair.sockets[TWO].stop()
    pair.send(1)
    pair.clock.advance(1)
    assert pair.arrivals[ONE].unreachable == [Unreachable(Endpoint(TWO, 434), 3)]
    pair.network.silent.add(TWO)
    pair.send(1)
    pair.clock.advance(1)
    assert len(pair.arrivals[ONE].unreachable) == 1


def test_a_receiver_that_fails_costs_only_its_datagram() -> None:
    pair = Pair()

    def fail(batch: list[Datagram]) -> None:
        pair.arrivals[TWO].datagrams_received = lambda batch: Arrivals.datagrams_received(
            pair.arrivals[TWO], batch
        )
        raise RuntimeError("a defect")

    pair.arrivals[TWO].datagrams_received = fail
    pair.send(2)
    with pytest.raises(RuntimeError):
        pair.clock.advance(1)
    pair.clock.advance(1)
    assert pair.numbers() == [1]


def test_behind_a_nat() -> None:
    """Who is behind it is answered where he is seen, until it forgets him; nobody else finds him."""
    pair = Pair()
    nat = FakeNat(ONE, OUTSIDE)
    pair.network.behind(nat)
    own = Endpoint(ONE, 434)
    assert nat.seen_as(own) is None

    pair.sockets[ONE].send(b"out", Endpoint(TWO, 434), ONE)
    pair.clock.advance(1)
    assert pair.arrivals[TWO].payloads == [b"out"]
    seen = nat.seen_as(own)
    assert seen is not None and seen.address == OUTSIDE
    assert pair.network.carried == [(seen, Endpoint(TWO, 434), b"out")]

    for destination in (seen, own, Endpoint(OUTSIDE, 434)):
        pair.sockets[TWO].send(b"to %d" % destination.port, destination, TWO)
    nat.forget()
    pair.clock.advance(1)
    assert pair.arrivals[ONE].payloads == []

    pair.sockets[ONE].send(b"out again", Endpoint(TWO, 434), ONE)
    anew = nat.seen_as(own)
    assert anew is not None and anew != seen
    for destination in (seen, anew, own):
        pair.sockets[TWO].send(b"to %d" % destination.port, destination, TWO)
    pair.clock.advance(1)
    assert pair.arrivals[ONE].payloads == [b"to %d" % anew.port]
