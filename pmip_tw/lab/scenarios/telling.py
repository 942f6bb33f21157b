"""Parts of a scenario's story on a screen: a phase as a ladder, a move in a line."""

from collections.abc import Sequence

from pmip_tw.lab.ladder import NARROWEST, Step, draw, grid
from pmip_tw.lab.measure import Move, milliseconds
from pmip_tw.lab.scenarios.journey import called
from pmip_tw.lab.terminal import Style


def divider(title: str, style: Style) -> str:
    """A line with a title across the screen, as wide as the ladder if there is one."""
    width = style.width
    if width >= NARROWEST:
        columns = grid(width)
        width = columns.width + (columns.note + 2 if columns.note else 0)
    line = f"── {title} "
    return style.paint("1", style.plain(line + "─" * max(0, width - len(line))))


def drawn_phase(
    told: Sequence[Step], phase: int, title: str, style: Style, origin_ns: int | None = None
) -> list[str]:
    """All steps of the phase, their times counted from ``origin_ns``, or from the first of them."""
    mine = [step for step in told if step.phase == phase]
    origin = mine[0].time_ns if origin_ns is None and mine else origin_ns or 0
    return [divider(title, style), *(draw(step, origin, style) for step in mine)]


def short(
    told: Sequence[Step], number: int, move: Move, gap: str, style: Style, *, with_aaa: bool
) -> list[str]:
    """The move of that number, which is its phase too, in a line: when what happened, in milliseconds."""
    wanted = [
        ("first packet", "first packet"),
        *([("Access-Accept", "accepted")] if with_aaa else []),
        ("PRRQ", "PRRQ"),
        ("PRRP", "PRRP"),
        ("Revocation Ack", "old MAG revoked"),
        ("first answer", "answered"),
    ]
    parts = []
    for start, text in wanted:
        times = [step.time_ns for step in told if step.phase == number and step.label.startswith(start)]
        parts.append(f"{text} {milliseconds(times[0] - move.began_ns):.1f}" if times else f"{text} -")
    head = style.plain(f"  {number} → {called(move.to)} ")
    return style.filled(
        [f"{head}  {parts[0]}", *parts[1:], f" {gap}"],
        gap="  ",
        indent=" " * len(head),
    )
