"""Everything goes wrong, one thing after the other: peers that fail, hosts that lie, noise, a crowd of strangers."""

import asyncio
import time
from pathlib import Path
from typing import Final

from pmip_tw.addresses import ipv4
from pmip_tw.lab import pcapng
from pmip_tw.lab.capture import Capture, Tap
from pmip_tw.lab.freeradius import PROGRAM as FREERADIUS
from pmip_tw.lab.report import Result
from pmip_tw.lab.scenarios import Chosen, Outcome, Say, Scenario
from pmip_tw.lab.scenarios.adversity_flood import Flood, flood, judge
from pmip_tw.lab.scenarios.adversity_intruders import judge_capture, noise, spoof
from pmip_tw.lab.scenarios.adversity_peers import peers_fail
from pmip_tw.lab.scenarios.adversity_stage import MAG, SUBSCRIBERS, Stage
from pmip_tw.lab.scenarios.adversity_story import lines
from pmip_tw.lab.world import world

TAPS: Final = (
    Tap(name="correspondent", namespace="correspondent", interface="eth0"),
    Tap(name="aaa", namespace="aaa", interface="core0"),
    Tap(name="lma", namespace="lma", interface="core0"),
    Tap(name="mag", namespace=MAG, interface="core0"),
)
"""Not the access link: ten thousand frames a second there would only load the machine."""


async def run(directory: Path, say: Say, _: Chosen) -> Outcome:
    result = Result(scenario="adversity")
    async with world(directory, say, SUBSCRIBERS) as made:
        stage = Stage(made, result)
        result.notes = made.notes
        say("starting FreeRADIUS and the LMA")
        await stage.start_aaa()
        await stage.start_lma()
        await peers_fail(stage, say)
        capture = await Capture.start(directory / "capture.pcapng", TAPS, directory / "capture.log")
        try:
            noise_ns, found = await _served(stage, say)
        finally:
            lost = await capture.stop()
        say("reading the capture")
        packets = await asyncio.to_thread(lambda: list(pcapng.read(capture.path)))
        judge_capture(stage, packets, noise_ns)
        judge(stage, found, packets)
        await made.save_tables()
        for name in (MAG, "lma"):
            await made.stop(name)
        tracebacks = stage.tracebacks()
        result.check(
            "no traceback, and the capture is whole",
            not tracebacks and not lost,
            ", ".join(tracebacks)
            or (f"the capture lost {lost} packets" if lost else "in no log of any daemon"),
        )
    told = {trouble.check for trouble in stage.troubles}
    return Outcome(result, lambda style: lines(stage.troubles, stage.noise, style), capture.path, told)


async def _served(stage: Stage, say: Say) -> tuple[tuple[int, int], Flood]:
    """What happens around a node that is served; when the noise was, Unix nanoseconds, and the flood."""
    say("the node and its neighbor attach")
    stage.home_address = ipv4(await stage.node.attach())
    await stage.neighbor.attach()
    await spoof(stage, say)
    began_ns = time.time_ns()
    await noise(stage, say)
    ended_ns = time.time_ns()
    return (began_ns, ended_ns), await flood(stage, say)


SCENARIO: Final = Scenario(
    name="adversity",
    summary="peers fail, hosts lie, strangers crowd in; served nodes never notice",
    programs=("ip", "nft", FREERADIUS, "ping"),
    run=run,
)
