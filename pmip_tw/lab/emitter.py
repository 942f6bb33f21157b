"""Sends prepared packets at a steady rate.

A process of its own:  python -m pmip_tw.lab.emitter WHERE RATE FILE
WHERE is an interface, for whole Ethernet frames, or "ip", for whole IPv4 packets with any source. RATE is packets
per second. FILE holds the packets, each after its length (two octets). At the end it says how many it has sent, in
how many seconds, and how many the kernel did not take.
"""

import socket
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from pmip_tw.lab.programs import Program, ProgramError
from pmip_tw.lab.topology import Namespace
from pmip_tw.lab.world import World

IP: Final = "ip"
_PAUSE: Final = 0.001


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
        # A crowd has processors of its own; here it must not take them from those who are to bear it.
        command = [
            "nice",
            "-n",
            "5",
            sys.executable,
            "-m",
            "pmip_tw.lab.emitter",
            where,
            str(rate),
            str(path),
        ]
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


def _read(path: Path) -> list[bytes]:
    octets = path.read_bytes()
    packets = []
    at = 0
    while at < len(octets):
        end = at + 2 + int.from_bytes(octets[at : at + 2], "big")
        packets.append(octets[at + 2 : end])
        at = end
    return packets


def _opened(where: str) -> Callable[[bytes], object]:
    if where == IP:
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        return lambda packet: raw.sendto(packet, (socket.inet_ntoa(packet[16:20]), 0))
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    link.bind((where, 0))
    return link.send


def main(arguments: Sequence[str]) -> int:
    where, rate, packets = arguments[0], float(arguments[1]), _read(Path(arguments[2]))
    send = _opened(where)
    print("sending", flush=True)
    sent = lost = 0
    began = time.monotonic()
    while sent < len(packets):
        due = min(len(packets), int((time.monotonic() - began) * rate) + 1)
        for packet in packets[sent:due]:
            try:
                send(packet)
            except OSError:
                lost += 1
        sent = due
        time.sleep(_PAUSE)  # the pace itself: there is no event to wait for
    print(f"sent {sent} in {time.monotonic() - began:.3f} s, lost {lost}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
