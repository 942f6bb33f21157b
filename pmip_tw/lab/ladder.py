"""Who said what to whom, as a ladder: one lane per role, one line per message, time downwards."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs

from pmip_tw.addresses import Ipv4
from pmip_tw.lab.heard import Echo, Heard, Message
from pmip_tw.lab.measure import Move

LANES: Final = ("MN", "MAG 1", "MAG 2", "LMA", "AAA")
_LMA: Final = 3
_TIME: Final = 11
_SPACING: Final = 19
_PLACES: Final = tuple(2 + number * _SPACING for number in range(len(LANES)))
_NOTE: Final = 24
WIDTH: Final = _TIME + _PLACES[-1] + 1

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


@attrs.frozen(slots=True, kw_only=True)
class Style:
    """How a terminal gets it: colours or none, box drawing characters or plain ASCII."""

    colour: bool = False
    ascii: bool = False

    def paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text

    def plain(self, text: str) -> str:
        return text.translate(_PLAIN) if self.ascii else text


_PLAIN = str.maketrans("│─═►◄✓✗→≤", "|-=><+x><")


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
    line = [" "] * (WIDTH + 3)
    for place, name in zip(_PLACES, LANES, strict=True):
        start = _TIME + place - len(name) // 2
        line[start : start + len(name)] = name
    line[_TIME - 4 : _TIME - 2] = "ms"
    return style.paint("1", "".join(line).rstrip())


def draw(step: Step, origin_ns: int, style: Style) -> str:
    """One line, its time in milliseconds since ``origin_ns``."""
    canvas = ["│" if place in _PLACES else " " for place in range(_PLACES[-1] + 1)]
    start, end = _PLACES[step.source], _PLACES[step.destination]
    low, high = min(start, end), max(start, end)
    canvas[low + 1 : high] = ("═" if step.data else "─") * (high - low - 1)
    canvas[high - 1 if end > start else low + 1] = "►" if end > start else "◄"
    # In the gap beside the sender, so that the labels of one lane stand below each other.
    label = f" {step.label} "[: _SPACING - 3]
    gap = start + 1 if end > start else start - _SPACING + 2
    first = gap + (_SPACING - 2 - len(label)) // 2
    canvas[first : first + len(label)] = label
    left, arrow, right = (
        style.plain("".join(part)) for part in (canvas[:low], canvas[low : high + 1], canvas[high + 1 :])
    )
    time = f"{(step.time_ns - origin_ns) / 1e6:{_TIME - 2}.1f}  "
    note = style.plain(step.note)[:_NOTE]
    arrow = style.paint(_colour(step), arrow)
    return f"{style.paint('2', time)}{left}{arrow}{right}  {style.paint('2', note)}".rstrip()


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
