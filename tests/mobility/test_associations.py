"""Security associations against the definitions in the RFCs, computed with the standard library."""

import hashlib
import hmac
import importlib.util
import pickle
import sys
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmip_tw.mobility import authenticators
from pmip_tw.mobility.associations import AssociationTable, SecurityAssociation
from pmip_tw.mobility.authenticators import Algorithm
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


def test_an_interpreter_without_an_md5_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has that of hashlib, and nobody can tell."""
    monkeypatch.setitem(sys.modules, "_md5", None)
    spec = importlib.util.spec_from_file_location("authenticators_again", authenticators.__file__)
    assert spec is not None and spec.loader is not None
    again = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(again)
    assert again.md5 is hashlib.md5
    for algorithm in Algorithm:
        signer = again.signer(again.Algorithm(algorithm.value), b"a key")
        assert signer.sign(b"some octets") == reference(algorithm, b"a key", b"some octets")


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


class TestKeysThatAreReady:
    """A table keeps only so many keys ready for use; whether one is makes no difference but in time."""

    COVERED = b"some octets"

    def table(self, nodes: int, most: int) -> tuple[AssociationTable, list[SecurityAssociation]]:
        every = [SecurityAssociation(256, Secret(b"key %d" % node)) for node in range(nodes)]
        return AssociationTable(((f"mn{n}", one) for n, one in enumerate(every)), most_ready=most), every

    def proves(self, association: SecurityAssociation) -> None:
        assert association.verify(self.COVERED, association.sign(self.COVERED))

    def test_the_first_rests_when_there_are_too_many(self) -> None:
        table, every = self.table(nodes=5, most=3)
        for association in every:
            self.proves(association)
        assert [association.is_ready for association in every] == [False, False, True, True, True]
        assert table.ready == 3

    def test_using_it_again_changes_nothing(self) -> None:
        table, [first, second, third] = self.table(nodes=3, most=2)
        for association in (first, second, first, second, first):
            self.proves(association)
        assert table.ready == 2
        self.proves(third)
        assert [one.is_ready for one in (first, second, third)] == [False, True, True]

    def test_one_that_rested_signs_as_before(self) -> None:
        table, [one, other] = self.table(nodes=2, most=1)
        self.proves(one)
        signed = one.sign(self.COVERED)
        self.proves(other)
        assert not one.is_ready
        assert one.sign(self.COVERED) == signed
        self.proves(one)
        assert one.is_ready and not other.is_ready and table.ready == 1

    def test_who_does_not_have_a_key_takes_no_room(self) -> None:
        """Neither with what is wrong, nor by being told that it is: the keys of others stay ready."""
        table, [one, other] = self.table(nodes=2, most=1)
        self.proves(one)
        assert (
            not other.verify(self.COVERED, bytes(16)) and other.verified_by(self.COVERED, bytes(16)) is None
        )
        other.sign(self.COVERED)
        assert one.is_ready and not other.is_ready and table.ready == 1

    def test_the_previous_key_of_a_node_counts(self) -> None:
        old = SecurityAssociation(256, Secret(b"the key before that"))
        new = SecurityAssociation(256, Secret(b"0123456789abcdef"), previous=old)
        table = AssociationTable([("mn", new)], most_ready=1)
        assert new.verified_by(self.COVERED, old.sign(self.COVERED)) is old
        assert old.is_ready and not new.is_ready and table.ready == 1

    def test_what_was_ready_before_it_came_into_the_table_counts_as_well(self) -> None:
        association = SecurityAssociation(256, Secret(b"key"))
        association.sign(self.COVERED)
        table = AssociationTable([("mn", association)])
        self.proves(association)
        assert association.is_ready and table.ready == 1

    def test_what_is_in_no_table_stays_ready(self) -> None:
        every = [SecurityAssociation(256, Secret(b"key %d" % number)) for number in range(5)]
        for association in every:
            association.sign(self.COVERED)
        assert all(association.is_ready for association in every)


def test_a_newer_association_takes_the_place_of_the_one_with_its_spi() -> None:
    first, second, third, fourth = (
        SecurityAssociation(spi, Secret(key))
        for spi, key in ((256, b"a"), (257, b"b"), (256, b"c"), (257, b"d"))
    )
    table = AssociationTable([("a@x", first), ("a@x", second), ("a@x", third), ("a@x", fourth)])
    assert table.find(b"a@x", 256) is third
    assert table.find(b"a@x", 257) is fourth
    assert table.find(b"a@x", 258) is None
    assert table.knows(b"a@x") and not table.knows(b"b@x")


def test_a_million_of_them_are_small() -> None:
    """The key of 16 octets, its NAI and the place in the table included; an SPI that all have in common."""
    count = 20_000
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        table = AssociationTable(
            (f"mobile-{number:07d}@example.net", SecurityAssociation(5000, Secret(b"%016d" % number)))
            for number in range(count)
        )
        each = (tracemalloc.get_traced_memory()[0] - before) / count
    finally:
        tracemalloc.stop()
    assert table.knows(b"mobile-0000000@example.net")
    assert each <= 260, f"{each:.0f} octets"
