"""Requests: as a client writes them, and as a server reads them."""

import attrs

from pmip_tw.errors import Malformed
from pmip_tw.secret import Secret
from pmip_tw.wire.radius.attributes import NO_ATTRIBUTES, Attributes
from pmip_tw.wire.radius.codes import ANSWERS_TO, AttributeType, Code
from pmip_tw.wire.radius.packets import HEADER_SIZE, Packet, split
from pmip_tw.wire.radius.passwords import uncover
from pmip_tw.wire.radius.signatures import NotVerified, is_authentic_request, is_signed, request_octets

_PASSWORD = AttributeType.USER_PASSWORD.value

DRAWN = frozenset({Code.ACCESS_REQUEST, Code.STATUS_SERVER})
"""Their authenticator is random (RFC 2865 3, 5997 3); that of the others is computed (RFC 2866 3, 5176 2.3)."""

UNSIGNED = frozenset({Code.ACCOUNTING_REQUEST})
"""Sent without Message-Authenticator, which no RFC defines for it; its authenticator is keyed."""


@attrs.frozen(slots=True, kw_only=True)
class Request:
    """What is asked, before it is asked of anybody: it is written anew for every server.

    ``attributes`` in order, without Message-Authenticator. ``password``: hidden by the server's secret, after them.
    """

    code: Code = Code.ACCESS_REQUEST
    attributes: Attributes = NO_ATTRIBUTES
    password: Secret | None = None


@attrs.frozen(slots=True, kw_only=True)
class ReceivedRequest:
    """A request as a server sees it. ``signed``: it had a Message-Authenticator, which verified.

    ``attributes`` are without Message-Authenticator and User-Password, which is ``password``.
    """

    code: Code
    identifier: int
    authenticator: bytes
    attributes: Attributes
    password: Secret | None = None
    signed: bool = False


def encode_request(request: Request, *, identifier: int, authenticator: bytes, secret: Secret) -> bytes:
    """The packet, Message-Authenticator first (AA3, AA4, AA5).

    ``authenticator``: 16 random octets, used where it is not computed; octets 4 to 20 are the one to expect answers to.
    ValueError: a value is longer than an attribute, or all of them than a packet.
    """
    return request_octets(
        request.code,
        identifier,
        authenticator if request.code in DRAWN else None,
        request.attributes,
        request.password,
        secret,
        signed=request.code not in UNSIGNED,
    )


def decode_request(datagram: bytes, secret: Secret) -> ReceivedRequest:
    """What a server reads. WireError: it is no request, or NotVerified: ``secret`` does not confirm an authenticator.

    Of an Access-Request without Message-Authenticator nothing is proven: whoever believes it looks at ``signed``.
    """
    found = split(datagram)
    code = _request_code(found)
    drawn = code in DRAWN
    if not drawn and not is_authentic_request(found, secret):
        raise NotVerified("the Request Authenticator does not verify", 4)
    signed = bool(found.signed_at) and code not in UNSIGNED
    if signed and not is_signed(found, secret):
        raise NotVerified("the request's Message-Authenticator does not verify", found.signed_at)
    attributes = found.attributes
    hidden = attributes.first(_PASSWORD)
    return ReceivedRequest(
        code=code,
        identifier=found.identifier,
        authenticator=found.authenticator,
        attributes=attributes if hidden is None else attributes.without(_PASSWORD),
        password=None if hidden is None else uncover(hidden, secret, found.authenticator),
        signed=signed,
    )


def _request_code(found: Packet) -> Code:
    try:
        code = Code(found.code)
    except ValueError:
        raise Malformed(f"code {found.code} is no request", 0) from None
    if code not in ANSWERS_TO:
        raise Malformed(f"code {found.code} ({code.label}) is no request", 0)
    if code is Code.STATUS_SERVER and not found.signed_at:
        raise NotVerified("a Status-Server without Message-Authenticator (RFC 5997 3)", HEADER_SIZE)
    return code
