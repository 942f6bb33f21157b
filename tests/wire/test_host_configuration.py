"""The host configuration extensions of RFC 4332, octet by octet (P70)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmip_tw.addresses import Ipv4, ipv4
from pmip_tw.wire.host_configuration import HostConfiguration, Item, host_configuration_request, wanted_items
from tests.conformance import covers

GATEWAY, FIRST, SECOND = ipv4("10.1.0.1"), ipv4("10.9.0.53"), ipv4("10.9.0.54")
FULL = HostConfiguration(prefix_length=24, gateway=GATEWAY, name_servers=(FIRST, SECOND))
EVERYTHING = frozenset({0})

HEAD = "0000 00000009 000e"
"""Reserved, vendor, vendor type."""


@covers("P70")
def test_the_octets_of_a_request() -> None:
    assert host_configuration_request() == bytes.fromhex(f"86 0c {HEAD} 0000 0000")
    assert host_configuration_request(Item.GATEWAY) == bytes.fromhex(f"86 0c {HEAD} 0000 0005")


@covers("P70")
def test_the_octets_of_a_reply() -> None:
    assert FULL.encode(EVERYTHING) == (
        bytes.fromhex(f"86 0c {HEAD} 0001 0018"),
        bytes.fromhex(f"86 12 {HEAD} 0002 0a090035 0a090036"),
        bytes.fromhex(f"86 0e {HEAD} 0005 0a010001"),
    )


@pytest.mark.parametrize(
    ("selectors", "wanted"),
    [("", {0}), ("0000", {0}), ("0005", {5}), ("0001 0002", {1, 2}), ("0005 07", {5}), ("ffff", {65535})],
)
def test_what_is_asked_for(selectors: str, wanted: set[int]) -> None:
    """Without a selector everything; half a selector is none."""
    data = bytes.fromhex(f"{HEAD} 0000 {selectors}")
    assert wanted_items([bytes((134, len(data))) + data]) == wanted


@pytest.mark.parametrize(
    "extension",
    [
        bytes.fromhex(f"86 0e {HEAD} 0005 0a010001"),  # told, not asked
        bytes.fromhex("86 0a 0000 0000000a 000e 0000"),  # another vendor
        bytes.fromhex("86 0a 0000 00000009 000f 0000"),  # another type
        bytes.fromhex("86 08 0000 00000009 000e"),  # no sub-type
        bytes.fromhex("86 00"),
        bytes.fromhex("97 0c 0000 00000009 000e 0000 0000"),  # another extension
        bytes(5),
    ],
)
def test_no_request(extension: bytes) -> None:
    assert wanted_items([extension]) == frozenset()


@pytest.mark.parametrize(
    "value",
    [
        "0001 18",
        "0001 0021",
        "0002 0a090035",
        "0002 0000000000000000",
        "0005 0a01",
        "0005 00000000",
        "0007 41",
    ],
)
def test_a_value_that_cannot_be_is_skipped(value: str) -> None:
    data = bytes.fromhex(f"{HEAD} {value}")
    assert HostConfiguration.told([bytes((134, len(data))) + data]) is None


def test_one_name_server_is_one() -> None:
    alone = HostConfiguration(name_servers=(FIRST,))
    assert HostConfiguration.told(alone.encode(EVERYTHING)) == alone


@covers("E5")
def test_the_first_of_two_counts() -> None:
    other = HostConfiguration(gateway=Ipv4(GATEWAY + 1))
    assert HostConfiguration.told([*FULL.encode(EVERYTHING), *other.encode(EVERYTHING)]) == FULL


@given(st.lists(st.binary(min_size=1, max_size=20)))
def test_any_octets_are_read_without_complaint(extensions: list[bytes]) -> None:
    wanted_items(extensions)
    HostConfiguration.told(extensions)


@given(
    st.builds(
        HostConfiguration,
        prefix_length=st.none() | st.integers(0, 32),
        gateway=st.none() | st.integers(1, 0xFFFFFFFF).map(Ipv4),
        name_servers=st.lists(st.integers(1, 0xFFFFFFFF).map(Ipv4), max_size=2).map(tuple),
    )
)
def test_what_is_told_is_heard(told: HostConfiguration) -> None:
    heard = HostConfiguration.told(told.encode(EVERYTHING))
    assert (HostConfiguration() if heard is None else heard) == told
