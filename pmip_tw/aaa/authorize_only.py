"""A session that AAA wants to be asked about again (RFC 5176 3.2): nothing is proven anew, only what is allowed."""

from pmip_tw.aaa.nas import Nas, calling_station, port_name
from pmip_tw.aaa.profiles.mapping import profile_of
from pmip_tw.aaa.profiles.radius_mapping import refusal_in
from pmip_tw.aaa.profiles.rules import ProfileRules
from pmip_tw.aaa.profiles.said import Said
from pmip_tw.aaa.radius.outcome import Answered
from pmip_tw.aaa.verdicts import Accept, AuthorizeOnly, Reject, Verdict
from pmip_tw.errors import AccessDenied
from pmip_tw.wire.radius import (
    AUTHORIZE_ONLY,
    ETHERNET,
    Attributes,
    AttributeType,
    Code,
    Request,
    number,
    text,
)


def authorize_only_request(credential: AuthorizeOnly, nas: Nas) -> Request:
    """With the State of the request that asked for it, by which the server knows that it has."""
    attributes = (
        text(AttributeType.USER_NAME, credential.nai),
        number(AttributeType.SERVICE_TYPE, AUTHORIZE_ONLY),
        calling_station(credential.mac),
        *nas.attributes,
        number(AttributeType.NAS_PORT_TYPE, ETHERNET),
        port_name(credential.port),
        (AttributeType.STATE.value, credential.state),
    )
    return Request(attributes=Attributes(attributes))


def authorize_only_verdict(outcome: Answered, credential: AuthorizeOnly, rules: ProfileRules) -> Verdict:
    """What the answer means for a session whose node has a name already: it stays if the server says none."""
    found = outcome.answer.attributes
    if outcome.answer.code is Code.ACCESS_REJECT:
        return Reject(refusal_in(found, "this session"))
    if outcome.answer.code is Code.ACCESS_CHALLENGE:
        return Reject("the server asks for a challenge, which a session that goes on cannot answer")
    if found.first(AttributeType.USER_NAME) is None:
        found = found.followed_by([text(AttributeType.USER_NAME, credential.nai)])
    try:
        return Accept(profile_of(Said(found, outcome.cipher.decrypt), rules, None))
    except AccessDenied as denied:
        return Reject(str(denied))
