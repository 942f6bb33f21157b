"""What the kernel says of processors: what a process used, and what of them was left for this private world."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import attrs

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_MIB: Final = 1 << 20


@attrs.frozen(slots=True, kw_only=True)
class Process:
    """``cpu`` seconds used, ``memory`` resident, in MiB."""

    cpu: float
    memory: float

    @classmethod
    def of(cls, pid: int) -> "Process":
        fields = _after_name(Path(f"/proc/{pid}/stat").read_text())
        ticks = int(fields[11]) + int(fields[12])
        return cls(cpu=ticks / _TICKS, memory=int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / _MIB)


@attrs.frozen(slots=True, kw_only=True)
class Processors:
    """All of the machine's together, seconds since it was started: ``ours`` used by this world, ``others``' by whoever
    else there is, at ``time``, monotonic."""

    time: float
    ours: float
    others: float

    @classmethod
    def now(cls) -> "Processors":
        """In a private world, whose /proc has its processes only, and /proc/stat the whole machine."""
        ours = sum(used_with_children(stat) for stat in _processes()) / _TICKS
        return cls(
            time=time.monotonic(), ours=ours, others=used(Path("/proc/stat").read_text()) / _TICKS - ours
        )

    def left_since(self, before: "Processors") -> float:
        """The share that nobody else took since ``before``: 1 on an idle machine."""
        all_of_them = (self.time - before.time) * (os.cpu_count() or 1)
        return round(min(1.0, max(0.0, 1 - (self.others - before.others) / all_of_them)), 2)


def used(stat: str) -> int:
    """Ticks that programs ran, or another machine on the same hardware; not what devices and networks took."""
    user, nice, system, _, _, _, _, steal = (int(text) for text in stat.split("\n", 1)[0].split()[1:9])
    return user + nice + system + steal


def used_with_children(stat: str) -> int:
    """Ticks of a process, and of its children that have ended."""
    return sum(int(text) for text in _after_name(stat)[11:15])


def _processes() -> Iterator[str]:
    """What the kernel says of each that we can see."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            yield path.read_text()


def _after_name(stat: str) -> list[str]:
    """Fields of /proc/PID/stat from the third on; the second, the name, may have anything in it."""
    return stat.rpartition(")")[2].split()
