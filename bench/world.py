"""Where the servers run: a private world, whose only network is a loopback device with all addresses on it.

Nothing needs root there, nothing collides, port 434 and a TUN device are free, and nothing is left behind.
"""

import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import attrs

from bench.cores import Cores, machine
from pmip_tw.addresses import Ipv4, ipv4, ipv4_text
from pmip_tw.lab.isolation import run_isolated

MAGS = 4
"""Mobility access gateways, each with an address of its own, that registrations of one LMA come from."""

_DISK = "/var/tmp"
"""A directory that is on a disk, where /tmp and /run often are memory: a journal must be able to be durable."""


@attrs.frozen(slots=True)
class Place:
    """``directory`` is on the disk and is empty; ``cores``: who runs where; ``machine``: what all that is."""

    directory: Path
    cores: Cores
    machine: Mapping[str, object]


def in_private_world(inside: Callable[[Place], int]) -> int:
    """Call ``inside`` there; its exit status. NotIsolated: no private world can be made here."""
    with tempfile.TemporaryDirectory(prefix="pmip-bench-", dir=_DISK) as directory:

        def furnished() -> int:
            os.environ["PATH"] += ":/usr/sbin:/sbin"
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            described, cores = machine(), Cores.of_this_machine()
            os.sched_setaffinity(0, {cores.generator})
            return inside(Place(Path(directory), cores, described))

        return run_isolated(furnished)


def add_address(address: Ipv4) -> None:
    """Make it one of this world's own."""
    subprocess.run(["ip", "address", "add", f"{ipv4_text(address)}/32", "dev", "lo"], check=True)


def file_system(path: Path) -> str:
    """The kind of the file system that ``path`` is on."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    on = [mount for mount in mounts if path.is_relative_to(mount[1])]
    return max(on, key=lambda mount: len(mount[1]))[2]


def address(number: int) -> Ipv4:
    """The one of server ``number``."""
    return Ipv4(ipv4("192.0.2.1") + number)


def mags_of(number: int) -> list[Ipv4]:
    """Those whose MAGs, or clients, speak with server ``number``."""
    first = Ipv4(ipv4("198.51.100.1") + number * MAGS)
    return [Ipv4(first + mag) for mag in range(MAGS)]
