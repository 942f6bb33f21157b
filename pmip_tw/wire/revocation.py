"""Registration revocation and its acknowledgment (RFC 3543 3.3, 3.4). The I bit sits differently in the two."""

from struct import Struct

import msgspec

from pmip_tw.addresses import Ipv4
from pmip_tw.errors import Malformed, Truncated, UnrecognizedNonSkippable
from pmip_tw.wire import extensions as ext
from pmip_tw.wire.authentication import (
    Authenticator,
    Signs,
    append_received,
    append_signature,
    read_authenticator,
)
from pmip_tw.wire.codes import MessageType

_REVOCATION = Struct("!BxHIIII")
_ACK = Struct("!BxHII")

# As plain numbers: comparing with a member of an enumeration costs as much as unpacking the header.
_REVOCATION_TYPE = int(MessageType.REVOCATION)
_ACK_TYPE = int(MessageType.REVOCATION_ACK)

FROM_HOME_AGENT = 0x8000
REVOCATION_INFORM = 0x4000
ACK_INFORM = 0x8000


FIXED = _REVOCATION.size
ACK_FIXED = _ACK.size
"""Octets before the first extension."""

_HALF = 1 << 31


def later(one: int, other: int) -> bool:
    """Whether an identifier or timestamp is strictly after another, in 32-bit serial arithmetic (RV16)."""
    return 0 < (one - other) & 0xFFFFFFFF < _HALF


class _Authenticated(msgspec.Struct, kw_only=True, gc=False):
    """What both messages carry behind their fixed part."""

    nai: bytes = b""
    mn_ha: Authenticator | None = None
    fa_ha: Authenticator | None = None
    unknown: tuple[bytes, ...] = ()

    def _read(self, datagram: bytes, start: int) -> None:
        for span in ext.walk(datagram, start):
            kind, first, body, end = span
            if kind == ext.NAI:
                self._read_nai(datagram[body:end], first)
            elif kind == ext.MN_HA and self.mn_ha is None:
                self.mn_ha = read_authenticator(datagram, first, body, end)
            elif kind == ext.FA_HA and self.fa_ha is None:
                self.fa_ha = read_authenticator(datagram, first, body, end)
            elif kind in (ext.MN_HA, ext.FA_HA):
                raise Malformed(f"extension {kind} occurs twice (E5)", first)
            elif kind == ext.CRITICAL_VENDOR:
                # There is no answer that could refuse it, as 140 does for registrations.
                raise UnrecognizedNonSkippable("a critical vendor extension is not understood", first)
            else:
                self.unknown += (datagram[first:end],)

    def _read_nai(self, nai: bytes, first: int) -> None:
        if not nai:
            raise Malformed("the NAI is empty", first)
        if not self.nai and (self.mn_ha is not None or self.fa_ha is not None):
            raise Malformed("the NAI stands behind the authenticator", first)
        self.nai = self.nai or nai

    def _write(self, fixed: bytes, mn_ha: Signs | None, fa_ha: Signs | None) -> bytes:
        whole = fixed + ext.simple(ext.NAI, self.nai) if self.nai else fixed
        if self.unknown:
            whole += b"".join(self.unknown)
        if mn_ha is not None:
            whole = append_signature(whole, ext.MN_HA, mn_ha)
        elif self.mn_ha is not None:
            whole = append_received(whole, ext.MN_HA, self.mn_ha)
        if fa_ha is not None:
            whole = append_signature(whole, ext.FA_HA, fa_ha)
        elif self.fa_ha is not None:
            whole = append_received(whole, ext.FA_HA, self.fa_ha)
        return whole


class Revocation(_Authenticated, kw_only=True):
    """Type 7. ``home_domain``: the home agent's address; ``foreign_domain``: the care-of address of the binding."""

    from_home_agent: bool
    inform: bool = False
    home_address: Ipv4
    home_domain: Ipv4
    foreign_domain: Ipv4
    identifier: int

    @classmethod
    def decode(cls, datagram: bytes) -> "Revocation":
        """Any octets give a value or a WireError."""
        if len(datagram) < _REVOCATION.size:
            raise Truncated(f"revocation of {len(datagram)} octets", len(datagram))
        kind, flags, home, home_domain, foreign_domain, identifier = _REVOCATION.unpack_from(datagram)
        if kind != _REVOCATION_TYPE:
            raise Malformed(f"message type {kind} is no revocation")
        revocation = cls(
            from_home_agent=flags & FROM_HOME_AGENT != 0,
            inform=flags & REVOCATION_INFORM != 0,
            home_address=home,
            home_domain=home_domain,
            foreign_domain=foreign_domain,
            identifier=identifier,
        )
        revocation._read(datagram, _REVOCATION.size)
        return revocation

    def encode(self, *, mn_ha: Signs | None = None, fa_ha: Signs | None = None) -> bytes:
        """The datagram, authenticated with the association given, or with the authenticators it holds."""
        return self._write(self.fixed(), mn_ha, fa_ha)

    def fixed(self) -> bytes:
        """The octets before the first extension."""
        flags = (FROM_HOME_AGENT if self.from_home_agent else 0) | (REVOCATION_INFORM if self.inform else 0)
        return _REVOCATION.pack(
            _REVOCATION_TYPE,
            flags,
            self.home_address,
            self.home_domain,
            self.foreign_domain,
            self.identifier,
        )


def acknowledged_in(datagram: bytes) -> tuple[Ipv4, int, bool] | None:
    """Home address, identifier and I bit of an acknowledgment; None: it has no room for them."""
    if len(datagram) < _ACK.size:
        return None
    _, flags, home, identifier = _ACK.unpack_from(datagram)
    return home, identifier, flags & ACK_INFORM != 0


class RevocationAck(_Authenticated, kw_only=True):
    """Type 15: answers the revocation with the same home address and identifier."""

    inform: bool = False
    home_address: Ipv4
    identifier: int

    @classmethod
    def decode(cls, datagram: bytes) -> "RevocationAck":
        """Any octets give a value or a WireError."""
        if len(datagram) < _ACK.size:
            raise Truncated(f"revocation acknowledgment of {len(datagram)} octets", len(datagram))
        kind, flags, home, identifier = _ACK.unpack_from(datagram)
        if kind != _ACK_TYPE:
            raise Malformed(f"message type {kind} is no revocation acknowledgment")
        ack = cls(inform=flags & ACK_INFORM != 0, home_address=home, identifier=identifier)
        ack._read(datagram, _ACK.size)
        return ack

    def encode(self, *, mn_ha: Signs | None = None, fa_ha: Signs | None = None) -> bytes:
        """The datagram, authenticated with the association given, or with the authenticators it holds."""
        flags = ACK_INFORM if self.inform else 0
        fixed = _ACK.pack(_ACK_TYPE, flags, self.home_address, self.identifier)
        return self._write(fixed, mn_ha, fa_ha)
