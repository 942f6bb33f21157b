"""The processes of an LMA with several workers, wired as ``services/lma_workers.py`` does, on twins."""

import random
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from pmip_tw.aaa.accounting.sessions import Sessions
from pmip_tw.addresses import Endpoint, Ipv4, prefix
from pmip_tw.agents.accounting_at_lma import AccountingAtLma
from pmip_tw.agents.accounts import Accounts
from pmip_tw.agents.dhcp_edge import DhcpEdge
from pmip_tw.agents.dhcp_roads import AtTheEdge, ToTheEdge
from pmip_tw.agents.lma import Lma
from pmip_tw.agents.session_book import SessionBook
from pmip_tw.agents.workers.foreman import Foreman, SharedSignalling
from pmip_tw.agents.workers.remote_book import RemotePages
from pmip_tw.agents.workers.routing import Routing
from pmip_tw.agents.workers.shared_plane import RemotePlane, SharedPlane
from pmip_tw.agents.workers.supply import Supply
from pmip_tw.agents.workers.worker import Worker, WorkerSignalling, serving
from pmip_tw.dhcp.relaying import RelayPolicy
from pmip_tw.errors import StoreError
from pmip_tw.forwarding.memory import MemoryPlane
from pmip_tw.interfaces import Datagram, ISignallingReceiver, ITunnelDataReceiver, Unreachable
from pmip_tw.lma.engine import LmaEngine
from pmip_tw.lma.journal.records import LMA_JOURNAL
from pmip_tw.lma.policy import LmaPolicy
from pmip_tw.lma.workers.holders import Holders
from pmip_tw.lma.workers.leased_pool import LeasedPool
from pmip_tw.lma.workers.leased_pools import LeasedPools
from pmip_tw.lma.workers.leases import block_size
from pmip_tw.lma.workers.lender import Lender
from pmip_tw.lma.workers.slices import steered_to, worker_of_nai
from pmip_tw.mobility.associations import AssociationTable
from pmip_tw.mobility.records import Record
from pmip_tw.mobility.tunnels import AnchorKey
from pmip_tw.testing.accounting import FakeAccounting, FakeLedger
from pmip_tw.testing.clock import FakeClock, NodeClock
from pmip_tw.testing.dhcp_socket import FakeDhcpSocket
from pmip_tw.testing.network import FakeNetwork, FakeSignalling
from pmip_tw.testing.pipe import FakePipe, fake_pipe
from pmip_tw.testing.store import FakeDisk, FakeStore
from tests.lma.anchor import LMA, association, nai

HOME_SIDE = Ipv4(LMA + 100)
"""For the socket that hears what comes out of the LMA's device."""

HOLD = 5.0
MOST_IN_BUFFER = 64


class Surroundings(Protocol):
    """What processes are put into."""

    clock: FakeClock
    network: FakeNetwork
    chance: random.Random
    nodes: int
    pool: str
    dhcp_relay: RelayPolicy | None
    """None: the LMA assigns the addresses itself."""
    ledger: FakeLedger
    """What AAA has heard of sessions."""

    def says(self, worker: int, payload: bytes) -> None: ...


class SlowStore(FakeStore):
    """What is appended is durable a while later."""

    def __init__(self, disk: FakeDisk, clock: NodeClock, chance: random.Random) -> None:
        super().__init__(disk, LMA_JOURNAL, at_once=False)
        self._clock = clock
        self._chance = chance

    def append(self, records: Sequence[Record], done: Callable[[StoreError | None], None]) -> None:
        if not self.waiting:
            takes = self._chance.uniform(0.0, 0.3 if self._chance.random() < 0.1 else 0.003)
            self._clock.wake_at(self._clock.now().monotonic + takes, self.commit)
        super().append(records, done)


class Port:
    """Port 434 with the kernel's steering: a datagram waits for its worker if that does not listen yet."""

    def __init__(self, workers: int) -> None:
        self._sockets: dict[int, WorkerSocket] = {}
        self._waiting: list[deque[Datagram]] = [deque(maxlen=MOST_IN_BUFFER) for _ in range(workers)]

    def arrive(self, datagram: Datagram) -> None:
        worker = steered_to(datagram.payload, len(self._waiting))
        self._waiting[worker].append(datagram)
        self.look(worker)

    def look(self, worker: int) -> None:
        waiting, listening = self._waiting[worker], self._sockets.get(worker)
        while listening is not None and waiting:
            listening.arrive(waiting.popleft())

    def open(self, worker: int, opened: "WorkerSocket") -> None:
        self._sockets[worker] = opened

    def close(self, worker: int) -> None:
        self._sockets.pop(worker, None)

    def report(self, unreachable: Unreachable) -> None:
        """A MAG is always there."""


class WorkerSocket(FakeSignalling):
    """One worker's share of the port."""

    def __init__(self, house: Surroundings, port: Port, clock: NodeClock, worker: int) -> None:
        super().__init__(house.network, (LMA,))
        self._house = house
        self._shared = port
        self._clock = clock
        self._worker = worker

    def start(self, receiver: ISignallingReceiver, tunnel_data: ITunnelDataReceiver | None) -> None:
        self._receiver = receiver
        self._shared.open(self._worker, self)
        self._clock.wake_at(self._clock.now().monotonic, self._look)

    def _look(self) -> None:
        self._shared.look(self._worker)

    def send(self, payload: bytes, destination: Endpoint, source: Ipv4, tos: int = 0) -> int:
        self._house.says(self._worker, payload)
        return super().send(payload, destination, source, tos)

    def stop(self) -> None:
        self._receiver = None
        self._shared.close(self._worker)


class Process:
    """What all workers have. ``serves``: requests are heard."""

    def __init__(self, house: Surroundings, port: Port, number: int, workers: int, disk: FakeDisk) -> None:
        self.number = number
        self.clock = NodeClock(house.clock, f"{house.chance.random()}")
        self.socket = WorkerSocket(house, port, self.clock, number)
        self.store = SlowStore(disk, self.clock, house.chance)
        size = block_size(prefix(house.pool), workers)
        relay = house.dhcp_relay
        pool = LeasedPool(prefix(house.pool), block=size, hold=HOLD, by_dhcp=relay is not None)
        self.pools = LeasedPools([(pool, [])])
        own = [node for node in range(1, house.nodes + 1) if worker_of_nai(nai(node), workers) == number]
        self.engine = LmaEngine(
            LmaPolicy(address=LMA, handover_min_interval=0.0, max_lifetime=60, pre_tunnel=relay is not None),
            AssociationTable((nai(node).decode(), association(node)) for node in own),
            self.pools,
            dhcp_relay=relay,
        )
        self.serves = False

    def crash(self) -> None:
        self.serves = False
        self.clock.stop()
        self.store.crash()
        self.socket.stop()


class Zero(Process):
    """Worker 0, with the packet plane and the book of addresses."""

    def __init__(self, house: Surroundings, port: Port, workers: int, disk: FakeDisk) -> None:
        super().__init__(house, port, 0, workers, disk)
        self.plane = MemoryPlane(monotonic=lambda: house.clock.monotonic, local=LMA)
        lender = Lender([prefix(house.pool)], workers)
        holders = Holders(lender, self.pools.links, {}, workers)
        # A clock of its own: whoever wakes up by it wakes up for nothing else.
        self.accounting_clock = NodeClock(house.clock, f"{house.chance.random()}")
        self.sessions = Sessions[AnchorKey](interim_interval=600)
        accounts = Accounts(self.sessions, FakeAccounting(house.ledger), self.plane, self.accounting_clock)
        book = SessionBook(accounts, LMA, self.accounting_clock, workers)
        clock, plane = self.clock, SharedPlane(self.plane, book.removed)
        self.dhcp = FakeDhcpSocket(house.network, LMA)
        self.from_homes = FakeDhcpSocket(house.network, HOME_SIDE)
        edge = DhcpEdge(
            self.plane,
            {LMA: self.dhcp},
            {"": [self.from_homes]},
            self.socket.send,
            lambda key: next(iter(holders.of_key(key)), 0),
        )
        self.foreman = Foreman(
            workers,
            routing=Routing(workers, LMA, None, holders.of_address),
            plane=plane,
            lender=lender,
            later=lambda call: clock.wake_at(clock.now().monotonic, call),
            dhcp=edge,
            book=book,
        )
        supply = Supply(self.pools, clock, self.foreman.tell_lender)
        self.foreman.hear_of_leases(supply.heard)
        self.agent = Lma(
            self.engine,
            clock=clock,
            signalling=SharedSignalling(self.socket, self.foreman),
            forwarding=self.plane,
            store=self.store,
            carrier=plane.own,
            supply=supply,
            dhcp=None if house.dhcp_relay is None else AtTheEdge(edge),
            accounting=AccountingAtLma(self.engine, book.pages()),
        )
        self.agent.start()
        self.serves = True

    def crash(self) -> None:
        super().crash()
        self.accounting_clock.stop()


class Other(Process):
    """Any other worker. ``ended``: worker 0 is gone, and it has ended in order."""

    def __init__(
        self, house: Surroundings, port: Port, number: int, workers: int, disk: FakeDisk, zero: Zero
    ) -> None:
        super().__init__(house, port, number, workers, disk)
        delay = lambda: house.chance.uniform(0.0, 0.05)  # noqa: E731 - drawn anew for every frame
        self.zero_end, self.pipe = fake_pipe(house.clock, delay)
        self.ended = False
        plane = RemotePlane(self.pipe.send)
        supply = Supply(self.pools, self.clock, self.pipe.send)
        dhcp = None if house.dhcp_relay is None else ToTheEdge(self.pipe.send)
        tell = serving(self.pipe)

        def told() -> None:
            self.serves = True
            tell()

        signalling = WorkerSignalling(self.socket, told)
        self.agent = Lma(
            self.engine,
            clock=self.clock,
            signalling=signalling,
            forwarding=plane,
            store=self.store,
            carrier=plane,
            supply=supply,
            dhcp=dhcp,
            accounting=AccountingAtLma(self.engine, RemotePages(self.pipe.send)),
        )
        self._worker = Worker(
            self.pipe,
            signalling=signalling,
            plane=plane,
            supply=supply,
            asked=lambda command, what: [],
            stop=self._end,
            lost=self._end,
            dhcp=dhcp,
        )
        zero.foreman.connected(number, self.zero_end)
        self._worker.start()
        self.agent.start()

    def _end(self) -> None:
        self.agent.stop(carried=False)
        self.crash()
        self.ended = True

    def crash(self) -> None:
        super().crash()
        self.pipe.crash()

    @property
    def defects(self) -> list[Exception]:
        ends: tuple[FakePipe, FakePipe] = (self.zero_end, self.pipe)
        return [defect for end in ends for defect in end.defects]
