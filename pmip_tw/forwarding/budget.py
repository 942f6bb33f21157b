"""How many of something may happen in a second: ICMP errors of one kind, broadcasts of one sender."""

from typing import Final

ERRORS_PER_SECOND: Final = 10
"""ICMP errors of one kind that one plane sends for one address space (RFC 1812 4.3.2.8)."""


class Budget:
    """Full at first: a second's worth at once, then as it is earned.

    Each kind of thing has its own, so that nobody who provokes one kind can keep another from happening.
    """

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._left = float(per_second)
        self._counted_at = 0.0

    def allows(self, now: float) -> bool:
        """May one happen at ``now`` (monotonic seconds)? Asking spends nothing."""
        earned = (now - self._counted_at) * self._per_second
        self._left = min(self._left + earned, self._per_second)
        self._counted_at = now
        return self._left >= 1

    def spend(self, amount: int = 1) -> None:
        """Something that cost ``amount``, perhaps more than was left: then it takes longer until the next one."""
        self._left -= amount
