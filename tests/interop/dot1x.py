"""An unmodified supplicant, an unmodified FreeRADIUS, and two MAGs between them; run by test_dot1x.py.

    node (wpa_supplicant -D wired, dhclient, ping) --- switch === mag1, mag2 --- core --- lma --- correspondent
                                                                                  |
                                                                              FreeRADIUS

The node proves itself by the method that is named, gets its address, moves to the other MAG while it pings, and logs
off. Before that somebody on its link logs it off who is not it. Prints one JSON object with what was seen.
"""

import re
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs

from pmip_tw.lab.certificates import Authority
from pmip_tw.lab.freeradius import Tls
from pmip_tw.lab.mobile_node import MobileNode
from pmip_tw.lab.programs import Program, eventually
from pmip_tw.lab.sites import CORRESPONDENT
from pmip_tw.lab.subscribers import SUBSCRIBER
from pmip_tw.lab.supplicant import Account, Supplicant
from pmip_tw.lab.world import World, world
from tests.interop.private_story import play

PASSWORD = "open-sesame"
INTERVAL = 0.01
LOGOFF = f"0180c2000003{SUBSCRIBER.mac.hex()}888e02020000"
SHOUT = """
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
s.bind((sys.argv[1], 0))
s.send(bytes.fromhex(sys.argv[2]))
"""
"""Whoever is on the link may send whatever it likes."""


class Story:
    def __init__(self, made: World, method: str) -> None:
        self.made = made
        self.method = method
        self.seen: dict[str, Any] = {}

    async def play(self) -> dict[str, Any]:
        await self._servers()
        await self._silent()
        await self._proven()
        await self._logged_off_by_somebody_else()
        await self._moved()
        await self._gone()
        self.seen["tracebacks"] = self.made.tracebacks("mag1", "mag2", "lma")
        return self.seen

    async def _servers(self) -> None:
        made, authority = self.made, Authority()
        user = attrs.evolve(SUBSCRIBER.at_radius(), by_mac=False, password=PASSWORD)
        await made.run_aaa(made.freeradius([user], tls=Tls(authority=authority)))
        await made.start_lma()
        for name in made.mags:
            await made.start_mag(name, access='authentication = "802.1x"')
        account = Account(identity=SUBSCRIBER.nai, password=PASSWORD, authority=authority)
        self.supplicant = Supplicant(made, made.mn, account, self.method)
        self.node = MobileNode(made)

    async def _silent(self) -> None:
        """Without a word of its supplicant it gets nothing."""
        await self.node.ask()
        await self.node.asked(times=2, within=20)
        self.seen["before"] = {
            "bindings": await self.made.bindings(),
            "addresses": await self.node.addresses(),
            "states": [row["state"] for row in await self.made.visitors("mag1")],
        }

    async def _proven(self) -> None:
        began = time.monotonic()
        await self.supplicant.start()
        await self.supplicant.succeeded(within=20)
        self.seen["address"] = await self.node.bound(within=30)
        self.seen["attach"] = time.monotonic() - began
        self.seen["visitors"] = await self.made.visitors("mag1")
        trace = (await self.made.ask("mag1", "trace", SUBSCRIBER.nai))["trace"]
        self.seen["trace"] = [(row["name"], row.get("details", {}).get("method", "")) for row in trace]
        ping = ["ping", "-n", "-D", "-O", "-i", str(INTERVAL), CORRESPONDENT]
        self.ping = await self.made.start("ping", self.made.mn, *ping)
        await self.ping.said("bytes from", within=30)

    async def _logged_off_by_somebody_else(self) -> None:
        mark = self.supplicant.mark
        await self._shout("forged-logoff", LOGOFF)
        await self.supplicant.succeeded(within=10, since=mark)
        counts = await self.made.counts("mag1")
        self.seen["forged"] = {
            "reauthorized": counts["reauthorized", ""],
            "left": counts["visitor-left", ""],
            "states": [row["state"] for row in await self.made.visitors("mag1")],
        }

    async def _moved(self) -> None:
        mark = self.supplicant.mark
        since = self.ping.lines
        self.made.cells.move(self.made.mn, "cell-mag2")
        await self.supplicant.succeeded(within=20, since=mark)
        await self._answered(since)
        self.seen["gap"] = longest_gap(self.ping, since)
        self.seen["moved"] = {
            "visitors": await self.made.visitors("mag2"),
            "bindings": await self.made.bindings(),
            "addresses": await self.node.addresses(),
        }

    async def _gone(self) -> None:
        """This supplicant ends without a word: the word is ours."""
        await self.supplicant.stop()
        await self._shout("logoff", LOGOFF)

        async def has_left() -> bool:
            return not await self.made.bindings()

        self.seen["gone"] = await eventually(has_left, within=10)
        trace = (await self.made.ask("mag2", "trace", SUBSCRIBER.nai))["trace"]
        self.seen["farewell"] = [row["cause"] for row in trace if row["name"] == "visitor-left"]

    async def _shout(self, name: str, frame: str) -> None:
        program = await self.made.start(name, self.made.mn, sys.executable, "-c", SHOUT, "eth0", frame)
        await program.ended(within=10)

    async def _answered(self, since: int) -> None:
        async def again() -> bool:
            return len(re.findall("bytes from", _lines(self.ping, since)[-4000:])) >= 10

        await eventually(again, within=20)


def _lines(program: Program, since: int) -> str:
    return "\n".join(program.text.splitlines()[since:])


def longest_gap(ping: Program, since: int) -> float:
    """Seconds between two answers, from the last before line ``since`` on."""
    stamps = [
        float(at)
        for at in re.findall(r"^\[(\d+\.\d+)\] \d+ bytes from", _lines(ping, max(0, since - 20)), re.M)
    ]
    return max(after - before for before, after in pairwise(stamps))


async def story(directory: Path) -> dict[str, Any]:
    lines: list[str] = []
    async with world(directory, lines.append) as made:
        return await Story(made, sys.argv[2]).play()


if __name__ == "__main__":
    play(story)
