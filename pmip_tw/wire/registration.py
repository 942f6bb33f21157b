"""Registration Request and Reply (RFC 5944 3.3, 3.4): octets to one flat value, and back.

Encoding puts extensions into the order of docs/requirements.md. A received message is never encoded again
to check it: authenticators cover the octets that arrived (E6).
"""

from struct import Struct
from typing import ClassVar

import attrs

from pmip_tw.addresses import Ipv4
from pmip_tw.errors import Malformed, Truncated
from pmip_tw.wire.authentication import Signs
from pmip_tw.wire.codes import MessageType
from pmip_tw.wire.extension_fields import ExtensionFields
from pmip_tw.wire.extensions import (
    CHALLENGE,
    FA_ERROR,
    GENERALIZED_AUTHENTICATION,
    MN_FA,
    UDP_TUNNEL_REPLY,
    UDP_TUNNEL_REQUEST,
    walk,
)

_REQUEST = Struct("!BBHIIIQ")
_REPLY = Struct("!BBHIIQ")

SIMULTANEOUS = 0x80
BROADCASTS = 0x40
COLOCATED = 0x20
MINIMAL = 0x10
GRE = 0x08
REVERSE_TUNNEL = 0x02

INFINITE_LIFETIME = 0xFFFF


@attrs.define(slots=True, kw_only=True)
class RegistrationRequest(ExtensionFields):
    """Type 1. ``flags``: the masks of this module; ``lifetime``: seconds, 0 de-registers, 65535 is infinite.

    ``identification``: 64-bit NTP timestamp (I3).
    """

    _not_here: ClassVar[frozenset[int]] = frozenset({UDP_TUNNEL_REPLY, FA_ERROR})

    flags: int = REVERSE_TUNNEL
    lifetime: int
    home_address: Ipv4 = Ipv4(0)
    home_agent: Ipv4
    care_of_address: Ipv4
    identification: int

    @classmethod
    def decode(cls, datagram: bytes, *, draft03: bool = False) -> "RegistrationRequest":
        """Any octets give a value or a WireError."""
        if len(datagram) < _REQUEST.size:
            raise Truncated(f"registration request of {len(datagram)} octets", len(datagram))
        kind, flags, lifetime, home, agent, care_of, identification = _REQUEST.unpack_from(datagram)
        if kind != MessageType.REGISTRATION_REQUEST:
            raise Malformed(f"message type {kind} is no registration request")
        request = cls(
            flags=flags,
            lifetime=lifetime,
            home_address=home,
            home_agent=agent,
            care_of_address=care_of,
            identification=identification,
            draft03=draft03,
        )
        request._read(datagram, _REQUEST.size)
        return request

    def encode(
        self, *, mn_ha: Signs | None = None, mn_aaa: Signs | None = None, fa_ha: Signs | None = None
    ) -> bytes:
        """The datagram, authenticated with the associations given; without them, with the authenticators it holds."""
        fixed = _REQUEST.pack(
            MessageType.REGISTRATION_REQUEST,
            self.flags,
            self.lifetime,
            self.home_address,
            self.home_agent,
            self.care_of_address,
            self.identification,
        )
        return self._write(fixed, mn_ha, mn_aaa, fa_ha)


def challenge_is_answered(request: bytes, *, draft03: bool = False) -> bool:
    """Whether the challenge in these octets is followed by what answers it, MN-AAA or MN-FA (RFC 4721 3.4)."""
    kinds = [span[0] for span in walk(request, _REQUEST.size, draft03=draft03)]
    behind = kinds[kinds.index(CHALLENGE) + 1 :]
    return MN_FA in behind or GENERALIZED_AUTHENTICATION in behind


@attrs.define(slots=True, kw_only=True)
class RegistrationReply(ExtensionFields):
    """Type 3. ``lifetime``: seconds granted if ``code`` accepts, else without meaning (69 excepted)."""

    _not_here: ClassVar[frozenset[int]] = frozenset({UDP_TUNNEL_REQUEST})

    code: int
    lifetime: int
    home_address: Ipv4
    home_agent: Ipv4
    identification: int

    @classmethod
    def decode(cls, datagram: bytes) -> "RegistrationReply":
        """Any octets give a value or a WireError."""
        if len(datagram) < _REPLY.size:
            raise Truncated(f"registration reply of {len(datagram)} octets", len(datagram))
        kind, code, lifetime, home, agent, identification = _REPLY.unpack_from(datagram)
        if kind != MessageType.REGISTRATION_REPLY:
            raise Malformed(f"message type {kind} is no registration reply")
        reply = cls(
            code=code, lifetime=lifetime, home_address=home, home_agent=agent, identification=identification
        )
        reply._read(datagram, _REPLY.size)
        return reply

    def encode(self, *, mn_ha: Signs | None = None, fa_ha: Signs | None = None) -> bytes:
        """The datagram, authenticated with the associations given; without them, with the authenticators it holds."""
        fixed = _REPLY.pack(
            MessageType.REGISTRATION_REPLY,
            self.code,
            self.lifetime,
            self.home_address,
            self.home_agent,
            self.identification,
        )
        return self._write(fixed, mn_ha, None, fa_ha)
