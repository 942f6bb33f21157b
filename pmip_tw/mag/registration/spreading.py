"""Many registrations at once are spread over time, so that neither LMA nor AAA is flooded (P81, P82)."""

from collections.abc import Iterator

from pmip_tw.mobility.clock import Now

PER_SECOND = 200
SHORTEST = 1.0
"""Seconds over which even a few are spread: all MAGs of an LMA may begin at the same moment."""


def spread(count: int, now: Now, shortest: float = SHORTEST) -> Iterator[float]:
    """``count`` instants from now on, in order, jittered, no more than 200 in a second, over ``shortest`` at least."""
    interval = max(shortest, count / PER_SECOND) / max(count, 1)
    return (now.monotonic + interval * (number + now.random_fraction()) for number in range(count))
