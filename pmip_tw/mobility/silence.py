"""How long a node has moved nothing: Idle-Timeout (RFC 2865 5.28, AA25).

Packets in either direction count, as the packet plane carries them: whoever listens to a stream is not idle. What is
not its traffic does not: our ARP probes, DHCP with us, keepalives, what a filter stops. The plane is asked from time to
time how many there were; so a session ends between one timeout after the last packet, and an eighth of it more.
"""

import attrs

_PARTS = 8
_SHORTEST = 1.0
"""Seconds between two looks at one node, at least."""

_NOT_KNOWN = -1


@attrs.define(slots=True)
class Silence:
    """``since``: when it was last known to have moved something, ``check_at``: when to look again; monotonic.

    ``timeout``: seconds; ``moved``: packets, as the plane has counted them.
    """

    timeout: int
    since: float
    check_at: float
    moved: int = _NOT_KNOWN

    @classmethod
    def begins(cls, timeout: int, monotonic: float) -> "Silence | None":
        """None for no timeout."""
        return cls(timeout, monotonic, monotonic + _step(timeout)) if timeout else None

    def is_over(self, moved: int, served: bool, monotonic: float) -> bool:
        """Whether it has lasted too long: ``moved`` is what the plane says now; who is not ``served`` can move none."""
        if moved != self.moved or not served:
            self.moved, self.since = moved, monotonic
        ends_at = self.since + self.timeout
        self.check_at = min(monotonic + _step(self.timeout), ends_at)
        return ends_at <= monotonic


def _step(timeout: int) -> float:
    return max(_SHORTEST, timeout / _PARTS)
