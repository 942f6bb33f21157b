"""Packets that somebody sends at a steady rate, as a scenario needs them: pmip_tw.lab.sending in a namespace."""

import sys
from collections.abc import Iterable
from pathlib import Path

from pmip_tw.lab.programs import Program, ProgramError
from pmip_tw.lab.topology import Namespace
from pmip_tw.lab.world import World


class Emitter:
    """The sending process, seen from the scenario."""

    def __init__(self, program: Program, path: Path) -> None:
        self._program = program
        self._path = path

    @classmethod
    async def start(
        cls, world: World, host: Namespace, where: str, packets: Iterable[bytes], rate: float, *, name: str
    ) -> "Emitter":
        """Send ``packets`` from ``host``, ``rate`` a second; return when it has begun."""
        path = world.directory / f"{name}.packets"
        path.write_bytes(b"".join(len(packet).to_bytes(2, "big") + packet for packet in packets))
        command = [sys.executable, "-m", "pmip_tw.lab.sending", where, str(rate), str(path)]
        program = await world.start(name, host, *command)
        await program.said("^sending$", within=10)
        return cls(program, path)

    async def finished(self) -> float:
        """Wait until all are sent; the packets per second that were reached. ProgramError if one was not taken."""
        said = await self._program.said(r"^sent (\d+) in (\S+) s, lost (\d+)$", within=60)
        await self._program.ended(within=5)
        self._path.unlink()
        if int(said[3]):
            raise ProgramError(f"{self._program.name}: the kernel did not take {said[3]} packets")
        return round(int(said[1]) / float(said[2]), 1)
