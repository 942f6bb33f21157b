"""A private world leaves nothing behind, however it ends. Each test runs a small program that makes one."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import os, signal, subprocess, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run with & or nohup
from pathlib import Path
from pmip_tw.lab.isolation import NotIsolated, run_isolated
from pmip_tw.lab.topology import Network

def inside():
    network = Network()
    one, other = network.host("one"), network.host("other")
    network.link(one, "eth0", other, "eth0")
    Path("/etc/pmip-lab-was-here").write_text("x")
    {body}

try:
    sys.exit(run_isolated(inside))
except NotIsolated as error:
    print("NOT ISOLATED", error)
    sys.exit(77)
"""

SLEEP = """
    subprocess.Popen(["sleep", "987654"], start_new_session=True)
    print("READY", flush=True)
    import time
    time.sleep(60)
"""


def _start(body: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(body=body.strip())],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _run(body: str) -> tuple[int, str]:
    process = _start(body)
    out, _ = process.communicate(timeout=30)
    if process.returncode == 77:
        pytest.skip(out)
    return process.returncode, out


def _started(body: str) -> "subprocess.Popen[str]":
    process = _start(body)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("NOT ISOLATED"):
            pytest.skip(line)
        if line.startswith("READY"):
            return process
    raise AssertionError("it ended before it was ready")


def _sleepers() -> list[str]:
    """Processes of this machine that the programs above started."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and b"987654" in (entry / "cmdline").read_bytes():
                found.append(entry.name)
        except OSError:
            continue  # it has just ended
    return found


def _nothing_is_left() -> bool:
    """A killed world needs a moment: the kernel takes its processes down after the first one."""
    deadline = time.monotonic() + 30
    while _sleepers() and time.monotonic() < deadline:
        os.sched_yield()
    return (
        not _sleepers()
        and not Path("/run/netns/one").exists()
        and not Path("/etc/pmip-lab-was-here").exists()
    )


def test_the_exit_status_is_that_of_what_ran_inside() -> None:
    assert _run("return 3") == (3, "")


def test_inside_is_the_first_process_and_the_end_kills_the_others() -> None:
    status, out = _run('subprocess.Popen(["sleep", "987654"]); print(os.getpid(), flush=True); return 0')
    assert (status, out) == (0, "1\n")
    assert _nothing_is_left()


def test_an_exception_inside_is_shown_and_nothing_is_left() -> None:
    status, out = _run('raise RuntimeError("for the test")')
    assert status == 1
    assert "for the test" in out
    assert _nothing_is_left()


def test_where_etc_cannot_be_overlaid_it_is_copied() -> None:
    status, out = _run(
        'from pmip_tw.lab import isolation; isolation._copy("/etc"); '
        'Path("/etc/pmip-lab-was-here").write_text("y"); '
        'print(Path("/etc/hosts").exists(), Path("/run/copies/etc/pmip-lab-was-here").read_text()); return 0'
    )
    assert (status, out) == (0, "True y\n")
    assert _nothing_is_left()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_takes_everything_down(number: signal.Signals) -> None:
    """SIGKILL included: nobody can tidy up then but the kernel."""
    handler = (
        f"import signal; signal.signal({int(signal.SIGTERM)}, lambda *_: sys.exit(5))\n    " + SLEEP.strip()
    )
    process = _started(handler)
    process.send_signal(number)
    assert _ended(process) != 0
    assert _nothing_is_left()


def _ended(process: "subprocess.Popen[str]") -> int:
    status = process.wait(timeout=20)
    assert process.stdout is not None
    process.stdout.close()
    return status


@pytest.mark.parametrize(
    ("ignored", "expected"),
    [("", {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}), ("HUP", {signal.SIGINT, signal.SIGTERM})],
)
def test_sigint_always_ends_a_run_and_sighup_unless_under_nohup(
    ignored: str, expected: set[signal.Signals]
) -> None:
    program = "from pmip_tw.lab.isolation import ending_signals; print(*map(int, ending_signals()))"
    shell = f"trap '' INT {ignored}; exec \"$0\" -c '{program}'"
    told = subprocess.run(
        ["sh", "-c", shell, sys.executable],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        # These tests may run under nohup themselves.
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )
    assert {signal.Signals(int(number)) for number in told.stdout.split()} == expected
