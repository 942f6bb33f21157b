"""AAA servers die one after the other and come back; nodes attach or are told why, and every account arrives once."""

import asyncio
import contextlib
import time
from pathlib import Path
from typing import Final

from pmip_tw.errors import PmipError
from pmip_tw.lab.pinging import ping
from pmip_tw.lab.programs import eventually
from pmip_tw.lab.scenarios import Chosen, Outcome, Say, Scenario
from pmip_tw.lab.scenarios.aaa_failover_proof import judge
from pmip_tw.lab.scenarios.aaa_failover_seen import Seen
from pmip_tw.lab.scenarios.aaa_failover_stage import (
    FAILED_OVER,
    LEAVES_IN_THE_DARK,
    LEAVES_LATER,
    MAG,
    SERVED,
    SERVERS,
    SUBSCRIBERS,
    WAITS,
    Stage,
)
from pmip_tw.lab.scenarios.journey import leftovers
from pmip_tw.lab.scenarios.playing import play
from pmip_tw.lab.sites import CORRESPONDENT
from pmip_tw.lab.world import world

FIRST, SECOND = SERVERS
PATIENCE: Final = 30.0
"""Seconds for which somebody waits here before he gives up."""


async def run(directory: Path, say: Say, _: Chosen) -> Outcome:
    seen = Seen()
    async with world(directory, say, SUBSCRIBERS) as made:
        stage = Stage(made)
        say("starting two FreeRADIUS, the LMA and a MAG")
        await asyncio.gather(*(stage.start_server(name) for name in SERVERS), made.start_lma())
        await stage.start_mag()
        return await play(
            "aaa-failover",
            made,
            seen,
            capture=made.start_capture,
            drive=lambda: _drive(stage, seen, say),
            judge=lambda capture, result: judge(stage, capture, seen, result, say),
        )


async def _drive(stage: Stage, seen: Seen, say: Say) -> None:
    nodes = stage.nodes
    say("three nodes attach while both servers are there")
    seen.began_ns = time.time_ns()
    for node in (SERVED, LEAVES_LATER, LEAVES_IN_THE_DARK):
        await nodes[node].attach()
    await _one_down(stage, seen, say)
    await _both_down(stage, seen, say)
    await _both_back(stage, seen, say)


async def _one_down(stage: Stage, seen: Seen, say: Say) -> None:
    say("server 1 is killed; a fourth node attaches")
    seen.one_down_ns = time.time_ns()
    await stage.kill_server(FIRST)
    with contextlib.suppress(PmipError):
        seen.failed_over = await stage.nodes[FAILED_OVER].attach(within=PATIENCE)

    async def told() -> bool:
        return any(
            number == 2 and record["User-Name"] == (SUBSCRIBERS[FAILED_OVER].nai,)
            for number, record in stage.records()
        )

    seen.told_other = await eventually(told, within=PATIENCE, pause=0.1)


async def _both_down(stage: Stage, seen: Seen, say: Say) -> None:
    """One asks, one leaves, and the MAG itself is killed with what it has not told."""
    made, nodes = stage.world, stage.nodes
    say("server 2 is killed as well: a fifth node asks, another one leaves")
    seen.both_down_ns = time.time_ns()
    await stage.kill_server(SECOND)
    asked = time.time()
    await nodes[WAITS].ask()
    await nodes[LEAVES_IN_THE_DARK].release()
    seen.dark = await ping(made, made.mn, CORRESPONDENT, 100, name="ping-dark")
    seen.said = await made.trace_says(MAG, SUBSCRIBERS[WAITS].mac, r".", asked, within=PATIENCE)
    seen.waiting = await stage.waiting()
    seen.got_nothing = not await nodes[WAITS].addresses()
    say("the MAG is killed (signal 9) and starts again, with accounts that nobody has taken yet")
    seen.killed_ns = time.time_ns()
    await stage.kill_mag()
    await stage.start_mag()


async def _both_back(stage: Stage, seen: Seen, say: Say) -> None:
    made, nodes = stage.world, stage.nodes
    say("both servers come back; then everybody leaves")
    began = time.monotonic()
    seen.both_back_ns = time.time_ns()
    await asyncio.gather(*(stage.start_server(name) for name in SERVERS))
    with contextlib.suppress(PmipError):
        await nodes[WAITS].bound(within=PATIENCE)
        seen.back_ms = round((time.monotonic() - began) * 1000, 1)
    for node in (LEAVES_LATER, WAITS, FAILED_OVER, SERVED):
        await nodes[node].release()
    seen.left_ns = time.time_ns()

    async def all_told() -> bool:
        stops = [record for _, record in stage.records() if record["Acct-Status-Type"] == ("Stop",)]
        return len({record["User-Name"] for record in stops}) == len(SUBSCRIBERS)

    await eventually(all_told, within=PATIENCE, pause=0.2)
    await made.save_tables()
    seen.left = await leftovers(made, say)
    seen.records = stage.records()


SCENARIO: Final = Scenario(
    name="aaa-failover",
    summary="AAA servers die and come back; not one account is lost or doubled",
    programs=("ip", "nft", "ping", "dhclient", "freeradius"),
    run=run,
)
