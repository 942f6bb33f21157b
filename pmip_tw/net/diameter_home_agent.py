"""What a node's AAA server asks of an LMA by Diameter (RFC 4004): HAR brings a registration, ASR ends one."""

from typing import Final

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from pmip_tw.aaa.diameter.access import Asker, termination
from pmip_tw.aaa.diameter.home_agent import Har, Unserved, haa, is_accepted, read, refused
from pmip_tw.aaa.diameter.home_agent_sessions import Brought, HomeAgentSessions
from pmip_tw.aaa.diameter.refusals import refusal
from pmip_tw.aaa.dynamic_authorization import Selection
from pmip_tw.addresses import Ipv4
from pmip_tw.interfaces import IClock, IDiameterClient, IHomeAgent, ISessions
from pmip_tw.net.diameter_requests import accepted
from pmip_tw.wire.diameter.avps import InvalidAvp
from pmip_tw.wire.diameter.codes import Application, Code, Command, Result, TerminationCause
from pmip_tw.wire.diameter.message import Message

PATIENCE: Final = 5.0
"""Seconds that the LMA has for a reply: a journal may be slow, another worker have to lend an address."""


class DiameterHomeAgent:
    """``home_agent`` is at ``address``; ``sessions``: what it has registered, however that came about."""

    def __init__(
        self,
        client: IDiameterClient,
        asker: Asker,
        home_agent: IHomeAgent,
        sessions: ISessions,
        address: Ipv4,
        reactor: IReactorTime,
        clock: IClock,
    ) -> None:
        self._client = client
        self._asker = asker
        self._home_agent = home_agent
        self._sessions = sessions
        self._address = address
        self._reactor = reactor
        self._clock = clock
        self._kept = HomeAgentSessions()
        self._timer: IDelayedCall | None = None
        client.serve(Command.HOME_AGENT_MIP, self._register)
        client.serve(Command.ABORT_SESSION, self._abort)

    def stop(self) -> None:
        """The server keeps its sessions: bindings outlive this process."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # --- HAR --------------------------------------------------------------------------------------------

    def _register(self, asked: Message) -> "Deferred[Message]":
        if not self._is_of_a_server(asked):
            # Whoever brings it is believed: other nodes of the network, such as MAGs, are not AAA.
            cause = f"registrations are brought by servers of {self._asker.realm}"
            return succeed(self._refuse(asked, Result.AUTHORIZATION_REJECTED, cause))
        try:
            har = read(asked, self._address)
        except (Unserved, InvalidAvp) as error:
            return succeed(self._refuse(asked, error.result, str(error), error.failed))
        if har.stateful and self._kept.is_full and self._kept.find(har.session) is None:
            return succeed(self._refuse(asked, Result.RESOURCES_EXCEEDED, "too many sessions"))
        reply = self._home_agent.register(har.question, har.brought, har.identification)
        reply.addTimeout(PATIENCE, self._reactor, onTimeoutCancel=_passed_on)
        return reply.addCallback(lambda octets: self._answer(asked, har, octets))

    def _answer(self, asked: Message, har: Har, reply: bytes | None) -> Message:
        if reply is None:
            cause = "the LMA has not answered the request: its trace says why"
            return self._refuse(asked, Result.MIP_REPLY_FAILURE, cause)
        answer = haa(self._client.identity, asked, har, reply)
        if har.stateful and is_accepted(answer):
            self._keep(har)
        return answer

    def _refuse(self, asked: Message, result: Result, *why: object) -> Message:
        return refused(self._client.identity, asked, result, *why)  # type: ignore[arg-type]

    def _is_of_a_server(self, asked: Message) -> bool:
        realm = asked.avps.text(Code.ORIGIN_REALM) or ""
        return realm.lower() == self._asker.realm.lower()

    # --- sessions ---------------------------------------------------------------------------------------

    def _keep(self, har: Har) -> None:
        if har.ends:
            self._end_next(self._kept.over(har.session), TerminationCause.LOGOUT)
            return
        now = self._clock.now().monotonic
        former = self._kept.accepted(har.session, har.user, har.lifetime, now, har.server)
        self._end_next(former, TerminationCause.USER_MOVED)
        self._arm()

    def _abort(self, asked: Message) -> "Deferred[Message]":
        kept = self._kept.find(asked.session_id) if self._is_of_a_server(asked) else None
        if kept is None:
            cause = "no session of this LMA"
            return succeed(refusal(self._client.identity, asked, Result.UNKNOWN_SESSION_ID, cause))

        def ended(_: object) -> Message:
            self._end_next(self._kept.over(kept.id), TerminationCause.ADMINISTRATIVE)
            return accepted(self._client.identity, asked)

        return self._sessions.disconnect(Selection(user_name=kept.user)).addCallback(ended)

    def _end_next(self, session: Brought | None, cause: TerminationCause) -> None:
        """Not before the answer is on its way (RFC 6733 8.5)."""
        self._reactor.callLater(0, self._end, session, cause)

    def _end(self, session: Brought | None, cause: TerminationCause) -> None:
        """The server is told, if there was such a session; whether it hears that is its peer's business."""
        if session is None:
            return
        application, server = Application.MOBILE_IPV4, session.server
        over = termination(session.id, application, cause, self._asker, session.user, server)
        self._client.ask(over, session.user)

    def _wake(self) -> None:
        self._timer = None
        for session in self._kept.expired(self._clock.now().monotonic):
            self._end(session, TerminationCause.AUTH_EXPIRED)
        self._arm()

    def _arm(self) -> None:
        deadline = self._kept.next_deadline()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if deadline is not None:
            delay = max(0.0, deadline - self._clock.now().monotonic)
            self._timer = self._reactor.callLater(delay, self._wake)


def _passed_on(result: "bytes | Failure | None", _: float) -> None:
    """It has taken too long: if it is said all the same, then to the agent."""
    if isinstance(result, Failure):
        result.trap(CancelledError)
