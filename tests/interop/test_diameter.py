"""The scenario ``diameter`` as a person runs it: an unmodified freeDiameter between our MAGs and a Diameter server."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.alone import alone
from tests.conformance import covers

CHECKS = {
    "same address throughout",
    "exactly one MAG has the visitor",
    "no link event at the MN",
    "TCP session survives",
    "no packet outside the tunnel",
    "NASREQ and EAP let it in",
    "the LMA has the node's key from the server",
    "everything came through the relay",
    "each session ends with one STR",
    "ASR ends the session",
    "the relay may go and come back",
    "accounting by ACR, nothing missing or doubled",
    "no key in any packet",
    "nothing is left",
}
MEASUREMENTS = {"attach_ms", "handover_gap_ms", "abort_ms", "reconnect_ms"}


@covers("AA23")
def test_mags_ask_a_diameter_server_through_freediameter(tmp_path: Path) -> None:
    with alone():
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pmip_tw.lab.command",
                "run",
                "diameter",
                "--json",
                "--output",
                str(tmp_path),
            ],
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
    result = json.loads(done.stdout)
    checks = {check["name"]: check for check in result["checks"]}
    if "the laboratory can be set up" in checks:
        pytest.skip(checks["the laboratory can be set up"]["detail"])
    failed = [f"{name}: {check['detail']}" for name, check in checks.items() if not check["passed"]]
    assert not failed, "\n".join([*failed, done.stderr])
    assert set(checks) == CHECKS
    assert result["passed"] and done.returncode == 0
    assert all(isinstance(result["measurements"][name], int | float) for name in MEASUREMENTS)
