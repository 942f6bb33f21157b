"""Figures from what was heard: gaps, losses, and which echo request arrived how often."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median

import attrs

from pmip_tw.addresses import Prefix
from pmip_tw.lab.heard import Echo, Heard

MILLISECOND = 1_000_000


@attrs.frozen(slots=True, kw_only=True)
class Move:
    """A mobile node's port was switched between these two instants (Unix nanoseconds); ``to`` is the new MAG."""

    began_ns: int
    ended_ns: int
    to: str


def longest_gap(times: Sequence[int], began: int, ended: int) -> tuple[int, int] | None:
    """The longest interval between neighbours of ``times`` that lies partly in ``began``..``ended``.

    None if there are no two such neighbours.
    """
    inside = [(one, other) for one, other in pairwise(times) if other >= began and one <= ended]
    return max(inside, key=lambda gap: gap[1] - gap[0], default=None)


def milliseconds(nanoseconds: float) -> float:
    return round(nanoseconds / MILLISECOND, 2)


def handover_gaps(
    heard: Heard, moves: Sequence[Move], tap: str, window_ns: int
) -> list[tuple[int, int] | None]:
    """For each move the longest interval without an echo reply at ``tap``, looked for from the move on for
    ``window_ns``; None where no reply came any more."""
    replies = [echo.time_ns for echo in heard.echoes if echo.tap == tap and echo.inbound and not echo.request]
    return [longest_gap(replies, move.began_ns, move.ended_ns + window_ns) for move in moves]


def stalls(
    heard: Heard, moves: Sequence[Move], tap: str, home: Prefix, window_ns: int
) -> list[tuple[int, int] | None]:
    """The same for TCP data of mobile nodes that arrives at ``tap``, as far as the capture holds it."""
    arrivals = [
        segment.time_ns
        for segment in heard.segments
        if segment.tap == tap and segment.inbound and segment.octets > 0 and segment.source in home
    ]
    return [longest_gap(arrivals, move.began_ns, move.ended_ns + window_ns) for move in moves]


def octets_seen(heard: Heard, tap: str, home: Prefix, began: int, ended: int) -> int:
    """TCP payload of mobile nodes in the capture that arrived at ``tap`` between the two instants."""
    return sum(
        segment.octets
        for segment in heard.segments
        if segment.tap == tap
        and segment.inbound
        and segment.source in home
        and began <= segment.time_ns < ended
    )


def typical(values: Iterable[float]) -> float | None:
    """The median, or None of nothing."""
    listed = list(values)
    return round(median(listed), 2) if listed else None


@attrs.frozen(slots=True, kw_only=True)
class Delivery:
    """What became of the echo requests that a mobile node sent, by (identifier, sequence number)."""

    sent: int
    lost_on_air: int
    """Reached no MAG: sent in the instant in which the port was switched."""
    lost_behind_mag: tuple[tuple[int, int], ...]
    duplicated: tuple[tuple[int, int], ...]
    lost_requests: int
    """Did not arrive, for either reason."""
    unanswered: int
    """Those, and the ones whose reply was lost."""

    @property
    def exactly_once(self) -> bool:
        return self.sent > 0 and not self.lost_behind_mag and not self.duplicated


def delivery(heard: Heard, *, node: str, access: Iterable[str], correspondent: str) -> Delivery:
    """Follow every echo request from the tap ``node`` over the ``access`` taps to the tap ``correspondent``."""
    access = frozenset(access)
    requests = [echo for echo in heard.echoes if echo.request]

    def at(taps: frozenset[str], echoes: Iterable[Echo], *, inbound: bool) -> "Counter[tuple[int, int]]":
        return Counter(echo.number for echo in echoes if echo.tap in taps and echo.inbound is inbound)

    sent = at(frozenset({node}), requests, inbound=False)
    reached_mag = at(access, requests, inbound=True)
    arrived = at(frozenset({correspondent}), requests, inbound=True)
    answered = at(frozenset({node}), (echo for echo in heard.echoes if not echo.request), inbound=True)
    return Delivery(
        sent=len(sent),
        lost_on_air=sum(1 for number in sent if not reached_mag[number]),
        lost_behind_mag=tuple(number for number in sent if reached_mag[number] and not arrived[number]),
        duplicated=tuple(number for number in sent if arrived[number] > sent[number]),
        lost_requests=sum(1 for number in sent if not arrived[number]),
        unanswered=sum(1 for number in sent if not answered[number]),
    )
