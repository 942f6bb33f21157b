"""What the laboratory can show."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import attrs

from pmip_tw.lab.ladder import Style
from pmip_tw.lab.report import Result

Say = Callable[[str], None]


@attrs.frozen(slots=True)
class Outcome:
    """A scenario's result, and its story for a terminal: lines between title and checks."""

    result: Result
    story: Callable[[Style], list[str]] = lambda style: []
    capture: Path | None = None


@attrs.frozen(slots=True, kw_only=True)
class Scenario:
    """``run`` is called inside the private world with a directory for files and somebody to tell what happens."""

    name: str
    summary: str
    run: Callable[[Path, Say], Awaitable[Outcome]]


def scenarios() -> Mapping[str, Scenario]:
    """All of them, by name."""
    from pmip_tw.lab.scenarios import adversity, roam  # they build on this module  # noqa: PLC0415

    return {scenario.name: scenario for scenario in (roam.SCENARIO, adversity.SCENARIO)}
