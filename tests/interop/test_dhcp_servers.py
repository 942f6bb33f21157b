"""The DHCP methods with unmodified programs: dhclient and udhcpc as clients, dnsmasq as the server, or nobody."""

from typing import Any

import pytest

from tests.conformance import covers
from tests.interop.private_story import seen_of
from tests.programs import require

PROGRAMS = ("dnsmasq", "dhclient", "udhcpc", "ip", "nft", "ping")
GIVEN = {f"10.1.0.{host}" for host in range(40, 61)}
"""What the server has for the home prefix. For the core, where the relay's own address is, it has others."""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One run, for all tests that look at it."""
    require(*PROGRAMS)
    return seen_of("tests.interop.dhcp_servers", tmp_path_factory.mktemp("dhcp-servers"), timeout=300)


each_client = pytest.mark.parametrize("client", ["dhclient", "udhcpc"])


@each_client
@covers("P63", "D17")
def test_the_server_finds_an_address_of_the_home_prefix_and_the_lma_takes_it(
    seen: dict[str, Any], client: str
) -> None:
    stay = seen[client]
    address = stay["address"]
    assert address in GIVEN
    assert stay["at mag1"] == stay["bound"] == [address]
    assert stay["configured"]
    assert stay["pings"]


@each_client
@covers("P63", "P65")
def test_a_renewal_goes_through_the_tunnel_and_after_a_move_through_another(
    seen: dict[str, Any], client: str
) -> None:
    stay = seen[client]
    assert stay["renewed"]
    assert stay["pings at mag2"]
    assert stay["at mag2"] == [stay["address"]]
    assert stay["renewed at mag2"]


@each_client
@covers("P65")
def test_a_release_ends_lease_and_binding(seen: dict[str, Any], client: str) -> None:
    """The server was told, or the run would have ended."""
    assert seen[client]["gone"]


@each_client
@covers("P63", "D23")
def test_no_ack_before_the_registration(seen: dict[str, Any], client: str) -> None:
    """Each client's stay at its first MAG; renewals were seen there and not relayed."""
    which = ("dhclient", "udhcpc").index(client)
    stays = " ".join(seen["mag1"]).split("attached")[1:]
    assert stays[which].split()[:7] == [
        "access-accepted",
        "dhcp-forwarded",
        "dhcp-offer",
        "dhcp-forwarded",
        "registration-sent",
        "registration-accepted",
        "dhcp-ack",
    ]
    assert stays[which].split().count("dhcp-forwarded") == 2
    assert stays[which].split().count("dhcp-ack") >= 2
    assert "dhcp-forwarded" not in seen["mag2"]


@covers("P62")
def test_a_fixed_address_is_served_and_the_next_one_as_well(seen: dict[str, Any]) -> None:
    """Without any DHCP; the node's kernel does not answer ARP for the former."""
    assert seen["by itself"] == {"10.1.0.70": True, "10.1.0.71": True, "bound": ["10.1.0.71"]}


@covers("D12", "D13", "D14", "D30", "D32")
def test_a_server_that_is_told_where_the_node_is_and_goes_by_the_mags_name(seen: dict[str, Any]) -> None:
    """giaddr is the MAG's own; renewal and release come by way of it, and what the server finds gives the node tags."""
    told = seen["told of it"]
    assert told["address"] in GIVEN
    assert told["at mag1"] == [told["address"]]
    assert told["pings"] and told["renewed"] and told["gone"]
    tagged = [line for line in told["log"] if "tags: " in line]
    assert len(tagged) >= 3
    for line in tagged:
        assert {"subscriber", "circuit", "remote"} <= set(line.partition("tags: ")[2].split(", "))
    assert told["trace"].count("dhcp-forwarded") >= 4
