"""Nodes whose worker has no address left wait for worker 0, and are refused by nobody but it."""

from pmip_tw.addresses import Endpoint, Ipv4, ipv4, prefix
from pmip_tw.agents.lma import Lma
from pmip_tw.agents.supply import Supply
from pmip_tw.forwarding.memory import MemoryPlane
from pmip_tw.interfaces import Datagram
from pmip_tw.lma.leased_pool import LOW, LeasedPool
from pmip_tw.lma.leased_pools import LeasedPools
from pmip_tw.lma.leases import Ask, InUse, Lease, Returned, Spare, ToLender
from pmip_tw.lma.records import LMA_JOURNAL
from pmip_tw.testing.network import FakeNetwork, FakeSignalling
from pmip_tw.testing.store import FakeDisk, FakeStore
from tests.agents.world import LMA
from tests.conformance import covers
from tests.lma.anchor import MAG1, Anchor
from tests.observers import Notes

ANY = Ipv4(0)
FIRST, SECOND = ipv4("10.1.0.0"), ipv4("10.1.0.16")


class Bench:
    """A worker with the pool 10.1.0.0/24 in blocks of 16; ``told`` is what worker 0 hears."""

    def __init__(self, disk: FakeDisk | None = None) -> None:
        pools = LeasedPools([(LeasedPool(prefix("10.1.0.0/24"), block=16), [])])
        self.anchor = Anchor(nodes=40, pools=pools)
        self.network = FakeNetwork()
        self.answers: list[bytes] = []
        self.told: list[ToLender] = []
        self.notes = Notes()
        self.disk = disk or FakeDisk()
        FakeSignalling(self.network, (MAG1,)).start(self, None)
        self.supply = Supply(pools, self.anchor.clock, self.told.append)
        self.agent = Lma(
            self.anchor.engine,
            clock=self.anchor.clock,
            signalling=FakeSignalling(self.network, (LMA,)),
            forwarding=MemoryPlane(monotonic=lambda: self.anchor.clock.monotonic, local=LMA),
            store=FakeStore(self.disk, LMA_JOURNAL),
            observers=[self.notes],
            supply=self.supply,
        )
        self.agent.start()

    def datagrams_received(self, batch: list[Datagram]) -> None:
        self.answers += [datagram.payload for datagram in batch]

    def peer_unreachable(self, report: object) -> None:
        raise AssertionError(report)

    def ask(self, node: int, **fields: object) -> Datagram:
        datagram = Datagram(self.anchor.datagram(node, MAG1, **fields), Endpoint(MAG1, 434), LMA)
        self.agent.datagrams_received([datagram])
        return datagram

    def codes(self) -> list[int]:
        self.network.deliver()
        codes = [octets[1] for octets in self.answers if octets[0] == 3]
        self.answers.clear()
        return codes


@covers("P30")
def test_the_first_node_waits_until_something_is_lent() -> None:
    bench = Bench()
    assert bench.told == [InUse([], [])]
    asked = bench.ask(1)
    bench.agent.datagrams_received([asked])  # its MAG asks again meanwhile
    assert bench.told[1:] == [Ask(0)] and bench.codes() == []
    bench.supply.heard(Lease(0, ANY, [FIRST], []))
    assert bench.codes() == [1]
    assert bench.anchor.binding(1) is not None


@covers("H10")
def test_who_waits_is_refused_only_if_there_is_nothing() -> None:
    bench = Bench()
    bench.ask(1)
    bench.supply.heard(Lease(0, ANY, [], []))
    assert bench.codes() == [130]
    bench.anchor.clock.advance(1.0)
    bench.ask(1)
    assert bench.told[-1] == Ask(0) and bench.codes() == []


def test_more_is_asked_for_before_the_last_is_gone() -> None:
    bench = Bench()
    bench.supply.heard(Lease(0, None, [FIRST], []))
    for node in range(1, 40):
        bench.ask(node)
        if Ask(0) in bench.told:
            break
    given = len(bench.codes())
    assert 16 - LOW <= given <= 14
    bench.supply.heard(Lease(0, ANY, [SECOND], []))
    for node in range(given + 1, 24):
        bench.ask(node)
    assert bench.codes() == [1] * (23 - given)


def test_an_address_that_is_another_workers_is_asked_for_by_name() -> None:
    bench = Bench()
    bench.supply.heard(Lease(0, None, [FIRST], []))
    wanted = ipv4("10.1.0.20")
    bench.ask(1, home_address=wanted)
    assert bench.told[-1] == Ask(0, wanted)
    bench.supply.heard(Lease(0, wanted, [], []))
    assert bench.codes() == [129]
    bench.anchor.clock.advance(1.0)
    bench.ask(1, home_address=wanted)
    bench.supply.heard(Lease(0, wanted, [], [wanted]))
    assert bench.codes() == [1]


@covers("P80")
def test_what_is_held_or_used_is_not_given_up() -> None:
    bench = Bench()
    bench.supply.heard(Lease(0, None, [FIRST], []))
    bench.ask(1)
    used = bench.anchor.binding(1)
    assert used is not None
    bench.supply.heard(Spare(0, used.home_address))
    assert bench.told[-1] == Returned(0, used.home_address, [], [])
    bench.ask(1, lifetime=0)
    bench.supply.heard(Spare(0, used.home_address))
    assert bench.told[-1] == Returned(0, used.home_address, [], [])
    bench.supply.heard(Spare(0, ipv4("10.1.0.9")))
    assert bench.told[-1] == Returned(0, ipv4("10.1.0.9"), [], [ipv4("10.1.0.9")])
