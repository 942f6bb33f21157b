"""One of an LMA's workers but the first: its end of the pipe to worker 0."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from zope.interface import implementer

from pmip_tw.agents.dhcp_roads import ToTheEdge
from pmip_tw.agents.workers.messages import (
    Answer,
    Carried,
    DhcpAnswered,
    DhcpFromHome,
    DhcpUp,
    DiameterAnswered,
    DiameterRequested,
    Passed,
    Question,
    Serving,
    Stop,
)
from pmip_tw.agents.workers.pipes import IPipe
from pmip_tw.agents.workers.shared_plane import RemotePlane
from pmip_tw.agents.workers.signalling_wrapper import SignallingWrapper
from pmip_tw.agents.workers.supply import Supply
from pmip_tw.errors import PmipError
from pmip_tw.interfaces import Datagram, ISignalling, ISignallingReceiver, ITunnelDataReceiver
from pmip_tw.lma.workers.leases import Lease, Spare

if TYPE_CHECKING:  # its library takes a while to come
    from pmip_tw.agents.diameter_roads import DiameterThroughWorker0

Rows = Sequence[Mapping[str, Any]]
Asked = Callable[[str, str], "Rows | Deferred[Rows]"]
"""Answers a command of an operator, or of AAA, about something; PmipError: why not."""


@implementer(ISignalling)
class WorkerSignalling(SignallingWrapper):
    """Port 434 at a worker: its own socket, and what worker 0 passes on."""

    def __init__(self, signalling: ISignalling, serving: Callable[[], None]) -> None:
        """``serving`` is called when requests are heard."""
        super().__init__(signalling)
        self._serving = serving

    def start(self, receiver: ISignallingReceiver, tunnel_data: ITunnelDataReceiver | None) -> None:
        self._signalling.start(receiver, tunnel_data)
        self._receiver = receiver
        self._serving()

    def passed(self, batch: Sequence[Datagram]) -> None:
        """Worker 0 got it, and it is ours. Before there is signalling it is lost, as it would be without workers."""
        if self._receiver is not None:
            self._receiver.datagrams_received(batch)

    def stop(self) -> None:
        self._receiver = None
        super().stop()


class Worker:
    """Listens to worker 0. ``stop``: it wants this one to end; ``lost``: it is gone."""

    _log = Logger(namespace="pmip.workers")

    def __init__(
        self,
        pipe: IPipe,
        *,
        signalling: WorkerSignalling,
        plane: RemotePlane,
        supply: Supply,
        asked: Asked,
        stop: Callable[[], None],
        lost: Callable[[], None],
        dhcp: ToTheEdge | None = None,
        diameter: "DiameterThroughWorker0 | None" = None,
    ) -> None:
        self._pipe = pipe
        self._signalling = signalling
        self._plane = plane
        self._supply = supply
        self._asked = asked
        self._stop = stop
        self._lost = lost
        self._dhcp = dhcp
        self._diameter = diameter

    def start(self) -> None:
        self._pipe.start(self._heard, self._lost)

    def stop(self) -> None:
        self._pipe.stop()

    def _heard(self, message: Struct) -> None:
        if isinstance(message, Carried):
            self._plane.carried(message)
        elif isinstance(message, Passed):
            self._signalling.passed([message.datagram])
        elif isinstance(message, Lease | Spare):
            self._supply.heard(message)
        elif isinstance(message, DhcpUp | DhcpAnswered | DhcpFromHome):
            if self._dhcp is not None:
                self._dhcp.heard(message)
        elif isinstance(message, DiameterAnswered):
            if self._diameter is not None:
                self._diameter.heard(message)
        elif isinstance(message, DiameterRequested):
            if self._diameter is not None:
                self._diameter.requested(message)
        elif isinstance(message, Question):
            Deferred.fromCoroutine(self._answer(message)).addCallback(self._pipe.send)
        elif isinstance(message, Stop):
            self._stop()

    async def _answer(self, question: Question) -> Answer:
        try:
            found = self._asked(question.command, question.what)
            rows = await found if isinstance(found, Deferred) else found
            return Answer(question.number, [dict(row) for row in rows])
        except PmipError as error:
            return Answer(question.number, [], str(error))
        except Exception:
            self._log.failure("a question of worker 0 failed")
            return Answer(question.number, [], "a worker failed to answer: the log says why")


def serving(pipe: IPipe) -> Callable[[], None]:
    """Tells worker 0 that requests are heard."""
    return lambda: pipe.send(Serving())
