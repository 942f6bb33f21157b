"""What happened in ``roam``, for one screen: attachment and first move in full, the other moves a line each."""

import sys
from collections.abc import Sequence
from typing import Final

import attrs

from pmip_tw.addresses import ipv4
from pmip_tw.lab.heard import Heard
from pmip_tw.lab.ladder import NARROWEST, Lanes, Phase, Step, header, steps
from pmip_tw.lab.measure import Move
from pmip_tw.lab.scenarios.journey import called
from pmip_tw.lab.scenarios.telling import divider, drawn_phase, short
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
    found = [
        Phase(number=number, began_ns=began, ended_ns=ended, gateway=gateway, arrival=number > 0)
        for number, (began, ended, gateway) in enumerate(zip(starts, ends, gateways, strict=True))
    ]
    return [*found, Phase(number=-1, began_ns=released_ns, ended_ns=sys.maxsize)]


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
                drawn += self._phase(
                    told, 1, f"move 1 to {called(self.moves[0].to)}, {self._gap_text(0)}", style
                )
        else:
            drawn += style.wrapped(f"the ladder needs {NARROWEST} columns: less -S {ladder}")
        first = 2 if fits else 1
        if len(self.moves) >= first:
            drawn.append(divider(f"moves {first} to {len(self.moves)}: milliseconds since each", style))
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
                told, number, f"move {number} to {called(move.to)}, {self._gap_text(number - 1)}", style
            )
        return [*drawn, *self._phase(told, -1, "release", style)]

    def _phase(self, told: Sequence[Step], phase: int, title: str, style: Style) -> list[str]:
        origin = self.moves[phase - 1].began_ns if phase > 0 else None
        return drawn_phase(told, phase, title, style, origin)

    def _short(self, told: Sequence[Step], number: int, style: Style) -> list[str]:
        with_aaa = bool(self.heard.named("access-request"))
        return short(
            told, number, self.moves[number - 1], self._gap_text(number - 1), style, with_aaa=with_aaa
        )

    def _gap_text(self, index: int) -> str:
        gap = self.gaps[index] if index < len(self.gaps) else None
        return "no answer any more" if gap is None else f"gap {gap:.1f} ms"
