"""Many seeds, on one process or several."""

import gc
import multiprocessing
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import attrs

from tests.simulation.drawing import draw
from tests.simulation.run import Outcome, run
from tests.simulation.scenario import Scenario
from tests.simulation.shrinking import smallest

CHUNK = 25
"""Seeds that a process does before it tells."""


@attrs.define(slots=True, kw_only=True)
class Tidings:
    """What came of some seeds. ``told``: observations by name."""

    seeds: int = 0
    events: int = 0
    told: Counter[str] = attrs.field(factory=Counter)
    profiles: Counter[str] = attrs.field(factory=Counter)
    failed: list[Outcome] = attrs.field(factory=list)

    def add(self, other: "Tidings") -> None:
        self.seeds += other.seeds
        self.events += other.events
        self.told += other.told
        self.profiles += other.profiles
        self.failed += other.failed


def campaign(seeds: Sequence[int], *, profile: str | None = None, jobs: int = 1) -> Iterator[Tidings]:
    """Tidings of ``seeds``, some at a time, in no order."""
    chunks = [(list(seeds[at : at + CHUNK]), profile) for at in range(0, len(seeds), CHUNK)]
    if jobs == 1:
        yield from map(_some, chunks)
        return
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        yield from pool.imap_unordered(_some, chunks)


def everything(seeds: Sequence[int], *, profile: str | None = None, jobs: int = 1) -> Tidings:
    """The tidings of all ``seeds`` at once."""
    return together(campaign(seeds, profile=profile, jobs=jobs))


def together(tidings: Iterable[Tidings]) -> Tidings:
    found = Tidings()
    for some in tidings:
        found.add(some)
    found.failed.sort(key=lambda outcome: outcome.seed)
    return found


def explain(outcome: Outcome) -> str:
    """A failure in full: the smallest scenario that fails in the same way, and its story."""
    scenario = smallest(outcome, draw(outcome.seed, outcome.profile))
    again = run(scenario, recorded=True)
    settings = {**scenario.mag_settings, **scenario.lma_settings}
    once_more = f"--profile {outcome.profile} --seeds {outcome.seed}"
    return "\n".join(
        (
            f"seed {outcome.seed} ({outcome.profile}): {outcome.promise}: {outcome.seen}",
            f"  smallest: {scenario.mags} MAGs, nodes {scenario.nodes}, {scenario.conditions},",
            f"  AAA {scenario.aaa_delay}, settings {settings}, clocks {dict(scenario.timepieces)}",
            *(f"  {line}" for line in again.story),
            f"  {again.promise}: {again.seen}",
            f"  once more: python -m tests.simulation {once_more}",
        )
    )


def _some(chunk: tuple[list[int], str | None]) -> Tidings:
    seeds, profile = chunk
    found = Tidings()
    for seed in seeds:
        outcome = _run_without_pauses(draw(seed, profile))
        found.seeds += 1
        found.events += outcome.events
        found.told += outcome.told
        found.profiles[outcome.profile] += 1
        if outcome.failed:
            found.failed.append(outcome)
    return found


def _run_without_pauses(scenario: Scenario) -> Outcome:
    """A world is garbage all at once, when it has ended: looking for some before is a fifth of the time."""
    gc.disable()
    try:
        return run(scenario)
    finally:
        gc.enable()
