"""A scenario's result: checks, goals, measurements; as JSON."""

import json
from typing import Any

import attrs

Number = int | float | None


@attrs.frozen(slots=True, kw_only=True)
class Check:
    """Something that must hold."""

    name: str
    passed: bool
    detail: str


@attrs.frozen(slots=True, kw_only=True)
class Goal:
    """A figure to reach; shown, but no reason to fail. ``measured`` is None if it could not be measured."""

    name: str
    at_most: float
    unit: str
    measured: Number

    @property
    def met(self) -> bool:
        return self.measured is not None and self.measured <= self.at_most


@attrs.define(slots=True, kw_only=True)
class Result:
    """What came out of one run. For people alone are ``notes``, such as that a program was missing, and ``parts``:
    by the name of a measurement a word and a measurement for each part of it."""

    scenario: str
    checks: list[Check] = attrs.field(factory=list)
    goals: list[Goal] = attrs.field(factory=list)
    measurements: dict[str, Number | str] = attrs.field(factory=dict)
    notes: list[str] = attrs.field(factory=list)
    parts: dict[str, dict[str, str]] = attrs.field(factory=dict)

    def check(self, name: str, passed: bool, detail: str) -> None:
        self.checks.append(Check(name=name, passed=passed, detail=detail))

    @property
    def passed(self) -> bool:
        return bool(self.checks) and all(check.passed for check in self.checks)

    def as_json(self) -> str:
        found: dict[str, Any] = {
            "scenario": self.scenario,
            "passed": self.passed,
            "checks": [attrs.asdict(check) for check in self.checks],
            "goals": [
                {
                    "name": goal.name,
                    "goal": f"<= {goal.at_most:g}",
                    "measured": goal.measured,
                    "met": goal.met,
                }
                for goal in self.goals
            ],
            "measurements": self.measurements,
        }
        return json.dumps(found)
