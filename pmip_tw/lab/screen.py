"""A scenario's outcome on one screen."""

from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from typing import Final

from pmip_tw.lab.report import Check, Number, Result
from pmip_tw.lab.scenarios import Outcome, Scenario
from pmip_tw.lab.terminal import Style, shown

_SIGNALLING: Final = (
    "-Y 'mip || radius || dhcp'",
    "-T fields",
    "-e frame.time_relative",
    "-e frame.interface_name",
    "-e _ws.col.Info",
)
"""What tshark is asked, to tell the messages of a capture one by one."""


def summary(scenario: Scenario, outcome: Outcome, directory: Path, style: Style) -> str:
    """Title, story, checks, figures, where the files are, and where all this is explained."""
    result = outcome.result
    lines = [*_title(scenario, result, style), *outcome.story(style)]
    for note in result.notes:
        lines += style.wrapped(f"! {note}")
    lines.append("")
    lines += _checks(result.checks, outcome.told, style)
    if result.measurements:
        lines += ["", *style.filled(_figures(result, style))]
    if outcome.capture is not None:
        lines += style.filled(
            [f"Wireshark opens {shown(outcome.capture)};", "logs, tables and more lie beside it:"], gap=" "
        )
        asked = [f"  tshark -r {shown(outcome.capture)}", *_SIGNALLING]
        lines += style.filled(asked, gap=" ", indent="    ", end=" \\")
    else:
        lines.append(f"Logs: {shown(directory)}/")
    lines.append(f"What each line means: docs/scenarios.md#{scenario.name}")
    return "\n".join(lines)


def progress(seconds: float, text: str, style: Style) -> str:
    """What a scenario is doing now, in whole words, beside the time since it began."""
    return "\n".join(style.wrapped(f"{seconds:6.1f} s  {text}", indent=" " * 10))


def _title(scenario: Scenario, result: Result, style: Style) -> list[str]:
    verdict = style.paint("1;32", "PASSED") if result.passed else style.paint("1;31", "FAILED")
    return style.filled([style.paint("1", f"{scenario.name}: {scenario.summary}"), verdict])


def _checks(checks: Sequence[Check], told: Container[str], style: Style) -> list[str]:
    """Two columns where all fit; what failed gets a line of its own, in full."""
    passed = [check for check in checks if check.passed]
    texts = [check.name if check.name in told else f"{check.name}: {check.detail}" for check in passed]
    width = style.width // 2 - 3
    tick = style.paint("32", style.plain("✓"))
    lines = []
    row: list[str] = []
    for text in texts:
        if len(text) > width:
            first, *rest = style.wrapped(f"✓ {text}")
            lines += [tick + first[1:], *rest]
            continue
        row.append(f"{tick} {text:{width}}")
        if len(row) == 2:
            lines.append(" ".join(row).rstrip())
            row = []
    if row:
        lines.append(row[0].rstrip())
    for check in checks:
        if not check.passed:
            lines += style.wrapped(f"✗ {check.name}: {check.detail}", code="31")
    return lines


def _figure(value: Number | str) -> str:
    if value is None:
        return "not measured"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _figures(result: Result, style: Style) -> Iterator[str]:
    """Each measurement with its parts and its goal. Parts do not come again."""
    goals = {goal.name: goal for goal in result.goals}
    as_parts = {name for parts in result.parts.values() for name in parts.values()}
    for name, value in result.measurements.items():
        if name in as_parts:
            continue
        text = f"{name} {style.paint('1', _figure(value))}"
        parts = result.parts.get(name, {})
        if parts and value:
            text += f" ({', '.join(f'{word} {result.measurements[part]}' for word, part in parts.items())})"
        goal = goals.get(name)
        if goal is not None:
            verdict = "met" if goal.met else "not met"
            text += style.plain(f" (goal ≤ {goal.at_most:g}: ")
            text += style.paint("32" if goal.met else "33", verdict) + ")"
        yield text
