"""Messages with the extensions that a test gives them, octet by octet."""

import pytest

from pmip_tw.wire.registration import RegistrationReply, RegistrationRequest
from pmip_tw.wire.revocation import Revocation, RevocationAck

NAI = b"\x83\x03a@b"
MN_HA = b"\x20\x14\0\0\x10\0" + b"m" * 16
FA_HA = b"\x22\x14\0\0\x20\0" + b"f" * 16
MN_AAA = b"\x24\x01\0\x14\0\0\x30\0" + b"a" * 16
CRITICAL = b"\x26\0\0\x07\0\0\0\x09\0\x01v"
VENDOR = b"\x86\x09\0\0\0\0\0\x09\0\x01v"


def request(*extensions: bytes) -> RegistrationRequest:
    return RegistrationRequest.decode(b"\x01" + bytes(23) + b"".join(extensions))


def reply(*extensions: bytes) -> RegistrationReply:
    return RegistrationReply.decode(b"\x03" + bytes(19) + b"".join(extensions))


def revocation(*extensions: bytes) -> Revocation:
    return Revocation.decode(b"\x07" + bytes(19) + b"".join(extensions))


def acknowledgment(*extensions: bytes) -> RevocationAck:
    return RevocationAck.decode(b"\x0f" + bytes(11) + b"".join(extensions))


EVERY_MESSAGE = pytest.mark.parametrize("message", [request, reply, revocation, acknowledgment])
