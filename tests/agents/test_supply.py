"""Nodes whose worker has no address left wait for worker 0, and are refused by nobody but it."""

from collections.abc import Callable, Collection, Sequence

import pytest

from pmip_tw.addresses import Endpoint, Ipv4, ipv4, ipv4_text, prefix
from pmip_tw.agents.lma import Lma
from pmip_tw.agents.workers.supply import Supply
from pmip_tw.forwarding.memory import MemoryPlane
from pmip_tw.interfaces import Datagram
from pmip_tw.lma.journal.records import LMA_JOURNAL
from pmip_tw.lma.workers.leased_pool import LOW, LeasedPool
from pmip_tw.lma.workers.leased_pools import LeasedPools
from pmip_tw.lma.workers.leases import Ask, InUse, Lease, Returned, Spare, ToLender
from pmip_tw.mobility.tunnels import AnchorKey
from pmip_tw.testing.network import FakeNetwork, FakeSignalling
from pmip_tw.testing.store import FakeDisk, FakeStore
from tests.agents.slow_carrier import SlowCarrier
from tests.agents.world import LMA
from tests.conformance import covers
from tests.lma.anchor import MAG1, Anchor
from tests.observers import Notes

ANY = Ipv4(0)
FIRST, SECOND = ipv4("10.1.0.0"), ipv4("10.1.0.16")


class Bench:
    """A worker with the pool 10.1.0.0/24 in blocks of 16; ``told`` is what worker 0 hears."""

    def __init__(self, *, hold: float = 3600.0, at_once: bool = True, slow: bool = False) -> None:
        pools = LeasedPools([(LeasedPool(prefix("10.1.0.0/24"), block=16, hold=hold), [])])
        self.anchor = Anchor(nodes=40, pools=pools)
        self.network = FakeNetwork()
        self.answers: list[bytes] = []
        self.told: list[ToLender] = []
        self.notes = Notes()
        self.disk = FakeDisk()
        self.store = FakeStore(self.disk, LMA_JOURNAL, at_once=at_once)
        FakeSignalling(self.network, (MAG1,)).start(self, None)
        self.supply = Supply(pools, self.anchor.clock, self.told.append)
        plane = MemoryPlane(monotonic=lambda: self.anchor.clock.monotonic, local=LMA)
        self.carrier = SlowCarrier(plane)
        self.agent = Lma(
            self.anchor.engine,
            clock=self.anchor.clock,
            signalling=FakeSignalling(self.network, (LMA,)),
            forwarding=plane,
            carrier=self.carrier if slow else None,
            store=self.store,
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
    assert bench.told[-1] == Ask(0, ANY, held=True) and bench.codes() == []
    bench.supply.heard(Lease(0, ANY, [], [], held=True))
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


class Reader:
    """``agent``, and how many requests it has read once more."""

    def __init__(self, agent: Lma) -> None:
        self._agent = agent
        self.read = 0

    def datagrams_received(self, batch: Sequence[Datagram]) -> None:
        self.read += len(batch)
        self._agent.datagrams_received(batch)

    def unsettled(self) -> Collection[AnchorKey]:
        return self._agent.unsettled()

    def lent(self, ask: Ask) -> None:
        self._agent.lent(ask)

    def given_up(self, keys: Collection[AnchorKey]) -> None:
        self._agent.given_up(keys)

    def when_saved(self, told: Callable[[bool], None]) -> None:
        self._agent.when_saved(told)


def test_a_crowd_that_waits_is_not_read_again_with_every_block() -> None:
    """Only as many as the block has addresses for; the others are asked for at once, and nobody is forgotten."""
    bench = Bench()
    reader = Reader(bench.agent)
    bench.supply.start(reader)
    for node in range(1, 40):
        bench.ask(node)
    codes: list[int] = []
    for block in (FIRST, SECOND, ipv4("10.1.0.32")):
        assert bench.told[-1] == Ask(0) and bench.told.count(Ask(0)) == 1
        bench.told.clear()
        bench.supply.heard(Lease(0, ANY, [block], []))
        codes += bench.codes()
    assert codes == [1] * 39
    assert reader.read < 39 + 5, "an address of a block may be nobody's to have"


def test_a_crowd_is_refused_together_when_there_is_nothing() -> None:
    bench = Bench()
    for node in range(1, 40):
        bench.ask(node)
    bench.supply.heard(Lease(0, ANY, [], []))
    bench.supply.heard(Lease(0, ANY, [], [], held=True))
    assert bench.codes() == [130] * 39


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


def last_of(bench: Bench, address: Ipv4) -> Returned | None:
    """What worker 0 was told last, if it is an answer about that address."""
    last = bench.told[-1]
    return last if isinstance(last, Returned) and last.wanted == address else None


@covers("P38")
@pytest.mark.parametrize("saved", [True, False])
def test_what_has_ended_is_given_back_when_the_journal_knows(saved: bool) -> None:
    """Else a restart would bring a node back whose address another worker has given away."""
    bench = Bench(at_once=False)
    bench.supply.heard(Lease(0, None, [FIRST], []))
    bench.ask(1)
    bench.store.commit()
    used = bench.anchor.binding(1)
    assert used is not None and bench.codes() == [1]
    address = used.home_address
    bench.agent.revoke(ipv4_text(address))
    bench.supply.heard(Spare(0, address))
    assert last_of(bench, address) is None
    bench.disk.trouble = "" if saved else "is full"
    bench.store.commit()
    assert last_of(bench, address) == Returned(0, address, [], [address] if saved else [])
    bench.disk.trouble = ""
    bench.supply.heard(Spare(0, address))
    bench.store.commit()
    assert last_of(bench, address) == Returned(0, address, [], [] if saved else [address])


@covers("H14")
def test_an_address_that_may_be_put_back_is_not_given_back() -> None:
    """It is held for nobody, but the end of its binding is not durable, and will not be."""
    bench = Bench(hold=0.0, at_once=False)
    bench.supply.heard(Lease(0, None, [FIRST], []))
    bench.ask(1)
    bench.store.commit()
    address = bench.anchor.binding(1).home_address
    bench.ask(1, lifetime=0)
    assert bench.anchor.binding(1) is None
    bench.supply.heard(Spare(0, address))
    bench.supply.heard(Spare(0))
    bench.disk.trouble = "is full"
    bench.store.commit()
    assert bench.anchor.binding(1).home_address == address
    returned = [told for told in bench.told if isinstance(told, Returned)]
    assert len(returned) == 2
    assert all(not one.blocks and not one.singles for one in returned)


def test_an_address_that_the_packet_plane_still_holds_is_not_given_back() -> None:
    """It would be removed when another node has it."""
    bench = Bench(hold=0.0, slow=True)
    bench.supply.heard(Lease(0, None, [FIRST], []))
    bench.ask(1)
    bench.carrier.do()
    address = bench.anchor.binding(1).home_address
    bench.ask(1, lifetime=0)
    assert bench.anchor.binding(1) is None
    bench.supply.heard(Spare(0, address))
    assert last_of(bench, address) == Returned(0, address, [], [])
    bench.supply.heard(Spare(0))
    assert all(address & -16 not in told.blocks for told in bench.told if isinstance(told, Returned))
    bench.carrier.do()
    bench.supply.heard(Spare(0, address))
    assert last_of(bench, address) == Returned(0, address, [], [address])
