"""A scenario's outcome on one screen."""

from collections.abc import Container, Sequence
from pathlib import Path

from pmip_tw.lab.ladder import Style
from pmip_tw.lab.report import Check, Number, Result
from pmip_tw.lab.scenarios import Outcome, Scenario

_WIDTH = 118


def summary(scenario: Scenario, outcome: Outcome, directory: Path, style: Style) -> str:
    """Title, story, checks, figures, and where the files are."""
    result = outcome.result
    lines = [_title(scenario, result, style), *outcome.story(style)]
    lines += [style.plain(f"! {note}") for note in result.notes]
    lines.append("")
    lines += _checks(result.checks, outcome.told, style)
    if result.measurements:
        lines += ["", *_figures(result, style)]
    if outcome.capture is not None:
        lines.append(f"Wireshark opens {_shown(outcome.capture)}; logs, tables and more lie beside it")
    else:
        lines.append(f"Logs: {_shown(directory)}/")
    return "\n".join(lines)


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _title(scenario: Scenario, result: Result, style: Style) -> str:
    verdict = style.paint("1;32", "PASSED") if result.passed else style.paint("1;31", "FAILED")
    return f"{style.paint('1', f'{scenario.name}: {scenario.summary}')}   {verdict}"


def _checks(checks: Sequence[Check], told: Container[str], style: Style) -> list[str]:
    """Two columns where all fit; what failed gets a line of its own, in full."""
    passed = [check for check in checks if check.passed]
    texts = [check.name if check.name in told else f"{check.name}: {check.detail}" for check in passed]
    width = _WIDTH // 2 - 3
    lines = []
    row: list[str] = []
    for text in texts:
        tick = style.paint("32", style.plain("✓"))
        if len(text) > width:
            lines.append(f"{tick} {text}")
            continue
        row.append(f"{tick} {text:{width}}")
        if len(row) == 2:
            lines.append(" ".join(row).rstrip())
            row = []
    if row:
        lines.append(row[0].rstrip())
    for check in checks:
        if not check.passed:
            lines.append(style.paint("31", f"{style.plain('✗')} {check.name}: {check.detail}"))
    return lines


def _figure(value: Number | str) -> str:
    if value is None:
        return "not measured"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _figures(result: Result, style: Style) -> list[str]:
    """As many on a line as fit."""
    goals = {goal.name: goal for goal in result.goals}
    lines: list[str] = []
    room = 0
    for name, value in result.measurements.items():
        text = f"{name} {style.paint('1', _figure(value))}"
        length = len(f"{name} {_figure(value)}")
        goal = goals.get(name)
        if goal is not None:
            verdict = "met" if goal.met else "not met"
            limit = style.plain(f" (goal ≤ {goal.at_most:g}: ")
            text += limit + style.paint("32" if goal.met else "33", verdict) + ")"
            length += len(f"{limit}{verdict})")
        if length + 3 <= room:
            lines[-1] += f"   {text}"
            room -= length + 3
        else:
            lines.append(text)
            room = _WIDTH - length
    return lines


def style_for(stream_is_terminal: bool, encoding: str | None, environment_term: str) -> Style:
    """Colours on a terminal that has them; line drawing where the encoding knows it."""
    return Style(
        colour=stream_is_terminal and environment_term not in ("", "dumb"),
        ascii=(encoding or "ascii").lower().replace("-", "") != "utf8",
    )
