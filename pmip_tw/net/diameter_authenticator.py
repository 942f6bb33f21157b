"""Access by Diameter: NASREQ for a MAC, EAP for 802.1X, and the end of each session told to its server."""

from collections.abc import Iterator
from typing import Final

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from zope.interface import implementer

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.aaa.diameter import answers
from pmip_tw.aaa.diameter.access import (
    Asker,
    authorization,
    eap_access,
    mac_access,
    termination,
    termination_cause,
)
from pmip_tw.aaa.diameter.answers import Continued, Denied, Failed, Granted
from pmip_tw.aaa.diameter.node import Outcome
from pmip_tw.aaa.diameter.sessions import Session, Sessions
from pmip_tw.aaa.profiles.rules import ProfileRules
from pmip_tw.aaa.verdicts import (
    Accept,
    AuthorizeOnly,
    Challenge,
    Conversation,
    Credential,
    EapCredential,
    MacCredential,
    Reject,
    Unavailable,
    Verdict,
)
from pmip_tw.addresses import UNSPECIFIED, Endpoint, mac_text
from pmip_tw.errors import AccessDenied, WireError
from pmip_tw.interfaces import IAaaSessions, IAuthenticator, IDiameterClient
from pmip_tw.wire.diameter.codes import NO_STATE_MAINTAINED, Application, Code, TerminationCause
from pmip_tw.wire.diameter.message import Message

_NOWHERE: Final = Endpoint(UNSPECIFIED, 0)
"""Who leads a conversation is known by the session that its name leads to."""


@implementer(IAuthenticator, IAaaSessions)
class DiameterAuthenticator:
    """``rules``: how answers become profiles. ``client`` is not ours to start or stop."""

    _log = Logger(namespace="pmip.diameter")

    def __init__(self, client: IDiameterClient, asker: Asker, rules: ProfileRules) -> None:
        self._client = client
        self._asker = asker
        self._rules = rules
        self._sessions = Sessions(client.identity.host)
        self._outstanding: dict[int, Deferred[Verdict]] = {}
        self._next = 0
        self._stopped = False

    # --- access -----------------------------------------------------------------------------------------

    def authenticate(self, credential: Credential) -> "Deferred[Verdict]":
        if self._stopped:
            return succeed(Unavailable("Diameter is stopped"))
        session = self._session_for(credential)
        if session is None:
            return succeed(Reject("AAA asks about a session that it has not begun"))
        subject = f"{mac_text(credential.mac)} on {credential.port}"
        self._next += 1
        number, verdict = self._next, Deferred[Verdict]()
        self._outstanding[number] = verdict

        def concluded(outcome: Outcome) -> None:
            waiting = self._outstanding.pop(number, None)
            try:
                found = self._conclude(credential, session, outcome)
            except Exception:
                self._log.failure("an answer met a defect")
                found = Unavailable("the answer met a defect, which the log of this MAG shows")
            if waiting is not None:
                waiting.callback(found)

        self._client.ask(self._request(credential, session), subject).addCallback(concluded)
        return verdict

    def _session_for(self, credential: Credential) -> Session | None:
        if isinstance(credential, AuthorizeOnly):
            known = self._sessions.at((credential.mac, credential.port))
            return known or self._sessions.former(credential.aaa_session.decode(errors="replace"))
        if isinstance(credential, MacCredential):
            name = self._asker.mac_format.write(credential.mac)
            return self._sessions.new(self._client.new_session_id(), Application.NASREQ, name)
        if credential.conversation is not None:
            known = self._sessions.go_on(credential.conversation.state.decode(errors="replace"))
            if known is not None:
                return known
        name = credential.identity.decode(errors="replace")
        return self._sessions.new(self._client.new_session_id(), Application.EAP, name)

    def _request(self, credential: Credential, session: Session) -> Message:
        if isinstance(credential, MacCredential):
            return mac_access(credential, session.id, self._asker)
        if isinstance(credential, AuthorizeOnly):
            return authorization(credential, session.id, self._asker)
        return eap_access(credential, session.id, self._asker, server=session.server, states=session.states)

    def _conclude(self, credential: Credential, session: Session, outcome: Outcome) -> Verdict:
        reading = answers.read(outcome)
        if isinstance(reading, Failed):
            return Unavailable(reading.cause)
        message = reading.message
        payload = message.avps.first(Code.EAP_PAYLOAD) or b""
        if isinstance(reading, Denied):
            return Reject(reading.cause, payload)
        try:
            if isinstance(reading, Continued):
                return self._challenge(credential, session, message, payload)
            return self._accept(credential, session, reading, payload)
        except (AccessDenied, WireError) as denied:
            self._end(session, TerminationCause.BAD_ANSWER)
            return Reject(str(denied), payload)

    def _challenge(
        self, credential: Credential, session: Session, message: Message, payload: bytes
    ) -> Verdict:
        if not isinstance(credential, EapCredential):
            return Reject("the server asks for a challenge; MAC authentication has no answer to one")
        if not payload:
            raise AccessDenied("the server asks for more (1001) and sends no EAP-Payload")
        session.server = message.avps.required_text(Code.ORIGIN_HOST)
        session.states = message.avps.all(Code.STATE)
        name = self._sessions.converse(session)
        conversation = Conversation(server=_NOWHERE, state=name.encode())
        return Challenge(payload, conversation, message.avps.number(Code.MULTI_ROUND_TIME_OUT) or 0)

    def _accept(self, credential: Credential, session: Session, granted: Granted, payload: bytes) -> Verdict:
        message = granted.message
        session.server = message.avps.required_text(Code.ORIGIN_HOST)
        session.stateless = message.avps.number(Code.AUTH_SESSION_STATE) == NO_STATE_MAINTAINED
        if isinstance(credential, AuthorizeOnly):
            granted = answers.named(granted, credential.nai)
        # The outer identity of EAP is unproven in most methods: no name is made of it.
        user_name = session.user_name if isinstance(credential, MacCredential) else None
        profile = answers.profile_in(granted, self._rules, user_name, session.id)
        before = self._sessions.accepted((credential.mac, credential.port), session)
        if before is not None:
            self._end(before, TerminationCause.AUTH_EXPIRED)
        return Accept(profile, payload or message.avps.first(Code.EAP_REISSUED_PAYLOAD) or b"")

    # --- the end ----------------------------------------------------------------------------------------

    def session_over(self, aaa_session: bytes, cause: TerminateCause, *, continues: bool = False) -> None:
        session = self._sessions.over(aaa_session.decode(errors="replace"))
        if session is not None:
            self._end(session, termination_cause(cause, continues=continues))

    def _end(self, session: Session, cause: TerminationCause) -> None:
        if self._stopped or session.stateless:
            return
        # Whatever the answer is, the session is over.
        self._client.ask(
            termination(session.id, session.application, cause, self._asker, session.user_name),
            session.user_name,
        )

    def stop(self) -> None:
        self._stopped = True
        for verdict in self._all_outstanding():
            verdict.callback(Unavailable("Diameter was stopped before an answer came"))

    def _all_outstanding(self) -> Iterator["Deferred[Verdict]"]:
        outstanding, self._outstanding = self._outstanding, {}
        yield from outstanding.values()
