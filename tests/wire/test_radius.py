"""RADIUS packets of both sides: FreeRADIUS's own packets, and any octets at all."""

import hmac
import json
from hashlib import md5
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyrad.packet import AuthPacket

from pmip_tw.addresses import ipv4
from pmip_tw.errors import Malformed, Truncated, WireError
from pmip_tw.secret import Secret
from pmip_tw.wire.radius import (
    ANSWERS_TO,
    Answer,
    Attributes,
    AttributeType,
    Code,
    NotVerified,
    ReceivedRequest,
    Request,
    address,
    decode_answer,
    decode_request,
    encode_answer,
    encode_request,
    number,
    split_value,
    text,
    vendor_specific,
)
from pmip_tw.wire.salt_cipher import SaltCipher
from tests.conformance import covers

FILE = json.loads((Path(__file__).parent.parent / "vectors" / "radius.json").read_text())
SECRET = Secret(FILE["shared_secret"].encode())
PACKETS = {packet["name"]: bytes.fromhex(packet["hex"]) for packet in FILE["packets"]}
REQUEST = PACKETS["access-request-for-keys"]
ACCEPT = PACKETS["access-accept-with-salted-keys"]
REQUEST_AUTHENTICATOR = REQUEST[4:20]

MAC_REQUEST = Request(
    attributes=Attributes(
        (
            text(AttributeType.USER_NAME, "02-00-00-00-00-01"),
            text(AttributeType.CALLING_STATION_ID, "02-00-00-00-00-01"),
            text(AttributeType.NAS_IDENTIFIER, "mag1.example.net"),
            address(AttributeType.NAS_IP_ADDRESS, ipv4("198.51.100.10")),
            text(AttributeType.NAS_PORT_ID, "eth1"),
            number(AttributeType.SERVICE_TYPE, 10),
        )
    ),
    password=Secret(b"02-00-00-00-00-01"),
)


def decode_accept(datagram: bytes, secret: Secret = SECRET) -> Answer:
    return decode_answer(
        datagram, identifier=REQUEST[1], request_authenticator=REQUEST_AUTHENTICATOR, secret=secret
    )


@pytest.mark.parametrize("name", [name for name in PACKETS if name.startswith("access-request")])
def test_requests_of_freeradius_verify(name: str) -> None:
    received = decode_request(PACKETS[name], SECRET)
    assert received.signed
    assert received.attributes.first(AttributeType.USER_NAME) == b"mn1@example.net"
    with pytest.raises(NotVerified):
        decode_request(PACKETS[name], Secret(b"another"))


def test_accept_of_freeradius_verifies_and_gives_every_attribute_of_the_vector() -> None:
    answer = decode_accept(ACCEPT)
    assert (answer.code, answer.signed) == (Code.ACCESS_ACCEPT, True)
    [packet] = [packet for packet in FILE["packets"] if packet["name"] == "access-accept-with-salted-keys"]
    for attribute in packet["attributes"]:
        value = bytes.fromhex(attribute["value_hex"])
        if attribute["type"] == AttributeType.VENDOR_SPECIFIC:
            vendor, vendor_type = int.from_bytes(value[:4], "big"), value[4]
            assert value[6:] in answer.attributes.all_vendor(vendor, vendor_type)
    assert answer.attributes.first(AttributeType.MESSAGE_AUTHENTICATOR) is None


@pytest.mark.parametrize("vector", FILE["salt_decryption"], ids=lambda v: f"{v['vendor']}-{v['type']}")
def test_salt_encryption_both_ways(vector: dict[str, str]) -> None:
    cipher = SaltCipher(SECRET, REQUEST_AUTHENTICATOR)
    salt, hidden = bytes.fromhex(vector["salt_hex"]), bytes.fromhex(vector["cipher_hex"])
    plain = Secret(bytes.fromhex(vector["plain_hex"]))
    assert cipher.decrypt(salt + hidden) == plain
    assert cipher.encrypt(plain, salt) == salt + hidden


def test_salted_value_of_another_secret_is_malformed_and_not_garbage() -> None:
    for vector in FILE["salt_decryption"]:
        value = bytes.fromhex(vector["salt_hex"] + vector["cipher_hex"])
        with pytest.raises(Malformed):
            SaltCipher(Secret(b"another"), REQUEST_AUTHENTICATOR).decrypt(value)
        with pytest.raises(Malformed):
            SaltCipher(SECRET, bytes(16)).decrypt(value)


@given(plain=st.binary(max_size=239), salt=st.binary(min_size=2, max_size=2))
def test_salt_encryption_agrees_with_pyrad(plain: bytes, salt: bytes) -> None:
    cipher = SaltCipher(SECRET, REQUEST_AUTHENTICATOR)
    packet = AuthPacket(secret=SECRET.reveal(), authenticator=REQUEST_AUTHENTICATOR)
    assert cipher.decrypt(packet.SaltCrypt(plain)).reveal() == plain
    assert packet.SaltDecrypt(cipher.encrypt(Secret(plain), salt)) == plain


def test_too_long_a_value_is_not_encrypted() -> None:
    with pytest.raises(ValueError, match="240 octets"):
        SaltCipher(SECRET, REQUEST_AUTHENTICATOR).encrypt(Secret(bytes(240)), b"\x80\0")


@covers("AA3", "AA4")
def test_request_carries_its_signature_first_and_nothing_in_the_clear() -> None:
    """AA3, AA4: type 80 opens the attributes; computed here by RFC 2869 5.14, with hmac alone."""
    octets = encode_request(MAC_REQUEST, identifier=7, authenticator=bytes(range(16)), secret=SECRET)
    assert octets[:2] == b"\x01\x07" and octets[4:20] == bytes(range(16))
    assert octets[20:22] == b"\x50\x12"
    zeroed = octets[:22] + bytes(16) + octets[38:]
    assert octets[22:38] == hmac.digest(SECRET.reveal(), zeroed, "md5")
    assert octets.count(b"02-00-00-00-00-01") == 2  # User-Name and Calling-Station-Id, not the password
    again = encode_request(MAC_REQUEST, identifier=7, authenticator=bytes(range(16)), secret=SECRET)
    assert again == octets


values = st.binary(max_size=253)
attributes = st.lists(
    st.tuples(st.integers(1, 255).filter(lambda kind: kind not in (2, 80)), values), max_size=12
).map(lambda pairs: Attributes(sorted(pairs, key=lambda pair: pair[0])))
passwords = st.none() | st.binary(max_size=128).map(lambda octets: Secret(octets.rstrip(b"\0")))


@given(
    code=st.sampled_from(sorted(ANSWERS_TO)),
    attributes=attributes,
    password=passwords,
    identifier=st.integers(0, 255),
    drawn=st.binary(min_size=16, max_size=16),
)
def test_request_round_trip(
    code: Code, attributes: Attributes, password: Secret | None, identifier: int, drawn: bytes
) -> None:
    """Everything arrives, values of one type in their order (RFC 2865 5), and nobody else can have sent it."""
    request = Request(
        code=code,
        attributes=attributes,
        password=password if code is Code.ACCESS_REQUEST else None,
    )
    octets = encode_request(request, identifier=identifier, authenticator=drawn, secret=SECRET)
    assert decode_request(octets, SECRET) == ReceivedRequest(
        code=code,
        identifier=identifier,
        authenticator=octets[4:20],
        attributes=attributes,
        password=request.password,
        signed=code is not Code.ACCOUNTING_REQUEST,
    )
    assert (octets[4:20] == drawn) is (code in (Code.ACCESS_REQUEST, Code.STATUS_SERVER))
    with pytest.raises(WireError):
        decode_request(octets, Secret(b"another"))
    changed = octets[:-1] + bytes([octets[-1] ^ 1])
    with pytest.raises(WireError):
        decode_request(changed, SECRET)


@pytest.mark.parametrize("code", ANSWERS_TO)
def test_each_request_has_its_own_answers(code: Code) -> None:
    """And an answer is signed by what its request's authenticator was, drawn or computed."""
    octets = encode_request(Request(code=code), identifier=9, authenticator=bytes(range(16)), secret=SECRET)
    for answer in Code:
        reply = encode_answer(
            answer, Attributes(), identifier=9, request_authenticator=octets[4:20], secret=SECRET
        )
        if answer in ANSWERS_TO[code]:
            found = decode_answer(
                reply, identifier=9, request_authenticator=octets[4:20], secret=SECRET, request_code=code
            )
            assert (found.code, found.signed) == (answer, answer is not Code.ACCOUNTING_RESPONSE)
        else:
            with pytest.raises(WireError, match="no answer to"):
                decode_answer(
                    reply, identifier=9, request_authenticator=octets[4:20], secret=SECRET, request_code=code
                )


@covers("AA5")
@pytest.mark.parametrize("code", [Code.COA_REQUEST, Code.DISCONNECT_REQUEST])
def test_dynamic_authorization_is_signed_both_ways(code: Code) -> None:
    """Over zeros in the authenticator field, which is computed afterwards; what is signed wrongly is not believed."""
    octets = encode_request(Request(code=code), identifier=9, authenticator=b"", secret=SECRET)
    assert octets[20:22] == b"\x50\x12"
    zeroed = octets[:4] + bytes(16) + octets[20:22] + bytes(16)
    assert octets[22:38] == hmac.digest(SECRET.reveal(), zeroed, "md5")
    wrong = bytearray(octets[:4] + bytes(16) + octets[20:37] + bytes([octets[37] ^ 1]))
    wrong[4:20] = md5(wrong + SECRET.reveal()).digest()
    with pytest.raises(NotVerified):
        decode_request(bytes(wrong), SECRET)


def test_a_status_server_that_is_not_signed_is_not_read() -> None:
    """RFC 5997 3."""
    with pytest.raises(NotVerified):
        decode_request(b"\x0c\x01\0\x14" + bytes(16), SECRET)


@given(password=st.binary(max_size=128), authenticator=st.binary(min_size=16, max_size=16))
def test_passwords_are_hidden_and_uncovered(password: bytes, authenticator: bytes) -> None:
    request = Request(password=Secret(password))
    octets = encode_request(request, identifier=1, authenticator=authenticator, secret=SECRET)
    assert len(password.strip(b"\0")) < 4 or password not in octets[38:]
    assert decode_request(octets, SECRET).password == Secret(password.rstrip(b"\0"))


def test_what_does_not_fit_is_not_sent() -> None:
    def encode(request: Request) -> bytes:
        return encode_request(request, identifier=1, authenticator=bytes(16), secret=SECRET)

    with pytest.raises(ValueError, match="254 octets"):
        encode(Request(attributes=Attributes([(1, bytes(254))])))
    with pytest.raises(ValueError, match="4096"):
        encode(Request(attributes=Attributes([(1, bytes(253))] * 16)))
    with pytest.raises(ValueError, match="128 octets"):
        encode(Request(password=Secret(bytes(129))))
    with pytest.raises(ValueError, match="248 octets"):
        vendor_specific(5535, 1, bytes(248))


def test_attributes_by_type_and_in_order() -> None:
    found = Attributes(
        [
            (24, b"one"),
            (26, b"\0\0\x15\x9f\x07\x03a\x07\x03b"),
            vendor_specific(5535, 7, b"c"),
            (24, b"two"),
            (26, b"\0\0\x15\x9f\x07\x04a"),
            (26, b"\0\0"),
            *split_value(79, bytes(300)),
        ]
    )
    assert found.all(24) == (b"one", b"two") and found.first(24) == b"one" and found.first(25) is None
    assert found.all_vendor(5535, 7) == (b"a", b"b", b"c"), "what is cut short is no vendor's value"
    assert found.joined(79) == bytes(300) and [len(value) for value in found.all(79)] == [253, 47]
    assert len(found.without(26, 79)) == 2
    assert split_value(79, b"") == ((79, b""),)
    assert "one" not in repr(found)


@pytest.mark.parametrize("signed", [True, False])
def test_answer_round_trip(signed: bool) -> None:
    attributes = Attributes.of(
        standard={1: (b"mn1@example.net",), 25: (b"\0\xff", b"two")}, vendor={(5535, 57): (b"\0\0\x10\0",)}
    )
    octets = encode_answer(
        Code.ACCESS_ACCEPT,
        attributes,
        identifier=REQUEST[1],
        request_authenticator=REQUEST_AUTHENTICATOR,
        secret=SECRET,
        signed=signed,
    )
    answer = decode_accept(octets)
    assert (answer.attributes, answer.signed) == (attributes, signed)


def test_every_flipped_bit_of_an_answer_is_noticed() -> None:
    for bit in range(8 * len(ACCEPT)):
        octets = bytearray(ACCEPT)
        octets[bit // 8] ^= 1 << bit % 8
        with pytest.raises(WireError):
            decode_accept(bytes(octets))


@covers("AA3")
def test_a_right_response_authenticator_does_not_excuse_a_wrong_message_authenticator() -> None:
    """BlastRADIUS: MD5 alone can be forged, so that the HMAC is checked whenever it is there (AA3)."""
    forged = bytearray(ACCEPT)
    at = ACCEPT.index(b"\x50\x12")
    forged[at + 2] ^= 1
    forged[4:20] = md5(forged[:4] + REQUEST_AUTHENTICATOR + forged[20:] + SECRET.reveal()).digest()
    with pytest.raises(NotVerified):
        decode_accept(bytes(forged))


def test_proxy_state_that_was_not_sent_is_refused() -> None:
    """The chosen-prefix collision of BlastRADIUS hides in Proxy-State."""
    octets = encode_answer(
        Code.ACCESS_ACCEPT,
        Attributes.of(standard={33: (b"collision",)}),
        identifier=REQUEST[1],
        request_authenticator=REQUEST_AUTHENTICATOR,
        secret=SECRET,
        signed=False,
    )
    with pytest.raises(NotVerified):
        decode_accept(octets)
    sent = decode_answer(
        octets,
        identifier=REQUEST[1],
        request_authenticator=REQUEST_AUTHENTICATOR,
        secret=SECRET,
        proxy_states=(b"collision",),
    )
    assert sent.attributes.all(33) == (b"collision",)


def test_answer_to_another_request_is_refused() -> None:
    with pytest.raises(NotVerified):
        decode_answer(ACCEPT, identifier=REQUEST[1], request_authenticator=bytes(16), secret=SECRET)
    with pytest.raises(NotVerified):
        decode_answer(ACCEPT, identifier=8, request_authenticator=REQUEST_AUTHENTICATOR, secret=SECRET)


def test_framing() -> None:
    assert decode_accept(ACCEPT + b"padding").signed  # RFC 2865 3: octets after Length are padding
    with pytest.raises(Truncated):
        decode_accept(ACCEPT[:-1])
    with pytest.raises(Truncated):
        decode_accept(ACCEPT[:19])
    with pytest.raises(Malformed, match="does not end"):
        decode_accept(b"\x02\x07\x00\x16" + bytes(16) + b"\x01\x03")
    with pytest.raises(Malformed, match="does not end"):
        decode_accept(b"\x02\x07\x00\x15" + bytes(16) + b"\x01")
    with pytest.raises(Malformed, match="twice"):
        decode_accept(b"\x02\x07\x00\x38" + bytes(16) + 2 * (b"\x50\x12" + bytes(16)))
    with pytest.raises(Malformed, match="no answer"):
        decode_accept(REQUEST)
    with pytest.raises(Malformed, match="is no request"):
        decode_request(ACCEPT, SECRET)


def rightly_signed(code: int, body: bytes) -> bytes:
    """Any attributes at all under a right Response Authenticator: what only a broken server sends."""
    header = bytes([code, REQUEST[1]]) + (20 + len(body)).to_bytes(2, "big")
    return header + md5(header + REQUEST_AUTHENTICATOR + body + SECRET.reveal()).digest() + body


bodies = st.one_of(
    st.binary(max_size=300),
    st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=60))).map(
        lambda attributes: b"".join(bytes([kind, 2 + len(value)]) + value for kind, value in attributes)
    ),
)


@given(octets=st.one_of(st.binary(max_size=300), bodies.map(lambda body: rightly_signed(2, body))))
def test_any_octets_give_an_answer_or_a_wire_error(octets: bytes) -> None:
    try:
        answer = decode_accept(octets)
    except WireError:
        return
    assert answer.code is Code.ACCESS_ACCEPT


@given(octets=st.one_of(st.binary(max_size=300), bodies.map(lambda body: rightly_signed(1, body))))
def test_any_octets_give_a_request_or_a_wire_error(octets: bytes) -> None:
    try:
        received = decode_request(octets, SECRET)
    except WireError:
        return
    assert not received.signed
