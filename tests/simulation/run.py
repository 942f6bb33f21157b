"""One seed, or one scenario, from beginning to end."""

import zlib
from collections import Counter

import attrs

from tests.simulation.drawing import draw
from tests.simulation.scenario import Scenario
from tests.simulation.violation import Violation
from tests.simulation.world import World


@attrs.frozen(slots=True, kw_only=True)
class Outcome:
    """``promise``, ``seen``: of the violation, "" if there was none. ``digest``: of all that was sent; the same seed
    always has the same. ``told``: observations by name. ``story``: line by line, if it was recorded.
    """

    seed: int
    profile: str
    promise: str
    seen: str
    events: int
    digest: int
    told: Counter[str]
    story: tuple[str, ...]

    @property
    def failed(self) -> bool:
        return bool(self.promise)


def run_seed(seed: int) -> Outcome:
    return run(draw(seed))


def run(scenario: Scenario, *, recorded: bool = False) -> Outcome:
    """A defect of the simulation itself is a violation too: of the promise that there is none."""
    world = World(scenario, recorded=recorded)
    promise = seen = ""
    try:
        world.run()
    except Violation as violation:
        promise, seen = violation.promise, violation.seen
    except Exception as error:
        promise, seen = "no defect", f"{type(error).__name__}: {error}"
    digest = 0
    for source, destination, payload in world.network.carried:
        digest = zlib.crc32(payload, zlib.crc32(f"{source} {destination}".encode(), digest))
    return Outcome(
        seed=scenario.seed,
        profile=scenario.profile,
        promise=promise,
        seen=seen,
        events=world.events,
        digest=digest,
        told=world.told,
        story=tuple(world.story or ()),
    )
