"""Who measures has no other test beside it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from select import select
from typing import IO

import pytest

from tests.alone import Room

ROOT = Path(__file__).parents[2]
OTHER = """
import sys
from contextlib import ExitStack
from pathlib import Path
from tests.alone import Room
room = Room(*map(Path, sys.argv[1:3]))
print("before the door", flush=True)
with ExitStack() as stack:
    for way in sys.argv[3:]:
        stack.enter_context(getattr(room, way)())
    print("inside", flush=True)
    input()
"""
LONG = 30.0
Files = tuple[Path, Path]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Of a room of their own: in that of all tests it would be a long time until everybody has left."""
    paths = tmp_path / "door", tmp_path / "inside"
    for path in paths:
        path.touch()
    return paths


@contextmanager
def another_process(files: Files, *ways: str) -> Iterator[IO[bytes]]:
    """What it says; it goes in by those ``ways``, one after the other, and stays."""
    command = [sys.executable, "-c", OTHER, *map(str, files), *ways]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == b"before the door\n"
            yield other.stdout
        finally:
            other.kill()


def is_inside(said: IO[bytes], within: float) -> bool:
    return bool(select([said], [], [], within)[0]) and said.readline() == b"inside\n"


def test_tests_run_beside_each_other(files: Files) -> None:
    with Room(*files).beside_others(), another_process(files, "beside_others") as said:
        assert is_inside(said, LONG)


def test_nobody_comes_in_to_who_is_alone(files: Files) -> None:
    room = Room(*files)
    with room.beside_others(), ExitStack() as others:
        with room.alone():
            said = others.enter_context(another_process(files, "beside_others"))
            assert not is_inside(said, 0.3)
        assert is_inside(said, LONG)


def test_who_wants_to_be_alone_waits_for_those_inside(files: Files) -> None:
    with ExitStack() as others:
        with Room(*files).beside_others():
            said = others.enter_context(another_process(files, "beside_others", "alone"))
            assert not is_inside(said, 0.3)
        assert is_inside(said, LONG)
