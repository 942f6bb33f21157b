"""The DHCP relay by itself between dhclient, udhcpc, Kea and dnsmasq."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conformance import covers
from tests.interop.dhcp_relay import CLIENTS
from tests.interop.private_story import seen_of
from tests.programs import require

Seen = dict[str, Any]
PROGRAMS = {"kea": "kea-dhcp4", "dnsmasq": "dnsmasq"}


@pytest.fixture(scope="module", params=sorted(PROGRAMS))
def server(request: pytest.FixtureRequest) -> str:
    require(PROGRAMS[request.param], "dhclient", "udhcpc", "ip")
    return str(request.param)


@pytest.fixture(scope="module")
def seen(server: str, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """One run with each server, for all tests that look at it."""
    return seen_of("tests.interop.dhcp_relay", tmp_path_factory.mktemp(server), 120, server)


def count(seen: Seen, name: str) -> int:
    return sum(row["count"] for row in seen["counters"] if row["name"] == name)


@covers("D4", "D9", "D13")
def test_the_subnet_of_each_link_is_selected_although_the_relay_answers_elsewhere(seen: Seen) -> None:
    for client, link in CLIENTS.items():
        assert seen[client]["address"].startswith(f"10.{link}.0.")
        assert seen[client]["configured"]


@covers("D14", "D15")
def test_renewals_and_releases_come_by_way_of_the_relay(seen: Seen) -> None:
    """DISCOVER, REQUEST, a renewal and a release of two clients; one ACK more than the first for each."""
    assert count(seen, "dhcp-forwarded") >= 8
    assert count(seen, "dhcp-ack") >= 4
    assert all(row["state"] == "leased" for row in seen["clients"])
    assert {row["address"] for row in seen["clients"]} == {seen[client]["address"] for client in CLIENTS}
    assert seen["gone"]
    assert [row for row in seen["counters"] if row["reason"]] == []
    assert seen["trace"][:4] == ["dhcp-forwarded", "dhcp-offer", "dhcp-forwarded", "dhcp-ack"]
    assert seen["trace"][-3:] == ["dhcp-forwarded", "dhcp-ack", "dhcp-forwarded"]


def in_keas_leases(seen: Seen, client: str, link: int) -> bool:
    """Of the renewal, which was for one alone (10, the flags)."""
    told = {
        "circuit-id": f"relay1:eth{link}".encode(),
        "remote-id": bytes((2, 0, 0, 0, 0, link)),
        "link-selection": bytes((10, link, 0, 0)),
        "subscriber-id": f"house {link}".encode(),
        "10": b"\x80",
        "server-id-override": bytes((198, 51, 100, 1)),
    }
    found: dict[str, str] = seen["agents"][seen[client]["address"]]
    return found == {name: octets.hex() for name, octets in told.items()}


def in_dnsmasqs_log(seen: Seen, client: str, link: int) -> bool:
    """It gives clients tags by what it finds; what the flags say it does not tell."""
    tags = f"tags: link{link}, circuit{link}, remote{link}, subscriber{link}"
    return seen["server"].count(tags) >= 3


READ: dict[str, Callable[[Seen, str, int], bool]] = {"kea": in_keas_leases, "dnsmasq": in_dnsmasqs_log}


@covers("D6", "D12", "D13", "D14", "D18")
def test_the_server_reads_option_82_as_it_is_configured(seen: Seen, server: str) -> None:
    """Of renewals as well, which it is told were for one alone."""
    for client, link in CLIENTS.items():
        assert READ[server](seen, client, link)
