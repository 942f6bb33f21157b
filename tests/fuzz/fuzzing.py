"""A run of one target in a process of its own: bounded and the same every time, or as long as one likes."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha1
from importlib.util import find_spec
from pathlib import Path

import attrs

from tests.fuzz.target import Target

ROOT = Path(__file__).parents[2]

SLOWEST = 20
"""Seconds of wall time for one input, after which it is a finding."""

_STATUS = re.compile(r"^#(\d+)\t(\w+) +cov: (\d+) ")
_STORED = re.compile(r"Test unit written to (\S+)")

UNAVAILABLE = (
    ""
    if find_spec("atheris")
    else "the package atheris is not installed; it exists for CPython 3.11 on x86-64 Linux"
)
"""Why nothing can be fuzzed here; "" if it can."""


@attrs.frozen(slots=True, kw_only=True)
class Progress:
    """``inputs`` tried so far; ``places``: branches of the code that they have reached."""

    inputs: int
    places: int


@attrs.frozen(slots=True, kw_only=True)
class Result:
    """``finding``: the input that broke the law, stored among the regressions; ``output``: what was said."""

    inputs: int
    places: int
    finding: Path | None
    output: str
    status: int


def fuzz(
    target: Target,
    *options: str,
    folder: Path,
    seeds: bool = True,
    told: Callable[[Progress], None] = lambda progress: None,
) -> Result:
    """Run libFuzzer with ``options``; what it finds interesting goes to ``folder``.

    It begins with what is stored, and with the target's ``seeds``: the corpus reaches as much with fewer inputs.
    """
    with tempfile.TemporaryDirectory(prefix="pmip-fuzz-") as found:
        beginnings = [folder, target.corpus, target.regressions]
        if seeds:
            beginnings.append(write_seeds(target, Path(found) / "seeds"))
        limits = (f"-artifact_prefix={found}/", f"-max_len={target.longest}", f"-timeout={SLOWEST}")
        lines: list[str] = []
        progress = Progress(inputs=0, places=0)
        with libfuzzer(target, *limits, *options, *_existing(beginnings)) as process:
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line)
                status = _STATUS.match(line)
                if status:
                    progress = Progress(inputs=int(status[1]), places=int(status[3]))
                    told(progress)
        output = "".join(lines)
        stored = _STORED.search(output)
        finding = keep_finding(target, Path(stored[1])) if stored else None
    return Result(
        inputs=progress.inputs,
        places=progress.places,
        finding=finding,
        output=output,
        status=process.returncode,
    )


def minimize(target: Target, *more: Path) -> tuple[int, int]:
    """The corpus and ``more`` become the fewest and smallest inputs that reach as much: how many before and after."""
    before = len(list(target.corpus.iterdir())) if target.corpus.is_dir() else 0
    with tempfile.TemporaryDirectory(prefix="pmip-fuzz-") as found:
        fewest = Path(found) / "fewest"
        fewest.mkdir()
        folders = _existing([fewest, write_seeds(target, Path(found) / "seeds"), target.corpus, *more])
        # Which code an input reaches counts, not how often: the corpus is a tenth as large.
        options = ("-set_cover_merge=1", "-use_counters=0", f"-max_len={target.longest}")
        with libfuzzer(target, *options, *folders) as process:
            output = process.stdout.read() if process.stdout is not None else ""
        if process.returncode:
            raise RuntimeError(f"libFuzzer could not merge:\n{output[-2000:]}")
        shutil.rmtree(target.corpus, ignore_errors=True)
        shutil.copytree(fewest, target.corpus)
    return before, len(list(target.corpus.iterdir()))


@contextmanager
def libfuzzer(target: Target, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The process, with standard error in its output."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    with subprocess.Popen(
        [sys.executable, "-m", "tests.fuzz.worker", target.name, ",".join(target.floors), *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": path, "PYTHONHASHSEED": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise


def write_seeds(target: Target, folder: Path) -> Path:
    folder.mkdir()
    for octets in target.seeds():
        (folder / sha1(octets).hexdigest()).write_bytes(octets)
    return folder


def keep_finding(target: Target, found: Path) -> Path:
    target.regressions.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(found, target.regressions / found.name))


def _existing(folders: Iterable[Path]) -> list[str]:
    return [str(folder) for folder in folders if folder.is_dir()]
