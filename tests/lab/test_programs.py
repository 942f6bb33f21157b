"""Programs are waited for by what they say, and told apart from those that have ended."""

import asyncio
import signal
from pathlib import Path

import pytest

from pmip_tw.lab.programs import Program, ProgramError, run


def _said(tmp_path: Path, script: str, pattern: str, *, within: float = 5, since: int = 0) -> str:
    async def go() -> str:
        program = await Program.start("shell", ["sh", "-c", script], tmp_path / "shell.log")
        try:
            return (await program.said(pattern, within=within, since=since))[0]
        finally:
            await program.stop(signal.SIGKILL)

    return asyncio.run(go())


def test_a_line_is_heard_when_it_is_said(tmp_path: Path) -> None:
    assert _said(tmp_path, "echo starting; echo port 5201; exec sleep 60", r"port \d+") == "port 5201"


def test_what_was_said_before_the_mark_does_not_count(tmp_path: Path) -> None:
    assert _said(tmp_path, "echo up 1; echo up 2; exec sleep 60", r"up \d", since=1) == "up 2"


def test_a_program_that_ends_first_shows_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match="shell ended before it said 'ready'\n    no such luck"):
        _said(tmp_path, "echo no such luck >&2; exit 3", "ready")


def test_a_silent_program_is_given_up_and_its_children_with_it(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match="did not say 'ready' within"):
        _said(tmp_path, "sleep 60; :", "ready", within=0.05)


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    async def go() -> None:
        await Program.start("nothing", ["/does/not/exist"], tmp_path / "log")

    with pytest.raises(ProgramError, match="/does/not/exist: No such file"):
        asyncio.run(go())


def test_a_stubborn_program_is_killed(tmp_path: Path) -> None:
    async def go() -> int:
        script = "trap '' TERM; echo ready; while :; do sleep 0.01; done"
        program = await Program.start("stubborn", ["sh", "-c", script], tmp_path / "log")
        await program.said("ready", within=30)
        return await program.stop(within=0.05)

    assert asyncio.run(go()) == -signal.SIGKILL


def test_run_gives_status_and_both_outputs() -> None:
    assert asyncio.run(run(["sh", "-c", "echo out; echo err >&2; exit 4"])) == (4, "out\n", "err\n")
