"""Whether tunnels that need no keepalives still carry: an echo for all nodes of one, in turn (P81, N43)."""

from collections.abc import Callable

import attrs

from pmip_tw.mag.tunnels.turns import Turns
from pmip_tw.mobility.tunnels import AccessKey, Tunnel

UNANSWERED = 3
RETRY = 2.0
"""Keepalives without answer, and seconds between them, after which a tunnel counts as lost."""

MAX_SLOWER = 4
"""So many times the interval is doubled while nothing comes back: some LMAs answer no echo."""


@attrs.define(slots=True)
class _Watched:
    """``due``: when the next keepalive is, monotonic."""

    turns: Turns
    due: float
    unanswered: int = 0
    losses: int = 0


@attrs.frozen(slots=True)
class Pulse:
    """``keepalives``: through whose tunnel one is to be sent. ``lost``: tunnels that do not carry, with their nodes."""

    keepalives: list[AccessKey]
    lost: list[tuple[Tunnel, list[AccessKey]]]


class Liveness:
    """The tunnels in use; there are a few, with many nodes each.

    ``uses(key)`` says which tunnel a node has now, None if it has none: who left is noticed when it is its turn.
    """

    def __init__(self, interval: float, uses: Callable[[AccessKey], Tunnel | None]) -> None:
        self._interval = interval
        self._uses = uses
        self._watched: dict[Tunnel, _Watched] = {}

    def watch(self, key: AccessKey, tunnel: Tunnel, monotonic: float) -> None:
        """``key`` has been registered, and goes through ``tunnel``."""
        path = tunnel.path
        watched = self._watched.get(path)
        if watched is None:
            turns = Turns(lambda node: self._is_on(node, path))
            watched = self._watched[path] = _Watched(turns, monotonic + self._interval)
        watched.turns.add(key, monotonic)

    def answered(self, key: AccessKey, monotonic: float) -> None:
        """Something came back through the tunnel of ``key``."""
        tunnel = self._uses(key)
        watched = None if tunnel is None else self._watched.get(tunnel.path)
        if watched is not None:
            watched.unanswered = watched.losses = 0
            watched.due = monotonic + self._interval

    def due(self, monotonic: float) -> Pulse:
        """What is to be done now. A lost tunnel is asked again, more slowly: it may come back by itself."""
        pulse = Pulse([], [])
        for path, watched in list(self._watched.items()):
            if watched.due > monotonic:
                continue
            if watched.unanswered == UNANSWERED:
                pulse.lost.append((path, list(watched.turns)))
                watched.losses = min(watched.losses + 1, MAX_SLOWER)
                watched.unanswered, watched.due = 0, monotonic + self._interval * 2**watched.losses
                continue
            key = watched.turns.next()
            if key is None:
                del self._watched[path]
                continue
            watched.unanswered += 1
            watched.due = monotonic + RETRY
            pulse.keepalives.append(key)
        return pulse

    def next_deadline(self) -> float | None:
        return min((watched.due for watched in self._watched.values()), default=None)

    def _is_on(self, key: AccessKey, path: Tunnel) -> bool:
        tunnel = self._uses(key)
        return tunnel is not None and tunnel.path == path
