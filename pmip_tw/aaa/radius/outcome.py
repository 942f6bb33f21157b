"""How asking RADIUS servers ends, and which of them are asked."""

import attrs

from pmip_tw.addresses import Endpoint
from pmip_tw.wire.radius import Answer
from pmip_tw.wire.salt_cipher import SaltCipher

AUTHENTICATION = "authentication"
ACCOUNTING = "accounting"
"""The groups of servers that roles have; also the words of ``purposes`` in the configuration."""


@attrs.frozen(slots=True, kw_only=True)
class Answered:
    """A server's verified ``answer``.

    ``cipher`` has its secret and the request's authenticator: keys in the answer are decrypted by it. ``server``: who
    it was, by whom the next request of the same conversation must be answered (RFC 3579 2.6.1).
    """

    answer: Answer
    cipher: SaltCipher
    server: Endpoint


@attrs.frozen(slots=True)
class Unanswered:
    """No server gave a usable answer; ``cause`` names each that was asked, and what is wrong with it."""

    cause: str


RadiusOutcome = Answered | Unanswered
