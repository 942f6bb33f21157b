"""The data of the extensions that carry more than one number, as values."""

from struct import Struct

import msgspec

from pmip_tw.addresses import Ipv4
from pmip_tw.errors import Malformed, UnrecognizedNonSkippable
from pmip_tw.wire.extensions import (
    DYNAMIC_HOME_AGENT,
    MESSAGE_STRING,
    REVOCATION_SUPPORT,
    UDP_TUNNEL_REPLY,
    UDP_TUNNEL_REQUEST,
    long,
    simple,
)

_UDP_TUNNEL_REQUEST = Struct("!BxBBH")
_UDP_TUNNEL_REPLY = Struct("!BBHH")
_REVOCATION_SUPPORT = Struct("!BBHI")
_SUBTYPE_AND_ADDRESS = Struct("!BI")
_ADDRESS = Struct("!I")

FIRST_DECLINING_TUNNEL_CODE = 64
INFORM = 0x8000

FROM_HOME_AGENT = 1
FROM_FOREIGN_AGENT = 2


class UdpTunnelRequest(msgspec.Struct, frozen=True, gc=False):
    """Extension 144 (RFC 3519 3.1): please tunnel in UDP. ``encapsulation`` 0 means as the M and G bits say."""

    forced: bool = False
    via_foreign_agent: bool = False
    dhcp_only: bool = False
    encapsulation: int = 4

    def encode(self) -> bytes:
        flags = self.forced << 7 | self.via_foreign_agent << 6 | self.dhcp_only << 5
        return simple(UDP_TUNNEL_REQUEST, _UDP_TUNNEL_REQUEST.pack(0, flags, self.encapsulation, 0))

    @classmethod
    def decode(cls, data: bytes) -> "UdpTunnelRequest | None":
        """None: not understood, to be skipped: another sub-type (E3), or Reserved 3 not zero (N8)."""
        if len(data) != 6:
            raise Malformed(f"UDP tunnel request of {len(data)} octets instead of 6")
        subtype, flags, encapsulation, reserved = _UDP_TUNNEL_REQUEST.unpack(data)
        if subtype or reserved:
            return None
        return cls(bool(flags & 0x80), bool(flags & 0x40), bool(flags & 0x20), encapsulation)


class UdpTunnelReply(msgspec.Struct, frozen=True, gc=False):
    """Extension 44 (RFC 3519 3.2): ``code`` 0-63 will tunnel in UDP, 64-255 will not.

    ``keepalive_interval`` is in seconds; 0 leaves it to the receiver.
    """

    code: int = 0
    forced: bool = False
    keepalive_interval: int = 0

    @property
    def will_tunnel(self) -> bool:
        return self.code < FIRST_DECLINING_TUNNEL_CODE

    def encode(self) -> bytes:
        return simple(
            UDP_TUNNEL_REPLY,
            _UDP_TUNNEL_REPLY.pack(0, self.code, self.forced << 15, self.keepalive_interval),
        )

    @classmethod
    def decode(cls, data: bytes) -> "UdpTunnelReply":
        """Another sub-type discards the message: 44 is not skippable (E3)."""
        if len(data) != 6:
            raise Malformed(f"UDP tunnel reply of {len(data)} octets instead of 6")
        if data[0]:
            raise UnrecognizedNonSkippable(f"UDP tunnel reply of sub-type {data[0]}")
        _, code, flags, interval = _UDP_TUNNEL_REPLY.unpack(data)
        return cls(code, bool(flags & 0x8000), interval)


class RevocationSupport(msgspec.Struct, frozen=True, gc=False):
    """Extension 137 (RFC 3543 3.2). ``inform`` is the I bit; ``timestamp`` the sender's clock (RV6).

    It is decoded where the extensions of a message are read.
    """

    timestamp: int
    inform: bool = False

    def encode(self) -> bytes:
        return _REVOCATION_SUPPORT.pack(REVOCATION_SUPPORT, 6, self.inform << 15, self.timestamp)


class MessageString(msgspec.Struct, frozen=True, gc=False):
    """Extension 145: a sentence for a person, from a home agent (1) or a foreign agent (2); nothing acts on it."""

    text: bytes
    subtype: int = FROM_HOME_AGENT

    @property
    def shown(self) -> str:
        """For a screen or a log: control characters, which a peer may have put there for an effect, are left out."""
        return "".join(sign for sign in self.text.decode(errors="replace") if sign.isprintable()).strip()

    def encode(self) -> bytes:
        return simple(MESSAGE_STRING, bytes((self.subtype,)) + self.text)

    @classmethod
    def decode(cls, data: bytes) -> "MessageString | None":
        """None: from nobody known, to be skipped (E3)."""
        if not data or data[0] not in (FROM_HOME_AGENT, FROM_FOREIGN_AGENT):
            return None
        return cls(data[1:], data[0])


REQUESTED_HOME_AGENT = 1
REDIRECTED_HOME_AGENT = 2
"""Sub-types of 139: whom the requester asks, and whom it shall ask instead (RFC 4433 3.4)."""


class DynamicHomeAgent(msgspec.Struct, frozen=True, gc=False):
    """Extension 139 (RFC 4433 3.4): sub-type 1 requested, 2 redirected home agent; drawn long, met short."""

    subtype: int
    address: Ipv4
    drawn_form: bool = True

    def encode(self) -> bytes:
        if self.drawn_form:
            return long(DYNAMIC_HOME_AGENT, self.subtype, _ADDRESS.pack(self.address))
        return simple(DYNAMIC_HOME_AGENT, _SUBTYPE_AND_ADDRESS.pack(self.subtype, self.address))

    @classmethod
    def decode(cls, extension: bytes) -> "DynamicHomeAgent | None":
        """From the whole extension, type included; None if it is neither form, which is skipped."""
        if len(extension) == 8 and extension[1] in (1, 2) and extension[2:4] == b"\0\4":
            return cls(extension[1], Ipv4(_ADDRESS.unpack_from(extension, 4)[0]))
        if len(extension) == 7 and extension[2] in (REQUESTED_HOME_AGENT, REDIRECTED_HOME_AGENT):
            return cls(extension[2], Ipv4(_ADDRESS.unpack_from(extension, 3)[0]), drawn_form=False)
        return None
