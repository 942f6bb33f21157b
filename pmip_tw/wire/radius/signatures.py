"""What proves a packet: MD5 over it and the shared secret, and Message-Authenticator, an HMAC (RFC 2869 5.14)."""

import hmac
from hashlib import md5

from pmip_tw.errors import WireError
from pmip_tw.secret import Secret
from pmip_tw.wire.radius.packets import AUTHENTICATOR_SIZE, HEADER_SIZE, NO_AUTHENTICATOR, Packet

_AUTHENTICATOR = slice(4, HEADER_SIZE)


class NotVerified(WireError):
    """A packet that the shared secret does not confirm."""

    reason = "bad-authenticator"


def sign(octets: bytearray, secret: Secret) -> None:
    """Fill in the Message-Authenticator that opens the attributes; the authenticator field counts as it is."""
    digest = hmac.digest(secret.reveal(), octets, "md5")
    octets[HEADER_SIZE + 2 : HEADER_SIZE + 2 + AUTHENTICATOR_SIZE] = digest


def authenticate(octets: bytearray, secret: Secret) -> None:
    """Put the MD5 of everything and the secret into the authenticator field, which counts as it is until then."""
    octets[_AUTHENTICATOR] = md5(octets + secret.reveal()).digest()


def is_signed(packet: Packet, secret: Secret, authenticator: bytes = NO_AUTHENTICATOR) -> bool:
    """Whether its Message-Authenticator is right, ``authenticator`` in the field of that name."""
    octets = bytearray(packet.octets)
    octets[_AUTHENTICATOR] = authenticator
    at = packet.signed_at
    given = packet.octets[at : at + AUTHENTICATOR_SIZE]
    octets[at : at + AUTHENTICATOR_SIZE] = NO_AUTHENTICATOR
    return hmac.compare_digest(hmac.digest(secret.reveal(), octets, "md5"), given)


def is_authentic(packet: Packet, secret: Secret, authenticator: bytes = NO_AUTHENTICATOR) -> bool:
    """Whether its authenticator is right: of a request (RFC 2866 3) over zeros, of an answer over its request's."""
    octets = packet.octets
    expected = md5(octets[:4] + authenticator + octets[HEADER_SIZE:] + secret.reveal()).digest()
    return hmac.compare_digest(expected, packet.authenticator)
