"""What happened in ``dot1x``, for one screen: how the node proved itself, once at length and once briefly."""

import sys
from collections.abc import Iterator, Sequence
from typing import Final

import attrs

from pmip_tw.addresses import ipv4
from pmip_tw.lab.heard import Heard
from pmip_tw.lab.ladder import NARROWEST, Lanes, Phase, Step, header, steps
from pmip_tw.lab.messages import Kind, Message
from pmip_tw.lab.scenarios.dot1x_seen import Seen
from pmip_tw.lab.scenarios.dot1x_stage import FILTER, NODE
from pmip_tw.lab.scenarios.journey import called
from pmip_tw.lab.scenarios.telling import divider, drawn_phase, short
from pmip_tw.lab.sites import AAA_ADDRESS, BEHIND_ACCESS_POINTS, DIRECT, LMA_ADDRESS
from pmip_tw.lab.terminal import Style
from pmip_tw.wire.radius import AttributeType

_CORE: Final = {ipv4(LMA_ADDRESS): 3, ipv4(AAA_ADDRESS): 4}
BY_MAGS: Final = Lanes(
    names=("MN", "MAG 1", "MAG 2", "LMA", "AAA"),
    roles={ipv4(DIRECT["mag1"].address): 1, ipv4(DIRECT["mag2"].address): 2, **_CORE},
    gateways={"mag1": 1, "mag2": 2},
)
BY_ACCESS_POINTS: Final = Lanes(
    names=("MN", "AP", "MAG", "LMA", "AAA"),
    roles={
        **{ipv4(site.access_point): 1 for site in BEHIND_ACCESS_POINTS.values()},
        **{ipv4(site.address): 2 for site in BEHIND_ACCESS_POINTS.values()},
        **_CORE,
    },
    gateways=dict.fromkeys(BEHIND_ACCESS_POINTS, 2),
    points=dict.fromkeys(BEHIND_ACCESS_POINTS, 1),
)
"""Both access points are one lane, and so are both MAGs: each pair works together at its time."""

_ATTACHED, _CHANGED, _ENDED = 0, -1, -2
"""Phases; those of the moves are their numbers."""

_OF_SERVERS: Final = frozenset({AttributeType.MESSAGE_AUTHENTICATOR})
"""All that an answer to Status-Server has."""

_ROUND: Final = ("EAP-Req", "EAP-Resp", "Access-Request", "Challenge")
"""How the labels of a round of EAP begin."""


@attrs.frozen(slots=True, kw_only=True)
class Story:
    """``gaps``: milliseconds without an echo reply, for each move."""

    heard: Heard
    seen: Seen
    gaps: Sequence[float | None]
    by_access_points: bool

    def lines(self, style: Style, method: str, ladder: str) -> list[str]:
        """``ladder``: where all of ``full`` is, with every round of EAP."""
        moves, told = self.seen.journey.moves, self._told()
        who = "hostapd, whose RADIUS server is the MAG" if self.by_access_points else "the MAG"
        drawn = style.wrapped(
            f"MN: wpa_supplicant with EAP-{method.upper()}, dhclient, ping, iperf3, nothing of ours. It proves itself "
            f"to {who}, and FreeRADIUS derives a key from that. Rounds of EAP are counted here, and are in {ladder}.",
            code="2",
        )
        fits = style.width >= NARROWEST
        shown_moves = min(2, len(moves)) if fits else 0
        if fits:
            drawn.append(header(self._lanes, style))
            drawn += self._phase(told, _ATTACHED, "attachment at MAG 1", style)
            for number in range(1, shown_moves + 1):
                drawn += self._phase(told, number, self._title(number), style)
        else:
            drawn += style.wrapped(f"the ladder needs {NARROWEST} columns: less -S {ladder}")
        if len(moves) > shown_moves:
            first = shown_moves + 1
            drawn.append(divider(f"moves {first} to {len(moves)}: milliseconds since each", style))
            for number in range(first, len(moves) + 1):
                drawn += short(told, number, moves[number - 1], self._gap(number), style, with_aaa=True)
        if fits:
            drawn += self._phase(
                told, _CHANGED, f"AAA filters the running session ({FILTER}), and opens it", style
            )
            drawn += self._phase(told, _ENDED, "AAA ends the session", style)
        return drawn

    def full(self, style: Style) -> list[str]:
        """Every message of the node's."""
        told = self._told()
        drawn = [header(self._lanes, style), *drawn_phase(told, _ATTACHED, "attachment at MAG 1", style)]
        for number, move in enumerate(self.seen.journey.moves, 1):
            drawn += drawn_phase(told, number, self._title(number), style, move.began_ns)
        drawn += drawn_phase(told, _CHANGED, "change", style)
        return [*drawn, *drawn_phase(told, _ENDED, "end", style)]

    @property
    def _lanes(self) -> Lanes:
        return BY_ACCESS_POINTS if self.by_access_points else BY_MAGS

    def _title(self, number: int) -> str:
        move = self.seen.journey.moves[number - 1]
        how = ", proven at length" if number in self.seen.forgotten else " with a resumed session"
        return f"move {number} to {called(move.to)}{how}, {self._gap(number)}"

    def _gap(self, number: int) -> str:
        gap = self.gaps[number - 1]
        return "no answer any more" if gap is None else f"gap {gap:.1f} ms"

    def _phase(self, told: Sequence[Step], phase: int, title: str, style: Style) -> list[str]:
        moves = self.seen.journey.moves
        origin = moves[phase - 1].began_ns if phase > 0 else None
        return drawn_phase(list(folded(told)), phase, title, style, origin)

    # --- what belongs where -----------------------------------------------------------------------------

    def _told(self) -> list[Step]:
        messages = [message for message in self.heard.messages if _matters(message)]
        return steps(attrs.evolve(self.heard, messages=messages), list(self._when()), self._lanes)

    def _when(self) -> Iterator[Phase]:
        seen = self.seen
        moves = seen.journey.moves
        yield Phase(number=_ATTACHED, began_ns=seen.attach_ns, ended_ns=seen.attached_ns)
        ends = [*(move.began_ns for move in moves[1:]), seen.travelled_ns]
        for number, (move, ended) in enumerate(zip(moves, ends, strict=True), 1):
            yield Phase(number=number, began_ns=move.began_ns, ended_ns=ended, gateway=move.to, arrival=True)
        yield Phase(number=_CHANGED, began_ns=seen.change_ns, ended_ns=seen.changed_ns)
        yield Phase(number=_ENDED, began_ns=seen.end_ns, ended_ns=sys.maxsize)


def _matters(message: Message) -> bool:
    """Not what is undecodable, nor DHCP of somebody else, nor what servers say of themselves."""
    if message.kind is Kind.UNDECODABLE or message.name == "status-server":
        return False
    if message.name == "access-accept" and message.attributes.standard.keys() <= _OF_SERVERS:
        return False
    return message.dhcp is None or message.dhcp.chaddr == NODE.mac


def folded(told: Sequence[Step]) -> Iterator[Step]:
    """The first round of EAP of each phase, a line for all between, and the last step."""
    run: list[Step] = []
    for step in [*told, None]:
        if step is not None and step.label.startswith(_ROUND) and (not run or run[0].phase == step.phase):
            run.append(step)
            continue
        yield from _shortened(run)
        run = []
        if step is not None:
            if step.label.startswith(_ROUND):
                run = [step]
            else:
                yield step


def _shortened(run: Sequence[Step]) -> Iterator[Step]:
    """Of many steps of EAP the first four, and the last two with how many were between."""
    if len(run) <= 8:
        yield from run
        return
    yield from run[:4]
    first, last = run[-2:]
    skipped = sum(1 for step in run[4:-2] if step.label.startswith("Challenge"))
    yield attrs.evolve(first, note=f"after {skipped} more round{'' if skipped == 1 else 's'}")
    yield last
