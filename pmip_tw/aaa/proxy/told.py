"""What the RADIUS proxy tells observers; here, so that the rules read without it."""

from pmip_tw.addresses import Endpoint, Ipv4, ipv4_text
from pmip_tw.mobility.effects import Observe, ObserveAlike
from pmip_tw.mobility.observations import Alike, Detail, Observation

SETTINGS = "[[mag.radius_proxy.clients]]"


def _observed(
    name: str, session: str, *, cause: str = "", reason: str = "", nai: str = "", **details: Detail
) -> Observe:
    return Observe(
        Observation(name=name, nai=nai, session=session, cause=cause, reason=reason, details=details)
    )


_Discarded = tuple[str, Endpoint, str]


def discarded(reason: str, source: Endpoint, cause: str) -> ObserveAlike:
    """A datagram of an access point, or of somebody who might be one, that changes nothing. A flood makes thousands."""
    subject: _Discarded = (reason, source, cause)
    name = "access-point-request-discarded"
    return ObserveAlike(Alike(name, (subject,), _discarded, _nobody, reason=reason, source=_sender))


def _discarded(subject: _Discarded) -> Observation:
    reason, source, cause = subject
    details: dict[str, Detail] = {"access_point": ipv4_text(source.address)}
    return Observation(
        name="access-point-request-discarded", reason=reason, cause=f"{source}: {cause}", details=details
    )


def _nobody(subject: _Discarded) -> str:
    """Whom it names, nobody knows."""
    return ""


def _sender(subject: _Discarded) -> Ipv4:
    return subject[1].address


def asked(session: str, source: Endpoint, kind: str) -> Observe:
    """``kind``: the packet's code, as a word."""
    return _observed("access-point-request", session, access_point=ipv4_text(source.address), code=kind)


def answered(session: str, source: Endpoint, kind: str, nai: str = "") -> Observe:
    return _observed(
        "access-point-answer", session, nai=nai, access_point=ipv4_text(source.address), code=kind
    )


def unanswered(session: str, source: Endpoint, cause: str) -> Observe:
    """No server has answered; the access point hears nothing, and asks again or elsewhere."""
    return _observed(
        "access-point-unanswered",
        session,
        cause=cause,
        reason="no-answer",
        access_point=ipv4_text(source.address),
    )


def refused(session: str, source: Endpoint, reason: str, cause: str) -> Observe:
    """The server accepts, and we cannot: the access point is told Reject."""
    return _observed(
        "access-point-refused", session, cause=cause, reason=reason, access_point=ipv4_text(source.address)
    )


def unsigned(source: Endpoint) -> Observe:
    cause = (
        f"{source} does not sign its requests with Message-Authenticator, so that they can be forged"
        " (CVE-2024-3596); make it sign them"
    )
    return _observed(
        "access-point-unsigned",
        "",
        cause=cause,
        reason="unsigned",
        access_point=ipv4_text(source.address),
    )


def restarted(source: Endpoint, stations: int) -> Observe:
    """It has begun, or is about to end, serving anybody: of its stations none is there any more."""
    return _observed("access-point-restarted", "", access_point=ipv4_text(source.address), stations=stations)


def disconnected(session: str, access_point: Endpoint) -> Observe:
    """It has thrown a station off."""
    return _observed("station-disconnected", session, access_point=ipv4_text(access_point.address))


def not_disconnected(session: str, access_point: Endpoint, cause: str) -> Observe:
    return _observed(
        "station-not-disconnected",
        session,
        cause=f"{cause}; packets of the station are not carried all the same",
        reason="not-disconnected",
        access_point=ipv4_text(access_point.address),
    )
