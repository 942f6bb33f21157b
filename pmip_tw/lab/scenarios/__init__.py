"""What the laboratory can show."""

from collections.abc import Awaitable, Callable, Container, Mapping
from pathlib import Path

import attrs

from pmip_tw.lab.programs import ProgramError, available
from pmip_tw.lab.report import Result
from pmip_tw.lab.terminal import Style

Say = Callable[[str], None]
Chosen = Mapping[str, str]
"""By the name of a choice: what was chosen."""


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

    ``programs``: what it cannot do without. ``choices``: by name, what there is to choose from, the usual one first,
    each with the program that it needs.
    """

    name: str
    summary: str
    programs: tuple[str, ...]
    run: Callable[[Path, Say, Chosen], Awaitable[Outcome]]
    choices: Mapping[str, Mapping[str, str]] = attrs.field(factory=dict)

    def choose(self, wanted: Mapping[str, str | None]) -> Chosen:
        """What is used for each choice; ``wanted`` has None for the usual. ValueError: there is no such thing."""
        chosen = {name: next(iter(values)) for name, values in self.choices.items()}
        for name, value in wanted.items():
            if value is None:
                continue
            if name not in self.choices:
                having = ", ".join(one.name for one in scenarios().values() if name in one.choices)
                raise ValueError(f"{self.name} has no choice of --{name}; it is for {having}")
            if value not in self.choices[name]:
                raise ValueError(f"unknown --{name} {value!r}; there are: {', '.join(self.choices[name])}")
            chosen[name] = value
        return chosen

    def need_programs(self, chosen: Chosen) -> None:
        """Raises ProgramError if one of ``programs``, or of those that were chosen, is not installed."""
        needed = [*self.programs, *(self.choices[name][value] for name, value in chosen.items())]
        missing = [program for program in needed if not available(program)]
        if missing:
            raise ProgramError(f"not installed: {', '.join(missing)}; as root, make setup installs it")


def scenarios() -> Mapping[str, Scenario]:
    """All of them, by name."""
    # They build on this module.
    from pmip_tw.lab.scenarios import aaa_failover, adversity, diameter, dot1x, nat, roam  # noqa: PLC0415

    return {
        scenario.name: scenario
        for scenario in (
            roam.SCENARIO,
            adversity.SCENARIO,
            nat.SCENARIO,
            dot1x.SCENARIO,
            aaa_failover.SCENARIO,
            diameter.SCENARIO,
        )
    }
