"""Registration Request and Reply (RFC 5944 3.3, 3.4): octets to one flat value, and back.

Encoding puts extensions into the order of docs/requirements.md. A received message is never encoded again
to check it: authenticators cover the octets that arrived (E6).
"""

from struct import Struct

from pmip_tw.addresses import Ipv4
from pmip_tw.errors import Malformed, Truncated
from pmip_tw.wire.authentication import Signs
from pmip_tw.wire.codes import MessageType
from pmip_tw.wire.extension_fields import ExtensionFields
from pmip_tw.wire.extension_reading import read_extensions
from pmip_tw.wire.extension_writing import write_message
from pmip_tw.wire.extensions import CHALLENGE, GENERALIZED_AUTHENTICATION, MN_FA, walk
from pmip_tw.wire.rare_extensions import IN_DRAFT03_REQUEST, IN_REPLY, IN_REQUEST

REQUEST_HEADER = Struct("!BBHIIIQ")
REPLY_HEADER = Struct("!BBHIIQ")
"""Type, flags or code, lifetime, addresses, Identification."""

# As plain numbers: comparing with a member of an enumeration costs as much as unpacking the header.
_REQUEST_TYPE = int(MessageType.REGISTRATION_REQUEST)
_REPLY_TYPE = int(MessageType.REGISTRATION_REPLY)

SIMULTANEOUS = 0x80
BROADCASTS = 0x40
COLOCATED = 0x20
MINIMAL = 0x10
GRE = 0x08
REVERSE_TUNNEL = 0x02

INFINITE_LIFETIME = 0xFFFF


class RegistrationRequest(ExtensionFields):
    """Type 1. ``flags``: the masks of this module; ``lifetime``: seconds, 0 de-registers, 65535 is infinite.

    ``identification``: 64-bit NTP timestamp (I3).
    """

    lifetime: int
    home_agent: Ipv4
    care_of_address: Ipv4
    identification: int
    flags: int = REVERSE_TUNNEL
    home_address: Ipv4 = Ipv4(0)

    @classmethod
    def decode(cls, datagram: bytes, *, draft03: bool = False) -> "RegistrationRequest":
        """Any octets give a value or a WireError."""
        if len(datagram) < REQUEST_HEADER.size:
            raise Truncated(f"registration request of {len(datagram)} octets", len(datagram))
        kind, flags, lifetime, home, agent, care_of, identification = REQUEST_HEADER.unpack_from(datagram)
        if kind != _REQUEST_TYPE:
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
        read_extensions(request, datagram, REQUEST_HEADER.size, IN_DRAFT03_REQUEST if draft03 else IN_REQUEST)
        return request

    def encode(
        self, *, mn_ha: Signs | None = None, mn_aaa: Signs | None = None, fa_ha: Signs | None = None
    ) -> bytes:
        """The datagram, authenticated with the associations given; without them, with the authenticators it holds."""
        fixed = REQUEST_HEADER.pack(
            _REQUEST_TYPE,
            self.flags,
            self.lifetime,
            self.home_address,
            self.home_agent,
            self.care_of_address,
            self.identification,
        )
        return write_message(fixed, self, mn_ha=mn_ha, mn_aaa=mn_aaa, fa_ha=fa_ha)


def challenge_is_answered(
    request: bytes, *, draft03: bool = False, header: int = REQUEST_HEADER.size
) -> bool:
    """Whether the challenge in these octets is followed by what answers it, MN-AAA or MN-FA (RFC 4721 3.4).

    ``header``: octets before the first extension.
    """
    kinds = [span[0] for span in walk(request, header, draft03=draft03)]
    behind = kinds[kinds.index(CHALLENGE) + 1 :]
    return MN_FA in behind or GENERALIZED_AUTHENTICATION in behind


class RegistrationReply(ExtensionFields):
    """Type 3. ``lifetime``: seconds granted if ``code`` accepts, else without meaning (69 excepted)."""

    code: int
    lifetime: int
    home_address: Ipv4
    home_agent: Ipv4
    identification: int

    @classmethod
    def decode(cls, datagram: bytes) -> "RegistrationReply":
        """Any octets give a value or a WireError."""
        if len(datagram) < REPLY_HEADER.size:
            raise Truncated(f"registration reply of {len(datagram)} octets", len(datagram))
        kind, code, lifetime, home, agent, identification = REPLY_HEADER.unpack_from(datagram)
        if kind != _REPLY_TYPE:
            raise Malformed(f"message type {kind} is no registration reply")
        reply = cls(
            code=code, lifetime=lifetime, home_address=home, home_agent=agent, identification=identification
        )
        read_extensions(reply, datagram, REPLY_HEADER.size, IN_REPLY)
        return reply

    def encode(self, *, mn_ha: Signs | None = None, fa_ha: Signs | None = None) -> bytes:
        """The datagram, authenticated with the associations given; without them, with the authenticators it holds."""
        fixed = REPLY_HEADER.pack(
            _REPLY_TYPE,
            self.code,
            self.lifetime,
            self.home_address,
            self.home_agent,
            self.identification,
        )
        return write_message(fixed, self, mn_ha=mn_ha, mn_aaa=None, fa_ha=fa_ha)
