"""RADIUS access messages (RFC 2865, 2868, 2869) over pyrad's codec, without its dictionaries and clients.

Nothing is drawn here: identifiers, authenticators and salts are given. Nothing is believed here either: an
answer whose Response Authenticator or Message-Authenticator does not verify is an error, never a value.
"""

import struct
from collections.abc import Mapping
from enum import IntEnum

import attrs
from pyrad.dictionary import Dictionary
from pyrad.packet import AuthPacket, Packet, PacketError

from pmip_tw.addresses import UNSPECIFIED, Ipv4
from pmip_tw.errors import Malformed, Truncated, WireError
from pmip_tw.secret import Secret

HEADER_SIZE = 20
MAXIMUM_SIZE = 4096
AUTHENTICATOR_SIZE = 16
PASSWORD_BLOCK_SIZE = 16
"""User-Password is padded to a multiple of it (RFC 2865 5.2)."""

_NO_NAMES = Dictionary()
"""Empty: with it pyrad splits vendor attributes into (vendor, type) and interprets nothing."""


class Code(IntEnum):
    """Packet codes of access authentication (RFC 2865 4)."""

    ACCESS_REQUEST = 1
    ACCESS_ACCEPT = 2
    ACCESS_REJECT = 3
    ACCESS_CHALLENGE = 11


ANSWERS = frozenset({Code.ACCESS_ACCEPT, Code.ACCESS_REJECT, Code.ACCESS_CHALLENGE})


class AttributeType(IntEnum):
    """Attributes that we read or write by number (RFC 2865 5, 2869 5)."""

    USER_NAME = 1
    USER_PASSWORD = 2
    NAS_IP_ADDRESS = 4
    SERVICE_TYPE = 6
    FRAMED_IP_ADDRESS = 8
    REPLY_MESSAGE = 18
    CLASS = 25
    VENDOR_SPECIFIC = 26
    SESSION_TIMEOUT = 27
    CALLED_STATION_ID = 30
    CALLING_STATION_ID = 31
    NAS_IDENTIFIER = 32
    NAS_PORT_TYPE = 61
    EAP_MESSAGE = 79
    MESSAGE_AUTHENTICATOR = 80
    NAS_PORT_ID = 87
    FRAMED_POOL = 88


CALL_CHECK = 10
"""Service-Type of MAC authentication (AA24)."""

ETHERNET = 15
"""NAS-Port-Type of a wired access port."""


class NotVerified(WireError):
    """An answer that the shared secret does not confirm."""

    reason = "bad-authenticator"


VendorType = tuple[int, int]
"""(vendor, type)."""


@attrs.frozen(slots=True, kw_only=True)
class Attributes:
    """Raw attribute values in order of appearance, by type, or by (vendor, type) for vendor attributes."""

    standard: Mapping[int, tuple[bytes, ...]] = attrs.field(factory=dict, repr=False)
    vendor: Mapping[VendorType, tuple[bytes, ...]] = attrs.field(factory=dict, repr=False)

    def all(self, attribute_type: int) -> tuple[bytes, ...]:
        return self.standard.get(attribute_type, ())

    def first(self, attribute_type: int) -> bytes | None:
        values = self.standard.get(attribute_type)
        return values[0] if values else None

    def all_vendor(self, vendor: int, attribute_type: int) -> tuple[bytes, ...]:
        return self.vendor.get((vendor, attribute_type), ())


@attrs.frozen(slots=True, kw_only=True)
class AccessRequest:
    """A request for access; a field that is empty or 0 is not sent.

    ``calling_station`` is written as RFC 3580 3.21 has it, "02-00-00-00-00-01"; ``nas_port`` is the name of the
    access port.
    """

    user_name: bytes
    password: Secret
    calling_station: str = ""
    called_station: str = ""
    nas_identifier: str = ""
    nas_address: Ipv4 = UNSPECIFIED
    nas_port: str = ""
    nas_port_type: int = 0
    service_type: int = 0


@attrs.frozen(slots=True, kw_only=True)
class ReceivedRequest:
    """An Access-Request as a server sees it. ``signed``: it carried a Message-Authenticator, which verified."""

    identifier: int
    authenticator: bytes
    signed: bool
    request: AccessRequest


@attrs.frozen(slots=True, kw_only=True)
class Answer:
    """A verified Access-Accept, Access-Reject or Access-Challenge. ``signed``: it had a Message-Authenticator."""

    code: Code
    identifier: int
    attributes: Attributes
    signed: bool


def encode_access_request(
    request: AccessRequest, *, identifier: int, authenticator: bytes, secret: Secret
) -> bytes:
    """The packet, Message-Authenticator first (AA3, AA4). ValueError: a value is longer than an attribute."""
    packet = AuthPacket(
        Code.ACCESS_REQUEST, id=identifier, secret=secret.reveal(), authenticator=authenticator
    )
    packet.add_message_authenticator()
    hidden = packet.PwCrypt(request.password.reveal())
    fields: list[tuple[AttributeType, bytes]] = [
        (AttributeType.USER_NAME, request.user_name),
        (AttributeType.USER_PASSWORD, hidden),
        (AttributeType.SERVICE_TYPE, _number(request.service_type)),
        (AttributeType.CALLING_STATION_ID, request.calling_station.encode()),
        (AttributeType.CALLED_STATION_ID, request.called_station.encode()),
        (AttributeType.NAS_IDENTIFIER, request.nas_identifier.encode()),
        (AttributeType.NAS_IP_ADDRESS, _number(request.nas_address)),
        (AttributeType.NAS_PORT_TYPE, _number(request.nas_port_type)),
        (AttributeType.NAS_PORT_ID, request.nas_port.encode()),
    ]
    for attribute_type, value in fields:
        if value:
            packet[attribute_type.value] = [value]
    encoded: bytes = packet.RequestPacket()
    return encoded


def decode_access_request(datagram: bytes, secret: Secret) -> ReceivedRequest:
    """What a server reads. WireError: not an Access-Request, or its Message-Authenticator does not verify."""
    packet = _split(datagram, secret)
    if packet.code != Code.ACCESS_REQUEST:
        raise Malformed(f"code {packet.code} is no Access-Request", 0)
    signed = bool(packet.message_authenticator)
    if signed and not packet.verify_message_authenticator():
        raise NotVerified("the request's Message-Authenticator does not verify", HEADER_SIZE)
    found = _attributes(packet)
    password = found.first(AttributeType.USER_PASSWORD) or b""
    if len(password) % PASSWORD_BLOCK_SIZE:
        raise Malformed(f"User-Password of {len(password)} octets", HEADER_SIZE)
    return ReceivedRequest(
        identifier=packet.id,
        authenticator=packet.authenticator,
        signed=signed,
        request=AccessRequest(
            user_name=found.first(AttributeType.USER_NAME) or b"",
            password=Secret(packet.PwDecrypt(password).encode()),
            calling_station=_text(found, AttributeType.CALLING_STATION_ID),
            called_station=_text(found, AttributeType.CALLED_STATION_ID),
            nas_identifier=_text(found, AttributeType.NAS_IDENTIFIER),
            nas_address=Ipv4(_unsigned(found, AttributeType.NAS_IP_ADDRESS)),
            nas_port=_text(found, AttributeType.NAS_PORT_ID),
            nas_port_type=_unsigned(found, AttributeType.NAS_PORT_TYPE),
            service_type=_unsigned(found, AttributeType.SERVICE_TYPE),
        ),
    )


def encode_answer(
    code: Code,
    attributes: Attributes,
    *,
    identifier: int,
    request_authenticator: bytes,
    secret: Secret,
    signed: bool = True,
) -> bytes:
    """A server's answer, Message-Authenticator first when ``signed``. ValueError: a value is too long."""
    packet = AuthPacket(code, id=identifier, secret=secret.reveal(), authenticator=request_authenticator)
    if signed:
        packet.add_message_authenticator()
    for key, values in (*attributes.standard.items(), *attributes.vendor.items()):
        packet[key] = list(values)
    encoded: bytes = packet.ReplyPacket()
    return encoded


def decode_answer(
    datagram: bytes, *, identifier: int, request_authenticator: bytes, secret: Secret
) -> Answer:
    """The answer to our request of ``identifier`` and ``request_authenticator``, verified.

    WireError: it is no answer to an Access-Request, or NotVerified: the Response Authenticator (RFC 2865 3) or
    the Message-Authenticator, if there is one (RFC 3579 3.2), is wrong. No value is read before both are right.
    """
    packet = _split(datagram, secret)
    if packet.code not in ANSWERS:
        raise Malformed(f"code {packet.code} is no answer to an Access-Request", 0)
    request = AuthPacket(
        Code.ACCESS_REQUEST, id=identifier, secret=secret.reveal(), authenticator=request_authenticator
    )
    if not request.VerifyReply(packet):
        raise NotVerified("the answer does not verify - is the shared secret the same on both sides?", 4)
    return Answer(
        code=Code(packet.code),
        identifier=packet.id,
        attributes=_attributes(packet),
        signed=bool(packet.message_authenticator),
    )


def identifier_of(datagram: bytes) -> int | None:
    """The identifier, by which an answer finds its request; None if the datagram is too short to have one."""
    return datagram[1] if len(datagram) >= HEADER_SIZE else None


def _split(datagram: bytes, secret: Secret) -> Packet:
    """pyrad's packet, with the framing checked that pyrad takes on trust."""
    if len(datagram) < HEADER_SIZE:
        raise Truncated("shorter than a RADIUS header", len(datagram))
    (length,) = struct.unpack_from("!H", datagram, 2)
    if length > len(datagram):
        raise Truncated(f"{len(datagram)} octets of {length}", len(datagram))
    if not HEADER_SIZE <= length <= MAXIMUM_SIZE:
        raise Malformed(f"length field {length}", 2)
    offset = HEADER_SIZE
    signatures = 0
    while offset < length:
        size = datagram[offset + 1] if offset + 1 < length else 0
        if size < 2 or offset + size > length:
            raise Malformed("an attribute does not end where its packet does", offset)
        if datagram[offset] == AttributeType.MESSAGE_AUTHENTICATOR:
            signatures += 1
            if size != 2 + AUTHENTICATOR_SIZE or signatures > 1:
                raise Malformed("Message-Authenticator of another size, or twice", offset)
        offset += size
    try:
        return AuthPacket(packet=datagram[:length], secret=secret.reveal(), dict=_NO_NAMES)
    except PacketError as error:
        raise Malformed(str(error), HEADER_SIZE) from None


def _attributes(packet: Packet) -> Attributes:
    standard: dict[int, tuple[bytes, ...]] = {}
    vendor: dict[VendorType, tuple[bytes, ...]] = {}
    for key, values in packet.items():
        if isinstance(key, tuple):
            vendor[key] = tuple(values)
        elif key != AttributeType.MESSAGE_AUTHENTICATOR:
            standard[key] = tuple(values)
    return Attributes(standard=standard, vendor=vendor)


def _number(value: int) -> bytes:
    return struct.pack("!L", value) if value else b""


def _unsigned(found: Attributes, attribute_type: AttributeType) -> int:
    value = found.first(attribute_type)
    if value is None:
        return 0
    if len(value) != 4:
        raise Malformed(f"attribute {attribute_type} of {len(value)} octets instead of 4", HEADER_SIZE)
    return int.from_bytes(value, "big")


def _text(found: Attributes, attribute_type: AttributeType) -> str:
    value = found.first(attribute_type) or b""
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise Malformed(f"attribute {attribute_type} is not UTF-8", HEADER_SIZE) from None
