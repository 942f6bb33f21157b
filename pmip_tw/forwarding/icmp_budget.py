"""How many ICMP errors of one kind may be sent."""

PER_SECOND = 10
"""Errors of one kind that one anchor sends at most (RFC 1812 4.3.2.8)."""


class IcmpBudget:
    """Full at first: a second's worth at once, then as it is earned. Each kind of error has its own.

    So nobody who provokes errors of one kind can keep another from being sent.
    """

    def __init__(self) -> None:
        self._left = float(PER_SECOND)
        self._counted_at = 0.0

    def allows(self, now: float) -> bool:
        """May one be sent at ``now`` (monotonic seconds)? Asking spends nothing."""
        self._left = min(self._left + (now - self._counted_at) * PER_SECOND, PER_SECOND)
        self._counted_at = now
        return self._left >= 1

    def spend(self) -> None:
        self._left -= 1
