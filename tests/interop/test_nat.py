"""The scenario ``nat`` as a person runs it: with dhclient and Kea, and with udhcpc and dnsmasq."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.alone import alone
from tests.conformance import covers

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
AUTHENTICATION = {"FreeRADIUS saw every authentication", "every attachment was authenticated"}
"""The second one where FreeRADIUS is not installed."""

MEASUREMENTS = {"attach_ms", "handover_gap_ms", "nat_reboot_outage_ms", "keepalives_per_minute"}
KINDS = {
    "dhclient and Kea": ((), ("dhclient", "kea-dhcp4")),
    "udhcpc and dnsmasq": (
        ("--dhcp-client", "udhcpc", "--dhcp-server", "dnsmasq"),
        ("udhcpc", "dnsmasq", "dhclient"),
    ),
}


@pytest.fixture(scope="module", params=sorted(KINDS))
def outcome(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One run of each kind, for all tests that look at it."""
    options, programs = KINDS[request.param]
    for program in (*programs, "ping", "iperf3"):
        if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None:
            pytest.skip(f"{program} is not installed")
    directory: Path = tmp_path_factory.mktemp("nat")
    command = [sys.executable, "-m", "pmip_tw.lab.command", "run", "nat", "--json", *options]
    with alone():
        done = subprocess.run(
            [*command, "--output", str(directory)], capture_output=True, text=True, timeout=200, check=False
        )
    found = json.loads(done.stdout)
    assert isinstance(found, dict), done.stderr
    first = found["checks"][0]
    if first["name"] == "the laboratory can be set up":
        pytest.skip(str(first["detail"]))
    assert (done.returncode == 0) is found["passed"], done.stderr
    return found


def test_it_has_exactly_these_checks(outcome: dict[str, Any]) -> None:
    found = {check["name"] for check in outcome["checks"]}
    assert found - AUTHENTICATION == CHECKS
    assert found & AUTHENTICATION


@covers(
    "N12", "N15", "N21", "N28", "N29", "N37", "N38", "N42", "N47", "N53", "N54", "N55", "N59", "P61", "P64"
)
def test_behind_nats_an_address_from_the_server_outlives_silence_a_reboot_and_moves(
    outcome: dict[str, Any],
) -> None:
    failed = [f"{check['name']}: {check['detail']}" for check in outcome["checks"] if not check["passed"]]
    assert not failed, "\n".join(failed)
    assert outcome["passed"]


def test_every_figure_was_measured(outcome: dict[str, Any]) -> None:
    measured = outcome["measurements"]
    assert all(isinstance(measured[name], int | float) for name in MEASUREMENTS), measured
    goals = {goal["name"] for goal in outcome["goals"]}
    assert goals == {"handover_gap_ms", "nat_reboot_outage_ms"}


def test_two_nodes_cost_as_many_keepalives_as_one(outcome: dict[str, Any]) -> None:
    """An interval of 10 s: six a minute, and as much as a timer may be late."""
    assert 5.5 <= outcome["measurements"]["keepalives_per_minute"] <= 6.1
