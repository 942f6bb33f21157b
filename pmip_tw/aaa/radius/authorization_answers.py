"""What a request for dynamic authorization is answered, and what is told of it."""

from pmip_tw.aaa.dynamic_authorization import Done, ErrorCause, Outcome, Refused
from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.mobility.effects import Observe, ObserveAlike
from pmip_tw.mobility.observations import Alike, Detail, Observation
from pmip_tw.secret import Secret
from pmip_tw.wire.radius import (
    AUTHORIZE_ONLY,
    Attribute,
    Attributes,
    AttributeType,
    Code,
    ReceivedRequest,
    encode_answer,
    number,
)

ADMIN_RESET = 6
"""The Acct-Terminate-Cause of whom a Disconnect-Request has ended (RFC 2866 5.10)."""

ANSWERS = {
    Code.DISCONNECT_REQUEST: (Code.DISCONNECT_ACK, Code.DISCONNECT_NAK),
    Code.COA_REQUEST: (Code.COA_ACK, Code.COA_NAK),
}
"""What is said to each request if it is done, and if it is not."""


def answer(request: ReceivedRequest, outcome: Outcome, secret: Secret) -> bytes:
    """Message-Authenticator first (AA5), Proxy-State last (AA19). ValueError: with that it is too long."""
    code, pairs = _told(request, outcome)
    proxies = request.attributes.all(AttributeType.PROXY_STATE)
    return encode_answer(
        code,
        Attributes((*pairs, *[(AttributeType.PROXY_STATE.value, value) for value in proxies])),
        identifier=request.identifier,
        request_authenticator=request.authenticator,
        secret=secret,
    )


def _told(request: ReceivedRequest, outcome: Outcome) -> tuple[Code, list[Attribute]]:
    """The answer's code, and what it says besides."""
    done, refused = ANSWERS[request.code]
    pairs: list[Attribute] = []
    cause = outcome.cause if isinstance(outcome, Refused) else None
    if request.code is Code.COA_REQUEST:
        if _is_authorize_only(request):
            pairs.append(number(AttributeType.SERVICE_TYPE, AUTHORIZE_ONLY))
            if cause is None:
                cause = ErrorCause.REQUEST_INITIATED  # never an ACK (RFC 5176 3.2)
        else:
            pairs += [
                (AttributeType.STATE.value, value) for value in request.attributes.all(AttributeType.STATE)
            ]
    elif cause is None:
        pairs.append(number(AttributeType.ACCT_TERMINATE_CAUSE, ADMIN_RESET))
    if cause is None:
        return done, pairs
    return refused, [*pairs, number(AttributeType.ERROR_CAUSE, cause)]


def _is_authorize_only(request: ReceivedRequest) -> bool:
    return request.attributes.first(AttributeType.SERVICE_TYPE) == AUTHORIZE_ONLY.to_bytes(4, "big")


def observed(request: ReceivedRequest, outcome: Outcome, source: Endpoint) -> Observe:
    name = (request.attributes.first(AttributeType.USER_NAME) or b"").decode(errors="replace")
    details: dict[str, Detail] = {"client": str(source), "request": request.code.label}
    if isinstance(outcome, Done):
        details["sessions"] = outcome.sessions
        return Observe(Observation(name="dynamic-authorization-done", nai=name, details=details))
    details["error_cause"] = int(outcome.cause)
    return Observe(
        Observation(
            name="dynamic-authorization-refused",
            nai=name,
            reason=outcome.cause.name.lower().replace("_", "-"),
            cause=outcome.why,
            details=details,
        )
    )


_Discarded = tuple[str, Endpoint, str]


def discarded(reason: str, source: Endpoint, text: str) -> ObserveAlike:
    """A flood makes thousands of them."""
    subject: _Discarded = (reason, source, text)
    return ObserveAlike(
        Alike("message-discarded", (subject,), _discarded, _nobody, reason=reason, source=_sender)
    )


def _discarded(subject: _Discarded) -> Observation:
    reason, source, text = subject
    cause = f"a request for dynamic authorization from {source}: {text}"
    return Observation(name="message-discarded", reason=reason, cause=cause, details={"source": str(source)})


def _nobody(subject: _Discarded) -> str:
    """Whom it names, nobody knows."""
    return ""


def _sender(subject: _Discarded) -> Ipv4:
    return subject[1].address
