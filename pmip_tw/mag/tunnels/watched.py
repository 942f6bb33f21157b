"""What keepalives know of a UDP tunnel, or of one node of it (N38-N43, N59)."""

import attrs

from pmip_tw.mag.tunnels.turns import Turns
from pmip_tw.mobility.tunnels import AccessKey, Tunnel

LONG_AGO = float("-inf")
NEVER = float("inf")

Path = tuple[Tunnel, AccessKey | None]
"""What has a timer: a tunnel without its keys, for all its nodes; with a key for that one only (``binding``, N42)."""


@attrs.define(slots=True)
class Asked:
    """Keepalives under way: ``tries`` in the name of ``key``, the first at ``since``, after ``idle`` seconds (None: it
    was not idle), ``apart`` seconds from each other.
    """

    key: AccessKey
    since: float
    idle: float | None
    apart: float
    tries: int = 0


@attrs.define(slots=True, kw_only=True)
class Watched:
    """Instants are monotonic. ``told``: the interval that the LMA's last answer means; ``interval``: the present one.

    ``due``: when to look next. ``sent``: a keepalive or registration; ``heard``: an answer. ``asked``: what waits for
    one. ``lost_in_a_row``: without a keepalive answered in between; ``lost``: in all. ``settled``: when all are
    registered anew after the last of them. ``trusted_until``: silence means nothing before that; then, if there was a
    loss, a keepalive ``proves`` that what was registered anew works. ``newest``: who was registered last; keepalives in
    its name from ``try_at`` on show whether echoes are answered at all, which ends the patience.
    ``asked_at``: when somebody's turn was last, or the path was new. ``ended_after``: idle seconds of the last loss,
    until a registration shows that the LMA is there.
    """

    turns: Turns
    told: float
    interval: float
    due: float
    sent: float
    heard: float = LONG_AGO
    asked: Asked | None = None
    asked_at: float
    lost_in_a_row: int = 0
    lost: int = 0
    settled: float = LONG_AGO
    newest: AccessKey
    try_at: float = NEVER
    trusted_until: float = LONG_AGO
    proves: bool = False
    ended_after: float | None = None
