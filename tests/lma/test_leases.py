"""Home addresses among several workers: each has its own, all are within reach, none is ever double."""

import random
from collections.abc import Sequence

import pytest

from pmip_tw.addresses import Ipv4, ipv4, prefix
from pmip_tw.lma.workers.leased_pool import NO_FOR, LeasedPool
from pmip_tw.lma.workers.leases import Ask, InUse, Lease, Returned, Spare, block_size
from pmip_tw.lma.workers.lender import Lender, Told
from tests.conformance import covers

POOL = "10.1.0.0/24"


@pytest.mark.parametrize(
    ("pool", "workers", "size"),
    [("10.1.0.0/16", 4, 16), ("10.1.0.0/24", 4, 16), ("10.1.0.0/25", 4, 8), ("10.1.0.0/27", 4, 2),
     ("10.1.0.0/29", 4, 1), ("10.1.0.4/32", 2, 1)],
)  # fmt: skip
def test_blocks_are_smaller_in_a_small_pool(pool: str, workers: int, size: int) -> None:
    assert block_size(prefix(pool), workers) == size


class Worker:
    """One worker's pool; ``nodes``: who has which address."""

    def __init__(self, number: int, pool: str, workers: int) -> None:
        self.number = number
        self.pool = LeasedPool(prefix(pool), block=block_size(prefix(pool), workers), hold=10.0)
        self.nodes: dict[bytes, Ipv4] = {}
        self.holds: dict[Ipv4, tuple[float, bytes]] = {}

    def restarted(self, pool: str, workers: int) -> "Worker":
        """After a kill -9, with what its journal has."""
        again = Worker(self.number, pool, workers)
        again.holds = dict(self.holds)
        for address, (since, owner) in sorted(self.holds.items(), key=lambda item: item[1]):
            again.pool.hold(address, owner, since)
        for owner, address in self.nodes.items():
            again.pool.take(address, owner)
        again.nodes = dict(self.nodes)
        return again


class House:
    """A lender and its workers, who talk without losing anything."""

    def __init__(self, pool: str = POOL, workers: int = 3, *, begin: bool = True) -> None:
        self.text, self.count, self.now = pool, workers, 0.0
        self.lender = Lender([prefix(pool)], workers)
        self.workers = [Worker(number, pool, workers) for number in range(workers)]
        self.asked: list[tuple[int, Ask]] = []
        if begin:
            self.begin()

    def begin(self) -> None:
        for worker in self.workers:
            self.tell(worker.number)

    def tell(self, number: int) -> None:
        pool = self.workers[number].pool
        used, held = ([(0, address) for address in some] for some in (pool.used(), pool.held(self.now)))
        self.deliver(self.lender.heard(number, InUse(used, held)))

    def deliver(self, told: Told) -> None:
        for number, message in told:
            pool = self.workers[number].pool
            if isinstance(message, Spare):
                spared = pool.spare(message.wanted, (), self.now)
                if message.held and not any(spared):
                    spared = pool.spare_held((), self.now)
                back = Returned(0, message.wanted, *spared, message.held)
                self.deliver(self.lender.heard(number, back))
            else:
                pool.lent(message.blocks, message.singles)
                if message.wanted is not None:
                    found = bool(message.blocks or message.singles)
                    pool.answered(message.wanted, self.now, found=found, held=message.held)

    def register(self, number: int, owner: bytes, wanted: Ipv4 = Ipv4(0)) -> Ipv4 | None:
        """As the LMA does: worker 0 is asked before anybody is refused."""
        worker = self.workers[number]
        if owner in worker.nodes:
            return worker.nodes[owner]
        for _ in range(20):
            pool = worker.pool
            if wanted:
                found = wanted if pool.free_for(owner, wanted, self.now) else None
            else:
                found = pool.former(owner) or pool.fresh()
            if found is None and pool.lacks(wanted, self.now):
                self.deliver(self.lender.heard(number, Ask(0, wanted)))
                continue
            if found is None and not wanted:
                found = pool.oldest()
                if found is None and pool.lacks(wanted, self.now, held=True):
                    self.deliver(self.lender.heard(number, Ask(0, wanted, held=True)))
                    continue
            if found is not None:
                pool.take(found, owner)
                worker.nodes[owner] = found
                worker.holds.pop(found, None)
            return found
        pytest.fail("it asks for ever")

    def leave(self, number: int, owner: bytes) -> None:
        worker = self.workers[number]
        address = worker.nodes.pop(owner)
        worker.pool.release(address, self.now)
        worker.holds[address] = (self.now, owner)

    def kill(self, number: int) -> None:
        if number == 0:  # its book is gone, and all workers with it
            self.lender = Lender([prefix(self.text)], self.count)
            self.workers = [worker.restarted(self.text, self.count) for worker in self.workers]
            self.begin()
        else:
            self.workers[number] = self.workers[number].restarted(self.text, self.count)
            self.tell(number)

    def addresses(self) -> Sequence[Ipv4]:
        return [address for worker in self.workers for address in worker.nodes.values()]


@covers("P30")
def test_each_worker_gives_from_its_own_blocks() -> None:
    house = House()
    found = [house.register(number, b"%d" % number) for number in range(3)]
    assert len({address & -16 for address in found if address}) == 3


def test_nothing_is_lent_before_all_have_told_what_they_use() -> None:
    """What a silent worker's nodes have could be given to others."""
    house = House(begin=False)
    assert house.lender.heard(0, InUse([], [])) == []
    assert house.lender.heard(0, Ask(0)) == []
    assert house.lender.heard(1, InUse([], [])) == []
    used = ipv4("10.1.0.2")
    told = house.lender.heard(2, InUse([(0, used)], []))
    assert (2, Lease(0, None, [ipv4("10.1.0.0")], [])) in told
    assert (0, Lease(0, Ipv4(0), [ipv4("10.1.0.16")], [])) in told


@covers("H10")
@pytest.mark.parametrize("pool", ["10.1.0.0/29", "10.1.0.0/27", "10.1.0.0/24"])
@pytest.mark.parametrize("workers", [2, 4])
def test_every_address_of_a_pool_is_within_reach_of_every_worker(pool: str, workers: int) -> None:
    """All nodes are one worker's by chance: it gets what the others had lent and do not need."""
    house = House(pool, workers)
    for number in range(workers):
        house.register(number, b"first %d" % number)
    room = (1 << 32 - prefix(pool).length) - 3
    for node in range(room - workers):
        assert house.register(1, b"%d" % node), f"{node} of {room}"
    assert house.register(1, b"one too many") is None
    assert len(set(house.addresses())) == room


def test_an_address_that_is_asked_for_by_name_comes_from_wherever_it_is() -> None:
    """A MAG registers what a DHCP server has given (P62): which worker's block that is in is no reason to refuse."""
    house = House()
    first = house.register(1, b"a")
    assert first is not None
    neighbour = Ipv4(first + 5)
    assert house.register(2, b"b", neighbour) == neighbour
    assert house.register(1, b"c", neighbour) is None
    assert [house.register(1, b"%d" % node) for node in range(30)].count(neighbour) == 0
    house.leave(2, b"b")
    house.now += 10.1
    assert house.register(1, b"c", neighbour) == neighbour


@covers("P80")
def test_an_address_that_is_held_at_one_worker_is_given_by_no_other() -> None:
    house = House()
    had = house.register(1, b"a")
    assert had is not None
    house.leave(1, b"a")
    assert house.register(2, b"b", had) is None
    house.now += NO_FOR
    assert house.register(2, b"b", had) is None
    assert house.register(1, b"a") == had


@covers("P80", "H10")
def test_what_others_have_had_is_within_reach_when_it_is_held_no_more() -> None:
    """All have left that were at worker 0, each from a block that somebody else is still in."""
    house = House("10.1.0.0/28", 2)
    owners = [b"%d" % number for number in range(13)]
    for owner in owners:
        assert house.register(0, owner)
    for owner in owners[::2]:
        house.leave(0, owner)
    house.now += 10.1
    for number in range(7):
        assert house.register(1, b"new %d" % number)
    assert house.register(1, b"one too many") is None


@covers("P80", "H10")
def test_when_there_is_nothing_else_what_another_worker_holds_longest_is_given() -> None:
    """As one process would: its own are none."""
    house = House("10.1.0.0/29", 2)
    had = [house.register(0, b"%d" % number) for number in range(5)]
    for number in (3, 1):
        house.leave(0, b"%d" % number)
        house.now += 1.0
    assert house.register(1, b"a") == had[3]
    assert house.register(1, b"b") == had[1]
    house.now += NO_FOR
    assert house.register(1, b"c") is None


def test_what_is_not_to_be_had_is_not_asked_for_again_at_once() -> None:
    house = House("10.1.0.0/29", 2)
    while house.register(0, b"%d" % len(house.workers[0].nodes)):
        pass
    assert not house.workers[0].pool.lacks(Ipv4(0), house.now)
    assert house.workers[0].pool.lacks(Ipv4(0), house.now + NO_FOR)


def test_a_worker_that_is_started_again_has_what_it_had() -> None:
    house = House()
    before = house.register(1, b"a")
    house.kill(1)
    assert house.workers[1].nodes == {b"a": before}
    assert house.register(1, b"b") == Ipv4(before + 1 if before else 0)


def test_who_was_killed_keeps_nobody_waiting() -> None:
    """Worker 1 was asked for what it can spare, and is gone: its answer is taken for nothing."""
    lender = Lender([prefix("10.1.0.0/29")], 2)
    for number in (0, 1):
        lender.heard(number, InUse([], []))
    lent = lender.heard(1, Ask(0, ipv4("10.1.0.3")))
    assert lent == [(1, Lease(0, ipv4("10.1.0.3"), [ipv4("10.1.0.3")], []))]
    assert lender.heard(0, Ask(0, ipv4("10.1.0.3"))) == [(1, Spare(0, ipv4("10.1.0.3")))]
    told = lender.heard(1, InUse([], []))
    assert told == [
        (1, Lease(0, None, [ipv4("10.1.0.3")], [])),
        (0, Lease(0, ipv4("10.1.0.3"), [], [])),
    ]


def test_an_address_that_was_given_back_twice_is_gone() -> None:
    """It came back by itself, into a block that had stayed."""
    pool = LeasedPool(prefix(POOL), block=16)
    block, address = ipv4("10.1.0.16"), ipv4("10.1.0.20")
    pool.lent([block], [])
    for _ in range(2):
        assert pool.spare(address, (), 0.0) == ([], [address])
        assert not pool.has(address)
        pool.lent([], [address])
        assert pool.has(address)
    assert pool.spare(address, (), 0.0) == ([], [address])
    assert not pool.has(address) and pool.has(ipv4("10.1.0.21"))


def test_who_can_be_served_does_not_wait_for_a_worker_that_is_gone() -> None:
    """Worker 1 has an address to spare, and worker 2 does not come back."""
    lender = Lender([prefix("10.1.0.0/30")], 3)
    for number in range(3):
        lender.heard(number, InUse([], []))
    for number, last in ((1, 0), (1, 1), (1, 2), (2, 3)):
        lender.heard(number, Ask(0, ipv4(f"10.1.0.{last}")))
    assert lender.heard(0, Ask(0)) == [(1, Spare(0)), (2, Spare(0))]
    returned = Returned(0, Ipv4(0), [ipv4("10.1.0.2")], [])
    assert lender.heard(1, returned) == [(0, Lease(0, Ipv4(0), [ipv4("10.1.0.2")], []))]
    assert lender.heard(0, Ask(0)) == [(1, Spare(0)), (2, Spare(0))], "nothing is left: it is asked again"
    assert lender.heard(1, Returned(0, Ipv4(0), [], [])) == []
    told = lender.heard(2, InUse([(0, ipv4("10.1.0.3"))], []))
    assert told[-1] == (0, Lease(0, Ipv4(0), [], []))


@covers("P30", "P80")
@pytest.mark.parametrize("pool", ["10.1.0.0/28", "10.1.0.0/26"])
@pytest.mark.parametrize("workers", [2, 4])
@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_no_address_is_double(pool: str, workers: int, seed: int) -> None:
    """Nodes come, name addresses, leave and come back, time passes, workers and the lender are killed."""
    chance = random.Random(seed)
    house = House(pool, workers)
    owners = [b"%d" % number for number in range(1 << 33 - prefix(pool).length)]
    for _ in range(800):
        owner = chance.choice(owners)
        number = int(owner) % workers
        deed = chance.random()
        if deed < 0.45:
            house.register(number, owner)
        elif deed < 0.55:
            house.register(number, owner, Ipv4(prefix(pool).network + chance.randrange(70)))
        elif deed < 0.85 and owner in house.workers[number].nodes:
            house.leave(number, owner)
        elif deed < 0.95:
            house.now += chance.choice((0.5, 2, 11))
        elif deed < 0.97:
            house.kill(chance.randrange(workers))
        addresses = house.addresses()
        assert len(addresses) == len(set(addresses))
        for worker in house.workers:
            kept = {address for address in worker.pool.held(house.now) if worker.pool.has(address)}
            assert not kept & (set(addresses) - set(worker.nodes.values()))
