"""Security associations: who shares which key with whom, and how it authenticates (RFC 5944 3.2, 3.5)."""

import hmac
from collections.abc import Callable, Iterable
from enum import Enum
from hashlib import md5, sha1, sha256
from typing import Protocol

from pmip_tw.secret import Secret

MINIMUM_SPI = 256
"""0-255 are reserved (RFC 5944 3.5.1)."""

Signer = Callable[[bytes], bytes]


class Hash(Protocol):
    """What ``hashlib`` returns, as far as it is needed here."""

    def copy(self) -> "Hash": ...
    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


class Algorithm(Enum):
    """How an authenticator is computed (docs/requirements.md, Algorithms); values are the configuration's words."""

    HMAC_MD5 = "hmac-md5"
    HMAC_SHA1 = "hmac-sha1"
    HMAC_SHA256 = "hmac-sha256"
    KEYED_MD5 = "keyed-md5"
    KEYED_MD5_RFC2002 = "keyed-md5-rfc2002"

    @property
    def digest_size(self) -> int:
        """Octets of an authenticator."""
        return _DIGEST_SIZES.get(self, 16)


_DIGEST_SIZES = {Algorithm.HMAC_SHA1: 20, Algorithm.HMAC_SHA256: 32}


def _pre_keyed(constructor: Callable[[bytes], "Hash"], key: bytes) -> Signer:
    """HMAC (RFC 2104) with the two key blocks hashed once: half the cost of ``hmac.digest`` per message."""
    if len(key) > 64:
        key = constructor(key).digest()
    block = key.ljust(64, b"\0")
    inner_keyed = constructor(bytes(octet ^ 0x36 for octet in block))
    outer_keyed = constructor(bytes(octet ^ 0x5C for octet in block))

    def sign(covered: bytes) -> bytes:
        inner = inner_keyed.copy()
        inner.update(covered)
        outer = outer_keyed.copy()
        outer.update(inner.digest())
        return outer.digest()

    return sign


def _signer(algorithm: Algorithm, key: bytes) -> Signer:
    if algorithm is Algorithm.HMAC_MD5:
        return _pre_keyed(md5, key)
    if algorithm is Algorithm.HMAC_SHA1:
        return _pre_keyed(sha1, key)
    if algorithm is Algorithm.HMAC_SHA256:
        return _pre_keyed(sha256, key)
    if algorithm is Algorithm.KEYED_MD5:
        return lambda covered: md5(key + covered + key).digest()
    # RFC 2002 covered the extension's Type and Length but not its SPI, the last four octets here.
    return lambda covered: md5(key + covered[:-4] + key).digest()


class SecurityAssociation:
    """A key, its SPI and its algorithm, shared by two nodes.

    The octets covered by an authenticator are the datagram up to and including the extension's SPI
    (RFC 5944 3.5.1); ``sign`` and ``verify`` take exactly those. ``previous``: what the peer may still use under the
    same SPI while its key is being changed. ``digest_size``: octets of an authenticator.
    """

    __slots__ = ("_key", "_sign", "algorithm", "digest_size", "previous", "spi")

    def __init__(
        self,
        spi: int,
        key: Secret,
        algorithm: Algorithm = Algorithm.HMAC_MD5,
        previous: "SecurityAssociation | None" = None,
    ) -> None:
        if not MINIMUM_SPI <= spi <= 0xFFFFFFFF:
            raise ValueError(f"SPI {spi} is outside {MINIMUM_SPI}-4294967295 (0-255 are reserved)")
        self.spi = spi
        self.algorithm = algorithm
        self.digest_size = algorithm.digest_size
        self.previous = previous
        self._key = key
        self._sign: Signer | None = None

    def sign(self, covered: bytes) -> bytes:
        """The authenticator over ``covered``; ``algorithm.digest_size`` octets."""
        signer = self._sign
        if signer is None:
            signer = self._sign = _signer(self.algorithm, self._key.reveal())
        return signer(covered)

    def verify(self, covered: bytes, authenticator: bytes) -> bool:
        """Whether ``authenticator`` is right, compared in constant time; one of another length never is."""
        return hmac.compare_digest(self.sign(covered), authenticator)

    def verified_by(self, covered: bytes, authenticator: bytes) -> "SecurityAssociation | None":
        """Whose key made ``authenticator``: this one, or the previous one; None if neither.

        The peer is answered with the same: it need not know the other key.
        """
        if hmac.compare_digest(self.sign(covered), authenticator):
            return self
        previous = self.previous
        return None if previous is None else previous.verified_by(covered, authenticator)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecurityAssociation) and (self.spi, self.algorithm, self._key) == (
            other.spi,
            other.algorithm,
            other._key,
        )

    def __hash__(self) -> int:
        return hash((self.spi, self.algorithm))

    def __repr__(self) -> str:
        return f"SecurityAssociation(spi={self.spi}, algorithm={self.algorithm.value})"


class AssociationTable:
    """The MN-HA associations that an LMA knows from its configuration, by NAI and SPI."""

    def __init__(self, associations: Iterable[tuple[str, SecurityAssociation]] = ()) -> None:
        self._by_nai: dict[bytes, tuple[SecurityAssociation, ...]] = {}
        for nai, association in associations:
            self.add(nai, association)

    def add(self, nai: str, association: SecurityAssociation) -> None:
        """In place of the one with the same NAI and SPI, if there is one."""
        others = [one for one in self._by_nai.get(nai.encode(), ()) if one.spi != association.spi]
        self._by_nai[nai.encode()] = (*others, association)

    def knows(self, nai: bytes) -> bool:
        """Whether ``nai`` has an association, with whatever SPI."""
        return nai in self._by_nai

    def find(self, nai: bytes, spi: int) -> SecurityAssociation | None:
        for association in self._by_nai.get(nai, ()):
            if association.spi == spi:
                return association
        return None
