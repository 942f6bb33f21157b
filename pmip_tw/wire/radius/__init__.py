"""RADIUS packets (RFC 2865, 2866, 2868, 2869, 3579, 5176, 5997): what both sides of an exchange write and read.

Nothing is drawn here: identifiers, authenticators and salts are given. Nothing is believed here either: a packet
whose authenticator or Message-Authenticator does not verify is an error, never a value.
"""

from pmip_tw.wire.radius.answers import Answer, decode_answer, encode_answer
from pmip_tw.wire.radius.attributes import (
    MAXIMUM_VALUE_SIZE,
    NO_ATTRIBUTES,
    Attribute,
    Attributes,
    VendorType,
    address,
    number,
    split_value,
    text,
    vendor_specific,
)
from pmip_tw.wire.radius.codes import (
    ANSWERS_TO,
    AUTHORIZE_ONLY,
    CALL_CHECK,
    ETHERNET,
    FRAMED,
    AttributeType,
    Code,
)
from pmip_tw.wire.radius.packets import AUTHENTICATOR_SIZE, HEADER_SIZE, MAXIMUM_SIZE, identifier_of
from pmip_tw.wire.radius.requests import ReceivedRequest, Request, decode_request, encode_request
from pmip_tw.wire.radius.signatures import NotVerified

__all__ = [
    "ANSWERS_TO",
    "AUTHENTICATOR_SIZE",
    "AUTHORIZE_ONLY",
    "CALL_CHECK",
    "ETHERNET",
    "FRAMED",
    "HEADER_SIZE",
    "MAXIMUM_SIZE",
    "MAXIMUM_VALUE_SIZE",
    "NO_ATTRIBUTES",
    "Answer",
    "Attribute",
    "AttributeType",
    "Attributes",
    "Code",
    "NotVerified",
    "ReceivedRequest",
    "Request",
    "VendorType",
    "address",
    "decode_answer",
    "decode_request",
    "encode_answer",
    "encode_request",
    "identifier_of",
    "number",
    "split_value",
    "text",
    "vendor_specific",
]
