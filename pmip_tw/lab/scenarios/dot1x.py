"""An unmodified host proves itself by 802.1X, moves, and proves itself again; AAA keeps account, changes, ends."""

import asyncio
import time
from pathlib import Path
from typing import Final

from pmip_tw.lab.packet_filter import BULK_PORT
from pmip_tw.lab.pinging import ping
from pmip_tw.lab.scenarios import Chosen, Outcome, Say, Scenario
from pmip_tw.lab.scenarios.dot1x_intruders import forge, intrude
from pmip_tw.lab.scenarios.dot1x_proof import judge
from pmip_tw.lab.scenarios.dot1x_seen import Seen
from pmip_tw.lab.scenarios.dot1x_stage import ACCESS_POINTS, EAP_METHODS, FILTER, NODE, OPEN, Stage
from pmip_tw.lab.scenarios.journey import leftovers, said_by_iperf3, transfer, travel
from pmip_tw.lab.scenarios.playing import play
from pmip_tw.lab.sites import BEHIND_ACCESS_POINTS, CORRESPONDENT, DIRECT
from pmip_tw.lab.world import world

ROUTE: Final = ("mag2", "mag1", "mag2", "mag1")
"""Where the moves lead; the node begins at mag1."""

FORGOTTEN: Final = (1, 3)
"""Before these moves the AAA server forgets its TLS sessions; at the others it may resume one."""

BULK: Final = "24M"
"""So much that what is lost on the way does not matter in the accounts, each way."""

BULK_SECONDS: Final = 40
"""Nobody waits longer for it."""


async def run(directory: Path, say: Say, chosen: Chosen) -> Outcome:
    seen = Seen()
    sites = DIRECT if chosen["ap"] == "mag" else BEHIND_ACCESS_POINTS
    async with world(directory, say, (NODE,), sites) as made:
        stage = Stage(made, chosen)
        say("starting FreeRADIUS, the LMA, two MAGs" + (" and hostapd" if stage.by_access_points else ""))
        await stage.start_aaa()
        await stage.start_lma()
        await asyncio.gather(*(stage.start_mag(name) for name in made.mags))
        await stage.start_access_points()
        return await play(
            "dot1x",
            made,
            seen,
            capture=stage.start_capture,
            drive=lambda: _drive(stage, seen, say),
            judge=lambda capture, result: judge(stage, capture, seen, result, say),
        )


async def _drive(stage: Stage, seen: Seen, say: Say) -> None:
    await _attach(stage, seen, say)
    await intrude(stage, seen, say)
    await _travel(stage, seen, say)
    await _change(stage, seen, say)
    await forge(stage, seen, say)
    await _end(stage, seen, say)


async def _attach(stage: Stage, seen: Seen, say: Say) -> None:
    say(
        f"wpa_supplicant proves by EAP-{stage.method.upper()} who the node is; {stage.node.client} asks for an address"
    )
    seen.attach_ns = time.time_ns()
    await stage.authenticate()
    seen.journey.address = await stage.node.attach()
    seen.attached_ns = time.time_ns()


async def _travel(stage: Stage, seen: Seen, say: Say) -> None:
    """Four moves, and then as much as goes through."""
    made = stage.world

    async def before(number: int, mag: str) -> None:
        stage.expected(mag)
        if number in FORGOTTEN:
            stage.forget_sessions()

    async def arrived(_: int, mag: str) -> None:
        await stage.arrived(mag)

    seen.forgotten = FORGOTTEN
    seen.journey_ns = time.time_ns()
    await travel(made, stage.node, seen.journey, ROUTE, say, before=before, arrived=arrived)
    seen.travelled_ns = time.time_ns()
    say(f"iperf3 sends {BULK}B up and as much down, for the sake of the accounts")
    for name, options in (("iperf3-up", ()), ("iperf3-down", ("-R",))):
        bulk = await transfer(made, name, BULK, *options, port=BULK_PORT)
        await bulk.ended(within=BULK_SECONDS)
        seen.bulk.append(said_by_iperf3(bulk))


async def _change(stage: Stage, seen: Seen, say: Say) -> None:
    """AAA gives the running session a filter, and takes it away again."""
    made, mag = stage.world, ROUTE[-1]
    who = f"User-Name={NODE.nai}"
    say(f"radclient changes the session: Filter-Id {FILTER}, and then {OPEN}")
    seen.change_ns = time.time_ns()
    for name, pings in ((FILTER, 20), (OPEN, 20)):
        seen.changes.append(await stage.ask_mag(mag, "coa", who, f"Filter-Id={name}", name=f"coa-{name}"))
        seen.after_change.append(await ping(made, made.mn, CORRESPONDENT, pings, name=f"ping-{name}"))
    seen.changed_ns = time.time_ns()


async def _end(stage: Stage, seen: Seen, say: Say) -> None:
    """AAA ends the session; what was counted at the node's port is held against its accounts."""
    made, mag = stage.world, ROUTE[-1]
    await stage.node.stop()
    say("radclient ends the session")
    seen.end_ns = time.time_ns()
    seen.ended = await stage.ask_mag(mag, "disconnect", f"User-Name={NODE.nai}", name="disconnect")
    seen.complete = await stage.records_complete(len(ROUTE) + 1)
    seen.over_ns = time.time_ns()
    seen.counted = await stage.counted()
    seen.records = stage.records()
    seen.attachments = stage.attachments()
    await made.save_tables()
    await stage.supplicant.stop()
    seen.left = await leftovers(made, say)


SCENARIO: Final = Scenario(
    name="dot1x",
    summary="802.1X at every MAG, accounts to the octet, and AAA has the last word",
    programs=("ip", "nft", "ping", "iperf3", "freeradius", "radclient"),
    run=run,
    choices={"eap": EAP_METHODS, "ap": ACCESS_POINTS},
)
