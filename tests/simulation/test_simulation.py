"""The simulation itself: it repeats exactly, it reduces what fails, it says so."""

import json
import os
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from tests.simulation import __main__ as command
from tests.simulation.campaign import everything
from tests.simulation.defects import entries_are_left
from tests.simulation.drawing import draw
from tests.simulation.run import run
from tests.simulation.shrinking import smallest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def leaking() -> int:
    """A short one of the seeds that show a defect."""
    with pytest.MonkeyPatch.context() as patch:
        entries_are_left(patch)
        return min(
            (seed for seed in range(30) if run(draw(seed)).failed), key=lambda seed: len(draw(seed).actions)
        )


@pytest.fixture
def leaky(leaking: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """A product with that defect, and the seed."""
    entries_are_left(monkeypatch)
    return leaking


def test_the_same_seed_is_the_same_run() -> None:
    """In other processes as well, whose dictionaries and sets have another order."""
    program = "from tests.simulation.run import run_seed; print([run_seed(s).digest for s in range(5)])"
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": hashing},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hashing in ("1", "2")
    }
    assert len(digests) == 1
    assert digests == {f"{[run(draw(seed)).digest for seed in range(5)]}\n"}


def test_recording_changes_nothing() -> None:
    told, silent = run(draw(3), recorded=True), run(draw(3))
    assert (told.digest, told.events) == (silent.digest, silent.events)
    assert told.story and not silent.story


def test_what_fails_is_reduced(leaky: int) -> None:
    scenario = draw(leaky)
    outcome = run(scenario)
    least = smallest(outcome, scenario)
    assert run(least).promise == outcome.promise
    assert 0 < len(least.actions) < len(scenario.actions)
    for left_out in range(len(least.actions)):
        without = least.actions[:left_out] + least.actions[left_out + 1 :]
        assert run(attrs.evolve(least, actions=without)).promise != outcome.promise


def test_processes_share_the_work() -> None:
    alone, together = everything(range(60)), everything(range(60), jobs=2)
    assert (alone.seeds, alone.events, alone.told) == (together.seeds, together.events, together.told)


def test_the_command_tells_what_failed(leaky: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--seeds", str(leaky)]) == 1
    told = capsys.readouterr().out
    assert f"seed {leaky} (" in told and "smallest:" in told and "1 failed" in told


def test_the_command_as_json(leaky: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--seeds", str(leaky), "--json"]) == 1
    [failed] = json.loads(capsys.readouterr().out)["failed"]
    assert (failed["seed"], failed["promise"]) == (leaky, "entries are live state")
    assert any("visitor-" in line for line in failed["explained"])


def test_the_command_when_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--seeds", "0..4", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["seeds"], report["failed"]) == (5, [])


@pytest.mark.parametrize("seeds", ["x", "1..", "9..1", "-5"])
def test_a_range_that_is_none(seeds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main([f"--seeds={seeds}"])
    assert "seeds" in capsys.readouterr().err
