"""A host whose MAG has a disk that is full for a while; run by test_failing_disk_of_mag.py.

    node (dhclient, ping) --- mag1 --- core --- lma --- correspondent

Prints one JSON object with what was seen.
"""

import asyncio
import errno
import os
import re
import signal
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pmip_tw.lab.mobile_node import MobileNode
from pmip_tw.lab.programs import ProgramError, eventually
from pmip_tw.lab.sites import CORRESPONDENT
from pmip_tw.lab.world import World, world
from tests.durability.failing_disk import FailingDisk
from tests.interop.private_story import play


class Story:
    """What is done to ``made``, and what is noted of it."""

    def __init__(self, made: World, disk: FailingDisk) -> None:
        self.made = made
        self.disk = disk
        self.node = MobileNode(made)
        self.seen: dict[str, Any] = {}

    async def start_mag(self) -> None:
        with patch.dict(os.environ, self.disk.environment):
            self.mag = await self.made.start_mag("mag1", "lifetime = 600\n")

    async def kill_mag(self) -> None:
        os.kill(self.made.pid("mag1"), signal.SIGKILL)
        await self.made.stop("mag1")

    async def begin(self) -> None:
        await self.made.start_aaa()
        await self.made.start_lma()
        await self.start_mag()
        self.seen["address"] = await self.node.attach()
        ping = await self.made.start("ping", self.made.mn, "ping", "-n", "-O", "-i", "0.1", CORRESPONDENT)
        self.ping = ping

    async def restarted_on_it(self) -> None:
        """The MAG dies while its disk is full, and comes back when there is room: whom it had saved it serves."""
        self.disk.fail("write", errno.ENOSPC)
        await self.kill_mag()
        try:
            await self.start_mag()
            self.seen["refusal"] = ""
        except ProgramError as error:
            self.seen["refusal"] = str(error)
        self.disk.work()
        since = self.ping.lines
        await self.start_mag()
        self.seen["served again"] = await self.answered(since)
        self.seen["restored"] = (await self.visitors())[:1]

    async def attached_on_it(self) -> None:
        """A node that comes meanwhile is served, and what a restart must know is written when there is room again."""
        self.disk.fail("write", errno.ENOSPC)
        await self.node.release()
        self.seen["address meanwhile"] = await self.node.attach()
        self.seen["served meanwhile"] = await self.answered(self.ping.lines)
        self.seen["complaint"] = await self.said("journal-failed")
        self.disk.work()
        self.seen["works again"] = await self.said("journal-works-again")
        before = await self.visitors()
        await self.kill_mag()
        since = self.ping.lines
        await self.start_mag()
        self.seen["kept"] = [before, await self.visitors()]
        self.seen["served at last"] = await self.answered(since)

    async def visitors(self) -> list[dict[str, Any]]:
        names = ("nai", "home_address", "state")
        return [{name: row[name] for name in names} for row in await self.made.visitors("mag1")]

    async def said(self, words: str) -> str:
        """The line of the MAG's log, "" if there is none for a while."""

        def lines() -> list[str]:
            return [line for line in self.mag.text.splitlines() if words in line]

        async def there() -> bool:
            return bool(lines())

        await eventually(there, within=30)
        return next(iter(lines()), "")

    async def answered(self, since: int) -> bool:
        """Whether the ping that runs all the time was answered some times since then."""

        async def enough() -> bool:
            said = self.ping.text.splitlines()[since:]
            return sum("bytes from" in line for line in said) >= 10

        return await eventually(enough, within=30)


async def story(directory: Path) -> dict[str, Any]:
    async with world(directory, lambda _: None) as made:
        told = Story(made, FailingDisk(directory, made.journal("mag1")))
        await told.begin()
        await asyncio.sleep(1)
        await told.restarted_on_it()
        await told.attached_on_it()
        told.seen["journal"] = made.journal("mag1")
        told.seen["tracebacks"] = [
            path.name for path in directory.glob("*.log") if re.search("Traceback", path.read_text())
        ]
    return told.seen


if __name__ == "__main__":
    play(story)
