"""The scenario ``dot1x`` as a person runs it: each EAP method at the MAGs, and access points that ask them."""

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

PROGRAMS = ("freeradius", "radclient", "wpa_supplicant", "dhclient", "ping", "iperf3")
CHECKS = {
    "the node proves itself at every MAG, by itself",
    "nothing passes before the node has proven itself",
    "the proven identity is registered, not the one that everybody can read",
    "same address throughout",
    "exactly one MAG has the visitor",
    "no link event at the MN",
    "TCP session survives",
    "no packet outside the tunnel",
    "no echo request arrives twice",
    "CoA: a filter applies at once, and is taken away again",
    "Disconnect ends the session before it is answered",
    "one Start and one Stop for each session",
    "records say why a session was over",
    "one journey: the same Acct-Multi-Session-Id, and Class as AAA gave it",
    "accounts equal what nftables counted, within 0.1 %",
    "strangers at 802.1X: who is served does not notice",
    "without 802.1X nothing passes and nothing is answered",
    "forged CoA and Disconnect change nothing and get no answer",
    "tshark decodes every message",
    "no key in any log",
    "nothing is left",
}
AT_ACCESS_POINTS = {"no key and nothing of mobility goes to an access point"}
KINDS = {
    "ttls at the MAG": ("ttls", "mag"),
    "peap at the MAG": ("peap", "mag"),
    "tls at the MAG": ("tls", "mag"),
    "peap at hostapd": ("peap", "hostapd"),
}


@pytest.fixture(scope="module", params=sorted(KINDS))
def outcome(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One run of each kind, for all tests that look at it."""
    method, point = KINDS[request.param]
    for program in (*PROGRAMS, *(["hostapd"] if point == "hostapd" else [])):
        if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None:
            pytest.skip(f"{program} is not installed")
    directory: Path = tmp_path_factory.mktemp("dot1x")
    command = [sys.executable, "-m", "pmip_tw.lab.command", "run", "dot1x", "--json", "--eap", method]
    with alone():
        done = subprocess.run(
            [*command, "--ap", point, "--output", str(directory)],
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
    found = json.loads(done.stdout)
    assert isinstance(found, dict), done.stderr
    first = found["checks"][0]
    if first["name"] == "the laboratory can be set up":
        pytest.skip(str(first["detail"]))
    assert (done.returncode == 0) is found["passed"], done.stderr
    return {**found, "method": method, "point": point}


def test_it_has_exactly_these_checks(outcome: dict[str, Any]) -> None:
    more = AT_ACCESS_POINTS if outcome["point"] == "hostapd" else set()
    assert {check["name"] for check in outcome["checks"]} == CHECKS | more


@covers("AA2", "AA9", "AA10", "AA11", "AA17", "AA18", "AA20", "AA21", "AA25", "AA27")
def test_an_unmodified_host_is_served_by_802_1x_and_aaa_has_the_last_word(outcome: dict[str, Any]) -> None:
    failed = [f"{check['name']}: {check['detail']}" for check in outcome["checks"] if not check["passed"]]
    assert not failed, "\n".join(failed)
    assert outcome["passed"]


def test_every_figure_was_measured(outcome: dict[str, Any]) -> None:
    measured = outcome["measurements"]
    names = {
        f"attach_{outcome['method']}_ms",
        "reauth_full_ms",
        "reauth_resumed_ms",
        "handover_gap_full_ms",
        "handover_gap_resumed_ms",
        "accounting_records",
        "accounts_apart_percent",
    }
    assert all(isinstance(measured[name], int | float) for name in names), measured
    goals = {goal["name"] for goal in outcome["goals"]}
    assert goals == {"handover_gap_full_ms", "handover_gap_resumed_ms", "accounts_apart_percent"}
