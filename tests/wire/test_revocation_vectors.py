"""All vectors of revocation.json: decode, verify, re-encode to the same octets."""

import pytest

from pmip_tw.addresses import ipv4
from pmip_tw.errors import WireError
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.secret import Secret
from pmip_tw.wire.revocation import Revocation, RevocationAck, later
from tests.conformance import covers
from tests.vectors import vectors

VECTORS = {vector["name"]: vector for vector in vectors("revocation")}


def octets_of(name: str) -> bytes:
    return bytes.fromhex(VECTORS[name]["udp_payload_hex"])


def decode(octets: bytes) -> Revocation | RevocationAck:
    return Revocation.decode(octets) if octets[0] == 7 else RevocationAck.decode(octets)


@covers("RV10")
@pytest.mark.parametrize("name", VECTORS)
def test_round_trip_and_signature(name: str) -> None:
    octets = octets_of(name)
    message = decode(octets)
    assert message.encode() == octets
    [authentication] = VECTORS[name]["authentication"]
    keyed = SecurityAssociation(
        int(authentication["spi"], 16), Secret(bytes.fromhex(authentication["key_hex"]))
    )
    field = "mn_ha" if authentication["extension"] == "32" else "fa_ha"
    found = getattr(message, field)
    assert keyed.verify(octets[: found.covered], found.value)
    setattr(message, field, None)
    assert message.encode(**{field: keyed}) == octets


def test_bits_of_the_two_messages_differ_in_place() -> None:
    assert decode(octets_of("revocation-lma-inform")).inform
    assert decode(octets_of("revocation-ack-from-lma-inform")).inform
    assert not decode(octets_of("revocation-lma-to-old-mag")).inform


def test_direction_bit() -> None:
    sent_by_lma = decode(octets_of("revocation-lma-to-old-mag"))
    sent_by_mag = decode(octets_of("revocation-mag-to-lma"))
    assert isinstance(sent_by_lma, Revocation) and sent_by_lma.from_home_agent
    assert isinstance(sent_by_mag, Revocation) and not sent_by_mag.from_home_agent
    assert sent_by_lma.home_domain == ipv4("192.0.2.1")


KEY = SecurityAssociation(256, Secret(b"0123456789abcdef"))
MESSAGES = (
    Revocation(
        from_home_agent=True,
        home_address=ipv4("10.1.0.2"),
        home_domain=ipv4("192.0.2.1"),
        foreign_domain=ipv4("198.51.100.10"),
        identifier=9,
    ),
    RevocationAck(home_address=ipv4("10.1.0.2"), identifier=9),
)
NAI = bytes.fromhex("83 02 6d6e")
EMPTY_NAI = bytes.fromhex("83 00")
MN_HA, FA_HA = bytes.fromhex("20 05 00000100 aa"), bytes.fromhex("22 05 00000100 aa")
CRITICAL = bytes.fromhex("26 00 0006 00000009 0001")


@covers("E5", "RV13")
@pytest.mark.parametrize("message", MESSAGES, ids=["revocation", "acknowledgment"])
@pytest.mark.parametrize(
    ("extensions", "complaint"),
    [
        ((MN_HA, MN_HA), "extension 32 occurs twice"),
        ((FA_HA, FA_HA), "extension 34 occurs twice"),
        ((MN_HA, NAI), "the NAI stands behind the authenticator"),
        ((FA_HA, NAI), "the NAI stands behind the authenticator"),
        ((EMPTY_NAI, FA_HA), "the NAI is empty"),
        ((CRITICAL, FA_HA), "critical vendor extension"),
    ],
)
def test_what_makes_a_message_none(
    message: Revocation | RevocationAck, extensions: tuple[bytes, ...], complaint: str
) -> None:
    with pytest.raises(WireError, match=complaint):
        decode(message.encode() + b"".join(extensions))


@pytest.mark.parametrize("message", MESSAGES, ids=["revocation", "acknowledgment"])
def test_the_first_nai_counts_and_what_is_not_understood_is_kept(
    message: Revocation | RevocationAck,
) -> None:
    vendor = bytes.fromhex("86 08 0000 00000009 0001")
    found = decode(message.encode(fa_ha=KEY) + vendor)
    assert found.unknown == (vendor,) and found.fa_ha is not None
    found = decode(message.encode() + NAI + bytes.fromhex("83 01 78") + FA_HA)
    assert found.nai == b"mn"


@covers("RV16")
@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (2, 1, True),
        (1, 1, False),
        (1, 2, False),
        (0, 0xFFFFFFFF, True),
        (0x7FFFFFFF, 0, True),
        (1 << 31, 0, False),
    ],
)
def test_strictly_later_in_serial_arithmetic(one: int, other: int, expected: bool) -> None:
    assert later(one, other) is expected
