"""ASR and RAR: what they do to the sessions of an agent, and what is answered."""

import pytest
from twisted.internet.defer import Deferred, succeed

from pmip_tw.aaa.dynamic_authorization import ErrorCause, Outcome, Refused, Selection, SessionIdentity
from pmip_tw.interfaces import ISessions
from pmip_tw.net.diameter_requests import DiameterRequests
from pmip_tw.testing.diameter_client import FakeDiameterClient
from pmip_tw.testing.sessions import FakeSessions
from pmip_tw.wire.diameter import avps
from pmip_tw.wire.diameter.codes import Code, Command, Result
from pmip_tw.wire.diameter.message import Message
from tests.aaa.diameter.wires import asr
from tests.conformance import covers

OURS = "mag1.example.net;1;1;mac"


def served(sessions: ISessions) -> FakeDiameterClient:
    client = FakeDiameterClient()
    DiameterRequests(client, sessions)
    return client


def ask(client: FakeDiameterClient, request: Message) -> list[Message]:
    found: list[Message] = []
    client.be_asked(request).addCallback(found.append)
    return found


@covers("AA23", "AA17")
def test_abort_ends_the_session_and_says_so_when_it_is_over() -> None:
    sessions = FakeSessions({"one": SessionIdentity(aaa_session=OURS.encode())}, held=True)
    found = ask(served(sessions), asr(session=OURS))
    assert sessions.sessions == {} and found == []
    sessions.release()
    [answer] = found
    assert (answer.name, answer.result, answer.session_id) == ("ASA", Result.SUCCESS, OURS)


@covers("AA23")
def test_re_auth_has_us_ask_anew() -> None:
    sessions = FakeSessions({"one": SessionIdentity(aaa_session=OURS.encode())})
    state = avps.octets(Code.STATE, b"again")
    [answer] = ask(served(sessions), asr(state, session=OURS, command=Command.RE_AUTH))
    assert (answer.name, answer.result) == ("RAA", Result.SUCCESS)
    assert sessions.reauthorized == [("one", b"again")]


@pytest.mark.parametrize("command", [Command.ABORT_SESSION, Command.RE_AUTH])
@pytest.mark.parametrize("session", ["mag1.example.net;1;2;mac", "mag2.example.net;1;1;mac", "x"])
def test_nobody_else_is_meant(command: Command, session: str) -> None:
    sessions = FakeSessions({"one": SessionIdentity(aaa_session=OURS.encode(), nai="x")})
    [answer] = ask(served(sessions), asr(session=session, command=command))
    assert answer.result == Result.UNKNOWN_SESSION_ID and answer.session_id == session
    assert list(sessions.sessions) == ["one"] and sessions.reauthorized == []


class Refusing(FakeSessions):
    def __init__(self, cause: ErrorCause) -> None:
        super().__init__({})
        self.cause = cause

    def disconnect(self, selection: Selection) -> Deferred[Outcome]:
        return succeed(Refused(self.cause, "why not"))


@pytest.mark.parametrize(
    ("cause", "result"),
    [
        (ErrorCause.SESSION_CONTEXT_NOT_REMOVABLE, Result.UNABLE_TO_COMPLY),
        (ErrorCause.RESOURCES_UNAVAILABLE, Result.RESOURCES_EXCEEDED),
        (ErrorCause.UNSUPPORTED_SERVICE, Result.UNABLE_TO_COMPLY),
    ],
)
def test_what_cannot_be_done_is_said(cause: ErrorCause, result: Result) -> None:
    [answer] = ask(served(Refusing(cause)), asr(session=OURS))
    assert answer.result == result
    assert answer.avps.text(Code.ERROR_MESSAGE) == "why not"
