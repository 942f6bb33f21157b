"""A host in the middle of its work, and kill -9 of the daemons that serve it; run by test_killed.py.

    node (dhclient, ping, iperf3) --- mag1 --- core --- lma --- correspondent
                                                |
                                            FreeRADIUS

The MAG is killed and started again, then the LMA, then both at once; at the end the node is moved away while its MAG is
dead. Prints one JSON object with what was seen.
"""

import asyncio
import os
import re
import signal
from pathlib import Path
from typing import Any

from pmip_tw.lab.freeradius import authentications
from pmip_tw.lab.mobile_node import MobileNode
from pmip_tw.lab.programs import Program, eventually
from pmip_tw.lab.sites import CORRESPONDENT
from pmip_tw.lab.world import World, world
from tests.interop.private_story import play

LIFETIME = "lifetime = 600\n"
INTERVAL = 0.1
DOWN = 0.5
"""Seconds for which a daemon is dead before it is started again."""

_REGISTRATIONS = ("binding-created", "binding-renewed", "binding-moved")


class Story:
    """What is done to ``made``, and what is noted of it."""

    def __init__(self, made: World) -> None:
        self.made = made
        self.seen: dict[str, Any] = {}

    async def begin(self) -> None:
        made = self.made
        await made.start_aaa()
        await made.start_lma()
        for name in made.mags:
            await made.start_mag(name, LIFETIME)
        self.node = MobileNode(made)
        self.seen["address"] = await self.node.attach()
        ping = ["ping", "-n", "-D", "-O", "-i", str(INTERVAL), CORRESPONDENT]
        self.ping = await made.start("ping", made.mn, *ping)
        await self.ping.said("bytes from", within=30)
        self.seen["aaa"] = made.by_radius
        self.tcp = await transfer(made)

    async def killed(self, what: str, *names: str) -> None:
        """``names`` die and are started again; ``what`` for the notes."""
        before = await self._standing()
        for name in names:
            os.kill(self.made.pid(name), signal.SIGKILL)
        for name in names:
            await self.made.stop(name)
        rules = await self._rules("after-" + what)
        await asyncio.sleep(DOWN)
        since = self.ping.lines
        for name in names:
            await self._start(name)
        received = self.tcp.lines
        answered = await self._answered(since, times=10)
        after = await self._standing()
        self.seen[what] = {
            "before": before,
            "after": after,
            "answered": answered,
            "TCP goes on": await self._received(received),
            "fence stayed": "drop" in rules,
            "addresses": await self.node.addresses(),
        }

    async def moved_away_meanwhile(self) -> None:
        """The node is at the other MAG when its first one comes back, which must leave it there."""
        made = self.made
        os.kill(made.pid("mag1"), signal.SIGKILL)
        await made.stop("mag1")
        made.cells.move(made.mn, "cell-mag2")
        served = await eventually(lambda: self._serves("mag2"), within=30)
        since = self.ping.lines
        await self._start("mag1")
        gone = await eventually(lambda: self._serves_nobody("mag1"), within=30)
        self.seen["moved"] = {
            "served": served,
            "gone": gone,
            "answered": await self._answered(since, times=10),
            "bindings": [row["mag"] for row in await made.bindings()],
        }

    async def end(self) -> None:
        await self.node.release()

        async def empty() -> bool:
            return not await self.made.bindings() and not await self.made.visitors("mag2")

        self.seen["ended"] = await eventually(empty, within=30)
        for name in ("mag1", "mag2", "lma"):
            await self.made.stop(name)
        self.seen["rules left"] = (await self._rules("at-the-end")).strip()

    async def _start(self, name: str) -> None:
        if name == "lma":
            await self.made.start_lma()
        else:
            await self.made.start_mag(name, LIFETIME)

    async def _standing(self) -> dict[str, Any]:
        """What must be the same before and after."""
        made = self.made
        bindings, visitors = await made.bindings(), await made.visitors("mag1")
        names = ("nai", "home_address", "tunnel", "lifetime")
        accepted = authentications(made.radius_log()) if made.by_radius else []
        return {
            "bindings": [{name: row[name] for name in names} for row in bindings],
            "visitors": [{name: row[name] for name in names} | {"state": row["state"]} for row in visitors],
            "registered": await self._registrations(),
            "authentications": len(accepted),
        }

    async def _registrations(self) -> int:
        """Those in the LMA's trace of the node, which dies with the LMA."""
        try:
            trace = (await self.made.ask("lma", "trace", self.made.subscribers[0].nai))["trace"]
        except Exception:
            return 0
        return sum(entry["name"] in _REGISTRATIONS for entry in trace)

    async def _rules(self, name: str) -> str:
        listed: Program = await self.made.start(
            f"nft-{name}", self.made.mags["mag1"], "nft", "list", "ruleset"
        )
        await listed.ended(within=30)
        return listed.text

    async def _answered(self, since: int, *, times: int) -> bool:
        """Whether the ping that runs all the time was answered so often since then."""

        async def enough() -> bool:
            said = self.ping.text.splitlines()[since:]
            return sum("bytes from" in line for line in said) >= times

        return await eventually(enough, within=30)

    async def _received(self, since: int) -> bool:
        """Whether the correspondent got something by TCP in a whole second after it said line ``since``."""

        async def something() -> bool:
            return bool(re.search(r"sec +(?!0\.00 )", "\n".join(self.tcp.text.splitlines()[since:])))

        return await eventually(something, within=30)

    async def _serves(self, name: str) -> bool:
        return [row["state"] for row in await self.made.visitors(name)] == ["registered"]

    async def _serves_nobody(self, name: str) -> bool:
        return not await self.made.visitors(name)


async def transfer(made: World) -> Program:
    """TCP from the node to its correspondent, slowly, all the time; the correspondent's end, which tells every second
    how much came."""
    server = await made.start("iperf3-server", made.correspondent, "iperf3", "--forceflush", "-s", "-1")
    await server.said("Server listening", within=20)
    client = ["iperf3", "-c", CORRESPONDENT, "-t", "600", "-b", "1M", "-l", "1K"]
    await made.start("iperf3", made.mn, *client)
    await server.said("connected to", within=20)
    return server


async def story(directory: Path) -> dict[str, Any]:
    async with world(directory, lambda _: None) as made:
        told = Story(made)
        await told.begin()
        await told.killed("mag", "mag1")
        await told.killed("lma", "lma")
        await told.killed("both", "lma", "mag1")
        told.seen["trace"] = (await made.ask("mag1", "trace", made.subscribers[0].nai))["trace"]
        await told.moved_away_meanwhile()
        await told.end()
        told.seen["tracebacks"] = [
            path.name for path in directory.glob("*.log") if re.search("Traceback", path.read_text())
        ]
    return told.seen


if __name__ == "__main__":
    play(story)
