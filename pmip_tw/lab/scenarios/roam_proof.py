"""What the roaming host has shown: checks and figures, from what the run noted and the capture heard."""

import asyncio
from typing import Any, Final

import attrs

from pmip_tw.lab import pcapng
from pmip_tw.lab.capture import Capture
from pmip_tw.lab.decoding import decoding_check
from pmip_tw.lab.freeradius import authentications
from pmip_tw.lab.heard import Heard
from pmip_tw.lab.measure import (
    Move,
    delivery,
    handover_gaps,
    milliseconds,
    octets_seen,
    stalls,
    typical,
)
from pmip_tw.lab.mobile_node import MobileNode
from pmip_tw.lab.report import Goal, Result
from pmip_tw.lab.scenarios import Outcome, Say
from pmip_tw.lab.scenarios.roam_story import Story
from pmip_tw.lab.sites import HOME
from pmip_tw.lab.terminal import Style, shown
from pmip_tw.lab.world import World

ROUTE: Final = ("mag2", "mag1", "mag2", "mag1", "mag2")
"""Where the five moves lead; the node begins at mag1."""

WINDOW_NS: Final = 1_000_000_000
"""How long after a move its gap is looked for."""


@attrs.define(slots=True, kw_only=True)
class Seen:
    """What the run itself noted, beside the capture."""

    address: str = ""
    moves: list[Move] = attrs.field(factory=list)
    holders: list[tuple[str, ...]] = attrs.field(factory=list)
    addresses: list[list[str]] = attrs.field(factory=list)
    tcp: dict[str, Any] = attrs.field(factory=dict)
    full_speed: dict[str, Any] = attrs.field(factory=dict)
    link_events: str = ""
    left: list[str] = attrs.field(factory=list)
    released_ns: int = 0
    capture_lost: int = 0
    tracebacks: list[str] = attrs.field(factory=list)


async def judge(
    made: World, node: MobileNode, capture: Capture, seen: Seen, result: Result, say: Say
) -> Outcome:
    """What was noted and what was heard, held against what the scenario promises."""
    say("reading the capture")
    listener = made.listener()
    heard = await asyncio.to_thread(lambda: listener.hear(pcapng.read(capture.path)))
    _judge_node(seen, result)
    _judge_tcp(seen, heard, result)
    _judge_packets(seen, heard, result)
    _judge_authentication(made, heard, result)
    result.checks.append(
        await decoding_check("tshark decodes every message", capture.path, heard, listener.core_taps),
    )
    result.check(
        "nothing is left",
        not seen.left and not seen.tracebacks,
        "; ".join([*seen.left, *(f"traceback in {name}.log" for name in seen.tracebacks)])
        or "no binding, visitor, device or rule",
    )
    gaps = _measure(seen, heard, result)
    story = Story(heard=heard, moves=seen.moves, released_ns=seen.released_ns, gaps=gaps)
    ladder = made.directory / "ladder.txt"
    ladder.write_text("\n".join(story.full(Style())) + "\n")
    aaa = "FreeRADIUS" if made.by_radius else "a user file in each MAG"
    return Outcome(result, lambda style: story.lines(style, node.client, aaa, shown(ladder)), capture.path)


def _judge_node(seen: Seen, result: Result) -> None:
    others = [found for found in seen.addresses if found != [seen.address]]
    result.check(
        "same address throughout",
        not others,
        f"{seen.address}, {len(seen.moves)} moves" if not others else f"{seen.address}, then {others}",
    )
    wrong = [
        f"after move {number}: {', '.join(holders) or 'none'}"
        for number, (holders, target) in enumerate(zip(seen.holders, ROUTE, strict=True), 1)
        if holders != (target,)
    ]
    result.check(
        "exactly one MAG has the visitor",
        not wrong,
        "; ".join(wrong) or f"the new one, {len(ROUTE)} times",
    )
    result.check(
        "no link event at the MN",
        not seen.link_events,
        seen.link_events.splitlines()[0][:80] if seen.link_events else "its card never noticed",
    )


def _judge_tcp(seen: Seen, heard: Heard, result: Result) -> None:
    ends = [*(move.began_ns for move in seen.moves[1:]), seen.moves[-1].ended_ns + WINDOW_NS]
    carried = [
        octets_seen(heard, "correspondent", HOME, move.ended_ns, ended)
        for move, ended in zip(seen.moves, ends, strict=True)
    ]
    error = seen.tcp.get("error", "")
    idle = [str(number) for number, octets in enumerate(carried, 1) if not octets]
    if error:
        detail = f"iperf3: {error}"
    elif idle:
        detail = f"no data after move {', '.join(idle)}"
    else:
        detail = "data after every move"
    result.check("TCP session survives", not error and not idle, detail)
    rate = seen.full_speed.get("end", {}).get("sum_received", {}).get("bits_per_second")
    result.measurements["tcp_mbit_s"] = None if rate is None else round(rate / 1e6, 1)


def _judge_packets(seen: Seen, heard: Heard, result: Result) -> None:
    tunnelled = sum(
        1 for echo in heard.echoes if echo.tap.endswith("-core") and echo.tunnelled and echo.request
    )
    if heard.strays:
        stray = heard.strays[0]
        detail = f"{len(heard.strays)} outside the tunnel, the first at {stray.tap}: {stray.text}"
    else:
        detail = f"{tunnelled} pings, all tunnelled"
    result.check("no packet outside the tunnel", not heard.strays and tunnelled > 0, detail)
    found = delivery(heard, node="mn", access=("mag1-access", "mag2-access"), correspondent="correspondent")
    if seen.capture_lost:
        detail = f"unknown: the capture lost {seen.capture_lost} packets"
    elif found.exactly_once:
        detail = f"{found.sent - found.lost_on_air} of {found.sent}"
        if found.lost_on_air:
            detail += f", {found.lost_on_air} lost on the air in the instant of a move"
    else:
        detail = f"{len(found.duplicated)} arrived twice, {len(found.lost_behind_mag)} got lost behind a MAG"
    result.check("echo requests arrive exactly once", found.exactly_once and not seen.capture_lost, detail)
    result.measurements["pings_lost"] = found.unanswered
    result.measurements["pings_lost_requests"] = found.lost_requests
    result.measurements["pings_lost_replies"] = found.unanswered - found.lost_requests
    result.measurements["pings_sent"] = found.sent
    result.parts["pings_lost"] = {"requests": "pings_lost_requests", "replies": "pings_lost_replies"}


def _judge_authentication(made: World, heard: Heard, result: Result) -> None:
    needed = 1 + len(ROUTE)
    if not made.by_radius:
        accepted = sum(
            1 for message in heard.named("reply") if message.code in (0, 1) and message.lifetime > 0
        )
        result.check(
            "every attachment was authenticated",
            accepted >= needed,
            f"{accepted} registrations after a look into the user file (no FreeRADIUS)",
        )
        return
    mine = [
        accepted for mac, accepted in authentications(made.radius_log()) if mac == made.subscribers[0].mac
    ]
    result.check(
        "FreeRADIUS saw every authentication",
        mine.count(True) >= needed and False not in mine,
        f"{mine.count(True)} accepted" + (f", {mine.count(False)} refused" if False in mine else ""),
    )


def _measure(seen: Seen, heard: Heard, result: Result) -> list[float | None]:
    """Fill in the measurements; the handover gap of each move, in milliseconds."""
    discovers, acks = heard.named("dhcp-discover"), heard.named("dhcp-ack")
    attach = milliseconds(acks[0].time_ns - discovers[0].time_ns) if discovers and acks else None
    gaps = handover_gaps(heard, seen.moves, "mn", WINDOW_NS)
    gaps_ms = [None if gap is None else milliseconds(gap[1] - gap[0]) for gap in gaps]
    measured = [gap for gap in gaps_ms if gap is not None]
    complete = len(measured) == len(seen.moves)
    silent = [gap[1] - gap[0] for gap in stalls(heard, seen.moves, "correspondent", HOME, WINDOW_NS) if gap]
    figures = {
        "attach_ms": attach,
        "handover_gap_ms": typical(measured) if complete else None,
        "handover_gap_worst_ms": max(measured) if complete else None,
        **{
            name: result.measurements.pop(name)
            for name in ("pings_lost", "pings_lost_requests", "pings_lost_replies", "pings_sent")
        },
        "tcp_stalled_ms": milliseconds(max(silent)) if silent else None,
        "tcp_mbit_s": result.measurements.pop("tcp_mbit_s"),
        "moves": len(seen.moves),
    }
    result.measurements.update(figures)
    gap = figures["handover_gap_ms"]
    result.goals.append(
        Goal(name="handover_gap_ms", at_most=50, unit="ms", measured=None if isinstance(gap, str) else gap)
    )
    return gaps_ms
