"""Real daemons of both roles, started as an operator starts them."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

CONF = Path(__file__).parents[2] / "conf"
BIN = Path(sys.executable).parent

LMA_ADDRESS = "192.0.2.1"
MAG_ADDRESS = "198.51.100.10"


def daemon(role: str, config: Path) -> list[str]:
    return [str(BIN / "twistd"), "--pidfile=", "-n", f"pmip-{role}", "--config", str(config)]


def ended(role: str, config: Path) -> subprocess.CompletedProcess[str]:
    """A daemon that is expected to end by itself."""
    return subprocess.run(
        daemon(role, config), capture_output=True, text=True, timeout=60, cwd=config.parent, check=False
    )


def shell(command: str) -> str:
    return subprocess.run(command.split(), capture_output=True, text=True, check=True).stdout


@contextmanager
def running(role: str, config: Path) -> Iterator[subprocess.Popen[str]]:
    """A daemon that has said that it is ready; killed at the end if it still runs."""
    process = subprocess.Popen(
        daemon(role, config), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=config.parent
    )
    try:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if "is ready" in line:
                break
        else:
            pytest.fail(f"the {role} did not start:\n{said}")
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
