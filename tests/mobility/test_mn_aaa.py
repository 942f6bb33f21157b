"""MN-AAA in both forms, against the definition and an independent implementation's octets."""

import hmac
from hashlib import md5

import pytest

from pmip_tw.mobility.mn_aaa import CHAP_SPI, AaaAssociation
from pmip_tw.secret import Secret
from pmip_tw.wire.registration import RegistrationRequest
from tests.vectors import vectors

KEY = b"mn-aaa-secret-01"
COVERED = b"everything through the SPI"


def chap(challenge: bytes) -> bytes:
    """RFC 4721 8, spelled out."""
    return md5(challenge[:1] + KEY + md5(COVERED).digest() + challenge[-237:]).digest()


def test_the_hmac_form_is_the_vector() -> None:
    [vector] = [one for one in vectors("registration") if one["name"] == "rrq-mn-aaa-dynamic-ha"]
    octets = bytes.fromhex(vector["udp_payload_hex"])
    found = RegistrationRequest.decode(octets).mn_aaa
    assert found is not None
    association = AaaAssociation(found.spi, Secret(KEY))
    assert association.verify(octets[: found.covered], found.value, None)
    assert not association.verify(octets[: found.covered], bytes(16), None)


def test_the_hmac_form_does_not_look_at_the_challenge() -> None:
    """It covers the extension 132 itself, as it covers everything before it."""
    association = AaaAssociation(0x3000, Secret(KEY))
    assert association.over(b"x").sign(COVERED) == hmac.digest(KEY, COVERED, "md5")


@pytest.mark.parametrize("length", [1, 16, 236, 237, 238, 239, 255])
def test_the_chap_form(length: int) -> None:
    """Up to 237 octets are used whole at the end, the first one counting twice; of longer ones the last 237."""
    challenge = bytes(range(length))
    association = AaaAssociation(CHAP_SPI, Secret(KEY))
    assert association.over(challenge).sign(COVERED) == chap(challenge)
    assert association.verify(COVERED, chap(challenge), challenge)
    assert not association.verify(COVERED, chap(challenge), challenge[:-1] + b"\xff")


def test_without_a_challenge_it_is_one_zero_octet() -> None:
    association = AaaAssociation(CHAP_SPI, Secret(KEY))
    expected = md5(b"\0" + KEY + md5(COVERED).digest() + b"\0").digest()
    assert association.over(None).sign(COVERED) == expected


def test_a_request_signed_with_it_verifies() -> None:
    association = AaaAssociation(CHAP_SPI, Secret(KEY))
    request = RegistrationRequest(
        lifetime=1, home_agent=1, care_of_address=1, identification=1, nai=b"mn1", challenge=b"challenge"
    )
    octets = request.encode(mn_aaa=association.over(b"challenge"))
    found = RegistrationRequest.decode(octets)
    assert found.mn_aaa is not None and found.mn_aaa.spi == CHAP_SPI
    assert association.verify(octets[: found.mn_aaa.covered], found.mn_aaa.value, found.challenge)


@pytest.mark.parametrize("spi", [0, 1, 3, 255, 1 << 32])
def test_reserved_spis_are_refused(spi: int) -> None:
    with pytest.raises(ValueError, match="neither 2"):
        AaaAssociation(spi, Secret(KEY))


def test_no_key_is_printed() -> None:
    assert "secret" not in repr(AaaAssociation(CHAP_SPI, Secret(KEY)))
