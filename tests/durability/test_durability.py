"""What ``python -m tests.durability`` does, as much of it as a test run has time for."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conformance import covers
from tests.durability.guest import NEEDED
from tests.programs import require, require_tun

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> dict[str, Any]:
    """The result, which is that of success."""
    require("ip")
    require_tun()
    done = subprocess.run(
        [sys.executable, "-m", "tests.durability", "--json", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if "does not let us make" in done.stderr:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@covers("I10", "P80")
def test_nothing_is_lost_when_the_process_is_killed() -> None:
    found = run("--kills", "6", "--nodes", "1500")
    assert found["kills"] >= 6
    assert found["lost"] == 0
    assert found["found_after_restarts"] > 100
    assert found["old_requests_repeated"] > 10
    assert set(found["offered"]) == {"new", "renewal", "handover", "de-registration"}
    # The same trials notice an LMA that answers before it has saved, and one that uses identifiers again (RV6, RV14).
    hasty, forgetful = (found["controls"][way] for way in ("hasty", "forgetful"))
    assert hasty["lost"] > 0 and hasty["broken"]
    assert all("(RV" in promise for promise, *_ in forgetful["broken"]) and forgetful["lost"] > 0


@covers("I10", "P80")
def test_nothing_is_lost_whichever_of_several_workers_is_killed() -> None:
    """One of them, worker 0 without the others, or all at once."""
    found = run("--kills", "6", "--nodes", "1500", "--workers", "3")
    assert found["kills"] >= 6
    assert found["lost"] == 0
    assert found["found_after_restarts"] > 100
    assert found["old_requests_repeated"] > 10
    assert all(control["lost"] > 0 for control in found["controls"].values())


def test_nothing_is_lost_when_the_power_fails() -> None:
    require(*NEEDED)
    found = run("--power-loss", "1")
    assert found["kills"] >= 1
    assert found["lost"] == 0
    assert found["found_after_restarts"] > 10
    # The same trials notice a journal that is not written to the disk before the answer.
    assert found["controls"]["unsynchronized"]["lost"] > 0
