"""The twin of the Diameter client: a server without connections, which says what the test tells it to say."""

from collections.abc import Callable, Mapping, Sequence

import attrs
from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from pmip_tw.aaa.diameter.capabilities import Identity
from pmip_tw.aaa.diameter.node import Answered, Outcome, Unanswered
from pmip_tw.addresses import ipv4
from pmip_tw.interfaces import IDiameterClient
from pmip_tw.wire.diameter import avps
from pmip_tw.wire.diameter.avps import Avp
from pmip_tw.wire.diameter.codes import Code, Result
from pmip_tw.wire.diameter.message import Message, decode

MAG = Identity(
    host="mag1.example.net", realm="example.net", address=ipv4("198.51.100.10"), state_id=1_704_067_200
)
SERVER = attrs.evolve(MAG, host="aaa1.example.net", address=ipv4("198.51.100.53"))

Server = Callable[[Message], Message | None]
"""Its answer to a request, None if it is silent."""


def answer(asked: Message, *more: Avp, result: int = Result.SUCCESS) -> Message:
    """As the server ``SERVER`` says it."""
    return asked.answer(
        avps.text(Code.SESSION_ID, asked.session_id),
        avps.unsigned32(Code.RESULT_CODE, result),
        *SERVER.origin,
        *more,
        error=3000 <= result < 4000,
    )


def refuse(asked: Message) -> Message:
    """A server that lets nobody in."""
    return answer(asked, result=Result.AUTHENTICATION_REJECTED)


@implementer(IDiameterClient)
class FakeDiameterClient:
    """Asks ``server`` in no time. ``keys``: whether its keys may be used. ``asked``: everything so far, in order.

    ``held`` true: nothing is answered until ``release``.
    """

    def __init__(
        self,
        server: Server = refuse,
        *,
        keys: bool = True,
        held: bool = False,
        identity: Identity = MAG,
    ) -> None:
        self.identity = identity
        self.server = server
        self.keys = keys
        self.held = held
        self.asked: list[Message] = []
        self._served: dict[int, Callable[[Message], Deferred[Message]]] = {}
        self._outstanding: list[tuple[Message, Deferred[Outcome]]] = []
        self._next = 0
        self._stopped = False

    def new_session_id(self) -> str:
        self._next += 1
        return f"{self.identity.host};{self.identity.state_id};{self._next}"

    def ask(self, request: Message, subject: str = "") -> "Deferred[Outcome]":
        asked = decode(request.encode())  # a real client writes it
        self.asked.append(asked)
        if self._stopped:
            return succeed(Unanswered("the fake Diameter client is stopped"))
        if not self.held:
            return succeed(self._outcome(asked))
        outcome: Deferred[Outcome] = Deferred()
        self._outstanding.append((asked, outcome))
        return outcome

    def release(self) -> None:
        """Answer what was held."""
        due, self._outstanding = self._outstanding, []
        for asked, outcome in due:
            outcome.callback(self._outcome(asked))

    def serve(self, command: int, carry_out: "Callable[[Message], Deferred[Message]]") -> None:
        self._served[command] = carry_out

    def be_asked(self, request: Message) -> "Deferred[Message]":
        """Somebody asks us; the answer. KeyError: we do not serve that."""
        return self._served[request.header.command](request)

    def peers(self) -> Sequence[Mapping[str, object]]:
        return [{"peer": SERVER.host, "state": "closed" if self._stopped else "open"}]

    def start(self) -> None:
        pass

    def stop(self) -> "Deferred[None]":
        self._stopped = True
        due, self._outstanding = self._outstanding, []
        for _, outcome in due:
            outcome.callback(Unanswered("the fake Diameter client was stopped"))
        return succeed(None)

    def _outcome(self, asked: Message) -> Outcome:
        said = self.server(asked)
        if said is None:
            return Unanswered(f"{SERVER.host}: no answer")
        return Answered(message=decode(said.encode()), peer=SERVER.host, keys=self.keys)
