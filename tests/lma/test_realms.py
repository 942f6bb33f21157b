"""What is a realm, and which are the same (RFC 7542)."""

import pytest

from pmip_tw.addresses import ipv4, prefix
from pmip_tw.lma.addresses.address_pool import AddressPool
from pmip_tw.lma.addresses.pools import Pools
from pmip_tw.lma.mags import KnownMag
from pmip_tw.lma.realms import realm_key, realm_of
from tests.conformance import covers
from tests.lma.anchor import MAG1


@pytest.mark.parametrize(
    ("nai", "realm"),
    [
        (b"mn1@corp", b"corp"),
        (b"mn1@CORP.Example", b"corp.example"),
        (b"a@b@corp", b"corp"),
        (b"a@corp@b", b"b"),
        (b"@corp", b"corp"),
        (b"corp", None),
        (b"mn1@", b""),
        (b"", None),
        ("mn1@B\N{LATIN CAPITAL LETTER U WITH DIAERESIS}RO".encode(), b"b\xc3\x9cro"),
        (b"mn1@\xff", b"\xff"),
    ],
)
def test_the_realm_of_a_nai(nai: bytes, realm: bytes | None) -> None:
    assert realm_of(nai) == realm


@covers("P75")
@pytest.mark.parametrize("realm", ["corp", "Corp.Example", "B\N{LATIN CAPITAL LETTER U WITH DIAERESIS}RO"])
def test_all_who_look_at_it_see_the_same(realm: str) -> None:
    """However the configuration and the MAG write it; and a NAI that is the realm's name has none."""
    mag = KnownMag(address=MAG1, realms=frozenset({realm_key(realm)}))
    pools = Pools([(AddressPool(prefix("10.1.0.0/29")), [realm])])
    for nai in (f"mn1@{realm}".encode(), f"mn1@{realm}".encode().upper(), f"x@y@{realm}".encode()):
        assert mag.may_register(nai)
        assert pools.choose(nai, nai, ipv4("0.0.0.0"), 0.0) is not None
    for nai in (
        realm.encode(),
        f"{realm}@other".encode(),
        f"mn1@x{realm}".encode(),
        f"mn1@{realm}.".encode(),
    ):
        assert not mag.may_register(nai)
        assert pools.choose(nai, nai, ipv4("0.0.0.0"), 0.0) is None
