"""An ordinary ping, and what it measured."""

import re
from collections.abc import Sequence
from statistics import median
from typing import Final

import attrs

from pmip_tw.lab.programs import ProgramError
from pmip_tw.lab.topology import Namespace
from pmip_tw.lab.world import World

INTERVAL: Final = 0.01
_ROUND_TRIP: Final = re.compile(r"icmp_seq=\d+ .*time=([\d.]+) ms(?P<again> \(DUP!\))?")
_SUMMARY: Final = re.compile(r"(\d+) packets transmitted, (\d+) received")


@attrs.frozen(slots=True, kw_only=True)
class Pings:
    """``round_trips`` in milliseconds, of each echo request that was answered."""

    sent: int
    round_trips: Sequence[float]

    @property
    def lost(self) -> int:
        return self.sent - len(self.round_trips)

    @property
    def median(self) -> float | None:
        return round(median(self.round_trips), 3) if self.round_trips else None


async def ping(world: World, host: Namespace, destination: str, count: int, *, name: str) -> Pings:
    """``count`` echo requests, one every hundredth of a second."""
    command = ["ping", "-n", "-i", str(INTERVAL), "-c", str(count), "-W", "1", destination]
    program = await world.start(name, host, *command)
    await program.ended(within=count * INTERVAL + 15)
    return parse(program.text)


def parse(text: str) -> Pings:
    """What ping printed. ProgramError if it did not come to its end."""
    summary = _SUMMARY.search(text)
    if summary is None:
        raise ProgramError(f"ping did not work: {text[-200:]}")
    trips = [float(found[1]) for found in _ROUND_TRIP.finditer(text) if not found["again"]]
    return Pings(sent=int(summary[1]), round_trips=trips)
