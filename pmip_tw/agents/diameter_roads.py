"""The ways that Diameter takes between an LMA's workers and its peers.

Worker 0 has the connections, for a peer knows one of each name (docs/decisions/0025).
"""

from collections.abc import Callable, Mapping, Sequence

import attrs
from msgspec import Struct
from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from pmip_tw.aaa.diameter.capabilities import Identity
from pmip_tw.aaa.diameter.node import Answered, Outcome, Unanswered
from pmip_tw.agents.workers.messages import DiameterAnswered, DiameterAsked
from pmip_tw.interfaces import IDiameterClient
from pmip_tw.mobility.clock import Now
from pmip_tw.wire.diameter.codes import Code
from pmip_tw.wire.diameter.message import Message, decode


@implementer(IDiameterClient)
class DiameterThroughWorker0:
    """At another worker: ``send`` leads to worker 0. ``identity``: that of the LMA; ``now``: of the start."""

    def __init__(self, identity: Identity, worker: int, now: Now, send: Callable[[Struct], None]) -> None:
        self.identity = identity
        self._worker = worker
        self._send = send
        self._high = int(now.wall) & 0xFFFFFFFF
        # A worker may be started again within the second.
        self._low = int(now.wall % 1 * 0x100000000)
        self._asked: dict[int, Deferred[Outcome]] = {}
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

    def serve(self, command: int, carry_out: "Callable[[Message], Deferred[Message]]") -> None:
        """Whoever asks us asks worker 0."""

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


class DiameterForWorkers:
    """At worker 0: asks by ``client`` what the others want to have asked."""

    def __init__(self, client: IDiameterClient) -> None:
        self._client = client

    def ask(self, asked: DiameterAsked, answer: Callable[[Struct], None]) -> None:
        """``answer`` takes the DiameterAnswered."""
        outcome = self._client.ask(self._as_ours(decode(asked.octets)), asked.subject)
        outcome.addCallback(lambda found: answer(_written(asked.number, found)))

    def _as_ours(self, request: Message) -> Message:
        """Of one node there is one Origin-State-Id (RFC 6733 8.16): a worker that was started again has another."""
        ours = self._client.identity.state
        avps = (ours if avp.code == Code.ORIGIN_STATE_ID and not avp.vendor else avp for avp in request.avps)
        return attrs.evolve(request, avps=type(request.avps)(tuple(avps)))


def _written(number: int, outcome: Outcome) -> DiameterAnswered:
    if isinstance(outcome, Answered):
        return DiameterAnswered(number, outcome.message.encode(), outcome.peer, outcome.keys)
    return DiameterAnswered(number, cause=outcome.cause)


def _read(found: DiameterAnswered) -> Outcome:
    if not found.octets:
        return Unanswered(found.cause)
    return Answered(message=decode(found.octets), peer=found.peer, keys=found.keys)
