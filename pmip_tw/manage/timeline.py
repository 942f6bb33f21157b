"""A trace for people: what happened to a mobile node, when, where and why. Imports nothing slow."""

import math
from collections.abc import Mapping, Sequence

from pmip_tw.manage.render import GAP, Row, fields_text, folded, moment_text, printable


def timeline(rows: Sequence[Row], room: int | None = None) -> str:
    """A trace: when (from the first line on), at which daemon, what, where; what went wrong has a "!" and its cause.

    Whose it was is told only if several mobile nodes were found. ``room`` is how many columns a terminal has.
    """
    if not rows:
        return "nothing happened"
    start = _number(rows[0].get("time"))
    times = [_elapsed_text(_number(row.get("time")) - start) for row in rows]
    daemons = [printable(str(row.get("daemon", ""))) for row in rows]
    names = [("! " if row.get("reason") else "  ") + printable(str(row.get("name", "?"))) for row in rows]
    nais = [printable(str(row.get("nai") or "")) for row in rows]
    if len({*nais} - {""}) <= 1:
        nais = [""] * len(rows)  # it is who was asked for
    width, daemon_width, nai_width, name_width = (
        max(map(len, texts)) for texts in (times, daemons, nais, names)
    )
    lines = [f"from {moment_text(start)}"]
    for row, elapsed, daemon, nai, name in zip(rows, times, daemons, nais, names, strict=True):
        where = f"{daemon.ljust(daemon_width)}{GAP}" if daemon_width else ""
        where += f"{nai.ljust(nai_width)}{GAP}" if nai_width else ""
        head = f"{elapsed.rjust(width)}{GAP}{where}{name.ljust(name_width)}"
        indent = width + len(GAP) + len(where) + 4
        lines.append(folded(f"{head}{GAP}{_circumstances(row)}".rstrip(), room, indent))
        lines.extend(folded(" " * indent + text, room, indent) for text in _explanation(row, start))
    return "\n".join(lines)


def _circumstances(row: Row) -> str:
    details = row.get("details")
    parts = [printable(str(row.get("session") or ""))]
    if isinstance(details, Mapping):
        parts.append(fields_text(details))
    return GAP.join(part for part in parts if part)


def _explanation(row: Row, start: float) -> list[str]:
    """The lines below a step: the true cause, and how often it came again."""
    lines = []
    cause = printable(str(row.get("cause") or ""))
    reason = printable(str(row.get("reason") or ""))
    if cause or reason:
        lines.append(f"{cause} [{reason}]" if cause and reason else cause or f"[{reason}]")
    repeated = row.get("repeated")
    if isinstance(repeated, int):
        last = _elapsed_text(_number(row.get("last_time")) - start)
        lines.append(f"{repeated} times, last at {last}")
    return lines


def _number(value: object) -> float:
    return value if isinstance(value, int | float) and math.isfinite(value) else 0.0


def _elapsed_text(seconds: float) -> str:
    """``+0.034 s``, ``+12:03.1``, ``+25:12:03``."""
    if seconds < 60:
        return f"{seconds:+.3f} s"
    minutes, rest = divmod(seconds, 60)
    if minutes < 60:
        return f"+{minutes:.0f}:{rest:04.1f}"
    hours, minutes = divmod(minutes, 60)
    return f"+{hours:.0f}:{minutes:02.0f}:{int(rest):02d}"
