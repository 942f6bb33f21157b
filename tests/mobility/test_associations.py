"""Security associations against the definitions in the RFCs, computed with the standard library."""

import hashlib
import hmac
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmip_tw.mobility.associations import Algorithm, AssociationTable, SecurityAssociation
from pmip_tw.secret import Secret, parse_key

KEYS = st.one_of(st.binary(min_size=1, max_size=200), st.sampled_from([bytes(64), b"k" * 64, b"k" * 65]))


def reference(algorithm: Algorithm, key: bytes, covered: bytes) -> bytes:
    """docs/requirements.md, Algorithms."""
    if algorithm is Algorithm.HMAC_MD5:
        return hmac.digest(key, covered, "md5")
    if algorithm is Algorithm.HMAC_SHA1:
        return hmac.digest(key, covered, "sha1")
    if algorithm is Algorithm.HMAC_SHA256:
        return hmac.digest(key, covered, "sha256")
    if algorithm is Algorithm.KEYED_MD5:
        return hashlib.md5(key + covered + key).digest()
    return hashlib.md5(key + covered[:-4] + key).digest()


@pytest.mark.parametrize("algorithm", Algorithm)
@given(key=KEYS, covered=st.binary(min_size=4, max_size=300))
def test_every_algorithm(algorithm: Algorithm, key: bytes, covered: bytes) -> None:
    association = SecurityAssociation(256, Secret(key), algorithm)
    expected = reference(algorithm, key, covered)
    assert association.sign(covered) == expected
    assert association.sign(covered) == expected  # the second time with the key blocks hashed already
    assert len(expected) == association.digest_size
    assert association.verify(covered, expected)


def test_rfc_2202() -> None:
    """A published vector of each HMAC, the long key included."""
    short, long = Secret(b"Jefe"), Secret(b"\xaa" * 80)
    text = b"what do ya want for nothing?"
    assert SecurityAssociation(256, short).sign(text).hex() == "750c783e6ab0b503eaa86e310a5db738"
    over = b"Test Using Larger Than Block-Size Key - Hash Key First"
    assert SecurityAssociation(256, long).sign(over).hex() == "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd"
    sha1 = SecurityAssociation(256, long, Algorithm.HMAC_SHA1)
    assert sha1.sign(over).hex() == "aa4ae5e15272d00e95705637ce8a3b55ed402112"


@pytest.mark.parametrize("algorithm", Algorithm)
@given(data=st.data(), covered=st.binary(min_size=4, max_size=50))
def test_nothing_else_verifies(algorithm: Algorithm, data: st.DataObject, covered: bytes) -> None:
    """Neither a changed octet nor a shorter or longer authenticator."""
    association = SecurityAssociation(256, Secret(b"0123456789abcdef"), algorithm)
    right = association.sign(covered)
    position = data.draw(st.integers(0, len(right) - 1))
    changed = bytearray(right)
    changed[position] ^= data.draw(st.integers(1, 255))
    for wrong in (bytes(changed), right[:-1], right + b"\0", right[:position], b""):
        assert not association.verify(covered, wrong)


@pytest.mark.parametrize("spi", [-1, 0, 2, 255, 2**32])
def test_reserved_spis(spi: int) -> None:
    with pytest.raises(ValueError, match="0-255 are reserved"):
        SecurityAssociation(spi, Secret(b"key"))


def test_a_key_is_never_shown() -> None:
    key = b"do-not-show-this"
    association = SecurityAssociation(256, Secret(key))
    association.sign(b"....")
    for thing in (association, Secret(key), {"key": Secret(key)}, parse_key("text:do-not-show-this")):
        for shown in (repr(thing), str(thing), f"{thing}", f"{thing!r:>40}"):
            assert "show" not in shown and key.hex() not in shown


def test_a_key_is_never_pickled() -> None:
    for thing in (Secret(b"key"), SecurityAssociation(256, Secret(b"key"))):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with pytest.raises((TypeError, pickle.PicklingError)):
                pickle.dumps(thing, protocol)


def test_a_mistaken_key_is_not_repeated() -> None:
    for text in ("hex:0g-secret", "secret", "hex:"):
        with pytest.raises(ValueError) as told:
            parse_key(text)
        assert "secret" not in str(told.value)


def test_equality_is_that_of_spi_algorithm_and_key() -> None:
    one = SecurityAssociation(256, Secret(b"key"))
    assert one == SecurityAssociation(256, Secret(b"key"))
    assert hash(one) == hash(SecurityAssociation(256, Secret(b"key")))
    for other in (
        SecurityAssociation(257, Secret(b"key")),
        SecurityAssociation(256, Secret(b"kez")),
        SecurityAssociation(256, Secret(b"key"), Algorithm.KEYED_MD5),
        "256",
    ):
        assert one != other


def test_the_table_needs_name_and_spi() -> None:
    one, two = (SecurityAssociation(spi, Secret(b"key")) for spi in (256, 257))
    table = AssociationTable([("a@x", one), ("a@x", two), ("b@x", one)])
    assert table.find(b"a@x", 256) is one
    assert table.find(b"a@x", 257) is two
    for name, spi in ((b"b@x", 257), (b"A@x", 256), (b"", 256)):
        assert table.find(name, spi) is None


def test_while_a_key_is_changed_both_verify_and_the_one_used_is_known() -> None:
    """Each request is answered with the key that it was made with."""
    old = SecurityAssociation(256, Secret(b"the key before that"), Algorithm.KEYED_MD5)
    new = SecurityAssociation(256, Secret(b"0123456789abcdef"), previous=old)
    covered = b"some octets"
    assert new.verified_by(covered, new.sign(covered)) is new
    assert new.verified_by(covered, old.sign(covered)) is old
    assert new.verified_by(covered, bytes(16)) is None
    assert not new.verify(covered, old.sign(covered))
