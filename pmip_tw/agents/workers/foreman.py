"""Worker 0's dealings with the others: it passes datagrams on, lends addresses, has the packet plane, and asks."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from twisted.internet.defer import Deferred, fail
from twisted.logger import Logger
from zope.interface import implementer

from pmip_tw.agents.dhcp_edge import DhcpEdge
from pmip_tw.agents.dhcp_roads import ThroughPipe, carry_out
from pmip_tw.agents.session_book import SessionBook
from pmip_tw.agents.workers.messages import (
    Answer,
    Carry,
    DhcpToWorker0,
    DiameterAsked,
    DiameterResponded,
    Passed,
    Question,
    Serving,
    SessionToWorker0,
    Stop,
)
from pmip_tw.agents.workers.pipes import IPipe
from pmip_tw.agents.workers.remote_book import hear
from pmip_tw.agents.workers.routing import Routing
from pmip_tw.agents.workers.shared_plane import SharedPlane
from pmip_tw.agents.workers.signalling_wrapper import SignallingWrapper
from pmip_tw.errors import PmipError
from pmip_tw.interfaces import (
    Datagram,
    ISignalling,
    ISignallingReceiver,
    ITunnelDataReceiver,
    Unreachable,
)
from pmip_tw.lma.workers.leases import Ask, FromLender, InUse, Returned, ToLender
from pmip_tw.lma.workers.lender import Lender, Told

if TYPE_CHECKING:  # its library takes a while to come
    from pmip_tw.agents.diameter_roads import DiameterForWorkers

Rows = list[dict[str, Any]]


class Foreman:
    """``later``: calls something in the next turn of the reactor. ``overload``: datagrams that were not passed on.
    ``dhcp``: where the LMA's DHCP comes and goes, if it relays; ``book``: of sessions, if AAA is to know of them;
    ``diameter``: who asks AAA by it, if anybody does.
    """

    _log = Logger(namespace="pmip.workers")

    def __init__(
        self,
        workers: int,
        *,
        routing: Routing,
        plane: SharedPlane,
        lender: Lender,
        later: Callable[[Callable[[], None]], object],
        dhcp: DhcpEdge | None = None,
        book: SessionBook | None = None,
        diameter: "DiameterForWorkers | None" = None,
    ) -> None:
        self._workers = workers
        self._routing = routing
        self._plane = plane
        self._lender = lender
        self._later = later
        self._dhcp = dhcp
        self._book = book
        self._diameter = diameter
        self._lent: Callable[[FromLender], None] = lambda message: None
        self.overload = 0
        self._pipes: dict[int, IPipe] = {}
        self._serving: set[int] = set()
        self._last = 0
        self._asked: dict[int, tuple[int, Deferred[Rows]]] = {}

    # Worker 0 itself

    def hear_of_leases(self, lent: Callable[[FromLender], None]) -> None:
        """Where the lender's answers to worker 0 go."""
        self._lent = lent

    def tell_lender(self, message: ToLender) -> None:
        """As another worker would by its pipe; the answers come in a turn of their own."""
        self._later(lambda: self._deliver(self._lender.heard(0, message)))

    def pass_on(self, batch: Sequence[Datagram]) -> Sequence[Datagram]:
        """Those of worker 0; the others are on their way. What is for one that is not there is lost, and what one has
        no time for.
        """
        worker_for = self._routing.worker_for
        own: list[Datagram] = []
        for datagram in batch:
            worker = worker_for(datagram)
            if worker == 0:
                own.append(datagram)
                continue
            pipe = self._pipes.get(worker)
            if pipe is not None:
                self._give(pipe, Passed(datagram))
        return own

    def _give(self, pipe: IPipe, message: Struct) -> None:
        """What anybody may send much of; it is lost if its worker has no time for it."""
        if pipe.crowded:
            self.overload += 1
        else:
            pipe.send(message)

    # The others

    def connected(self, worker: int, pipe: IPipe) -> None:
        """A process was started for it."""
        self._pipes[worker] = pipe
        self._plane.begins(worker)
        if self._book is not None:
            self._book.begins(worker)
        if self._dhcp is not None:
            self._dhcp.hear(worker, ThroughPipe(partial(self._give, pipe)))
        pipe.start(lambda message: self._heard(worker, pipe, message), lambda: self._lost(worker, pipe))

    def _lost(self, worker: int, pipe: IPipe) -> None:
        """It has ended: who waits for its answers is told."""
        if self._pipes.get(worker) is not pipe:
            return
        del self._pipes[worker]
        self._serving.discard(worker)
        if self._dhcp is not None:
            self._dhcp.lose(worker)
        if self._diameter is not None:
            self._diameter.lost(worker)
        for number, (asked, answer) in list(self._asked.items()):
            if asked == worker:
                del self._asked[number]
                answer.errback(_absent(worker))

    def stop(self) -> None:
        """All are to end."""
        for pipe in self._pipes.values():
            pipe.send(Stop())

    def ask(self, worker: int, command: str, what: str) -> "Deferred[Rows]":
        """An operator's question; PmipError: what the worker says, or that it is not there."""
        pipe = self._pipes.get(worker)
        if pipe is None:
            return fail(_absent(worker))
        self._last += 1
        answer: Deferred[Rows] = Deferred()
        self._asked[self._last] = (worker, answer)
        pipe.send(Question(self._last, command, what))
        return answer

    def tell(self, worker: int, message: Struct) -> bool:
        """False: the worker is not there."""
        pipe = self._pipes.get(worker)
        if pipe is not None:
            pipe.send(message)
        return pipe is not None

    def _heard(self, worker: int, pipe: IPipe, message: Struct) -> None:
        if self._pipes.get(worker) is not pipe:
            return  # the last words of a process that has a successor already, who must not get the answers
        if isinstance(message, Carry):
            carried = self._plane.carry(worker, message)
            if message.number:
                pipe.send(carried)
            elif carried.code:
                self._log.error("worker {worker}: {problem}", worker=worker, problem=carried.cause)
        elif isinstance(message, InUse | Ask | Returned):
            self._deliver(self._lender.heard(worker, message))
        elif isinstance(message, Answer):
            _, answer = self._asked.pop(message.number)
            if message.error:
                answer.errback(PmipError(message.error))
            else:
                answer.callback(message.rows)
        elif isinstance(message, Serving):
            self._plane.serves(worker)
            self._serving.add(worker)
            if len(self._serving) == self._workers - 1:
                self._log.info("all {workers} workers serve", workers=self._workers)
        else:
            self._for_a_part(worker, pipe, message)

    def _for_a_part(self, worker: int, pipe: IPipe, message: Struct) -> None:
        """What only some LMAs have; all workers have the same settings."""
        if isinstance(message, DhcpToWorker0):
            assert self._dhcp is not None
            carry_out(self._dhcp, worker, message)
        elif isinstance(message, SessionToWorker0):
            assert self._book is not None
            hear(self._book, worker, message)
        elif isinstance(message, DiameterAsked):
            assert self._diameter is not None
            self._diameter.ask_for(message, pipe.send)
        elif isinstance(message, DiameterResponded):
            assert self._diameter is not None
            self._diameter.responded(message)

    def _deliver(self, told: Told) -> None:
        for worker, message in told:
            if worker == 0:
                self._lent(message)
            elif worker in self._pipes:
                self._pipes[worker].send(message)


def _absent(worker: int) -> PmipError:
    return PmipError(f"worker {worker} is being started: ask again in a moment; the log says if it cannot be")


@implementer(ISignalling, ISignallingReceiver)
class SharedSignalling(SignallingWrapper):
    """Port 434 at worker 0, whose agent gets what is worker 0's."""

    def __init__(self, signalling: ISignalling, foreman: Foreman) -> None:
        super().__init__(signalling)
        self._foreman = foreman

    def start(self, receiver: ISignallingReceiver, tunnel_data: ITunnelDataReceiver | None) -> None:
        self._receiver = receiver
        self._signalling.start(self, tunnel_data)

    def datagrams_received(self, batch: Sequence[Datagram]) -> None:
        own = self._foreman.pass_on(batch)
        if own and self._receiver is not None:
            self._receiver.datagrams_received(own)

    def drops(self) -> dict[str, int]:
        """As ISignalling; and what the others had no time for."""
        drops = super().drops()
        return {**drops, "overload": drops.get("overload", 0) + self._foreman.overload}

    def peer_unreachable(self, report: Unreachable) -> None:
        if self._receiver is not None:
            self._receiver.peer_unreachable(report)
