"""Nobody is served whom AAA has not accepted, there and just then."""

from collections import defaultdict
from typing import TYPE_CHECKING

from pmip_tw.mag.visitors import State
from tests.simulation import state
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.machines import MagMachine
    from tests.simulation.world import World

UNDER_WAY = 12.0
"""Seconds for which an Accept is good: it is on its way, or its answer was lost and is asked for once more."""


class Admissions:
    """``said``: when AAA accepted whom at which MAG."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.said: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        self._served: dict[str, tuple[int, set[str]]] = {}

    def accepted(self, mag: str, nai: str) -> None:
        self.said[mag, nai].append(self._world.monotonic())

    def check(self, mag: "MagMachine") -> None:
        """After an event of ``mag``. Who is brought back from its disk was admitted by its former life."""
        served = {one.nai for one in state.visitors(mag) if one.state is not State.AUTHENTICATING}
        life, before = self._served.get(mag.name, (0, set()))
        if life == mag.life:
            for nai in served - before:
                self._admitted(mag.name, nai)
        self._served[mag.name] = mag.life, served
        honest = {node.nai for node in self._world.nodes if node.deserves_service}
        if wrong := served - honest:
            raise Violation("only who is accepted is served", f"{sorted(wrong)} at {mag.name}")

    def _admitted(self, mag: str, nai: str) -> None:
        """One Accept each."""
        now, said = self._world.monotonic(), self.said[mag, nai]
        if self._world.points and said:
            return  # who is still at its access point comes back by its next frame
        if not said or said[-1] < now - UNDER_WAY:
            raise Violation("only who is accepted is served", f"{nai} at {mag}: {said[-3:]}")
        said.clear()
