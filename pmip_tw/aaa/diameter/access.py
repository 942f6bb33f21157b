"""What a MAG asks for a mobile node: AAR (RFC 7155) for a MAC, DER (RFC 4072) for one EAP response, STR at the end.

Attributes of RADIUS are AVPs of the same number (RFC 7155 4); whatever ``Nas`` says of us to RADIUS servers it says to
Diameter's as well.
"""

from collections.abc import Iterable
from typing import Final

import attrs

from pmip_tw.aaa.accounting.records import TerminateCause as RadiusCause
from pmip_tw.aaa.diameter.capabilities import Identity
from pmip_tw.aaa.mac_authentication import MacFormat, mac_request
from pmip_tw.aaa.nas import Nas, calling_station, port_name
from pmip_tw.aaa.verdicts import AuthorizeOnly, EapCredential, MacCredential
from pmip_tw.wire.diameter import avps
from pmip_tw.wire.diameter.avps import Avp, Avps
from pmip_tw.wire.diameter.codes import Application, AuthRequestType, Code, Command, TerminationCause
from pmip_tw.wire.diameter.message import Header, Message
from pmip_tw.wire.radius import ETHERNET, Attribute, number


@attrs.frozen(slots=True, kw_only=True)
class Asker:
    """Who asks, as whom, and whose servers are to answer: those of ``realm``."""

    identity: Identity
    realm: str
    nas: Nas = attrs.field(factory=Nas)
    mac_format: MacFormat = MacFormat.DASHES


def mac_access(credential: MacCredential, session: str, asker: Asker) -> Message:
    """AAR: may this MAC be served? As in RADIUS it is name and password (AA24)."""
    asked = mac_request(credential.mac, credential.port, asker.nas, asker.mac_format)
    password = () if asked.password is None else (avps.octets(Code.USER_PASSWORD, asked.password.reveal()),)
    name, *rest = as_avps(asked.attributes)
    return aar(session, asker, AuthRequestType.AUTHORIZE_AUTHENTICATE, name, *password, *rest)


def authorization(credential: AuthorizeOnly, session: str, asker: Asker) -> Message:
    """AAR for a session that goes on: what may it do now?"""
    return aar(
        session,
        asker,
        AuthRequestType.AUTHORIZE_ONLY,
        avps.text(Code.USER_NAME, credential.nai),
        *as_avps(asker.nas.attributes),
        *as_avps((calling_station(credential.mac), port_name(credential.port))),
    )


def eap_access(
    credential: EapCredential, session: str, asker: Asker, *, server: str = "", states: Iterable[bytes] = ()
) -> Message:
    """DER: one EAP response. ``server``: who leads the conversation, ``states``: what it wants back (RFC 4072 2)."""
    return der(
        session,
        asker,
        avps.octets(Code.USER_NAME, credential.identity),
        avps.octets(Code.EAP_PAYLOAD, credential.message),
        *(avps.octets(Code.STATE, state) for state in states),
        *as_avps(asker.nas.attributes),
        *as_avps(
            (
                number(Code.NAS_PORT_TYPE, ETHERNET),
                calling_station(credential.mac),
                port_name(credential.port),
            )
        ),
        server=server,
    )


def aar(session: str, asker: Asker, kind: AuthRequestType, *more: Avp) -> Message:
    return _request(Command.AA, Application.NASREQ, session, asker, kind, more)


def der(session: str, asker: Asker, *more: Avp, server: str = "") -> Message:
    kind = AuthRequestType.AUTHORIZE_AUTHENTICATE
    return _request(Command.DIAMETER_EAP, Application.EAP, session, asker, kind, more, server)


def termination(
    session: str, application: int, cause: TerminationCause, asker: Asker, user: str, server: str = ""
) -> Message:
    """STR: the session is over (RFC 6733 8.4). ``server``: who has it, "" if any of its realm may hear it.

    Its header has the application of the session; RFC 4004 4 has 0 there, which relays of today refuse (3007).
    """
    name = (avps.text(Code.USER_NAME, user),) if user else ()
    destination = (avps.text(Code.DESTINATION_HOST, server),) if server else ()
    return Message(
        header=Header(command=Command.SESSION_TERMINATION, application=application, request=True),
        avps=Avps(
            (
                avps.text(Code.SESSION_ID, session),
                *asker.identity.origin,
                avps.text(Code.DESTINATION_REALM, asker.realm),
                *destination,
                avps.unsigned32(Code.AUTH_APPLICATION_ID, application),
                avps.unsigned32(Code.TERMINATION_CAUSE, cause),
                *name,
            )
        ),
    )


def as_avps(attributes: Iterable[Attribute]) -> tuple[Avp, ...]:
    """Attributes of RADIUS as AVPs."""
    return tuple(Avp(code=kind, data=value) for kind, value in attributes)


def termination_cause(cause: RadiusCause, *, continues: bool = False) -> TerminationCause:
    """Acct-Terminate-Cause in the words of RFC 6733 8.15, which are fewer."""
    if continues:
        return TerminationCause.USER_MOVED
    return _CAUSES.get(cause, TerminationCause.ADMINISTRATIVE)


_CAUSES: Final = {
    RadiusCause.USER_REQUEST: TerminationCause.LOGOUT,
    RadiusCause.LOST_CARRIER: TerminationCause.LINK_BROKEN,
    RadiusCause.LOST_SERVICE: TerminationCause.LINK_BROKEN,
    RadiusCause.IDLE_TIMEOUT: TerminationCause.SESSION_TIMEOUT,
    RadiusCause.SESSION_TIMEOUT: TerminationCause.SESSION_TIMEOUT,
    RadiusCause.SERVICE_UNAVAILABLE: TerminationCause.SERVICE_NOT_PROVIDED,
    RadiusCause.REAUTHENTICATION_FAILURE: TerminationCause.AUTH_EXPIRED,
}


def _request(
    command: Command,
    application: Application,
    session: str,
    asker: Asker,
    kind: AuthRequestType,
    more: Iterable[Avp],
    server: str = "",
) -> Message:
    destination = (avps.text(Code.DESTINATION_HOST, server),) if server else ()
    return Message(
        header=Header(command=command, application=application, request=True),
        avps=Avps(
            (
                avps.text(Code.SESSION_ID, session),
                avps.unsigned32(Code.AUTH_APPLICATION_ID, application),
                *asker.identity.origin,
                avps.text(Code.DESTINATION_REALM, asker.realm),
                *destination,
                avps.unsigned32(Code.AUTH_REQUEST_TYPE, kind),
                *more,
            )
        ),
    )
