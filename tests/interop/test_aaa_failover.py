"""The scenario ``aaa-failover`` as a person runs it."""

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
    "one server down: who comes is served by the other",
    "one server down: accounts go to the other",
    "both down: no address, and the trace says why",
    "both down: who is served does not notice",
    "both down: the MAG keeps its accounts, and says so",
    "both back: who has waited is served",
    "not one accounting record is missing",
    "not one accounting record is doubled",
    "no key in any log",
    "no traceback",
    "nothing is left",
}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One run for all tests that look at it."""
    for program in ("freeradius", "dhclient", "ping"):
        if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None:
            pytest.skip(f"{program} is not installed")
    directory: Path = tmp_path_factory.mktemp("aaa-failover")
    command = [sys.executable, "-m", "pmip_tw.lab.command", "run", "aaa-failover", "--json"]
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
    assert {check["name"] for check in outcome["checks"]} == CHECKS


@covers("AA6", "AA20", "AA22")
def test_servers_die_and_no_account_is_lost_or_doubled(outcome: dict[str, Any]) -> None:
    failed = [f"{check['name']}: {check['detail']}" for check in outcome["checks"] if not check["passed"]]
    assert not failed, "\n".join(failed)
    assert outcome["passed"]


def test_every_figure_was_measured(outcome: dict[str, Any]) -> None:
    measured = outcome["measurements"]
    assert all(isinstance(value, int | float) for value in measured.values()), measured
    assert (measured["records_lost"], measured["records_doubled"]) == (0, 0)
    assert {goal["name"] for goal in outcome["goals"]} == {"failover_ms", "records_lost", "records_doubled"}
