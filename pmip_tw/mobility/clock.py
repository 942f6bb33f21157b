"""What a machine may know about time and chance: it is told, it never looks."""

from collections.abc import Callable

import attrs

NTP_EPOCH = 2_208_988_800
"""Seconds from 1900-01-01 to 1970-01-01 (I3)."""


@attrs.frozen(slots=True)
class Now:
    """One instant, read once per wake-up at the edge.

    ``monotonic``: seconds, the clock of every deadline. ``wall``: Unix seconds, for the Identification,
    stored expiries and people. ``entropy``: gives n random octets (seeded in simulation).
    """

    monotonic: float
    wall: float
    entropy: Callable[[int], bytes] = attrs.field(repr=False, eq=False)

    def random_fraction(self) -> float:
        """A number in [0, 1), for jitter."""
        return int.from_bytes(self.entropy(4), "big") / 2**32
