"""The set-up is done once: a second run says nothing and returns at once."""

import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_second_run_is_silent_and_quick() -> None:
    if not list((ROOT / ".setup").glob("python-*")):
        pytest.skip("this checkout was not set up by scripts/setup")
    # Whoever runs the tests may have changed pyproject.toml since: only the second run is judged.
    subprocess.run([ROOT / "scripts" / "setup"], capture_output=True, check=True)
    began = time.monotonic()
    second = subprocess.run([ROOT / "scripts" / "setup"], capture_output=True, check=True)
    assert time.monotonic() - began < 2
    assert (second.stdout, second.stderr) == (b"", b"")


def test_continuous_integration_runs_exactly_the_tests() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert script.read_text().splitlines()[-1].endswith("exec make test")
