"""What happened in ``roam``, for one screen: attachment and first move in full, the other moves a line each."""

from collections.abc import Sequence
from typing import Final

import attrs

from pmip_tw.addresses import ipv4
from pmip_tw.lab.heard import Heard
from pmip_tw.lab.ladder import NARROWEST, Lanes, Phase, Step, draw, grid, header, steps
from pmip_tw.lab.measure import Move, milliseconds
from pmip_tw.lab.sites import AAA_ADDRESS, DIRECT, LMA_ADDRESS
from pmip_tw.lab.terminal import Style

LANES: Final = Lanes(
    names=("MN", "MAG 1", "MAG 2", "LMA", "AAA"),
    roles={
        ipv4(DIRECT["mag1"].address): 1,
        ipv4(DIRECT["mag2"].address): 2,
        ipv4(LMA_ADDRESS): 3,
        ipv4(AAA_ADDRESS): 4,
    },
    gateways={"mag1": 1, "mag2": 2},
)


def phases(moves: Sequence[Move], released_ns: int) -> list[Phase]:
    """0 is the attachment, n the n-th move, -1 the release."""
    starts = [0, *(move.began_ns for move in moves)]
    ends = [*starts[1:], released_ns]
    gateways = ["mag1", *(move.to for move in moves)]
    return [
        Phase(number=number, began_ns=began, ended_ns=ended, gateway=gateway, arrival=number > 0)
        for number, (began, ended, gateway) in enumerate(zip(starts, ends, gateways, strict=True))
    ]


@attrs.frozen(slots=True, kw_only=True)
class Story:
    """``gaps``: milliseconds without an echo reply, for each move."""

    heard: Heard
    moves: Sequence[Move]
    released_ns: int
    gaps: Sequence[float | None]

    def lines(self, style: Style, client: str, aaa: str, ladder: str) -> list[str]:
        """``ladder``: where all of ``full`` is, for a terminal that is too narrow."""
        told = steps(self.heard, phases(self.moves, self.released_ns), LANES)
        drawn = style.wrapped(
            f"MN: {client}, ping, iperf3, nothing of ours. A switch moves it between the cells of MAG 1 and 2. "
            f"AAA: {aaa}.",
            code="2",
        )
        fits = style.width >= NARROWEST
        if fits:
            drawn.append(header(LANES, style))
            drawn += self._phase(told, 0, f"attachment at MAG 1 by {client}", style)
            if self.moves:
                drawn += self._phase(told, 1, f"move 1 to {_name(self.moves[0])}, {self._gap_text(0)}", style)
        else:
            drawn += style.wrapped(f"the ladder needs {NARROWEST} columns: less -S {ladder}")
        first = 2 if fits else 1
        if len(self.moves) >= first:
            drawn.append(_divider(f"moves {first} to {len(self.moves)}: milliseconds since each", style))
            for number in range(first, len(self.moves) + 1):
                drawn += self._short(told, number, style)
        if fits:
            drawn += self._phase(told, -1, f"release by {client}", style)
        return drawn

    def full(self, style: Style) -> list[str]:
        """Every message of every phase."""
        told = steps(self.heard, phases(self.moves, self.released_ns), LANES)
        drawn = [header(LANES, style), *self._phase(told, 0, "attachment at MAG 1", style)]
        for number, move in enumerate(self.moves, 1):
            drawn += self._phase(
                told, number, f"move {number} to {_name(move)}, {self._gap_text(number - 1)}", style
            )
        return [*drawn, *self._phase(told, -1, "release", style)]

    def _phase(self, told: Sequence[Step], phase: int, title: str, style: Style) -> list[str]:
        mine = [step for step in told if step.phase == phase]
        began = [self.moves[phase - 1].began_ns] if phase > 0 else []
        origin = (began or [step.time_ns for step in mine] or [0])[0]
        return [_divider(title, style), *(draw(step, origin, style) for step in mine)]

    def _short(self, told: Sequence[Step], number: int, style: Style) -> list[str]:
        move = self.moves[number - 1]
        with_aaa = [("Access-Accept", "accepted")] if self.heard.named("access-request") else []
        wanted = [
            ("first packet", "first packet"),
            *with_aaa,
            ("PRRQ", "PRRQ"),
            ("PRRP", "PRRP"),
            ("Revocation Ack", "old MAG revoked"),
            ("first answer", "answered"),
        ]
        parts = []
        for start, text in wanted:
            times = [step.time_ns for step in told if step.phase == number and step.label.startswith(start)]
            parts.append(f"{text} {milliseconds(times[0] - move.began_ns):.1f}" if times else f"{text} -")
        head = style.plain(f"  {number} → {_name(move)} ")
        return style.filled(
            [f"{head}  {parts[0]}", *parts[1:], f" {self._gap_text(number - 1)}"],
            gap="  ",
            indent=" " * len(head),
        )

    def _gap_text(self, index: int) -> str:
        gap = self.gaps[index] if index < len(self.gaps) else None
        return "no answer any more" if gap is None else f"gap {gap:.1f} ms"


def _name(move: Move) -> str:
    return "MAG 1" if move.to == "mag1" else "MAG 2"


def _ruled(style: Style) -> int:
    """How long a line across the screen is: as wide as the ladder, if there is one."""
    if style.width < NARROWEST:
        return style.width
    columns = grid(style.width)
    return columns.width + (columns.note + 2 if columns.note else 0)


def _divider(title: str, style: Style) -> str:
    line = f"── {title} "
    return style.paint("1", style.plain(line + "─" * max(0, _ruled(style) - len(line))))
