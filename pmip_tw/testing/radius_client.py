"""The twin of the RADIUS client: servers without sockets and secrets, which say what the test tells them to say."""

from collections.abc import Callable, Mapping, Sequence

import attrs
from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from pmip_tw.aaa.radius.outcome import Answered, RadiusOutcome, Unanswered
from pmip_tw.addresses import Endpoint, ipv4
from pmip_tw.interfaces import IRadiusClient
from pmip_tw.secret import Secret
from pmip_tw.wire.radius import (
    ANSWERS_TO,
    NO_ATTRIBUTES,
    Answer,
    Attributes,
    Code,
    Request,
    encode_request,
)
from pmip_tw.wire.salt_cipher import SaltCipher

SERVER = Endpoint(ipv4("198.51.100.53"), 1812)

_SECRET = Secret(b"the twin's own")


@attrs.frozen(slots=True)
class Reply:
    """What a server of the twin says."""

    code: Code
    attributes: Attributes = NO_ATTRIBUTES


Server = Callable[[Request, SaltCipher], Reply | None]
"""Its answer to a request, None if it is silent; keys in it are encrypted by the cipher."""


@attrs.frozen(slots=True, kw_only=True)
class Asked:
    """One call of ``ask``."""

    request: Request
    group: str
    pinned: Endpoint | None
    subject: str
    flow: str


@implementer(IRadiusClient)
class FakeRadiusClient:
    """Asks its ``servers`` in their order, in no time; every group has all of them.

    ``down``: who is not there. ``held`` true: nothing is asked until ``release``. ``asked``: every call so far.
    """

    def __init__(
        self, servers: Mapping[Endpoint, Server] | Server | None = None, *, held: bool = False
    ) -> None:
        self._servers = dict(servers) if isinstance(servers, Mapping) else {SERVER: servers or reject}
        self.down: set[Endpoint] = set()
        self.held = held
        self.asked: list[Asked] = []
        self._outstanding: list[tuple[Asked, Deferred[RadiusOutcome]]] = []
        self._stopped = False

    @property
    def outstanding(self) -> tuple[Asked, ...]:
        """What waits for ``release``, in order."""
        return tuple(asked for asked, _ in self._outstanding)

    def ask(
        self,
        request: Request,
        group: str,
        pinned: Endpoint | None = None,
        subject: str = "",
        flow: str = "",
    ) -> Deferred[RadiusOutcome]:
        asked = Asked(request=request, group=group, pinned=pinned, subject=subject, flow=flow)
        self.asked.append(asked)
        if self._stopped:
            return succeed(Unanswered("the fake RADIUS client is stopped"))
        if not self.held:
            return succeed(self._outcome(asked))
        outcome: Deferred[RadiusOutcome] = Deferred()
        self._outstanding.append((asked, outcome))
        return outcome

    def release(self) -> int:
        """Ask what was held; how many it was."""
        due, self._outstanding = self._outstanding, []
        for asked, outcome in due:
            outcome.callback(self._outcome(asked))
        return len(due)

    def servers(self) -> Sequence[Mapping[str, object]]:
        return [
            {"server": str(server), "state": "dead" if server in self.down else "alive"}
            for server in self._servers
        ]

    def stop(self) -> None:
        self._stopped = True
        due, self._outstanding = self._outstanding, []
        for _, outcome in due:
            outcome.callback(Unanswered("the fake RADIUS client was stopped"))

    def _outcome(self, asked: Asked) -> RadiusOutcome:
        request = asked.request
        authenticator = len(self.asked).to_bytes(16, "big")
        try:
            encode_request(request, identifier=0, authenticator=authenticator, secret=_SECRET)
        except ValueError as error:
            return Unanswered(f"the request cannot be written: {error}")
        cipher = SaltCipher(_SECRET, authenticator)
        for server, says in self._servers.items():
            if server in self.down or asked.pinned not in (None, server):
                continue
            reply = says(request, cipher)
            if reply is not None:
                assert reply.code in ANSWERS_TO[request.code], "no real client would take that answer"
                answer = Answer(code=reply.code, identifier=0, attributes=reply.attributes, signed=True)
                return Answered(answer=answer, cipher=cipher, server=server)
        return Unanswered("; ".join(f"{server}: no answer" for server in self._servers))


def reject(request: Request, cipher: SaltCipher) -> Reply:
    """A server that refuses everybody, and takes every record."""
    refusals = {
        Code.ACCESS_REQUEST: Code.ACCESS_REJECT,
        Code.ACCOUNTING_REQUEST: Code.ACCOUNTING_RESPONSE,
        Code.STATUS_SERVER: Code.ACCESS_ACCEPT,
        Code.DISCONNECT_REQUEST: Code.DISCONNECT_NAK,
        Code.COA_REQUEST: Code.COA_NAK,
    }
    return Reply(refusals[request.code])
