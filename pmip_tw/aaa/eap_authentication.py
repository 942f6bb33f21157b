"""EAP by RADIUS: a node's responses as Access-Requests, and what comes back (RFC 3579, RFC 3580).

EAP passes through unread. Keys that methods have made for a radio are nobody's here: a wired port has no use for them.
"""

from pmip_tw.aaa.dictionaries import standard
from pmip_tw.aaa.nas import Nas, calling_station, port_name
from pmip_tw.aaa.profiles.mapping import profile_of
from pmip_tw.aaa.profiles.radius_mapping import refusal_in
from pmip_tw.aaa.profiles.rules import ProfileRules
from pmip_tw.aaa.profiles.said import Said
from pmip_tw.aaa.radius.outcome import Answered
from pmip_tw.aaa.verdicts import Accept, Challenge, Conversation, EapCredential, Reject, Unavailable, Verdict
from pmip_tw.addresses import Mac, mac_text
from pmip_tw.errors import AccessDenied
from pmip_tw.wire.radius import (
    ETHERNET,
    FRAMED,
    Attribute,
    Attributes,
    AttributeType,
    Code,
    Request,
    number,
    split_value,
    text,
)

FRAMED_MTU = 1400
"""Of EAP that servers cut into fragments: with everything else around them they still fit into one packet each way, so
that no firewall meets a fragment of IP (RFC 3579 2.4, RFC 3580 3.10)."""

_NUMBER_SIZE = 4


def eap_request(credential: EapCredential, nas: Nas, authenticator: Mac) -> Request:
    """One response, as the node gave it. ``authenticator``: our MAC on the access link (RFC 3580 3.20)."""
    attributes: tuple[Attribute, ...] = (
        # Who says nothing is called by its MAC (RFC 3579 2.1).
        (AttributeType.USER_NAME, credential.identity or mac_text(credential.mac, "-").upper().encode()),
        number(AttributeType.SERVICE_TYPE, FRAMED),
        number(AttributeType.FRAMED_MTU, FRAMED_MTU),
        text(AttributeType.CALLED_STATION_ID, mac_text(authenticator, "-").upper()),
        calling_station(credential.mac),
        *nas.attributes,
        number(AttributeType.NAS_PORT_TYPE, ETHERNET),
        port_name(credential.port),
        *split_value(AttributeType.EAP_MESSAGE, credential.message),
    )
    if credential.conversation is not None and credential.conversation.state:
        attributes += ((AttributeType.STATE, credential.conversation.state),)
    return Request(attributes=Attributes(attributes))


def eap_verdict(outcome: Answered, rules: ProfileRules) -> Verdict:
    """What a server's answer means for the node."""
    found = outcome.answer.attributes
    message = b"".join(found.all(AttributeType.EAP_MESSAGE))
    if outcome.answer.code is Code.ACCESS_REJECT:
        return Reject(refusal_in(found, "this node"), message)
    if outcome.answer.code is Code.ACCESS_CHALLENGE:
        if not message:
            return Unavailable(f"{outcome.server}: its Access-Challenge has no EAP-Message")
        conversation = Conversation(server=outcome.server, state=found.first(AttributeType.STATE) or b"")
        return Challenge(message, conversation, _timeout(found))
    try:
        # The outer identity, from which a name of ours could be made, is unproven in most methods.
        return Accept(profile_of(Said(found, outcome.cipher.decrypt), rules, None), message)
    except AccessDenied as denied:
        return Reject(str(denied))


def _timeout(found: Attributes) -> int:
    """Session-Timeout of a Challenge: how long the node may take (RFC 3580 3.17); 0: as usual."""
    value = found.first(standard.SESSION_TIMEOUT.number)
    return int.from_bytes(value, "big") if value is not None and len(value) == _NUMBER_SIZE else 0
