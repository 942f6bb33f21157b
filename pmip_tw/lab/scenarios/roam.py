"""An unmodified host gets its home address, moves five times between two MAGs, and keeps its sessions."""

import asyncio
import json
import signal
import time
from pathlib import Path
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
from pmip_tw.lab.packet_filter import BULK_PORT
from pmip_tw.lab.programs import Program, eventually
from pmip_tw.lab.report import Goal, Result
from pmip_tw.lab.scenarios import Outcome, Say, Scenario
from pmip_tw.lab.scenarios.roam_story import Story
from pmip_tw.lab.terminal import Style, shown
from pmip_tw.lab.world import CORRESPONDENT, HOME, World, world

ROUTE: Final = ("mag2", "mag1", "mag2", "mag1", "mag2")
"""Where the five moves lead; the node begins at mag1."""

BETWEEN_MOVES: Final = 1.6
"""Seconds. The LMA lets one node move once a second (P79)."""

ASK_AFTER: Final = 0.5
"""Seconds after a move before the MAGs are asked: the question must not compete with what it asks about."""
SETTLE: Final = 0.9
WINDOW_NS: Final = 1_000_000_000
"""How long after a move its gap is looked for."""

PING_INTERVAL: Final = "0.005"
TCP_SECONDS: Final = 10
TCP_RATE: Final = "4M"
"""Bit/s of the transfer that runs across the moves. What a MAG holds while it registers a node is bounded (P78):
a faster sender would fill that, and lose echo requests to its own data."""
TCP_BLOCK: Final = "4K"
FULL_SPEED_SECONDS: Final = 2


@attrs.define(slots=True, kw_only=True)
class _Seen:
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


async def run(directory: Path, say: Say) -> Outcome:
    result = Result(scenario="roam")
    seen = _Seen()
    async with world(directory, say) as made:
        node = MobileNode(made)
        result.notes = made.notes
        say("starting FreeRADIUS, the LMA and two MAGs")
        await made.start_aaa()
        await made.start_lma()
        await asyncio.gather(made.start_mag("mag1"), made.start_mag("mag2"))
        capture = await made.start_capture()
        try:
            await _drive(made, node, seen, say)
        finally:
            seen.capture_lost = await capture.stop()
        return await _judge(made, node, capture, seen, result, say)


# --- what happens ---------------------------------------------------------------------------------------


async def _drive(made: World, node: MobileNode, seen: _Seen, say: Say) -> None:
    say(f"{node.client} asks for an address at MAG 1")
    seen.address = await node.attach()
    say(f"it got {seen.address}; ping every 5 ms and iperf3 run to the correspondent")
    monitor = await made.start("link-monitor", made.mn, "ip", "monitor", "link")
    ping = await made.start("ping", made.mn, "ping", "-n", "-D", "-i", PING_INTERVAL, CORRESPONDENT)
    await ping.said("bytes from", within=5)
    tcp = await _transfer(made, "iperf3", TCP_SECONDS, "-b", TCP_RATE, "-l", TCP_BLOCK)
    await asyncio.sleep(1)
    for number, target in enumerate(ROUTE, 1):
        say(f"move {number}: to {'MAG 1' if target == 'mag1' else 'MAG 2'}")
        await _move(made, node, seen, target)
    await tcp.ended(within=TCP_SECONDS + 10)
    seen.tcp = _json_of(tcp)
    ping.send(signal.SIGINT)
    await ping.ended(within=5)
    say("all moves done; iperf3 at full speed")
    full = await _transfer(made, "iperf3-full", FULL_SPEED_SECONDS, port=BULK_PORT)
    await full.ended(within=FULL_SPEED_SECONDS + 10)
    seen.full_speed = _json_of(full)
    await _listen_for_links(made, monitor, seen)
    say(f"{node.client} gives the address back")
    seen.released_ns = time.time_ns()
    await node.release()
    await made.save_tables()
    await _look_for_leftovers(made, seen, say)


async def _transfer(made: World, name: str, seconds: int, *options: str, port: int = 5201) -> Program:
    """A TCP transfer from the mobile node to the correspondent, running when this returns."""
    serve = ["iperf3", "--forceflush", "-s", "-1", "-p", str(port)]
    server = await made.start(f"{name}-server", made.correspondent, *serve)
    await server.said("Server listening", within=5)
    client = [
        "iperf3",
        "-c",
        CORRESPONDENT,
        "-p",
        str(port),
        "-C",
        "reno",
        "-t",
        str(seconds),
        "-J",
        *options,
    ]
    program = await made.start(name, made.mn, *client)
    await server.said("connected to", within=5)
    return program


async def _move(made: World, node: MobileNode, seen: _Seen, target: str) -> None:
    due = time.monotonic() + BETWEEN_MOVES
    began = time.time_ns()
    made.cells.move(made.mn, f"cell-{target}")
    seen.moves.append(Move(began_ns=began, ended_ns=time.time_ns(), to=target))
    holders: tuple[str, ...] = ()

    async def settled() -> bool:
        nonlocal holders
        rows = await asyncio.gather(*(made.visitors(name) for name in made.mags))
        nai = made.subscribers[0].nai
        holders = tuple(
            name
            for name, visitors in zip(made.mags, rows, strict=True)
            if any(row["nai"] == nai for row in visitors)
        )
        return holders == (target,)

    await asyncio.sleep(ASK_AFTER)
    await eventually(settled, within=SETTLE, pause=0.2)
    seen.holders.append(holders)
    seen.addresses.append(await node.addresses())
    await asyncio.sleep(max(0.0, due - time.monotonic()))


async def _listen_for_links(made: World, monitor: Program, seen: _Seen) -> None:
    """What the mobile node heard about its links; then an event of our own, to know that somebody listened."""
    seen.link_events = monitor.text
    mark = monitor.lines
    made.mn.ip("link set eth0 txqueuelen 999")
    await monitor.said(r"\beth0\b", within=5, since=mark)
    await made.stop("link-monitor")


async def _look_for_leftovers(made: World, seen: _Seen, say: Say) -> None:
    rows: dict[str, list[dict[str, Any]]] = {}

    async def empty() -> bool:
        rows["LMA binding"] = await made.bindings()
        rows["MAG 1 visitor"], rows["MAG 2 visitor"] = [await made.visitors(name) for name in made.mags]
        return not any(rows.values())

    if not await eventually(empty, within=5):
        seen.left += [f"{what} {row}" for what, found in rows.items() for row in found]
    say("stopping the daemons")
    for name in (*made.mags, "lma"):
        status = await made.stop(name)
        if status not in (0, -signal.SIGTERM):  # twistd ends by the signal that it was sent
            seen.left.append(f"{name} ended with status {status}")
    expected = {
        "lma": {"lo", "core0", "net0"},
        "mag1": {"lo", "core0", "acc0"},
        "mag2": {"lo", "core0", "acc0"},
    }
    for name, host in {"lma": made.lma, **made.mags}.items():
        links = {link["ifname"] for link in json.loads(host.show("-j", "link"))}
        seen.left += [f"interface {link} on {name}" for link in sorted(links - expected[name])]
        if host.show("route", "show", "root", str(HOME)).strip():
            seen.left.append(f"a route for {HOME} on {name}")
        rules = await made.start(f"nft-{name}", host, "nft", "list", "ruleset")
        await rules.ended(within=10)
        if rules.text.strip():
            seen.left.append(f"nftables rules on {name}")
        log = (made.directory / f"{name}.log").read_text()
        if "Traceback (most recent call last)" in log:
            seen.tracebacks.append(name)


def _json_of(program: Program) -> dict[str, Any]:
    try:
        found = json.loads(program.text)
    except ValueError:
        return {"error": program.text[-200:]}
    return found if isinstance(found, dict) else {}


# --- what it proves -------------------------------------------------------------------------------------


async def _judge(
    made: World, node: MobileNode, capture: Capture, seen: _Seen, result: Result, say: Say
) -> Outcome:
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
    aaa = "FreeRADIUS" if made.radius is not None else "a user file in each MAG"
    return Outcome(result, lambda style: story.lines(style, node.client, aaa, shown(ladder)), capture.path)


def _judge_node(seen: _Seen, result: Result) -> None:
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


def _judge_tcp(seen: _Seen, heard: Heard, result: Result) -> None:
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


def _judge_packets(seen: _Seen, heard: Heard, result: Result) -> None:
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
    if made.radius is None:
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


def _measure(seen: _Seen, heard: Heard, result: Result) -> list[float | None]:
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


SCENARIO: Final = Scenario(
    name="roam",
    summary="an unmodified host keeps its session while it moves",
    programs=("ip", "nft", "ping", "iperf3"),
    run=run,
)
