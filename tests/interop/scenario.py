"""A scenario of the laboratory as a person runs it: once, for all tests that look at it."""

import json
import subprocess
import sys
from collections.abc import Collection
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from tests.alone import TESTS
from tests.programs import require

Outcome = dict[str, Any]
"""The JSON of ``pmip-lab run --json``."""

AUTHENTICATION = {"FreeRADIUS saw every authentication", "every attachment was authenticated"}
"""One of the checks of those who ask FreeRADIUS, and what stands in its place where that is not installed."""


def outcome_of(
    scenario: str,
    directory: Path,
    *options: str,
    needs: Collection[str] = (),
    within: float = 300,
    alone: bool = False,
) -> Outcome:
    """Run it, its files in ``directory``, ``within`` seconds. Skips, and says what is missing.

    ``needs``: programs that it could do without, but not these tests. ``alone``: beside no other test.
    """
    require(*needs)
    command = [sys.executable, "-m", "pmip_tw.lab.command", "run", scenario, "--json", *options]
    with TESTS.alone() if alone else nullcontext():
        done = subprocess.run(
            [*command, "--output", str(directory)],
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
        )
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict), done.stderr
    first = found["checks"][0]
    if first["name"] == "the laboratory can be set up":
        pytest.skip(str(first["detail"]))
    assert (done.returncode == 0) is found["passed"], done.stderr
    return found


def assert_checks(outcome: Outcome, names: Collection[str], *, authenticated: bool = False) -> None:
    """Exactly these; ``authenticated``: and what AAA saw."""
    found = {check["name"] for check in outcome["checks"]}
    assert found - AUTHENTICATION == set(names)
    assert bool(found & AUTHENTICATION) is authenticated


def assert_passed(outcome: Outcome) -> None:
    failed = [f"{check['name']}: {check['detail']}" for check in outcome["checks"] if not check["passed"]]
    assert not failed, "\n".join(failed)
    assert outcome["passed"]


def assert_measured(outcome: Outcome, names: Collection[str], goals: Collection[str]) -> None:
    """All of these, and the goals are for exactly these."""
    measured = outcome["measurements"]
    assert all(isinstance(measured[name], int | float) for name in names), measured
    assert {goal["name"] for goal in outcome["goals"]} == set(goals)
