"""The set-up is done once: a second run says nothing and returns at once."""

import hashlib
import os
import shutil
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
    assert time.monotonic() - began < 10
    assert (second.stdout, second.stderr) == (b"", b"")


def test_a_failure_of_pip_is_told_with_its_cause(tmp_path: Path) -> None:
    """In a checkout of its own, whose Debian packages count as installed, with a proxy that is not there."""
    inputs = ("pyproject.toml", "setup.py", "scripts/setup")
    for name in inputs:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    version = hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in inputs)).hexdigest()[:16]
    (tmp_path / ".setup").mkdir()
    (tmp_path / ".setup" / f"debian-{version}").touch()
    nowhere = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": "https://packages.invalid/simple",
        "PIP_RETRIES": "1",
        "PIP_PROXY": "http://127.0.0.1:9",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    done = subprocess.run(
        [tmp_path / "scripts" / "setup"], env=kept | nowhere, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.count("pip could not reach the proxy; look at http_proxy and https_proxy") == 1
    assert "ProxyError" in done.stderr
    assert "pip did not succeed; all it said is in .setup/pip.log" in done.stderr


def test_continuous_integration_runs_exactly_the_tests() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert script.read_text().splitlines()[-1].endswith("exec make test")
