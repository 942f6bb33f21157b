"""What the roaming host has shown: checks and figures, from what the run noted and the capture heard."""

import asyncio
from typing import Any

import attrs

from pmip_tw.lab import pcapng
from pmip_tw.lab.capture import Capture
from pmip_tw.lab.decoding import ask_tshark, decoding_check
from pmip_tw.lab.heard import Heard
from pmip_tw.lab.measure import handover_gaps, milliseconds, stalls, typical
from pmip_tw.lab.mobile_node import MobileNode
from pmip_tw.lab.report import Goal, Result
from pmip_tw.lab.scenarios import Outcome, Say
from pmip_tw.lab.scenarios.journey import Journey
from pmip_tw.lab.scenarios.journey_proof import (
    LOSSES,
    WINDOW_NS,
    judge_authentication,
    judge_echoes,
    judge_node,
    judge_paths,
    judge_tcp,
)
from pmip_tw.lab.scenarios.roam_story import Story
from pmip_tw.lab.sites import HOME
from pmip_tw.lab.terminal import Style, shown
from pmip_tw.lab.world import World


@attrs.define(slots=True, kw_only=True)
class Seen:
    """What the run itself noted, beside the capture."""

    journey: Journey = attrs.field(factory=Journey)
    full_speed: dict[str, Any] = attrs.field(factory=dict)
    left: list[str] = attrs.field(factory=list)
    released_ns: int = 0
    capture_lost: int = 0


async def judge(
    made: World, node: MobileNode, capture: Capture, seen: Seen, result: Result, say: Say
) -> Outcome:
    """What was noted and what was heard, held against what the scenario promises."""
    say("reading the capture")
    listener = made.listener()
    heard = await asyncio.to_thread(lambda: listener.hear(pcapng.read(capture.path)))
    journey = seen.journey
    judge_node(journey, result)
    judge_tcp(journey, heard, result)
    judge_paths(heard, result)
    judge_echoes(heard, seen.capture_lost, result)
    judge_authentication(made, heard, 1 + len(journey.moves), result)
    taps = listener.signalling_taps
    rows = await ask_tshark(capture.path, taps)
    result.checks.append(decoding_check("tshark decodes every message", rows, heard, taps))
    result.check(
        "nothing is left", not seen.left, "; ".join(seen.left) or "no binding, visitor, device or rule"
    )
    gaps = _measure(seen, heard, result)
    story = Story(heard=heard, moves=journey.moves, released_ns=seen.released_ns, gaps=gaps)
    ladder = made.directory / "ladder.txt"
    ladder.write_text("\n".join(story.full(Style())) + "\n")
    aaa = "FreeRADIUS" if made.by_radius else "a user file in each MAG"
    return Outcome(result, lambda style: story.lines(style, node.client, aaa, shown(ladder)), capture.path)


def _measure(seen: Seen, heard: Heard, result: Result) -> list[float | None]:
    """Fill in the measurements; the handover gap of each move, in milliseconds."""
    moves = seen.journey.moves
    rate = seen.full_speed.get("end", {}).get("sum_received", {}).get("bits_per_second")
    discovers, acks = heard.named("dhcp-discover"), heard.named("dhcp-ack")
    attach = milliseconds(acks[0].time_ns - discovers[0].time_ns) if discovers and acks else None
    gaps = handover_gaps(heard, moves, "mn", WINDOW_NS)
    gaps_ms = [None if gap is None else milliseconds(gap[1] - gap[0]) for gap in gaps]
    measured = [gap for gap in gaps_ms if gap is not None]
    complete = len(measured) == len(moves)
    silent = [gap[1] - gap[0] for gap in stalls(heard, moves, "correspondent", HOME, WINDOW_NS) if gap]
    figures = {
        "attach_ms": attach,
        "handover_gap_ms": typical(measured) if complete else None,
        "handover_gap_worst_ms": max(measured) if complete else None,
        **{name: result.measurements.pop(name) for name in LOSSES},
        "tcp_stalled_ms": milliseconds(max(silent)) if silent else None,
        "tcp_mbit_s": None if rate is None else round(rate / 1e6, 1),
        "moves": len(moves),
    }
    result.measurements.update(figures)
    gap = figures["handover_gap_ms"]
    result.goals.append(
        Goal(name="handover_gap_ms", at_most=50, unit="ms", measured=None if isinstance(gap, str) else gap)
    )
    return gaps_ms
