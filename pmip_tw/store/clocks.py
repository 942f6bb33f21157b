"""Time over restarts: a monotonic clock ends with its boot, so that rows carry the instant they were written at."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import attrs

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

UNNOTICEABLE = 0.01
"""Seconds. Clocks are read one after the other: two readings of one boot differ by some microseconds."""


@attrs.frozen(slots=True)
class Instant:
    """One moment by every clock.

    ``boot``: which boot of the machine. ``since_boot``: CLOCK_BOOTTIME, which goes on while the machine sleeps.
    ``monotonic``: CLOCK_MONOTONIC, which does not. ``wall``: Unix seconds.
    """

    boot: str
    since_boot: float
    monotonic: float
    wall: float


Clocks = Callable[[], Instant]


class Written(Protocol):
    """Something with the clocks of the moment when it was written."""

    @property
    def since_boot(self) -> float: ...
    @property
    def monotonic(self) -> float: ...


def system_clocks() -> Clocks:
    """The clocks of this machine."""
    boot = BOOT_ID.read_text().strip()

    def read() -> Instant:
        return Instant(boot, time.clock_gettime(time.CLOCK_BOOTTIME), time.monotonic(), time.time())

    return read


def clocks_now(seen: Iterable[Instant], now: Instant) -> dict[str, float]:
    """For each boot of ``seen``, oldest instant first: what its ``since_boot`` would show now if it had gone on.

    From one boot to the next it is the wall clock that tells how much time has passed, but never less than the later
    boot had been running for: a wall clock that went back makes nothing older or younger than that.
    """
    first: dict[str, Instant] = {}
    last: dict[str, Instant] = {}
    for instant in (*seen, now):
        first.setdefault(instant.boot, instant)
        last[instant.boot] = instant
    reading = {now.boot: now.since_boot}
    later = now.boot
    for boot in reversed([boot for boot in first if boot != now.boot]):
        end, begin = last[boot], first[later]
        between = max(begin.since_boot, begin.wall - end.wall)
        reading[boot] = end.since_boot + between + reading[later] - begin.since_boot
        later = boot
    return reading


def shift(written: Written, now: Instant, reading: float) -> float:
    """Seconds to add to monotonic instants of ``written`` to get instants of ``now``; ``reading``: see clocks_now."""
    seconds = now.monotonic - written.monotonic - (reading - written.since_boot)
    return 0.0 if -UNNOTICEABLE < seconds < UNNOTICEABLE else seconds
