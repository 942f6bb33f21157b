"""EAP in Access-Requests, and what servers answer (RFC 3579, RFC 3580)."""

import pytest

from pmip_tw.aaa.eap_authentication import FRAMED_MTU, eap_request, eap_verdict
from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.profiles.rules import ProfileRules
from pmip_tw.aaa.radius.outcome import Answered
from pmip_tw.aaa.verdicts import Accept, Challenge, Conversation, EapCredential, Reject, Unavailable
from pmip_tw.addresses import Endpoint, ipv4, mac
from pmip_tw.secret import Secret
from pmip_tw.wire.radius import (
    Answer,
    Attribute,
    Attributes,
    AttributeType,
    Code,
    Request,
    encode_request,
    number,
    split_value,
    text,
)
from pmip_tw.wire.salt_cipher import SaltCipher
from tests.conformance import covers

NODE, MAG = mac("02:00:00:00:00:01"), mac("02:00:5e:50:4d:49")
NAS = Nas(identifier="mag1.example.net", address=ipv4("198.51.100.10"))
SERVER = Endpoint(ipv4("192.0.2.5"), 1812)
SECRET = Secret(b"testing123")
SUCCESS, FAILURE = bytes.fromhex("03070004"), bytes.fromhex("04070004")
CHALLENGE = bytes.fromhex("010800061520")


def credential(
    message: bytes = b"\2\1\0\5\1", identity: bytes = b"anon@example.net", state: bytes | None = None
) -> EapCredential:
    conversation = None if state is None else Conversation(server=SERVER, state=state)
    return EapCredential(mac=NODE, port="eth1", identity=identity, message=message, conversation=conversation)


def request(of: EapCredential) -> Attributes:
    asked = eap_request(of, NAS, MAG)
    assert isinstance(asked, Request) and asked.password is None
    encode_request(asked, identifier=1, authenticator=bytes(16), secret=SECRET)
    return asked.attributes


def answer(code: Code, *attributes: Attribute, message: bytes = b"") -> Answered:
    found = Attributes((*attributes, *(split_value(AttributeType.EAP_MESSAGE, message) if message else ())))
    return Answered(
        answer=Answer(code=code, identifier=0, attributes=found, signed=True),
        cipher=SaltCipher(SECRET, bytes(16)),
        server=SERVER,
    )


NAME = text(AttributeType.USER_NAME, "mn1@example.net")


class TestRequest:
    def test_says_who_where_and_how(self) -> None:
        found = request(credential())
        assert {kind: found.all(kind) for kind in (1, 6, 12, 30, 31, 32, 61, 87)} == {
            AttributeType.USER_NAME: (b"anon@example.net",),
            AttributeType.SERVICE_TYPE: (b"\0\0\0\2",),
            AttributeType.FRAMED_MTU: (FRAMED_MTU.to_bytes(4, "big"),),
            AttributeType.CALLED_STATION_ID: (b"02-00-5E-50-4D-49",),
            AttributeType.CALLING_STATION_ID: (b"02-00-00-00-00-01",),
            AttributeType.NAS_IDENTIFIER: (b"mag1.example.net",),
            AttributeType.NAS_PORT_TYPE: (b"\0\0\0\x0f",),
            AttributeType.NAS_PORT_ID: (b"eth1",),
        }
        assert found.all(AttributeType.STATE) == ()

    def test_carries_eap_in_pieces_and_in_order(self) -> None:
        message = bytes(range(256)) * 6
        pieces = request(credential(message, state=b"\0state")).all(AttributeType.EAP_MESSAGE)
        assert b"".join(pieces) == message
        assert [len(piece) for piece in pieces] == [253] * 6 + [18]

    def test_brings_the_state_back(self) -> None:
        assert request(credential(state=b"\0state")).all(AttributeType.STATE) == (b"\0state",)
        assert request(credential(state=b"")).all(AttributeType.STATE) == ()

    def test_of_who_calls_itself_nothing(self) -> None:
        assert request(credential(identity=b"")).all(AttributeType.USER_NAME) == (b"02-00-00-00-00-01",)


class TestVerdict:
    def test_challenge(self) -> None:
        state = (int(AttributeType.STATE), b"s1")
        verdict = eap_verdict(answer(Code.ACCESS_CHALLENGE, state, message=CHALLENGE), ProfileRules())
        assert verdict == Challenge(CHALLENGE, Conversation(server=SERVER, state=b"s1"))
        assert "s1" not in repr(verdict) and CHALLENGE.hex() not in repr(verdict)

    @pytest.mark.parametrize(("value", "timeout"), [(b"\0\0\0\x3c", 60), (b"\x3c", 0), (b"", 0)])
    def test_challenge_that_gives_time(self, value: bytes, timeout: int) -> None:
        found = answer(Code.ACCESS_CHALLENGE, (int(AttributeType.SESSION_TIMEOUT), value), message=CHALLENGE)
        verdict = eap_verdict(found, ProfileRules())
        assert isinstance(verdict, Challenge) and verdict.timeout == timeout

    def test_challenge_without_eap(self) -> None:
        verdict = eap_verdict(answer(Code.ACCESS_CHALLENGE), ProfileRules())
        assert verdict == Unavailable("192.0.2.5:1812: its Access-Challenge has no EAP-Message")

    def test_a_long_message_is_put_together(self) -> None:
        message = b"\1\x08" + bytes(1000)
        verdict = eap_verdict(answer(Code.ACCESS_CHALLENGE, message=message), ProfileRules())
        assert isinstance(verdict, Challenge) and verdict.message == message

    @covers("AA9")
    def test_accept_names_the_node(self) -> None:
        """Whatever it has called itself before."""
        again = number(AttributeType.TERMINATION_ACTION, 1), number(AttributeType.SESSION_TIMEOUT, 600)
        verdict = eap_verdict(answer(Code.ACCESS_ACCEPT, NAME, *again, message=SUCCESS), ProfileRules())
        assert isinstance(verdict, Accept) and verdict.message == SUCCESS
        assert verdict.profile.nai == "mn1@example.net"
        assert (verdict.profile.session_timeout, verdict.profile.reauthenticate) == (600, True)

    @pytest.mark.parametrize("realm", ["", "example.net"])
    def test_accept_of_nobody(self, realm: str) -> None:
        """A stranger could call itself by anybody's name outside of the tunnel of its method."""
        verdict = eap_verdict(answer(Code.ACCESS_ACCEPT, message=SUCCESS), ProfileRules(default_realm=realm))
        assert isinstance(verdict, Reject) and "names nobody (User-Name)" in verdict.cause

    @covers("AA8")
    def test_accept_with_a_key_that_cannot_be_read(self) -> None:
        key = (26, (24757).to_bytes(4, "big") + bytes((10, 5, 0)) + b"xx")
        spi = (26, (24757).to_bytes(4, "big") + bytes((11, 7, 0)) + (4711).to_bytes(4, "big"))
        verdict = eap_verdict(answer(Code.ACCESS_ACCEPT, NAME, key, spi, message=SUCCESS), ProfileRules())
        assert isinstance(verdict, Reject) and verdict.message == b"", "it must not hear of a success"

    def test_reject(self) -> None:
        """Authorization is read from an Accept alone; words are for people."""
        words = text(AttributeType.REPLY_MESSAGE, "the password is wrong")
        verdict = eap_verdict(answer(Code.ACCESS_REJECT, NAME, words, message=FAILURE), ProfileRules())
        assert verdict == Reject('the AAA server rejects this node: "the password is wrong"', FAILURE)
