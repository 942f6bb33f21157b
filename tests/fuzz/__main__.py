"""Fuzz one target openly: python -m tests.fuzz TARGET [--seconds N] [--keep]; without a target: which there are."""

import argparse
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.fuzz.fuzzing import ROOT, UNAVAILABLE, Progress, fuzz, minimize
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description="Look for inputs that break a law."
    )
    parser.add_argument("target", nargs="?", choices=sorted(TARGETS), metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=60, help="how long to look (60)")
    parser.add_argument("--seed", type=int, default=0, help="a number repeats a run; 0 draws one (0)")
    parser.add_argument(
        "--keep", action="store_true", help="afterwards keep in the corpus what reached more code"
    )
    parser.add_argument("--minimize", action="store_true", help="only minimize the corpus")
    parser.add_argument(
        "--input", type=Path, metavar="FILE", help="only replay this input, with its traceback"
    )
    arguments = parser.parse_args()
    if arguments.target is None:
        for target in TARGETS.values():
            print(f"{target.name:22}{len(target.stored()):4} inputs stored   {target.about}")
        return 0
    target = TARGETS[arguments.target]
    if arguments.input is not None:
        return replay(target, arguments.input)
    if UNAVAILABLE:
        print(UNAVAILABLE, file=sys.stderr)
        return 2
    if arguments.minimize:
        print("corpus: {} inputs before, {} now".format(*minimize(target)))
        return 0
    return look(target, arguments.seconds, arguments.seed, keep=arguments.keep)


def replay(target: Target, path: Path) -> int:
    try:
        target.check(path.read_bytes())
    except Exception:
        traceback.print_exc()
        return 1
    print("the law holds")
    return 0


def look(target: Target, seconds: int, seed: int, *, keep: bool) -> int:
    began = time.monotonic()
    screen = sys.stderr.isatty()
    next_line = began

    def tell(progress: Progress) -> None:
        nonlocal next_line
        now = time.monotonic()
        if now < next_line:
            return
        next_line = now + (0.5 if screen else 10)
        passed = now - began
        text = (
            f"{target.name}: {progress.inputs} inputs, {progress.inputs / max(passed, 0.1):.0f}/s, "
            f"{progress.places} places reached, {max(0.0, seconds - passed):.0f} s left"
        )
        print(f"\r{text:78}" if screen else text, end="" if screen else "\n", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="pmip-fuzz-") as folder:
        result = fuzz(target, f"-max_total_time={seconds}", f"-seed={seed}", folder=Path(folder), told=tell)
        if screen:
            print(file=sys.stderr)
        if result.finding is not None:
            where = result.finding.relative_to(ROOT)
            print(result.output[-4000:])
            print(f"a finding, stored as {where}; to see it again:")
            print(f"  python -m tests.fuzz {target.name} --input {where}")
            return 1
        if result.status:
            print(result.output[-4000:])
            return 2
        print(f"nothing found: {result.inputs} inputs reached {result.places} places")
        if keep:
            print("corpus: {} inputs before, {} now".format(*minimize(target, Path(folder))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
