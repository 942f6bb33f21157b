"""Daemons in processes of their own, each with its control socket in the test's directory."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Starter = Callable[[str, str], "subprocess.Popen[str]"]


@pytest.fixture
def start_daemon(tmp_path: Path) -> Iterator[Starter]:
    """``start_daemon(file name, role)`` returns the process; its first line ("ready" or why not) is unread."""
    processes = []

    def start(name: str, role: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "tests.manage.daemon", str(tmp_path / name), role]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.fixture
def mag_socket(start_daemon: Starter, tmp_path: Path) -> Path:
    assert first_line(start_daemon("mag.sock", "mag")) == "ready"
    return tmp_path / "mag.sock"


@pytest.fixture
def lma_socket(start_daemon: Starter, tmp_path: Path) -> Path:
    assert first_line(start_daemon("lma.sock", "lma")) == "ready"
    return tmp_path / "lma.sock"
