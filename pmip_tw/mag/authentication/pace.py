"""How often something may begin: a burst at once, and so many a second."""


class Pace:
    """A bucket as one instant: it lies ``burst`` intervals back when the bucket is full, and as many ahead at most.

    Who spends without asking what is allowed is not to be paid for by others for longer than that.
    """

    __slots__ = ("_burst", "_interval", "_until")

    def __init__(self, per_second: float, burst: int) -> None:
        self._interval = 1 / per_second
        self._burst = burst
        self._until = float("-inf")

    def allows(self, monotonic: float) -> bool:
        return self._until <= monotonic

    def spend(self, monotonic: float) -> None:
        whole = self._burst * self._interval
        self._until = min(max(self._until, monotonic - whole) + self._interval, monotonic + whole)
