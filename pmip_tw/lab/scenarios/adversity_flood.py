"""Ten thousand strangers a second on the access link, while a node is served."""

import asyncio
import time
from collections.abc import Sequence
from random import Random
from typing import Final

import attrs

from pmip_tw.addresses import ipv4
from pmip_tw.lab import hostile
from pmip_tw.lab.emitter import Emitter
from pmip_tw.lab.pcapng import Packet
from pmip_tw.lab.pinging import INTERVAL, Pings, ping
from pmip_tw.lab.processors import Process, Processors
from pmip_tw.lab.programs import ProgramError
from pmip_tw.lab.report import Goal, Number
from pmip_tw.lab.scenarios import Say
from pmip_tw.lab.scenarios.adversity_stage import (
    GATEWAY,
    GATEWAY_MAC,
    MAG,
    SEED,
    Stage,
    milliseconds_since,
)
from pmip_tw.lab.sites import CORRESPONDENT
from pmip_tw.wire.radius import Code

RATE: Final = 10_000
SECONDS: Final = 5
PINGS: Final = int(SECONDS / INTERVAL)
OUTSTANDING: Final = 256
"""P83."""

SLOWER: Final = 2.0
"""How many times the calm round trip a served node's may be: the goal."""

UNNOTICED: Final = 50.0
"""Milliseconds more that fail nobody: no user feels them, and a busy test machine alone may take as many."""

MEMORY: Final = 32.0
"""MiB by which the MAG may grow."""

NEWCOMER_SECONDS: Final = 5.0


@attrs.frozen(slots=True, kw_only=True)
class Flood:
    """When it was, Unix nanoseconds, and what it did; ``left``: the share of the processors that nobody else took."""

    began_ns: int
    ended_ns: int
    rate: float
    left: float
    calm: Pings
    under: Pings
    before: Process
    after: Process
    renewals: int
    same_state: bool


async def flood(stage: Stage, say: Say) -> Flood:
    """A calm control run, the flood, and then somebody new."""
    frames = list(
        hostile.strangers(
            RATE * SECONDS,
            gateway_mac=GATEWAY_MAC,
            gateway=GATEWAY,
            destination=ipv4(CORRESPONDENT),
            chance=Random(SEED),
        )
    )
    node, pid = stage.node.host, stage.world.pid(MAG)
    say(f"{PINGS} pings in calm, as a control")
    calm = await ping(stage.world, node, CORRESPONDENT, PINGS, name="ping-calm")
    before, counted, state = Process.of(pid), await stage.world.counts(MAG), await stage.state()
    machine, began_ns = Processors.now(), time.time_ns()
    sender = await Emitter.start(stage.world, stage.crowd, "eth0", frames, RATE, name="crowd")
    say(f"{RATE} new MACs a second for {SECONDS} s, and {PINGS} pings of the served node")
    under, rate = await asyncio.gather(
        ping(stage.world, node, CORRESPONDENT, PINGS, name="ping-flood"), sender.finished()
    )
    left, ended_ns = Processors.now().left_since(machine), time.time_ns()
    after = Process.of(pid)
    say(f"{rate:.0f} frames a second were sent; somebody new attaches")
    await _newcomer(stage)
    grown = await stage.world.counts(MAG) - counted
    served = {row for row in await stage.state() if row in set(state)}
    return Flood(
        began_ns=began_ns,
        ended_ns=ended_ns,
        rate=rate,
        left=left,
        calm=calm,
        under=under,
        before=before,
        after=after,
        renewals=grown["registration-renewed", ""],
        same_state=served == set(state),
    )


async def _newcomer(stage: Stage) -> None:
    began = time.monotonic()
    took: Number = None
    try:
        await stage.newcomer.attach(within=NEWCOMER_SECONDS)
        took = milliseconds_since(began)
        detail = f"in {took:.0f} ms"
    except ProgramError as error:
        detail = str(error)
    stage.result.check("after the flood somebody new is served", took is not None, detail)
    stage.result.measurements["newcomer_ms"] = took


def judge(stage: Stage, found: Flood, packets: Sequence[Packet]) -> None:
    """The served node noticed nothing; AAA and memory were spared."""
    result = stage.result
    result.check(
        "flood: no ping is lost",
        found.under.lost <= found.calm.lost,
        f"{found.under.lost} of {found.under.sent}, {found.calm.lost} in calm",
    )
    calm, under = found.calm.median, found.under.median
    slower = round(under / calm, 2) if calm is not None and under is not None else None
    result.check(
        "flood: pings stay fast",
        calm is not None and under is not None and under <= max(SLOWER * calm, calm + UNNOTICED),
        f"{under} ms, {calm} ms in calm",
    )
    result.check(
        "flood: registrations stay",
        found.same_state and found.renewals > 0,
        f"{found.renewals} renewals" if found.same_state else "visitors or bindings changed",
    )
    grown = found.after.memory - found.before.memory
    result.check("flood: memory is bounded", grown <= MEMORY, f"{grown:.1f} MiB more at the MAG")
    most, asked = outstanding([p for p in packets if found.began_ns <= p.time_ns])
    result.check(
        "flood: AAA is spared",
        0 < most <= OUTSTANDING,
        f"{asked} asked, at most {most} at once",
    )
    cpu = found.after.cpu - found.before.cpu
    result.measurements |= {
        "flood_frames_s": found.rate,
        "processors_left": found.left,
        "ping_median_calm_ms": calm,
        "ping_median_flood_ms": under,
        "ping_slower": slower,
        "ping_worst_flood_ms": max(found.under.round_trips, default=None),
        "pings_lost_calm": found.calm.lost,
        "pings_lost_flood": found.under.lost,
        "mag_cpu_s": round(cpu, 2),
        "mag_memory_mib": round(grown, 1),
        "aaa_outstanding": most,
    }
    result.goals.append(Goal(name="ping_slower", at_most=SLOWER, unit="times", measured=slower))


def outstanding(packets: Sequence[Packet]) -> tuple[int, int]:
    """RADIUS requests that waited for an answer at the same time, at most; and how many requests there were."""
    waiting: set[tuple[bytes, int]] = set()
    most = asked = 0
    for packet in sorted(packets, key=lambda packet: packet.time_ns):
        octets = packet.octets
        if packet.tap != "aaa" or octets[12:14] != b"\x08\x00" or octets[23] != 17:
            continue
        source, destination = octets[34:36], octets[36:38]
        code, identifier = octets[42], octets[43]
        if code == Code.ACCESS_REQUEST:
            asked += (source, identifier) not in waiting
            waiting.add((source, identifier))
            most = max(most, len(waiting))
        else:
            waiting.discard((destination, identifier))
    return most, asked
