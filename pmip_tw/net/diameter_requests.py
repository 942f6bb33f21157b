"""What Diameter servers ask of us: ASR ends a session (RFC 6733 8.5), RAR has us ask about it anew (8.3)."""

from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed

from pmip_tw.aaa.diameter.capabilities import Identity
from pmip_tw.aaa.diameter.refusals import refusal
from pmip_tw.aaa.dynamic_authorization import Done, ErrorCause, Outcome, Selection
from pmip_tw.interfaces import IDiameterClient, ISessions
from pmip_tw.wire.diameter import avps
from pmip_tw.wire.diameter.codes import Code, Command, Result
from pmip_tw.wire.diameter.message import Message

_RESULTS = {
    ErrorCause.SESSION_CONTEXT_NOT_FOUND: Result.UNKNOWN_SESSION_ID,
    ErrorCause.RESOURCES_UNAVAILABLE: Result.RESOURCES_EXCEEDED,
}
"""In the words of Diameter; whatever is not here is UNABLE_TO_COMPLY."""


class DiameterRequests:
    """``sessions``: upon whom they act; known by the Session-Id that is in each profile (``aaa_session_id``)."""

    def __init__(self, client: IDiameterClient, sessions: ISessions) -> None:
        self._identity: Identity = client.identity
        self._sessions = sessions
        client.serve(Command.ABORT_SESSION, self._abort)
        client.serve(Command.RE_AUTH, self._reauthorize)

    def _abort(self, request: Message) -> "Deferred[Message]":
        return self._carry_out(request, self._sessions.disconnect)

    def _reauthorize(self, request: Message) -> "Deferred[Message]":
        state = request.avps.first(Code.STATE) or b""
        return self._carry_out(request, lambda whom: self._sessions.reauthorize(whom, state))

    def _carry_out(
        self, request: Message, do: Callable[[Selection], "Deferred[Outcome]"]
    ) -> "Deferred[Message]":
        name = request.session_id.encode()
        if not name.startswith(self._identity.host.encode() + b";"):
            return succeed(self._refused(request, Result.UNKNOWN_SESSION_ID, "no session of this node"))
        return do(Selection(aaa_session=name)).addCallback(lambda outcome: self._answer(request, outcome))

    def _answer(self, request: Message, outcome: Outcome) -> Message:
        if isinstance(outcome, Done) or outcome.cause is ErrorCause.REQUEST_INITIATED:
            return accepted(self._identity, request)
        return self._refused(request, _RESULTS.get(outcome.cause, Result.UNABLE_TO_COMPLY), outcome.why)

    def _refused(self, request: Message, result: Result, why: str) -> Message:
        return refusal(self._identity, request, result, why or result.name)


def accepted(identity: Identity, request: Message) -> Message:
    """2001 to a request about a session."""
    return request.answer(
        avps.text(Code.SESSION_ID, request.session_id),
        avps.unsigned32(Code.RESULT_CODE, Result.SUCCESS),
        *identity.origin,
    )
