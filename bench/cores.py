"""Processor time: whose it is, on which core it is spent, and whether somebody was short of it."""

import os
import platform
import time
from importlib.metadata import version
from pathlib import Path

import attrs

NANOSECONDS = 1e-9


@attrs.frozen(slots=True)
class Cores:
    """One core for the server under measurement, another for everything else; the same one if there is no other."""

    server: int
    generator: int

    @classmethod
    def of_this_machine(cls) -> "Cores":
        allowed = sorted(os.sched_getaffinity(0))
        return cls(server=allowed[-1], generator=allowed[0])


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads that the process ever had."""
    # The clock of another process, as clock_getcpuclockid(3) makes it: nanoseconds, where /proc counts in ticks.
    return time.clock_gettime((~pid << 3) | 2)


@attrs.frozen(slots=True)
class Occupation:
    """Seconds so far in which the main thread of a process ran, or was ready and had to wait for its core."""

    seconds: float

    @classmethod
    def of(cls, pid: int) -> "Occupation":
        running, waiting, _ = Path(f"/proc/{pid}/schedstat").read_text().split()
        return cls((int(running) + int(waiting)) * NANOSECONDS)


def stolen() -> float:
    """Seconds so far for which another guest of the same host had a core that ours wanted."""
    steal = Path("/proc/stat").read_text().split("\n", 1)[0].split()[8]
    return int(steal) / os.sysconf("SC_CLK_TCK")


def machine() -> dict[str, object]:
    """What a reader of figures wants to know of the machine."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        os.uname().machine,
    )
    return {
        "processor": model,
        "cores": len(os.sched_getaffinity(0)),
        "kernel": os.uname().release,
        "python": platform.python_version(),
        "twisted": version("twisted"),
        "load_at_start": round(os.getloadavg()[0], 2),
    }
