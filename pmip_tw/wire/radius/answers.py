"""Answers: as a server writes them, and as a client reads them, once they are proven."""

import attrs

from pmip_tw.errors import Malformed
from pmip_tw.secret import Secret
from pmip_tw.wire.radius.attributes import Attributes
from pmip_tw.wire.radius.codes import ANSWERS_TO, AttributeType, Code
from pmip_tw.wire.radius.packets import split
from pmip_tw.wire.radius.requests import DRAWN
from pmip_tw.wire.radius.signatures import NotVerified, answer_octets, is_authentic_answer

_CODES = {code.value: code for code in Code}


@attrs.frozen(slots=True, kw_only=True)
class Answer:
    """A verified answer. ``signed``: it had a Message-Authenticator; ``attributes`` are without it."""

    code: Code
    identifier: int
    attributes: Attributes
    signed: bool


def encode_answer(
    code: Code,
    attributes: Attributes,
    *,
    identifier: int,
    request_authenticator: bytes,
    secret: Secret,
    signed: bool = True,
) -> bytes:
    """A server's answer, Message-Authenticator first when ``signed`` (an Accounting-Response never is).

    ValueError: a value is too long.
    """
    signed = signed and code is not Code.ACCOUNTING_RESPONSE
    return answer_octets(code, identifier, request_authenticator, attributes, secret, signed=signed)


def decode_answer(
    datagram: bytes,
    *,
    identifier: int,
    request_authenticator: bytes,
    secret: Secret,
    request_code: Code = Code.ACCESS_REQUEST,
    proxy_states: tuple[bytes, ...] = (),
) -> Answer:
    """The answer to our request of ``request_code``, ``identifier`` and ``request_authenticator``, verified.

    WireError: it is no answer to one, or NotVerified: the Response Authenticator (RFC 2865 3) or the
    Message-Authenticator, if there is one (RFC 3579 3.2), is wrong, or it has a Proxy-State that is none of the
    ``proxy_states`` which were sent: there the collision of a forged one hides. No value is read before they are right.
    """
    found = split(datagram)
    code = _CODES.get(found.code)
    if code is None or code not in ANSWERS_TO[request_code]:
        raise Malformed(f"code {found.code} is no answer to {request_code.label}", 0)
    if found.identifier != identifier:
        raise NotVerified(f"identifier {found.identifier} answers another request", 1)
    # What would be signed in an Accounting-Response is said by no RFC, and its request was authentic.
    signed = found.signed_at > 0 and code is not Code.ACCOUNTING_RESPONSE
    if not is_authentic_answer(found, secret, request_authenticator, signed=signed):
        which = "Response Authenticator or Message-Authenticator" if signed else "Response Authenticator"
        raise NotVerified(f"the {which} does not verify", 4)
    returned = found.attributes.all(AttributeType.PROXY_STATE)
    if returned and request_code in DRAWN and returned != proxy_states[: len(returned)]:
        raise NotVerified("it has a Proxy-State that was not sent", 4)
    return Answer(code=code, identifier=found.identifier, attributes=found.attributes, signed=signed)
