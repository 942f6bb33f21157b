"""Access-Accept to Profile: what is used, what refuses, and what the refusal tells the operator."""

import struct

import pytest

from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.aaa.profiles.radius_mapping import verdict_of
from pmip_tw.aaa.profiles.rules import ProfileRules
from pmip_tw.aaa.verdicts import Accept, Reject, Verdict
from pmip_tw.addresses import Ipv4, ipv4
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.secret import Secret
from pmip_tw.wire.radius import (
    Answer,
    Attributes,
    AttributeType,
    Code,
)
from pmip_tw.wire.salt_cipher import SaltCipher
from tests.conformance import covers

KEY = Secret(b"0123456789abcdef")
CIPHER = SaltCipher(Secret(b"testing123"), bytes(range(16)))
STANDARD = {AttributeType.USER_NAME.value: (b"mn1@example.net",)}
VENDOR = {
    (5535, 7): (b"\xc0\0\2\1",),
    (5535, 57): (struct.pack("!L", 4096),),
    (5535, 58): (CIPHER.encrypt(KEY, b"\x80\1"),),
}


def verdict(
    standard: dict[int, tuple[bytes, ...]] | None = None,
    vendor: dict[tuple[int, int], tuple[bytes, ...]] | None = None,
    *,
    code: Code = Code.ACCESS_ACCEPT,
    default_realm: str = "",
) -> Verdict:
    """The verdict on a good Accept with these attributes replaced; an empty tuple takes one away."""
    attributes = Attributes.of(standard=STANDARD | (standard or {}), vendor=VENDOR | (vendor or {}))
    answer = Answer(code=code, identifier=1, attributes=attributes, signed=True)
    return verdict_of(
        answer, CIPHER, user_name="02-00-00-00-00-01", rules=ProfileRules(default_realm=default_realm)
    )


def profile(*arguments: dict[int, tuple[bytes, ...]], default_realm: str = "") -> Profile:
    found = verdict(*arguments, default_realm=default_realm)
    assert isinstance(found, Accept), found
    return found.profile


def cause(found: Verdict) -> str:
    assert isinstance(found, Reject), found
    return found.cause


@covers("AA7", "P72")
def test_a_complete_accept() -> None:
    assert profile(
        {
            AttributeType.FRAMED_IP_ADDRESS: (b"\x0a\1\0\x32",),
            AttributeType.SESSION_TIMEOUT: (b"\0\0\x0e\x10",),
            AttributeType.CLASS: (b"\0\xfflab",),
            AttributeType.SERVICE_TYPE: (b"\0\0\0\2",),  # not ours to read: ignored (AA7)
        }
    ) == Profile(
        nai="mn1@example.net",
        lmas=(ipv4("192.0.2.1"),),
        mn_ha=SecurityAssociation(4096, KEY),
        home_address=ipv4("10.1.0.50"),
        session_timeout=3600,
        classes=(b"\0\xfflab",),
    )


@pytest.mark.parametrize("special", ["255.255.255.254", "255.255.255.255", "0.0.0.0"])
def test_framed_address_that_names_none_leaves_the_choice_to_the_lma(special: str) -> None:
    address = struct.pack("!L", ipv4(special))
    assert profile({AttributeType.FRAMED_IP_ADDRESS: (address,)}).home_address == Ipv4(0)


@covers("AA24", "P2")
def test_nai_is_the_name_of_the_accept_else_of_the_default_realm_else_refused() -> None:
    """AA24."""
    assert profile(default_realm="example.org").nai == "mn1@example.net"
    assert profile({1: ()}, default_realm="example.org").nai == "02-00-00-00-00-01@example.org"
    assert "default_realm" in cause(verdict({1: ()}))


@pytest.mark.parametrize("name", [b"", b"\xff\xfe", b"mn1\n@example.net", b"mn 1@example.net"])
def test_a_name_that_is_no_nai_is_refused(name: bytes) -> None:
    assert "no NAI" in cause(verdict({1: (name,)}, default_realm="example.org"))


@covers("AA8", "P3")
@pytest.mark.parametrize(
    ("attribute", "value", "text"),
    [
        (57, None, "no 3GPP2-MN-HA-SPI"),
        (58, None, "no 3GPP2-MN-HA-Shared-Key"),
        (7, b"\x7f\0\0\1", "127.0.0.1 is no address of an LMA"),
        (7, b"\xc0\0\2", "3 octets instead of 4"),
        (57, b"\0\0\0\xff", "SPI 255 is reserved"),
        (57, b"\x10\0", "2 octets instead of 4"),
        (58, b"0123456789abcdef", "RADIUS proxy"),
        (58, b"", "RADIUS proxy"),
        (58, SaltCipher(Secret(b"another"), bytes(range(16))).encrypt(KEY, b"\x80\1"), "RADIUS proxy"),
        (58, CIPHER.encrypt(Secret(b"123456789012345"), b"\x80\1"), "15 octets instead of 16-64"),
        (58, CIPHER.encrypt(Secret(bytes(65)), b"\x80\1"), "65 octets instead of 16-64"),
    ],
)
def test_required_items_refuse_with_their_name_and_reason(
    attribute: int, value: bytes | None, text: str
) -> None:
    """AA8."""
    found = cause(verdict(vendor={(5535, attribute): () if value is None else (value,)}))
    assert text in found
    assert "0123456789abcdef" not in found


@covers("P81")
def test_several_lmas_stand_in_the_order_of_preference() -> None:
    values = (b"\xc0\0\2\2", b"\xc0\0\2\1", b"\xc0\0\2\2")
    assert profile({}, {(5535, 7): values}).lmas == (ipv4("192.0.2.2"), ipv4("192.0.2.1"))


@pytest.mark.parametrize("values", [(), (bytes(4),), (b"\xff" * 4,)])
def test_without_an_lma_the_mag_chooses(values: tuple[bytes, ...]) -> None:
    assert profile({}, {(5535, 7): values}).lmas == ()


@covers("P72")
def test_without_spi_and_key_the_mags_own_association_has_to_do() -> None:
    assert profile({}, {(5535, 57): (), (5535, 58): ()}).mn_ha is None


def test_two_keys_are_one_too_many() -> None:
    assert "2 values" in cause(verdict(vendor={(5535, 58): 2 * VENDOR[5535, 58]}))


@covers("AA8")
@pytest.mark.parametrize(
    ("attribute", "value"),
    [(AttributeType.FRAMED_IP_ADDRESS, b"\x0a\1"), (AttributeType.SESSION_TIMEOUT, b""),
     (AttributeType.FRAMED_IP_ADDRESS, b"\xe0\0\0\1")],
)  # fmt: skip
def test_malformed_optional_items_refuse_too(attribute: AttributeType, value: bytes) -> None:
    assert cause(verdict({attribute: (value,)}))


def test_a_refusal_authorizes_nothing_whatever_it_carries() -> None:
    """FreeRADIUS without a filter leaves Class and keys in an Access-Reject."""
    assert cause(verdict(code=Code.ACCESS_REJECT)) == "the AAA server rejects this MAC"
    spoken = cause(verdict({AttributeType.REPLY_MESSAGE: (b"go\x1b away",)}, code=Code.ACCESS_REJECT))
    assert spoken == 'the AAA server rejects this MAC: "go away"'


def test_a_challenge_is_a_refusal() -> None:
    assert "challenge" in cause(verdict(code=Code.ACCESS_CHALLENGE))
