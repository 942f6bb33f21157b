"""What observers are told of exchanges and servers."""

from pmip_tw.aaa.radius.exchange import Exchange
from pmip_tw.aaa.radius.server import Server
from pmip_tw.aaa.radius.states import State
from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.errors import WireError
from pmip_tw.mobility.effects import Observe, ObserveAlike
from pmip_tw.mobility.observations import Alike, Detail, Observation
from pmip_tw.wire.radius import Answer, NotVerified

PORT_UNREACHABLE = 3
_ICMP_CODES = {
    0: "network unreachable",
    1: "host unreachable",
    9: "network administratively prohibited",
    10: "host administratively prohibited",
    13: "prohibited by a packet filter",
}

UNSIGNED = (
    "answer has no Message-Authenticator, which is required of this server - make it sign all its answers, or set"
    ' require_message_authenticator = "no" for it'
)

_STATES = {
    State.ALIVE: ("radius-server-alive", ""),
    State.SUSPECT: ("radius-server-suspect", "silent"),
    State.DEAD: ("radius-server-dead", "dead"),
}


_Sent = tuple[str, str, int, str]
_Answered = tuple[str, str, str, float]
_Discarded = tuple[Endpoint, str, str, str]


def sent(exchange: Exchange, server: Server) -> ObserveAlike:
    """There may be thousands in a second, as of ``answered`` and ``discarded``: texts are made of few of them."""
    subject: _Sent = (exchange.subject, server.name, exchange.tries, exchange.request.code.label)
    return ObserveAlike(Alike("radius-request-sent", (subject,), _sent, _nobody))


def _sent(subject: _Sent) -> Observation:
    session, server, tries, code = subject
    details: dict[str, Detail] = {"server": server, "try": tries, "code": code}
    return Observation(name="radius-request-sent", session=session, details=details)


def answered(exchange: Exchange, server: Server, answer: Answer, monotonic: float) -> ObserveAlike:
    subject: _Answered = (exchange.subject, server.name, answer.code.label, monotonic - exchange.started)
    return ObserveAlike(Alike("radius-answer", (subject,), _answered, _nobody))


def _answered(subject: _Answered) -> Observation:
    session, server, code, seconds = subject
    details: dict[str, Detail] = {"server": server, "code": code, "seconds": round(seconds, 6)}
    return Observation(name="radius-answer", session=session, details=details)


def _nobody(subject: object) -> str:
    """No NAI is known yet."""
    return ""


def no_answer(exchange: Exchange, server: Server, cause: str) -> Observe:
    return Observe(
        Observation(
            name="radius-no-answer",
            session=exchange.subject,
            cause=f"{server.name}: {cause}",
            reason="no-answer",
            details={"server": server.name},
        )
    )


def overload(exchange: Exchange, cause: str) -> Observe:
    return Observe(
        Observation(
            name="radius-overload",
            session=exchange.subject,
            cause=cause,
            reason="overload",
            details={"group": exchange.group, "flow": exchange.flow},
        )
    )


def unsigned(server: Server) -> Observe:
    cause = (
        f"{server.name} does not sign its answers with Message-Authenticator, so that they can be forged"
        ' (CVE-2024-3596); make it sign them, and set require_message_authenticator = "yes" for it'
    )
    return Observe(
        Observation(
            name="radius-server-unsigned", cause=cause, reason="unsigned", details={"server": server.name}
        )
    )


def changed(server: Server, state: State) -> Observe:
    """It is taken for something else now."""
    name, reason = _STATES[state]
    cause = f"{server.name}: {server.cause}" if server.cause else ""
    return Observe(Observation(name=name, cause=cause, reason=reason, details={"server": server.name}))


def connection(server: Server, cause: str) -> Observe:
    """A TLS connection is there, or, with a ``cause``, is not."""
    if not cause:
        return Observe(Observation(name="radius-connected", details={"server": server.name}))
    return Observe(
        Observation(
            name="radius-disconnected",
            cause=f"{server.name}: {cause}",
            reason="disconnected",
            details={"server": server.name},
        )
    )


def unreachable(server: Server, code: int) -> tuple[str, Observe]:
    """What ICMP says, in words."""
    if code == PORT_UNREACHABLE:
        cause = "nothing listens on that port (ICMP port unreachable)"
    else:
        cause = f"it cannot be reached ({_ICMP_CODES.get(code, f'ICMP unreachable, code {code}')})"
    return cause, Observe(
        Observation(
            name="radius-unreachable",
            cause=f"{server.name}: {cause}",
            reason="unreachable",
            details={"server": server.name, "code": code},
        )
    )


def discarded(source: Endpoint, reason: str, cause: str, session: str = "") -> ObserveAlike:
    """A datagram that is not believed."""
    subject: _Discarded = (source, reason, cause, session)
    return ObserveAlike(
        Alike("radius-answer-discarded", (subject,), _discarded, _nobody, reason=reason, source=_source)
    )


def _discarded(subject: _Discarded) -> Observation:
    source, reason, cause, session = subject
    return Observation(
        name="radius-answer-discarded",
        session=session,
        cause=f"{source}: {cause}",
        reason=reason,
        details={"server": str(source)},
    )


def _source(subject: _Discarded) -> Ipv4:
    return subject[0].address


def complaint(error: WireError) -> str:
    """Of an answer that is of no use."""
    if isinstance(error, NotVerified):
        return "answer does not verify - is the shared secret the same on both sides?"
    return f"answer cannot be decoded: {error}"
