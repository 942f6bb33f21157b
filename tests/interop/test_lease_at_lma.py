"""A lease that ends at the LMA's DHCP server ends the binding, with an unmodified dnsmasq and dhclient."""

from typing import Any

import pytest

from tests.conformance import covers
from tests.interop.private_story import seen_of
from tests.programs import require

LEASED = "10.1.0.45"


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One run, for all tests that look at it."""
    require("dnsmasq", "dhclient", "ip", "nft", "ping")
    return seen_of("tests.interop.lease_at_lma", tmp_path_factory.mktemp("lease-at-lma"), timeout=300)


def names(trace: list[dict[str, Any]]) -> list[str]:
    return [entry["name"] for entry in trace]


@covers("P62", "P71")
def test_a_lease_from_before_is_renewed_through_the_tunnel(seen: dict[str, Any]) -> None:
    """The server said so, or the run would have ended."""
    assert seen["bound"] == [LEASED]
    assert seen["router answers"]
    assert "dhcp-ack" in names(seen["mag1"])


@covers("P38", "RV27")
def test_a_release_ends_lease_and_binding_and_the_mag_is_told(seen: dict[str, Any]) -> None:
    """At once, by the server: the MAG, which has seen the release as well, would have waited a second."""
    assert seen["leases"].strip() == ""
    assert seen["gone"]
    assert names(seen["lma"])[-3:] == ["binding-revoked", "revocation-sent", "revocation-acknowledged"]
    assert names(seen["mag1"])[-2:] == ["dhcp-release", "revocation-received"]
