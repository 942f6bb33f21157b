"""Many trials of one LMA, and once more of a careless one: a proof that cannot fail is none."""

from collections.abc import Mapping
from pathlib import Path
from random import Random

import attrs

from bench.server import ServerError
from tests.durability.progress import Progress
from tests.durability.seen import Broken
from tests.durability.subject import Subject
from tests.durability.trial import Load, Trials

CONTROL = 25
"""Kills after which a careless LMA must have lost something: usually the first; a later one on a busy machine."""

_CHECKED = 10
"""Every so many trials, and after the last one, the whole journal is read."""

_EXPLAINED = 3


@attrs.frozen(slots=True, kw_only=True)
class Result:
    """``kills`` of one LMA. ``offered``: requests by kind; what was on its way at a kill is not ``answered``.

    ``seconds``: under load. ``found``: bindings that were there after restarts; ``repeated``: old requests, in vain.
    ``trouble``: why it could not go on; ``evidence``: a copy of what the last restart found.
    """

    kills: int
    offered: Mapping[str, int]
    answered: int
    seconds: float
    found: int
    repeated: int
    slowest_restart: float
    broken: tuple[Broken, ...]
    trouble: str = ""
    evidence: Path | None = None

    @property
    def lost(self) -> int:
        """Promises that were broken; an LMA that does not come back has broken one, too."""
        return len(self.broken) + bool(self.trouble)

    def as_json(self) -> dict[str, object]:
        return {
            "kills": self.kills,
            "offered": dict(self.offered),
            "offered_per_second": round(sum(self.offered.values()) / self.seconds),
            "answered": self.answered,
            "answered_per_second": round(self.answered / self.seconds),
            "found_after_restarts": self.found,
            "old_requests_repeated": self.repeated,
            "slowest_restart_s": round(self.slowest_restart, 2),
            "lost": self.lost,
            "broken": [str(one).splitlines() for one in self.broken[:_EXPLAINED]],
            "trouble": self.trouble,
            "evidence": str(self.evidence) if self.evidence else None,
        }

    def as_text(self) -> str:
        offered = sum(self.offered.values())
        kinds = ", ".join(f"{100 * number / offered:.0f} % {kind}" for kind, number in self.offered.items())
        counted = (
            f"{self.kills} kills, {offered} registrations offered ({offered / self.seconds:.0f} a second: {kinds}), "
            f"{self.answered} answered ({self.answered / self.seconds:.0f} a second), "
            f"{self.found} bindings found again, {self.repeated} old requests repeated in vain, "
            f"slowest restart {self.slowest_restart:.1f} s"
        )
        if not self.lost:
            return f"{counted}; nothing lost"
        told = "\n".join(str(one) for one in self.broken[:_EXPLAINED]) or self.trouble
        where = f"\nwhat the restart found is kept in {self.evidence}" if self.evidence else ""
        return f"{counted}; {self.lost} promises broken:\n{told}{where}"


def campaign(subject: Subject, load: Load, *, kills: int, seed: int, found: Path, name: str) -> Result:
    """Kill it so often, or until a promise is broken; what the last restart found is then in the directory ``found``.

    ServerError: it does not even come up once.
    """
    progress = Progress(kills, name)
    trials = Trials(subject, load, Random(seed), found)
    broken: list[Broken] = []
    trouble = ""
    try:
        number = 0
        while trials.kills < kills and not broken:
            broken = trials.next()
            progress.show(trials.kills)
            number += 1
            if not broken and (number % _CHECKED == 0 or trials.kills >= kills):
                broken = trials.check()
    except ServerError as error:
        trouble = str(error)
    finally:
        progress.end()
        trials.end()
    traffic = trials.traffic
    return Result(
        kills=trials.kills,
        offered=traffic.sent,
        answered=traffic.answered,
        seconds=traffic.seconds,
        found=trials.found,
        repeated=trials.repeated,
        slowest_restart=trials.slowest_restart,
        broken=tuple(broken),
        trouble=trouble,
    )
