"""Answers of a RADIUS server that has the secret and no good intentions."""

import hmac
from collections.abc import Iterator
from hashlib import md5

from pmip_tw.aaa.profiles.radius_mapping import verdict_of
from pmip_tw.aaa.profiles.rules import ProfileRules
from pmip_tw.aaa.verdicts import Accept, Reject
from pmip_tw.secret import Secret
from pmip_tw.wire.radius import (
    HEADER_SIZE,
    Attributes,
    AttributeType,
    Code,
    decode_answer,
    encode_answer,
)
from pmip_tw.wire.salt_cipher import SaltCipher
from tests.fuzz.target import Target
from tests.fuzz.wire import in_time

SECRET = Secret(b"testing123")
REQUEST = bytes(range(16))
CIPHER = SaltCipher(SECRET, REQUEST)
IDENTIFIER = 7
RULES = ProfileRules(default_realm="example.net")


def sign(packet: bytes) -> bytes:
    """The packet as a server with the secret sends it: length, Message-Authenticator and authenticator right."""
    if len(packet) < HEADER_SIZE:
        return packet
    signed = bytearray(packet)
    signed[1] = IDENTIFIER
    signed[2:4] = len(packet).to_bytes(2, "big")
    signed[4:20] = REQUEST
    offset = HEADER_SIZE
    while offset + 2 <= len(signed) and 2 <= signed[offset + 1] <= len(signed) - offset:
        size = signed[offset + 1]
        if signed[offset] == AttributeType.MESSAGE_AUTHENTICATOR and size == 18:
            signed[offset + 2 : offset + 18] = bytes(16)
            signed[offset + 2 : offset + 18] = hmac.digest(SECRET.reveal(), signed, "md5")
            break
        offset += size
    signed[4:20] = md5(signed + SECRET.reveal()).digest()
    return bytes(signed)


def read(packet: bytes) -> object:
    return decode_answer(packet, identifier=IDENTIFIER, request_authenticator=REQUEST, secret=SECRET)


def check(octets: bytes) -> None:
    packet = sign(octets)
    answer = in_time(read, packet)
    if answer is not None:
        verdict = verdict_of(answer, CIPHER, user_name="02-00-00-00-00-01", rules=RULES)
        assert isinstance(verdict, Accept) is (
            answer.code is Code.ACCESS_ACCEPT and not isinstance(verdict, Reject)
        )
        assert isinstance(verdict, Accept) or verdict.cause
    forged = bytearray(packet)
    if len(forged) >= HEADER_SIZE:
        forged[4] ^= 1
        assert in_time(read, bytes(forged)) is None, "an answer with a wrong authenticator is believed"


def seeds() -> Iterator[bytes]:
    profile = Attributes.of(
        standard={
            AttributeType.USER_NAME: (b"mn1@example.net",),
            AttributeType.FRAMED_IP_ADDRESS: (b"\x0a\1\0\x32",),
            AttributeType.CLASS: (b"class",),
            AttributeType.SESSION_TIMEOUT: (b"\0\0\x0e\x10",),
        },
        vendor={
            (5535, 7): (b"\xc0\0\2\1", b"\xc0\0\2\2"),
            (5535, 57): (b"\0\0\x10\1",),
            (5535, 58): (CIPHER.encrypt(Secret(b"key of sixteen o"), b"\x80\1"),),
        },
    )
    refusal = Attributes.of(standard={AttributeType.REPLY_MESSAGE: (b"no such user", b"\xff\0")})
    for signed in (True, False):
        for code, attributes in (
            (Code.ACCESS_ACCEPT, profile),
            (Code.ACCESS_REJECT, refusal),
            (Code.ACCESS_CHALLENGE, refusal),
        ):
            yield encode_answer(
                code,
                attributes,
                identifier=IDENTIFIER,
                request_authenticator=REQUEST,
                secret=SECRET,
                signed=signed,
            )
    yield bytes((2, 7, 0, 26)) + bytes(16) + b"\x1a\x06\0\0\x60\xb5"
    yield bytes((2, 7, 0, 30)) + bytes(16) + b"\x1a\x0a\0\0\x15\x9f\x3a\x04\x80\0"


TARGET = Target(
    name="radius",
    about="RADIUS answers, signed again, down to the profile",
    check=check,
    seeds=seeds,
    floors=("wire", "aaa"),
    longest=600,
)
