"""What ``adversity`` shows on a screen: what was wrong, what the trace said, when all was well again."""

from collections.abc import Sequence

from pmip_tw.lab.ladder import Style
from pmip_tw.lab.scenarios.adversity_stage import Trouble

_WIDTH = 118
_WHAT = 22
_AFTER = 12


def lines(troubles: Sequence[Trouble], style: Style) -> list[str]:
    """A table; a long cause takes as many lines as it needs."""
    said_width = _WIDTH - _WHAT - _AFTER
    drawn = [
        style.paint(
            "2", "MN: dhclient and ping, nothing of ours. One MAG, one LMA, FreeRADIUS with reject_delay = 1."
        ),
        style.paint(
            "1", f"{'what was wrong':{_WHAT}}{'what pmipctl trace said':{said_width}}{'well after':>{_AFTER}}"
        ),
        style.plain("─" * _WIDTH),
    ]
    for trouble in troubles:
        after = "never" if trouble.recovered_ms is None else f"{trouble.recovered_ms:.0f} ms"
        what = trouble.what
        for row in _wrapped(trouble.said or "nothing", said_width - 2):
            drawn.append(f"{what:{_WHAT}}{row:{said_width}}{after:>{_AFTER}}".rstrip())
            what = after = ""
    return drawn


def _wrapped(text: str, width: int) -> list[str]:
    rows = [""]
    for word in text.split():
        if rows[-1] and len(rows[-1]) + 1 + len(word) > width:
            rows.append("")
        rows[-1] = f"{rows[-1]} {word}".strip()
    return rows
