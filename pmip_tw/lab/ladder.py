"""Who said what to whom, as a ladder: one lane per role, one line per message, time downwards."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs

from pmip_tw.addresses import Ipv4
from pmip_tw.lab.heard import Echo, Heard, Message
from pmip_tw.lab.measure import Move
from pmip_tw.lab.terminal import Style

LANES: Final = ("MN", "MAG 1", "MAG 2", "LMA", "AAA")
_LMA: Final = 3

_FROM_CLIENT: Final = frozenset(
    f"dhcp-{name}" for name in ("discover", "request", "decline", "release", "inform")
)
_REFUSALS: Final = ("Access-Reject", "DHCP Nak", "DHCP Decline")
_COLOURS: Final = (("PRR", "32"), ("Revocation", "33"), ("Access", "35"), ("DHCP", "34"))


@attrs.frozen(slots=True, kw_only=True)
class Step:
    """One line. ``source`` and ``destination``: numbers of ``LANES``. ``data``: a packet of the mobile node's own,
    drawn heavier. ``phase``: what it belongs to, 0 the attachment, n the n-th move, -1 the release."""

    time_ns: int
    source: int
    destination: int
    label: str
    note: str = ""
    data: bool = False
    phase: int = 0


@attrs.frozen(slots=True)
class Grid:
    """Columns: of the time, of a lane with the gap to the next one, and of a note at the right."""

    time: int
    spacing: int
    note: int = 0

    @property
    def places(self) -> tuple[int, ...]:
        """The columns of the lanes."""
        return tuple(self.time + 1 + number * self.spacing for number in range(len(LANES)))

    @property
    def width(self) -> int:
        """All but the note."""
        return self.places[-1] + 1


_NOTE: Final = 24
_WIDE: Final = Grid(time=11, spacing=19)
_NARROW: Final = Grid(time=8, spacing=17)
NARROWEST: Final = _NARROW.width
"""Columns without which there is no ladder: below, the labels would not fit."""


def grid(width: int) -> Grid:
    """The widest that fits, with as much room for notes as is left; for at least ``NARROWEST`` columns."""
    room = width - 2
    chosen = _WIDE if room >= _WIDE.width + _NOTE else _NARROW
    return attrs.evolve(chosen, note=max(0, min(_NOTE, room - chosen.width)))


def _lanes(message: Message, roles: Mapping[Ipv4, int]) -> tuple[int, int]:
    """The lanes of a message. DHCP knows no role addresses: there it is the node and the MAG of the tap."""
    if message.name.startswith("dhcp-"):
        gateway = 2 if message.tap.startswith("mag2") else 1
        from_client = message.name in _FROM_CLIENT
        return (0, gateway) if from_client else (gateway, 0)
    return roles.get(message.source, 0), roles.get(message.destination, 0)


def steps(heard: Heard, moves: Sequence[Move], roles: Mapping[Ipv4, int], released_ns: int) -> list[Step]:
    """Every signalling message, and around each move the mobile node's first own packets.

    ``roles``: lanes by IPv4 address. What came at or after ``released_ns`` belongs to the release.
    """

    def phase(time_ns: int) -> int:
        return -1 if time_ns >= released_ns else sum(1 for move in moves if move.began_ns <= time_ns)

    found = []
    for message in heard.messages:
        source, destination = _lanes(message, roles)
        found.append(
            Step(
                time_ns=message.time_ns,
                source=source,
                destination=destination,
                label=message.label,
                note=message.note,
                phase=phase(message.time_ns),
            )
        )
    found += _first_data(heard, moves, released_ns)
    return sorted(found, key=lambda step: step.time_ns)


def _first_data(heard: Heard, moves: Sequence[Move], released_ns: int) -> Iterable[Step]:
    """The first packet of each phase, when it leaves the MAG in the tunnel, and the first answer."""
    starts = [0, *(move.began_ns for move in moves)]
    ends = [*starts[1:], released_ns]
    for phase, (began, ended) in enumerate(zip(starts, ends, strict=True)):
        gateway = "mag1" if phase == 0 else moves[phase - 1].to
        lane = 1 if gateway == "mag1" else 2
        mine = [echo for echo in heard.echoes if began <= echo.time_ns < ended]
        arrivals = [
            time_ns
            for tap, time_ns in heard.from_nodes
            if tap == f"{gateway}-access" and began <= time_ns < ended
        ]
        if phase > 0 and arrivals:  # the attachment began with DHCP
            yield Step(
                time_ns=arrivals[0], source=0, destination=lane, label="first packet", data=True, phase=phase
            )
        up = [echo for echo in mine if echo.request and echo.tap == f"{gateway}-core"]
        if up:
            yield _echo_step(up[0], lane, _LMA, "first in tunnel", phase)
        carried = {echo.number for echo in up}
        down = [echo for echo in mine if not echo.request and echo.tap == "mn" and echo.number in carried]
        if down:
            yield _echo_step(down[0], lane, 0, "first answer", phase)


def _echo_step(echo: Echo, source: int, destination: int, label: str, phase: int) -> Step:
    return Step(
        time_ns=echo.time_ns,
        source=source,
        destination=destination,
        label=label,
        note=f"ping {echo.number[1]}",
        data=True,
        phase=phase,
    )


def header(style: Style) -> str:
    columns = grid(style.width)
    line = [" "] * (columns.width + 3)
    for place, name in zip(columns.places, LANES, strict=True):
        start = place - len(name) // 2
        line[start : start + len(name)] = name
    line[columns.time - 4 : columns.time - 2] = "ms"
    return style.paint("1", "".join(line).rstrip())


def draw(step: Step, origin_ns: int, style: Style) -> str:
    """One line, its time in milliseconds since ``origin_ns``."""
    columns = grid(style.width)
    canvas = [" "] * columns.width
    for place in columns.places:
        canvas[place] = "│"
    start, end = columns.places[step.source], columns.places[step.destination]
    low, high = min(start, end), max(start, end)
    canvas[low + 1 : high] = ("═" if step.data else "─") * (high - low - 1)
    canvas[high - 1 if end > start else low + 1] = "►" if end > start else "◄"
    # In the gap beside the sender, so that the labels of one lane stand below each other.
    room = columns.spacing - 2
    label = f" {step.label} " if len(step.label) + 2 <= room else step.label[:room]
    gap = start + 1 if end > start else start - columns.spacing + 2
    first = gap + (room - len(label)) // 2
    canvas[first : first + len(label)] = label
    left, arrow, right = (
        style.plain("".join(part))
        for part in (canvas[columns.time : low], canvas[low : high + 1], canvas[high + 1 :])
    )
    time = f"{(step.time_ns - origin_ns) / 1e6:{columns.time - 2}.1f}  "
    note = style.plain(step.note)[: columns.note]
    arrow = style.paint(_colour(step), arrow)
    return f"{style.paint('2', time)}{left}{arrow}{right}  {style.paint('2', note) if note else ''}".rstrip()


def _colour(step: Step) -> str:
    if step.data:
        return "36"
    if (
        step.label.endswith("?")
        or step.label in _REFUSALS
        or (step.label.startswith("PRRP") and step.label not in ("PRRP code 0", "PRRP code 1"))
    ):
        return "31"
    return next((code for start, code in _COLOURS if step.label.startswith(start)), "0")
