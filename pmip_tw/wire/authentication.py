"""Authentication extensions 32, 34 and 36/1: where the authenticator lies and what it covers.

It covers the datagram from its first octet through this extension's SPI (RFC 5944 3.5.1), hence
``datagram[:covered]``.
"""

from struct import Struct
from typing import Protocol

import msgspec

from pmip_tw.errors import Malformed
from pmip_tw.wire.extensions import GENERALIZED_AUTHENTICATION

MN_AAA_SUBTYPE = 1

_SIMPLE_HEADER = Struct("!BBI")
_LONG_HEADER = Struct("!BBHI")
_spi_at = Struct("!I").unpack_from


class Authenticator(msgspec.Struct, frozen=True, gc=False):
    """An authentication extension as received: ``covered`` octets of the datagram are authenticated by ``value``."""

    spi: int
    value: bytes
    covered: int


class Signs(Protocol):
    """What is needed to add an authentication extension: a security association, seen from here."""

    @property
    def spi(self) -> int: ...
    @property
    def digest_size(self) -> int: ...
    def sign(self, covered: bytes, /) -> bytes: ...


def read_authenticator(datagram: bytes, first: int, body: int, after: int) -> Authenticator:
    """The authentication extension from octet ``first`` to ``after``, its SPI at ``body``.

    Malformed if it has no room for an SPI and an authenticator.
    """
    covered = body + 4
    if covered >= after:
        raise Malformed(
            f"authentication extension {datagram[first]} of {after - first} octets holds no authenticator",
            first,
        )
    return Authenticator(_spi_at(datagram, body)[0], datagram[covered:after], covered)


def append_signature(unsigned: bytes, kind: int, association: Signs) -> bytes:
    """``unsigned`` followed by the authentication extension ``kind`` (36 with sub-type 1 for MN-AAA)."""
    size = 4 + association.digest_size
    if kind == GENERALIZED_AUTHENTICATION:
        covered = unsigned + _LONG_HEADER.pack(kind, MN_AAA_SUBTYPE, size, association.spi)
    else:
        covered = unsigned + _SIMPLE_HEADER.pack(kind, size, association.spi)
    return covered + association.sign(covered)


def append_received(unsigned: bytes, kind: int, received: Authenticator) -> bytes:
    """``unsigned`` followed by the authentication extension ``kind`` with a value that is known already."""
    size = 4 + len(received.value)
    if kind == GENERALIZED_AUTHENTICATION:
        return unsigned + _LONG_HEADER.pack(kind, MN_AAA_SUBTYPE, size, received.spi) + received.value
    return unsigned + _SIMPLE_HEADER.pack(kind, size, received.spi) + received.value
