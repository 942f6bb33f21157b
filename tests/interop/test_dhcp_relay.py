"""The DHCP relay by itself between dhclient, udhcpc, Kea and dnsmasq."""

from collections.abc import Callable
from typing import Any

import pytest

from pmip_tw.addresses import ipv4
from pmip_tw.wire.relay_information import RelayInformation
from tests.conformance import covers
from tests.interop.dhcp_relay import CLIENTS
from tests.interop.private_story import seen_of
from tests.programs import require

Seen = dict[str, Any]
PROGRAMS = {"kea": "kea-dhcp4", "dnsmasq": "dnsmasq"}
GIADDR = ipv4("198.51.100.1")


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


def in_keas_leases(seen: Seen, link: int) -> bool:
    """The renewal's option 82, in the newest line about the client."""
    [*_, line] = [line for line in seen["leases"] if f"02:00:00:00:00:0{link}" in line]
    octets = line.partition('"relay-agent-info": "0x')[2].partition('"')[0]
    found = RelayInformation.decode(bytes.fromhex(octets))
    assert found.circuit_id == f"relay1:eth{link}".encode()
    assert found.remote_id == bytes((2, 0, 0, 0, 0, link))
    assert found.subscriber_id == f"house {link}".encode()
    assert found.link_selection == ipv4(f"10.{link}.0.0")
    assert found.server_identifier_override == GIADDR
    return found.unicast


def in_dnsmasqs_log(seen: Seen, link: int) -> bool:
    """It gives clients tags by what it finds; what the flags say it does not tell."""
    tags = f"tags: link{link}, circuit{link}, remote{link}, subscriber{link}"
    return seen["server"].count(tags) >= 3


READ: dict[str, Callable[[Seen, int], bool]] = {"kea": in_keas_leases, "dnsmasq": in_dnsmasqs_log}


@covers("D6", "D12", "D13", "D14", "D18")
def test_the_server_reads_option_82_as_it_is_configured(seen: Seen, server: str) -> None:
    """Of renewals as well, which it is told were for one alone."""
    for link in CLIENTS.values():
        assert READ[server](seen, link)
