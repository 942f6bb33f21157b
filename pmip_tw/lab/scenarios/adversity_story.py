"""What ``adversity`` shows on a screen: what was wrong, what the trace said, when all was well again."""

from collections.abc import Mapping, Sequence

from pmip_tw.lab.scenarios.adversity_stage import Trouble
from pmip_tw.lab.terminal import Style

Noise = Mapping[str, Mapping[str, int]]
"""What was counted, by role and reason."""

_WHAT = 22
_AFTER = 12
_NARROWEST = 30


def lines(troubles: Sequence[Trouble], noise: Noise, style: Style) -> list[str]:
    """A table; a long cause takes as many lines as it needs."""
    said_width = max(_NARROWEST, style.width - _WHAT - _AFTER)
    drawn = [
        *style.wrapped(
            "MN: dhclient and ping, nothing of ours. One MAG, one LMA, FreeRADIUS with reject_delay = 1.",
            code="2",
        ),
        style.paint(
            "1", f"{'what was wrong':{_WHAT}}{'what pmipctl trace said':{said_width}}{'well after':>{_AFTER}}"
        ),
        style.plain("─" * (_WHAT + said_width + _AFTER)),
    ]
    for trouble in troubles:
        after = "never" if trouble.recovered_ms is None else f"{trouble.recovered_ms:.0f} ms"
        what = trouble.what
        for row in _wrapped(trouble.said or "nothing", said_width - 2):
            drawn.append(f"{what:{_WHAT}}{row:{said_width}}{after:>{_AFTER}}".rstrip())
            what = after = ""
    for role, reasons in noise.items():
        counted = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items()))
        what = f"noise to the {role}"
        for row in _wrapped(f"counted: {counted}", said_width + _AFTER):
            drawn.append(f"{what:{_WHAT}}{row}")
            what = ""
    return drawn


def _wrapped(text: str, width: int) -> list[str]:
    rows = [""]
    for word in text.split():
        if rows[-1] and len(rows[-1]) + 1 + len(word) > width:
            rows.append("")
        rows[-1] = f"{rows[-1]} {word}".strip()
    return rows
