"""The scenario ``nat`` as a person runs it: with dhclient and Kea, and with udhcpc and dnsmasq."""

import pytest

from tests.conformance import covers
from tests.interop.scenario import Outcome, assert_checks, assert_measured, assert_passed, outcome_of

CHECKS = {
    "the address is from the DHCP server's lease file",
    "the lease is renewed through the tunnel",
    "a release ends lease and binding",
    "option 82 as configured, on the wire and at the server",
    "nobody but the LMA relays",
    "traffic both ways",
    "reached after a silence that the NAT forgets in",
    "keepalives as the interval allows, for all nodes together",
    "NAT reboot: the session comes back",
    "NAT reboot: nobody has moved, nobody is revoked",
    "pmipctl show tunnels and leases say what the wire does",
    "DHCP server down: no address, and the trace says why",
    "DHCP server down: it recovers",
    "same address throughout",
    "exactly one MAG has the visitor",
    "no link event at the MN",
    "TCP session survives",
    "no packet outside the tunnel",
    "no IP-in-IP packet leaves a MAG",
    "echo requests arrive exactly once",
    "tshark decodes every message",
    "tshark decodes tunnel data",
    "no key in any log",
    "forged tunnel data is dropped",
    "forged registrations and pre-tunnel requests are refused",
    "no endpoint moves, no binding changes",
    "DHCP that lies is dropped",
    "nothing is left",
}
MEASUREMENTS = {"attach_ms", "handover_gap_ms", "nat_reboot_outage_ms", "keepalives_per_minute"}
KINDS = {
    "dhclient and Kea": ((), ("dhclient", "kea-dhcp4")),
    "udhcpc and dnsmasq": (
        ("--dhcp-client", "udhcpc", "--dhcp-server", "dnsmasq"),
        ("udhcpc", "dnsmasq", "dhclient"),
    ),
}


@pytest.fixture(scope="module", params=sorted(KINDS))
def outcome(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    options, programs = KINDS[request.param]
    return outcome_of("nat", tmp_path_factory.mktemp("nat"), *options, needs=(*programs, "ping", "iperf3"))


def test_it_has_exactly_these_checks(outcome: Outcome) -> None:
    assert_checks(outcome, CHECKS, authenticated=True)


@covers(
    "N12", "N15", "N21", "N28", "N29", "N37", "N38", "N42", "N47", "N53", "N54", "N55", "N59", "P61", "P64"
)
def test_behind_nats_an_address_from_the_server_outlives_silence_a_reboot_and_moves(
    outcome: Outcome,
) -> None:
    assert_passed(outcome)


def test_every_figure_was_measured(outcome: Outcome) -> None:
    assert_measured(outcome, MEASUREMENTS, goals={"handover_gap_ms", "nat_reboot_outage_ms"})


def test_two_nodes_cost_as_many_keepalives_as_one(outcome: Outcome) -> None:
    """An interval of 10 s: six a minute, and as much as a timer may be late."""
    assert 5.5 <= outcome["measurements"]["keepalives_per_minute"] <= 6.1
