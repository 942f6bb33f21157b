"""What the laboratory can show."""

from collections.abc import Awaitable, Callable, Container, Mapping
from pathlib import Path

import attrs

from pmip_tw.lab.programs import ProgramError, available
from pmip_tw.lab.report import Result
from pmip_tw.lab.terminal import Style

Say = Callable[[str], None]


@attrs.frozen(slots=True)
class Outcome:
    """A scenario's result, and its story for a terminal: lines between title and checks.

    ``told``: names of checks whose detail the story has already.
    """

    result: Result
    story: Callable[[Style], list[str]] = lambda style: []
    capture: Path | None = None
    told: Container[str] = ()


@attrs.frozen(slots=True, kw_only=True)
class Scenario:
    """``run`` is called inside the private world with a directory for files and somebody to tell what happens.

    ``programs``: what it cannot do without.
    """

    name: str
    summary: str
    programs: tuple[str, ...]
    run: Callable[[Path, Say], Awaitable[Outcome]]

    def need_programs(self) -> None:
        """Raises ProgramError if one of ``programs`` is not installed."""
        missing = [program for program in self.programs if not available(program)]
        if missing:
            raise ProgramError(f"not installed: {', '.join(missing)}; as root, make setup installs it")


def scenarios() -> Mapping[str, Scenario]:
    """All of them, by name."""
    from pmip_tw.lab.scenarios import adversity, roam  # they build on this module  # noqa: PLC0415

    return {scenario.name: scenario for scenario in (roam.SCENARIO, adversity.SCENARIO)}
