"""The ways that Diameter takes between an LMA's workers and its peers.

Worker 0 has the connections, for a peer knows one of each name (docs/decisions/0025).
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import attrs
from msgspec import Struct
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from pmip_tw.aaa.diameter.capabilities import Identity
from pmip_tw.aaa.diameter.node import Answered, Outcome, Unanswered
from pmip_tw.aaa.diameter.refusals import refusal
from pmip_tw.agents.workers.messages import (
    DiameterAnswered,
    DiameterAsked,
    DiameterRequested,
    DiameterResponded,
)
from pmip_tw.interfaces import IDiameterClient
from pmip_tw.lma.workers.slices import worker_of_nai
from pmip_tw.mobility.clock import Now
from pmip_tw.wire.diameter.codes import Code, Command, Result
from pmip_tw.wire.diameter.message import Message, decode

MOST_SESSIONS: Final = 100_000
"""Of servers that have brought registrations: whose worker is remembered, the oldest forgotten first."""

CarryOut = Callable[[Message], "Deferred[Message]"]


@implementer(IDiameterClient)
class DiameterThroughWorker0:
    """At another worker: ``send`` leads to worker 0. ``identity``: that of the LMA; ``now``: of the start."""

    _log = Logger(namespace="pmip.diameter")

    def __init__(self, identity: Identity, worker: int, now: Now, send: Callable[[Struct], None]) -> None:
        self.identity = identity
        self._worker = worker
        self._send = send
        self._high = int(now.wall) & 0xFFFFFFFF
        # A worker may be started again within the second.
        self._low = int(now.wall % 1 * 0x100000000)
        self._asked: dict[int, Deferred[Outcome]] = {}
        self._served: dict[int, CarryOut] = {}
        self._last = 0
        self._stopped = False

    def new_session_id(self) -> str:
        """RFC 6733 8.8; the optional value at its end is the worker's, so that no two of them make the same."""
        self._low += 1
        high, low = self._high + (self._low >> 32), self._low & 0xFFFFFFFF
        return f"{self.identity.host};{high};{low};{self._worker}"

    def ask(self, request: Message, subject: str = "") -> "Deferred[Outcome]":
        if self._stopped:
            return succeed(Unanswered("Diameter is stopped"))
        try:
            octets = request.encode()
        except ValueError as error:
            return succeed(Unanswered(str(error)))
        self._last += 1
        outcome: Deferred[Outcome] = Deferred()
        self._asked[self._last] = outcome
        self._send(DiameterAsked(self._last, octets, subject))
        return outcome

    def heard(self, message: DiameterAnswered) -> None:
        """What became of it at worker 0."""
        outcome = self._asked.pop(message.number, None)
        if outcome is not None:
            outcome.callback(_read(message))

    def serve(self, command: int, carry_out: CarryOut) -> None:
        self._served[command] = carry_out

    def requested(self, message: DiameterRequested) -> None:
        """A peer asks worker 0, about a node of ours."""
        request = decode(message.octets)

        def answered(answer: Message) -> None:
            try:
                octets = answer.encode()
            except ValueError as error:  # of what the request had, which comes back
                self._log.warn("the {name} to a peer's request: {error}", name=answer.name, error=error)
                octets = b""
            self._send(DiameterResponded(message.number, octets))

        def defect(failure: Failure) -> Message:
            self._log.failure("{name} met a defect", failure, name=request.name)
            return refusal(self.identity, request, Result.UNABLE_TO_COMPLY, "a defect, which our log shows")

        carried_out = maybeDeferred(self._served[request.header.command], request)
        carried_out.addErrback(defect)
        carried_out.addCallback(answered)

    def peers(self) -> Sequence[Mapping[str, object]]:
        """They are worker 0's."""
        return []

    def start(self) -> None:
        """Worker 0 has done so."""

    def stop(self) -> "Deferred[None]":
        self._stopped = True
        asked, self._asked = self._asked, {}
        for outcome in asked.values():
            outcome.callback(Unanswered("Diameter is stopping"))
        return succeed(None)


@implementer(IDiameterClient)
class DiameterForWorkers:
    """At worker 0: it asks by ``client`` what any worker wants to have asked, and leads what peers ask to the worker
    that has the node.
    """

    def __init__(self, client: IDiameterClient, workers: int) -> None:
        self._client = client
        self._workers = workers
        self._tell: Callable[[int, Struct], bool] = lambda worker, message: False
        self._own: dict[int, CarryOut] = {}
        self._led: dict[int, tuple[int, Message, Deferred[Message]]] = {}
        self._last = 0
        self._sessions: OrderedDict[str, int] = OrderedDict()

    def reach(self, tell: Callable[[int, Struct], bool]) -> None:
        """``tell`` leads to another worker; False: it is not there."""
        self._tell = tell

    # --- for the others -----------------------------------------------------------------------------------

    def ask_for(self, asked: DiameterAsked, answer: Callable[[Struct], None]) -> None:
        """``answer`` takes the DiameterAnswered."""
        outcome = self._client.ask(self._as_ours(decode(asked.octets)), asked.subject)
        outcome.addCallback(lambda found: answer(_written(asked.number, found)))

    def responded(self, message: DiameterResponded) -> None:
        """What another worker says to what it was asked."""
        led = self._led.pop(message.number, None)
        if led is not None and message.octets:
            led[2].callback(decode(message.octets))

    def lost(self, worker: int) -> None:
        """It has ended; whoever asks again meets its successor."""
        for number, (asked, request, answer) in list(self._led.items()):
            if asked == worker:
                del self._led[number]
                answer.callback(self._absent(request))

    def _lead(self, request: Message) -> "Deferred[Message]":
        worker = self._worker_for(request)
        answer = self._led_to(worker, request)
        if request.header.command == Command.HOME_AGENT_MIP:
            answer.addCallback(self._remember, request.session_id, worker)
        return answer

    def _led_to(self, worker: int, request: Message) -> "Deferred[Message]":
        if worker == 0:
            return self._own[request.header.command](request)
        self._last = number = self._last + 1
        answer: Deferred[Message] = Deferred()
        self._led[number] = worker, request, answer
        if not self._tell(worker, DiameterRequested(number, request.encode())):
            del self._led[number]
            return succeed(self._absent(request))
        return answer

    def _worker_for(self, request: Message) -> int:
        """A registration is its node's, and what follows is that session's; of any other nobody knows anything."""
        if request.header.command != Command.HOME_AGENT_MIP:
            return self._sessions.get(request.session_id, 0)
        return worker_of_nai(request.avps.first(Code.USER_NAME) or b"", self._workers)

    def _remember(self, answer: Message, session: str, worker: int) -> Message:
        """Not before it is accepted: anybody may say that he brings something, and name a session of others."""
        if answer.result == Result.SUCCESS:
            self._sessions[session] = worker
            self._sessions.move_to_end(session)
            if len(self._sessions) > MOST_SESSIONS:
                self._sessions.popitem(last=False)
        return answer

    def _absent(self, request: Message) -> Message:
        cause = "the process that has this node is being started: ask again in a moment"
        return refusal(self.identity, request, Result.HA_NOT_AVAILABLE, cause)

    def _as_ours(self, request: Message) -> Message:
        """Of one node there is one Origin-State-Id (RFC 6733 8.16): a worker that was started again has another."""
        ours = self.identity.state
        avps = (ours if avp.code == Code.ORIGIN_STATE_ID and not avp.vendor else avp for avp in request.avps)
        return attrs.evolve(request, avps=type(request.avps)(tuple(avps)))

    # --- worker 0's own -----------------------------------------------------------------------------------

    @property
    def identity(self) -> Identity:
        found: Identity = self._client.identity
        return found

    def new_session_id(self) -> str:
        return self._client.new_session_id()

    def ask(self, request: Message, subject: str = "") -> "Deferred[Outcome]":
        return self._client.ask(request, subject)

    def serve(self, command: int, carry_out: CarryOut) -> None:
        self._own[command] = carry_out
        self._client.serve(command, self._lead)

    def peers(self) -> Sequence[Mapping[str, object]]:
        return self._client.peers()

    def start(self) -> None:
        self._client.start()

    def stop(self) -> "Deferred[None]":
        return self._client.stop()


def _written(number: int, outcome: Outcome) -> DiameterAnswered:
    if isinstance(outcome, Answered):
        return DiameterAnswered(number, outcome.message.encode(), outcome.peer, outcome.keys)
    return DiameterAnswered(number, cause=outcome.cause)


def _read(found: DiameterAnswered) -> Outcome:
    if not found.octets:
        return Unanswered(found.cause)
    return Answered(message=decode(found.octets), peer=found.peer, keys=found.keys)
