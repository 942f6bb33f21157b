"""Who said what to whom, as a ladder: one lane per role, one line per message, time downwards."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs

from pmip_tw.addresses import Ipv4
from pmip_tw.lab.aaa_messages import FROM_NODE
from pmip_tw.lab.heard import Echo, Heard
from pmip_tw.lab.messages import Kind, Message
from pmip_tw.lab.terminal import Style

_FROM_CLIENT: Final = frozenset(
    f"dhcp-{name}" for name in ("discover", "request", "decline", "release", "inform")
)
_REFUSALS: Final = (
    "Access-Reject",
    "CoA-NAK",
    "DHCP Decline",
    "DHCP Nak",
    "Disconnect-NAK",
    "EAP-Failure",
)
_COLOURS: Final = (
    ("PRR", "32"),
    ("Revocation", "33"),
    ("Access", "35"),
    ("Challenge", "35"),
    ("Acct", "35"),
    ("CoA", "35"),
    ("Disconnect", "35"),
    ("EAP", "34"),
    ("DHCP", "34"),
    ("Pre-Tunnel", "32"),
)


@attrs.frozen(slots=True, kw_only=True)
class Lanes:
    """``names`` from left to right, the mobile node first. ``roles``: lanes by IPv4 address, ``gateways``: by the name
    of the MAG, ``points``: those of access points before them; whoever is in none of them is the mobile node."""

    names: tuple[str, ...]
    roles: Mapping[Ipv4, int]
    gateways: Mapping[str, int]
    points: Mapping[str, int] = attrs.field(factory=dict)

    @property
    def anchor(self) -> int:
        """The LMA's."""
        return self.names.index("LMA")

    def of(self, message: Message) -> tuple[int, int]:
        """From where to where. DHCP of a node and its 802.1X know no role addresses: there it is the node and whoever
        is at that tap."""
        gateway, _, side = message.tap.partition("-")
        if message.name.startswith("dhcp-") and side == "access":
            lane = self.gateways[gateway]
            return (0, lane) if message.name in _FROM_CLIENT else (lane, 0)
        if message.kind is Kind.EAPOL:
            lane = self.points[gateway] if self.points else self.gateways[gateway]
            return (0, lane) if message.name in FROM_NODE else (lane, 0)
        return self.roles.get(message.source.address, 0), self.roles.get(message.destination.address, 0)


@attrs.frozen(slots=True, kw_only=True)
class Phase:
    """A part of the story, Unix nanoseconds. ``gateway``: the MAG through which the mobile node's first packets are
    looked for, "" if they do not matter; ``arrival``: also the first one that it gets."""

    number: int
    began_ns: int
    ended_ns: int
    gateway: str = ""
    arrival: bool = False


@attrs.frozen(slots=True, kw_only=True)
class Step:
    """One line. ``source`` and ``destination``: numbers of lanes. ``data``: a packet of the mobile node's own,
    drawn heavier. ``phase``: the number of the one that it belongs to."""

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
        return tuple(self.time + 1 + number * self.spacing for number in range(_COUNT))

    @property
    def width(self) -> int:
        """All but the note."""
        return self.places[-1] + 1


_COUNT: Final = 5
"""Lanes: as many as fit 80 columns."""
_NOTE: Final = 24
_LONG: Final = 10_000
"""Milliseconds from which on tenths do not matter."""
_WIDE: Final = Grid(time=11, spacing=19)
_NARROW: Final = Grid(time=8, spacing=17)
NARROWEST: Final = _NARROW.width
"""Columns without which there is no ladder: below, the labels would not fit."""


def grid(width: int) -> Grid:
    """The widest that fits, with as much room for notes as is left; for at least ``NARROWEST`` columns."""
    room = width - 2
    chosen = _WIDE if room >= _WIDE.width + _NOTE else _NARROW
    return attrs.evolve(chosen, note=max(0, min(_NOTE, room - chosen.width)))


def steps(heard: Heard, phases: Sequence[Phase], lanes: Lanes) -> list[Step]:
    """Every signalling message of these phases, and in each that has a gateway the mobile node's first own packets."""
    found = []
    for message in heard.messages:
        phase = next((one for one in phases if one.began_ns <= message.time_ns < one.ended_ns), None)
        if phase is not None:
            source, destination = lanes.of(message)
            found.append(
                Step(
                    time_ns=message.time_ns,
                    source=source,
                    destination=destination,
                    label=message.label,
                    note=message.note,
                    data=message.kind is Kind.DHCP and message.tunnelled,
                    phase=phase.number,
                )
            )
    for phase in phases:
        if phase.gateway:
            found += _first_data(heard, phase, lanes)
    return sorted(found, key=lambda step: step.time_ns)


def _first_data(heard: Heard, phase: Phase, lanes: Lanes) -> Iterable[Step]:
    """The first packet of the phase, when it leaves the MAG in the tunnel, and the first answer."""
    began, ended, gateway = phase.began_ns, phase.ended_ns, phase.gateway
    lane = lanes.gateways[gateway]
    mine = [echo for echo in heard.echoes if began <= echo.time_ns < ended]
    arrivals = [
        time_ns
        for tap, time_ns in heard.from_nodes
        if tap == f"{gateway}-access" and began <= time_ns < ended
    ]
    if phase.arrival and arrivals:
        yield Step(
            time_ns=arrivals[0],
            source=0,
            destination=lane,
            label="first packet",
            data=True,
            phase=phase.number,
        )
    up = [echo for echo in mine if echo.request and echo.tap == f"{gateway}-core"]
    if up:
        yield _echo_step(up[0], lane, lanes.anchor, "first in tunnel", phase.number)
    carried = {echo.number for echo in up}
    down = [echo for echo in mine if not echo.request and echo.tap == "mn" and echo.number in carried]
    if down:
        yield _echo_step(down[0], lane, 0, "first answer", phase.number)


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


def header(lanes: Lanes, style: Style) -> str:
    """The names of the lanes."""
    columns = grid(style.width)
    line = [" "] * (columns.width + 3)
    for place, name in zip(columns.places, lanes.names, strict=True):
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
    elapsed = (step.time_ns - origin_ns) / 1e6
    time = f"{elapsed:{columns.time - 2}.{0 if elapsed >= _LONG else 1}f}  "
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
        or (step.label.startswith("Pre-Tunnel ") and step.label not in ("Pre-Tunnel Req", "Pre-Tunnel 0"))
    ):
        return "31"
    return next((code for start, code in _COLOURS if step.label.startswith(start)), "0")
