"""An unmodified host gets its home address, moves five times between two MAGs, and keeps its sessions."""

import asyncio
import json
import signal
import time
from pathlib import Path
from typing import Any, Final

from pmip_tw.lab.measure import Move
from pmip_tw.lab.mobile_node import MobileNode
from pmip_tw.lab.packet_filter import BULK_PORT
from pmip_tw.lab.programs import Program, eventually
from pmip_tw.lab.report import Result
from pmip_tw.lab.scenarios import Outcome, Say, Scenario
from pmip_tw.lab.scenarios.roam_proof import ROUTE, Seen, judge
from pmip_tw.lab.sites import CORRESPONDENT, HOME
from pmip_tw.lab.world import World, world

BETWEEN_MOVES: Final = 1.6
"""Seconds. The LMA lets one node move once a second (P79)."""

ASK_AFTER: Final = 0.5
"""Seconds after a move before the MAGs are asked: the question must not compete with what it asks about."""
SETTLE: Final = 0.9

PING_INTERVAL: Final = "0.005"
TCP_SECONDS: Final = 10
TCP_RATE: Final = "4M"
"""Bit/s of the transfer that runs across the moves. What a MAG holds while it registers a node is bounded (P78):
a faster sender would fill that, and lose echo requests to its own data."""
TCP_BLOCK: Final = "4K"
FULL_SPEED_SECONDS: Final = 2


async def run(directory: Path, say: Say) -> Outcome:
    result = Result(scenario="roam")
    seen = Seen()
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
        return await judge(made, node, capture, seen, result, say)


async def _drive(made: World, node: MobileNode, seen: Seen, say: Say) -> None:
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


async def _move(made: World, node: MobileNode, seen: Seen, target: str) -> None:
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


async def _listen_for_links(made: World, monitor: Program, seen: Seen) -> None:
    """What the mobile node heard about its links; then an event of our own, to know that somebody listened."""
    seen.link_events = monitor.text
    mark = monitor.lines
    made.mn.ip("link set eth0 txqueuelen 999")
    await monitor.said(r"\beth0\b", within=5, since=mark)
    await made.stop("link-monitor")


async def _look_for_leftovers(made: World, seen: Seen, say: Say) -> None:
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


SCENARIO: Final = Scenario(
    name="roam",
    summary="an unmodified host keeps its session while it moves",
    programs=("ip", "nft", "ping", "iperf3"),
    run=run,
)
