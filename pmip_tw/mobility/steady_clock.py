"""The wall clock of a protocol that compares timestamps: it never goes back, whatever the machine's clock does.

An operator or NTP may set the machine's clock. Forward, the protocol follows at once: older timestamps only become
too old. Back, it must not: requests that were recorded and refused or accepted before would lie in the window of I6
again. It goes on from where it was, ahead of the machine's clock, and falls behind slowly until both agree. MAGs that
know the right time are told by code 133 what time it is here, and lose nothing.
"""

import attrs

from pmip_tw.mobility.clock import Now

SLEW = 0.01
"""Seconds per second that are given back after a step back: a minute in less than two hours."""

NOTEWORTHY = 1.0
"""Seconds of a step that people are told of."""

TOLERANCE = 0.001
"""Seconds that two readings of the two clocks of a machine may be apart without a step."""


class SteadyClock:
    """Fed by every Now; ``of`` gives the same instant with the wall clock that the protocol goes by.

    ``set_back``: by how many seconds the machine's clock was found to be set back, until somebody has been told.
    """

    def __init__(self) -> None:
        self.set_back = 0.0
        self._ahead = 0.0
        # How far the protocol's wall clock is ahead of the monotonic one, and when that was last looked at.
        self._offset = float("-inf")
        self._looked_at = 0.0
        # One instant serves a whole batch of datagrams.
        self._asked: Now | None = None
        self._told: Now | None = None

    def go_on_from(self, wall: float, now: Now) -> None:
        """A former process has gone by a clock that showed ``wall`` or more; it is ``now``."""
        self._offset = max(self._offset, wall - now.monotonic)
        self._looked_at = now.monotonic
        self._asked = None

    def of(self, now: Now) -> Now:
        """``now`` itself as long as the machine's clock was not set back."""
        if now is self._asked and self._told is not None:
            return self._told
        self._asked, self._told = now, self._steady(now)
        return self._told

    def _steady(self, now: Now) -> Now:
        offset = now.wall - now.monotonic
        if offset >= self._offset - TOLERANCE:
            self._offset = max(offset, self._offset)
            self._looked_at = now.monotonic
            self._ahead = 0.0
            return now
        given_back = SLEW * max(0.0, now.monotonic - self._looked_at)
        self._offset = max(offset, self._offset - given_back)
        self._looked_at = max(now.monotonic, self._looked_at)
        ahead = self._offset - offset
        if ahead > self._ahead + NOTEWORTHY:
            self.set_back = ahead - self._ahead
        self._ahead = ahead
        return attrs.evolve(now, wall=now.monotonic + self._offset)
