"""Each benchmark runs to its end and tells its figures by the names they are known by; what they are is not judged."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import aaa, flood, scale, signalling
from tests.alone import TESTS
from tests.programs import require, require_tun

ROOT = Path(__file__).resolve().parents[2]


def smoke(what: str) -> dict[str, Any]:
    require("ip")
    require_tun()
    with TESTS.alone():
        done = subprocess.run(
            [sys.executable, "-m", "bench", what, "--smoke", "--json"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    if "does not let us make" in done.stderr:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_signalling() -> None:
    report = smoke("signalling")
    assert list(report)[: len(signalling.KEYS)] == list(signalling.KEYS)
    for name in ("commit", "machine", "provider", "nodes", "rounds", "void", "notes"):
        assert name in report
    [costs] = report["rounds"]
    assert {"echo", "renewal", "new", "handover", "forged"} <= set(costs)
    assert all(cost > 0 for cost in costs.values())
    wrong = [text for text in report["void"] if "not what was asked for" in text or "no replies" in text]
    assert wrong == [], "every reply is of the right kind and authentic"


def test_scale() -> None:
    report = smoke("scale")
    assert list(report)[: len(scale.KEYS)] == list(scale.KEYS)
    assert report["bytes_per_binding"] > 0
    assert report["expiry_worst_turn_ms"] > 0
    assert report["ended"] == report["bindings"]
    assert report["gc_worst_pause_ms"] >= 0
    assert 0 <= report["workers_spread"] < 0.1
    assert report["workers_2_cost"] > 0 and report["workers_4_cost"] > 0


def test_good_requests_among_bad_ones() -> None:
    """A flood of requests that prove nothing costs no good one its answer, wherever it comes from."""
    report = smoke("flood")
    assert list(report)[: len(flood.KEYS)] == list(flood.KEYS)
    assert report["bad_per_second"] > 100
    assert report["good_lost"] == report["good_unanswered"] == 0
    for origin in ("strangers", "invented", "shared"):
        assert report[f"good_lost_{origin}"] == 0
        assert report[origin]["checked"] > 0.9, "each is looked at while there is time"


def test_authentications() -> None:
    require(aaa.RADCLIENT, aaa.FreeRadius.program)
    report = smoke("aaa")
    assert list(report)[: len(aaa.KEYS)] == list(aaa.KEYS)
    assert report["void"] == [], "everybody is accepted"
    assert report["auth_us"] > 0  # of so few, what radclient takes is lost in what it takes to start
    assert set(report["rounds"][0]) == {"auth", "radclient"}
