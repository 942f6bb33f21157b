"""An unmodified host gets its home address, moves five times between two MAGs, and keeps its sessions."""

import asyncio
import time
from pathlib import Path
from typing import Final

from pmip_tw.lab.mobile_node import MobileNode
from pmip_tw.lab.packet_filter import BULK_PORT
from pmip_tw.lab.scenarios import Chosen, Outcome, Say, Scenario
from pmip_tw.lab.scenarios.journey import leftovers, said_by_iperf3, transfer, travel
from pmip_tw.lab.scenarios.playing import play
from pmip_tw.lab.scenarios.roam_proof import Seen, judge
from pmip_tw.lab.world import World, world

ROUTE: Final = ("mag2", "mag1", "mag2", "mag1", "mag2")
"""Where the five moves lead; the node begins at mag1."""

FULL_SPEED_SECONDS: Final = 2


async def run(directory: Path, say: Say, _: Chosen) -> Outcome:
    seen = Seen()
    async with world(directory, say) as made:
        node = MobileNode(made)
        say("starting FreeRADIUS, the LMA and two MAGs")
        await made.start_aaa()
        await made.start_lma()
        await asyncio.gather(made.start_mag("mag1"), made.start_mag("mag2"))
        return await play(
            "roam",
            made,
            seen,
            capture=made.start_capture,
            drive=lambda: _drive(made, node, seen, say),
            judge=lambda capture, result: judge(made, node, capture, seen, result, say),
        )


async def _drive(made: World, node: MobileNode, seen: Seen, say: Say) -> None:
    journey = seen.journey
    say(f"{node.client} asks for an address at MAG 1")
    journey.address = await node.attach()
    say(f"it got {journey.address}; ping every 5 ms and iperf3 run to the correspondent")
    await travel(made, node, journey, ROUTE, say)
    say("all moves done; iperf3 at full speed")
    full = await transfer(made, "iperf3-full", FULL_SPEED_SECONDS, port=BULK_PORT)
    await full.ended(within=FULL_SPEED_SECONDS + 10)
    seen.full_speed = said_by_iperf3(full)
    say(f"{node.client} gives the address back")
    seen.released_ns = time.time_ns()
    await node.release()
    await made.save_tables()
    seen.left = await leftovers(made, say)


SCENARIO: Final = Scenario(
    name="roam",
    summary="an unmodified host keeps its session while it moves",
    programs=("ip", "nft", "ping", "iperf3"),
    run=run,
)
