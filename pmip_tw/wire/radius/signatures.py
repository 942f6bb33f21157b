"""What proves a packet: its authenticator and Message-Authenticator, written and verified by pyrad.

pyrad gets no dictionary, so that values stay the octets that they are. It keeps those of one type in order and puts
them where the first of them was, which is all that RFC 2865 5 wants kept.
"""

from collections.abc import Iterable

from pyrad.packet import AcctPacket, AuthPacket, CoAPacket
from pyrad.packet import Packet as PyradPacket

from pmip_tw.errors import WireError
from pmip_tw.secret import Secret
from pmip_tw.wire.radius.attributes import MAXIMUM_VALUE_SIZE, Attribute
from pmip_tw.wire.radius.codes import AttributeType, Code
from pmip_tw.wire.radius.packets import AUTHENTICATOR_SIZE, MAXIMUM_SIZE, Packet

_KINDS = {
    Code.ACCOUNTING_REQUEST: AcctPacket,
    Code.DISCONNECT_REQUEST: CoAPacket,
    Code.COA_REQUEST: CoAPacket,
}
"""Whose authenticators are computed in a way of their own."""


class NotVerified(WireError):
    """A packet that the shared secret does not confirm."""

    reason = "bad-authenticator"


def request_octets(
    code: Code,
    identifier: int,
    authenticator: bytes | None,
    attributes: Iterable[Attribute],
    password: Secret | None,
    secret: Secret,
    *,
    signed: bool,
) -> bytes:
    """``authenticator``: None where it is computed. ``password`` comes last. ValueError: something is too long."""
    kind = _KINDS.get(code, AuthPacket)
    packet = kind(code.value, id=identifier, secret=secret.reveal(), authenticator=authenticator)
    _fill(packet, attributes, signed=signed)
    if password is not None:
        packet[AttributeType.USER_PASSWORD.value] = [packet.PwCrypt(password.reveal())]
    return _fitting(packet.RequestPacket())


def answer_octets(
    code: Code,
    identifier: int,
    request_authenticator: bytes,
    attributes: Iterable[Attribute],
    secret: Secret,
    *,
    signed: bool,
) -> bytes:
    """ValueError: something is too long."""
    packet = PyradPacket(
        code.value, id=identifier, secret=secret.reveal(), authenticator=request_authenticator
    )
    _fill(packet, attributes, signed=signed)
    return _fitting(packet.ReplyPacket())


def is_signed(packet: Packet, secret: Secret) -> bool:
    """Whether the Message-Authenticator of a request is right."""
    return bool(AuthPacket(packet=packet.octets, secret=secret.reveal()).verify_message_authenticator())


def is_authentic_request(packet: Packet, secret: Secret) -> bool:
    """Whether the authenticator of a request that is not an Access-Request is right (RFC 2866 3, RFC 5176 2.3)."""
    return bool(AcctPacket(packet=packet.octets, secret=secret.reveal()).VerifyAcctRequest())


def is_authentic_answer(
    packet: Packet, secret: Secret, request_authenticator: bytes, *, signed: bool
) -> bool:
    """Whether its Response Authenticator is right (RFC 2865 3) and, if it is ``signed``, its Message-Authenticator."""
    key = secret.reveal()
    asked = AuthPacket(id=packet.identifier, secret=key, authenticator=request_authenticator)
    # pyrad proves the octets as they came; it need not read them again, nor judge Proxy-State: the caller knows that.
    came = PyradPacket(packet.code, id=packet.identifier, secret=key)
    came.raw_packet = packet.octets
    if signed:
        came.message_authenticator = True
        at = packet.signed_at
        came[AttributeType.MESSAGE_AUTHENTICATOR.value] = [packet.octets[at : at + AUTHENTICATOR_SIZE]]
    return bool(asked.VerifyReply(came))


def _fill(packet: PyradPacket, attributes: Iterable[Attribute], *, signed: bool) -> None:
    if signed:
        packet.add_message_authenticator()
    values: dict[int, list[bytes]] = {}
    for kind, value in attributes:
        if len(value) > MAXIMUM_VALUE_SIZE:
            raise ValueError(f"attribute {kind} of {len(value)} octets; at most {MAXIMUM_VALUE_SIZE} fit")
        values.setdefault(kind, []).append(value)
    packet.update(values)


def _fitting(octets: bytes) -> bytes:
    if len(octets) > MAXIMUM_SIZE:
        raise ValueError(f"a packet of {len(octets)} octets; at most {MAXIMUM_SIZE} may be sent")
    return octets
