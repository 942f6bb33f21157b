"""kill -9 while the journals of two workers become those of three: at any step that reaches the disk."""

import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.programs import require
from tests.store.test_slices import become, begin, expected, holders, names, set_of

STEPS = ("fsync", "fdatasync", "rename", "unlink", "pwrite64")
"""System calls that change a disk."""

APART = 15
"""Every so many of a kind are tried; all of those of which there are few."""

_BECOME = "import sys; from tests.store.test_slices import become; become(sys.argv[1], 3)"


def traced(path: str, *options: str) -> tuple[int, str]:
    """How the change ends, and its steps."""
    steps = Path(path).parent.with_name("steps")
    done = subprocess.run(
        [
            "strace",
            "-o",
            str(steps),
            "-e",
            f"trace={','.join(STEPS)}",
            *options,
            sys.executable,
            "-B",  # what it compiles is not saved: that is a rename, too
            "-c",
            _BECOME,
            path,
        ],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    if "ptrace" in done.stderr or "PTRACE" in done.stderr:
        pytest.skip(f"nobody may be traced here: {done.stderr.strip()}")
    return done.returncode, steps.read_text()


@pytest.fixture
def path(tmp_path: Path) -> str:
    require("strace")
    (tmp_path / "journals").mkdir(mode=0o700)
    return str(tmp_path / "journals" / "lma.journal")


def test_a_kill_at_any_step_loses_nobody(path: str) -> None:
    """Whatever number of workers is wanted after it."""
    directory = Path(path).parent
    begin(path, 2)
    shutil.copytree(directory, directory.with_name("as it was"))
    status, steps = traced(path)
    assert status == 0 and holders(path, 3) == expected(3)
    counted = Counter(step.split("(")[0] for step in steps.splitlines())
    assert counted["rename"] == 5 and all(counted[kind] for kind in STEPS)
    killed = 0
    for kind in STEPS:
        for number in range(1, counted[kind] + 1, 1 if counted[kind] < 6 else APART):
            shutil.rmtree(directory)
            shutil.copytree(directory.with_name("as it was"), directory)
            inject = f"inject={kind}:signal=KILL:when={number}"
            status, steps = traced(path, "-e", inject)
            killed += status in (-signal.SIGKILL, 128 + signal.SIGKILL)
            then = 1 + number % 3
            become(path, then)
            assert holders(path, then) == expected(then), f"{kind} {number}"
            assert names(path) == set_of(then), f"{kind} {number}"
    assert killed > len(STEPS)
