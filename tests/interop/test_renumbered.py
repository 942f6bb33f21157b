"""A MAG whose uplink is a DHCP client's (P82): dhclient and dnsmasq as they are, directly and behind a NAT."""

from typing import Any

import pytest

from tests.conformance import covers
from tests.interop.private_story import seen_of
from tests.programs import require

PROGRAMS = ("dnsmasq", "dhclient", "ip", "nft")

ADDRESSES = {
    "direct": ("198.51.100.101", "198.51.100.102"),
    "behind a NAT": ("192.168.1.101", "192.168.1.102"),
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One run, for all tests that look at it."""
    require(*PROGRAMS)
    return seen_of("tests.interop.renumbered", tmp_path_factory.mktemp("renumbered"), timeout=300)


each_way = pytest.mark.parametrize("way", ADDRESSES)


@each_way
@covers("P82")
def test_the_nodes_are_registered_anew_with_the_next_lease(seen: dict[str, Any], way: str) -> None:
    """The address was taken away before there was another one."""
    before, after = ADDRESSES[way]
    assert seen[way]["client"] == ["DHCPNAK", "DHCPDISCOVER"]
    assert seen[way]["before"] == [before]
    assert seen[way]["registered anew"]
    assert seen[way]["after"] == [after]


@each_way
@covers("P82")
def test_a_connection_that_is_open_goes_on(seen: dict[str, Any], way: str) -> None:
    """In a tunnel from the new address; behind a NAT, which has another mapping for it."""
    assert seen[way]["talks on"]
    assert seen[way]["the same visitor"] == [[seen[way]["address"], "registered"]]


@each_way
@covers("P82")
def test_neither_node_nor_aaa_notices(seen: dict[str, Any], way: str) -> None:
    assert seen[way]["trace"] == [
        "attached",
        "access-accepted",
        "registration-sent",
        "registration-accepted",
        "dhcp-offer",
        "dhcp-ack",
        "registration-sent",
        "registration-renewed",
    ]
