"""How an authenticator is computed (docs/requirements.md, Algorithms): a key becomes what signs with it."""

from collections.abc import Callable
from enum import Enum
from hashlib import sha1, sha256
from typing import Protocol

try:
    # The interpreter's own MD5, on which hashlib falls back: for messages as short as ours a quarter faster than that
    # of OpenSSL, and a key that is ready takes half the memory.
    from _md5 import md5  # type: ignore[import-not-found]
except ImportError:
    from hashlib import md5

_BLOCK = 64
"""Octets that MD5, SHA-1 and SHA-256 hash at a time."""

_INNER_PAD = bytes(octet ^ 0x36 for octet in range(256))
_OUTER_PAD = bytes(octet ^ 0x5C for octet in range(256))
"""What becomes of each octet of a key (RFC 2104 2), for bytes.translate."""


class Algorithm(Enum):
    """Values are the configuration's words; ``digest_size``: octets of an authenticator."""

    HMAC_MD5 = "hmac-md5"
    HMAC_SHA1 = "hmac-sha1"
    HMAC_SHA256 = "hmac-sha256"
    KEYED_MD5 = "keyed-md5"
    KEYED_MD5_RFC2002 = "keyed-md5-rfc2002"

    def __init__(self, word: str) -> None:
        self.digest_size = {"hmac-sha1": 20, "hmac-sha256": 32}.get(word, 16)


class Signer(Protocol):
    """A key that is ready for use."""

    def sign(self, covered: bytes, /) -> bytes: ...


class Hash(Protocol):
    """What ``hashlib`` returns, as far as it is needed here."""

    def copy(self) -> "Hash": ...
    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


class _Hmac:
    """RFC 2104 with both key blocks hashed already: less than half the cost of ``hmac.digest`` per message."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, new: Callable[[bytes], Hash], key: bytes) -> None:
        if len(key) > _BLOCK:
            key = new(key).digest()
        block = key.ljust(_BLOCK, b"\0")
        self._inner = new(block.translate(_INNER_PAD))
        self._outer = new(block.translate(_OUTER_PAD))

    def sign(self, covered: bytes) -> bytes:
        inner = self._inner.copy()
        inner.update(covered)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()


class _KeyedMd5:
    """The key before and behind what is covered (RFC 5944 5.1)."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign(self, covered: bytes) -> bytes:
        hashed: Hash = md5(self._key + covered + self._key)
        return hashed.digest()


class _KeyedMd5Rfc2002(_KeyedMd5):
    """RFC 2002 3.5.1 covered the extension's Type and Length but not its SPI, the last four octets here."""

    __slots__ = ()

    def sign(self, covered: bytes) -> bytes:
        return super().sign(covered[:-4])


def signer(algorithm: Algorithm, key: bytes) -> Signer:
    """What signs with ``key``. Making one costs about as much as one authenticator."""
    if algorithm is Algorithm.HMAC_MD5:
        return _Hmac(md5, key)
    if algorithm is Algorithm.HMAC_SHA1:
        return _Hmac(sha1, key)
    if algorithm is Algorithm.HMAC_SHA256:
        return _Hmac(sha256, key)
    if algorithm is Algorithm.KEYED_MD5:
        return _KeyedMd5(key)
    return _KeyedMd5Rfc2002(key)
