"""A story that a process of its own plays in a private world of the lab, and what was seen of it."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from pmip_tw.lab.isolation import NotIsolated, run_isolated

ROOT = Path(__file__).parents[2]
NO_PRIVATE_WORLD = 77

Story = Callable[[Path], Awaitable[dict[str, Any]]]
"""Plays with a directory for what programs say; what was seen, as JSON can say it."""


def play(story: Story) -> None:
    """Ends the process: what was seen is on standard output, or the status says that there is no private world."""

    def inside() -> int:
        json.dump(asyncio.run(_whole(story)), sys.stdout)
        return 0

    try:
        status = run_isolated(inside)
    except NotIsolated as error:
        sys.stderr.write(f"{error}\n")
        status = NO_PRIVATE_WORLD
    sys.exit(status)


async def _whole(story: Story) -> dict[str, Any]:
    return await story(Path(sys.argv[1]))


def seen_of(module: str, directory: Path, timeout: float, *arguments: str) -> dict[str, Any]:
    """What the story of ``module`` has seen within ``timeout`` seconds; skips where there is no private world."""
    done = subprocess.run(
        [sys.executable, "-m", module, str(directory), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if done.returncode == NO_PRIVATE_WORLD:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
