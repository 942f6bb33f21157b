"""The MN-AAA authenticator of extension 36/1 (RFC 4721 5, 6 and 8): what a MAG puts in and an LMA checks.

It proves that the sender has the key which the mobile node shares with its AAA server.
"""

import hmac
from collections.abc import Iterable
from hashlib import md5

import attrs

from pmip_tw.mobility.associations import MINIMUM_SPI, SecurityAssociation
from pmip_tw.mobility.authenticators import Algorithm
from pmip_tw.secret import Secret
from pmip_tw.wire.authentication import Signs

CHAP_SPI = 2
"""Asks for the form that a RADIUS server can check as a CHAP password (RFC 4721 7, 8)."""

NO_CHALLENGE = b"\0"
"""Stands for the challenge of a request without extension 132 (RFC 4721 3.5; that it is one octet: ours)."""

_CHALLENGE_END = 237
"""Octets of the challenge that the CHAP form hashes last."""


class AaaAssociation:
    """The key of a mobile node and its AAA server, under ``spi``: CHAP_SPI, or one from 256 on for HMAC-MD5."""

    __slots__ = ("_hmac", "_key", "spi")

    def __init__(self, spi: int, key: Secret) -> None:
        if spi != CHAP_SPI and not MINIMUM_SPI <= spi <= 0xFFFFFFFF:
            raise ValueError(f"SPI {spi} is neither {CHAP_SPI} (CHAP) nor from {MINIMUM_SPI} to 4294967295")
        self.spi = spi
        self._key = key
        self._hmac = None if spi == CHAP_SPI else SecurityAssociation(spi, key, Algorithm.HMAC_MD5)

    @property
    def key(self) -> Secret:
        """For a journal, which must be able to make the association again."""
        return self._key

    def over(self, challenge: bytes | None) -> Signs:
        """What adds the extension to a request with ``challenge`` in extension 132; None: without one."""
        return self._hmac or _ChapSigner(self._key, challenge or NO_CHALLENGE)

    def verify(self, covered: bytes, authenticator: bytes, challenge: bytes | None) -> bool:
        """Whether ``authenticator`` over ``covered``, the datagram through the SPI, is right; in constant time."""
        return hmac.compare_digest(self.over(challenge).sign(covered), authenticator)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AaaAssociation) and (self.spi, self._key) == (other.spi, other._key)

    def __hash__(self) -> int:
        return hash(self.spi)

    def __repr__(self) -> str:
        return f"AaaAssociation(spi={self.spi})"


@attrs.frozen(slots=True)
class NodeKey:
    """What an LMA holds for a mobile node that may come with MN-AAA; ``answers_with``: MN-HA of the reply."""

    association: AaaAssociation
    answers_with: SecurityAssociation


class AaaTable:
    """The MN-AAA keys that an LMA knows from its configuration, by NAI and SPI."""

    def __init__(self, keys: Iterable[tuple[str, NodeKey]] = ()) -> None:
        self._keys = {(nai.encode(), key.association.spi): key for nai, key in keys}

    def find(self, nai: bytes, spi: int) -> NodeKey | None:
        return self._keys.get((nai, spi))


class _ChapSigner:
    """The form of RFC 4721 8: a hash that CHAP's identifier, secret and challenge would give."""

    __slots__ = ("_challenge", "_key")

    spi = CHAP_SPI
    digest_size = 16

    def __init__(self, key: Secret, challenge: bytes) -> None:
        self._key = key
        self._challenge = challenge

    def sign(self, covered: bytes) -> bytes:
        # A challenge shorter than 238 octets stands at the end as a whole, so that its first octet counts twice.
        first, last = self._challenge[:1], self._challenge[-_CHALLENGE_END:]
        return md5(first + self._key.reveal() + md5(covered).digest() + last).digest()
