"""``python -m tests.simulation --seeds 1..100000 --jobs 2``: run seeds, and explain those that fail."""

import argparse
import json
import sys
import time
from collections import Counter

from twisted.logger import globalLogBeginner

from tests.simulation.campaign import Tidings, campaign, explain, together
from tests.simulation.drawing import PROFILES
from tests.simulation.run import Outcome

EXPLAINED = 3
"""Promises whose first failure is reduced and told in full; of other failures the seeds are named."""

_BAR = 30
_LINE_EVERY = 1000


def seeds_of(text: str) -> range:
    """``7`` or ``1..1000``, both ends included."""
    first, dots, last = text.partition("..")
    try:
        found = range(int(first), int(last if dots else first) + 1)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a seed nor a range such as 1..1000") from None
    if not found or found[0] < 0:
        raise argparse.ArgumentTypeError(f"{text!r} holds no seeds: write the smaller number first")
    return found


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=seeds_of, default=seeds_of("0..999"), help="one, or A..B (0..999)")
    parser.add_argument(
        "--profile", choices=list(PROFILES), help="one kind of world; all of them in turn else"
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes (1)")
    parser.add_argument("--json", action="store_true", help="the result as one JSON object")
    return parser


class Progress:
    """On the error output: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._began = time.monotonic()
        self._shown = sys.stderr.isatty()
        self._lines = 0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def show(self, done: int, failed: int) -> None:
        if not self._shown:
            if done // _LINE_EVERY > self._lines:
                self._lines = done // _LINE_EVERY
                print(f"{done}/{self._total} seeds, {failed} failed", file=sys.stderr, flush=True)
            return
        full = _BAR * done // self._total
        left = self.seconds / done * (self._total - done)
        bar = f"[{'#' * full}{'.' * (_BAR - full)}] {done}/{self._total}  {failed} failed"
        print(f"\r{bar}  {done / self.seconds:.0f}/s  {left:.0f} s left ", end="", file=sys.stderr)

    def failed(self, outcome: Outcome) -> None:
        """At once: a long run may be stopped."""
        end = "\033[K\n" if self._shown else "\n"
        print(f"\r{brief(outcome)}" if self._shown else brief(outcome), end=end, file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._shown:
            print(file=sys.stderr)


def main(argv: list[str] | None = None) -> int:
    """Exit code 1 if a seed failed."""
    asked = arguments().parse_args(argv)
    progress = Progress(len(asked.seeds))
    found = Tidings()
    for some in campaign(asked.seeds, profile=asked.profile, jobs=asked.jobs):
        found.add(some)
        for outcome in some.failed:
            progress.failed(outcome)
        progress.show(found.seeds, len(found.failed))
    progress.end()
    found = together([found])
    firsts = {outcome.promise: outcome for outcome in reversed(found.failed)}
    explained = {outcome.seed: explain(outcome) for outcome in list(firsts.values())[:EXPLAINED]}
    if asked.json:
        print(json.dumps(_report(found, explained, progress.seconds), indent=2))
    else:
        for outcome in found.failed:
            print(explained.get(outcome.seed, brief(outcome)))
        print(
            f"{found.seeds} seeds, {found.events} events, {len(found.failed)} failed, "
            f"{progress.seconds:.0f} s ({', '.join(f'{name} {n}' for name, n in _sorted(found.profiles))})"
        )
    return 1 if found.failed else 0


def brief(outcome: Outcome) -> str:
    return f"seed {outcome.seed} ({outcome.profile}): {outcome.promise}: {outcome.seen}"


def _report(found: Tidings, explained: dict[int, str], seconds: float) -> dict[str, object]:
    return {
        "seeds": found.seeds,
        "events": found.events,
        "seconds": round(seconds, 1),
        "profiles": dict(_sorted(found.profiles)),
        "observed": dict(_sorted(found.told)),
        "failed": [
            {
                "seed": outcome.seed,
                "profile": outcome.profile,
                "promise": outcome.promise,
                "seen": outcome.seen,
                "explained": explained.get(outcome.seed, "").splitlines(),
            }
            for outcome in found.failed
        ],
    }


def _sorted(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items())


if __name__ == "__main__":
    # Machines that crash do so in Deferreds as well, of which Twisted would tell each time: a run tells what is wrong.
    globalLogBeginner.beginLoggingTo([], redirectStandardIO=False, discardBuffer=True)
    sys.exit(main())
