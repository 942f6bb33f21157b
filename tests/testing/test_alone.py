"""Who measures has no other test beside it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from select import select
from typing import IO

from tests.alone import alone

ROOT = Path(__file__).parents[2]
OTHER = """
from tests.alone import {way}
print("before the door", flush=True)
with {way}():
    print("inside", flush=True)
    input()
"""
LONG = 30.0


@contextmanager
def another_process(way: str) -> Iterator[IO[bytes]]:
    """What it says; it goes in by that ``way`` and stays."""
    command = [sys.executable, "-c", OTHER.format(way=way)]
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


def test_tests_run_beside_each_other() -> None:
    with another_process("beside_others") as said:
        assert is_inside(said, LONG)


def test_nobody_comes_in_to_who_is_alone() -> None:
    with ExitStack() as others:
        with alone():
            said = others.enter_context(another_process("beside_others"))
            assert not is_inside(said, 0.3)
        assert is_inside(said, LONG)


def test_who_wants_to_be_alone_waits_for_those_inside() -> None:
    with another_process("alone") as said:
        assert not is_inside(said, 0.3)
