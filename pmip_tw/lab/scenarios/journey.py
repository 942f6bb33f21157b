"""A mobile node moves between MAGs with its sessions running; and afterwards nothing of it must be left anywhere."""

import asyncio
import json
import signal
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

import attrs

from pmip_tw.lab.measure import Move
from pmip_tw.lab.mobile_node import MobileNode
from pmip_tw.lab.programs import Program, eventually
from pmip_tw.lab.scenarios import Say
from pmip_tw.lab.sites import CORRESPONDENT, HOME
from pmip_tw.lab.world import World

BETWEEN_MOVES: Final = 1.6
"""Seconds. The LMA lets one node move once a second (P79)."""

ASK_AFTER: Final = 0.5
"""Seconds after a move before the MAGs are asked: the question must not compete with what it asks about."""
SETTLE: Final = 0.9

PING_INTERVAL: Final = "0.005"
TCP_RATE: Final = "4M"
"""Bit/s of the transfer that runs across the moves. What a MAG holds while it registers a node is bounded (P78):
a faster sender would fill that, and lose echo requests to its own data."""
TCP_BLOCK: Final = "4K"


@attrs.define(slots=True, kw_only=True)
class Journey:
    """What was noted on the way, move by move: who had the node as a visitor, and which addresses it had. ``address``:
    the one that it began with. ``tcp``: what iperf3 said at its end."""

    address: str = ""
    moves: list[Move] = attrs.field(factory=list)
    holders: list[tuple[str, ...]] = attrs.field(factory=list)
    addresses: list[list[str]] = attrs.field(factory=list)
    tcp: dict[str, Any] = attrs.field(factory=dict)
    link_events: str = ""

    @property
    def route(self) -> list[str]:
        """Where the moves led."""
        return [move.to for move in self.moves]


Do = Callable[[int, str], Awaitable[None]]
"""What a scenario does about a move, by its number and where it leads."""


async def _nothing(_: int, __: str) -> None:
    """Nothing."""


async def travel(
    made: World,
    node: MobileNode,
    journey: Journey,
    route: tuple[str, ...],
    say: Say,
    *,
    before: Do = _nothing,
    arrived: Do = _nothing,
) -> None:
    """Move along ``route`` with a ping every 5 ms and a TCP transfer. ``arrived``: right after each switch."""
    monitor = await made.start("link-monitor", made.mn, "ip", "monitor", "link")
    ping = await made.start("ping", made.mn, "ping", "-n", "-D", "-i", PING_INTERVAL, CORRESPONDENT)
    await ping.said("bytes from", within=5)
    seconds = round(len(route) * BETWEEN_MOVES + 2)
    tcp = await transfer(made, "iperf3", seconds, "-b", TCP_RATE, "-l", TCP_BLOCK)
    await asyncio.sleep(1)
    for number, target in enumerate(route, 1):
        say(f"move {number}: to {called(target)}")
        await before(number, target)
        await _move(made, node, journey, target, partial(arrived, number, target))
    await tcp.ended(within=seconds + 10)
    journey.tcp = said_by_iperf3(tcp)
    ping.send(signal.SIGINT)
    await ping.ended(within=5)
    await _listen_for_links(made, monitor, journey)


def called(mag: str) -> str:
    """A MAG's name for people."""
    return f"MAG {mag.removeprefix('mag')}"


async def transfer(made: World, name: str, extent: int | str, *options: str, port: int = 5201) -> Program:
    """A TCP transfer from the mobile node to the correspondent, running when this returns. ``extent``: so many seconds,
    or so much ("24M")."""
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
        "-t" if isinstance(extent, int) else "-n",
        str(extent),
        "-J",
        *options,
    ]
    program = await made.start(name, made.mn, *client)
    await server.said("connected to", within=5)
    return program


def said_by_iperf3(tcp: Program) -> dict[str, Any]:
    """Its JSON, or what went wrong as ``error``."""
    try:
        found = json.loads(tcp.text)
    except ValueError:
        return {"error": tcp.text[-200:]}
    return found if isinstance(found, dict) else {}


async def _move(
    made: World, node: MobileNode, journey: Journey, target: str, arrived: Callable[[], Awaitable[None]]
) -> None:
    due = time.monotonic() + BETWEEN_MOVES
    began = time.time_ns()
    made.cells.move(made.mn, f"cell-{target}")
    journey.moves.append(Move(began_ns=began, ended_ns=time.time_ns(), to=target))
    await arrived()
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
    journey.holders.append(holders)
    journey.addresses.append(await node.addresses())
    await asyncio.sleep(max(0.0, due - time.monotonic()))


async def _listen_for_links(made: World, monitor: Program, journey: Journey) -> None:
    """What the mobile node heard about its links; then an event of our own, to know that somebody listened."""
    journey.link_events = monitor.text
    mark = monitor.lines
    made.mn.ip("link set eth0 txqueuelen 999")
    await monitor.said(r"\beth0\b", within=5, since=mark)
    await made.stop("link-monitor")


async def leftovers(made: World, say: Say) -> list[str]:
    """What is left when the node has gone, and when the daemons are stopped; here they are."""
    rows: dict[str, list[dict[str, Any]]] = {}
    mags = {name: host for name, host in made.mags.items() if made.runs(name)}

    async def empty() -> bool:
        rows["LMA binding"] = await made.bindings()
        for name in mags:
            rows[f"{called(name)} visitor"] = await made.visitors(name)
        return not any(rows.values())

    left: list[str] = []
    if not await eventually(empty, within=5):
        left += [f"{what} {row}" for what, found in rows.items() for row in found]
    say("stopping the daemons")
    for name, host in {**mags, "lma": made.lma}.items():
        status = await made.stop(name)
        if status not in (0, -signal.SIGTERM):  # twistd ends by the signal that it was sent
            left.append(f"{name} ended with status {status}")
        links = {link["ifname"] for link in json.loads(host.show("-j", "link"))}
        left += [f"interface {link} on {name}" for link in sorted(links - made.network.interfaces[name])]
        if host.show("route", "show", "root", str(HOME)).strip():
            left.append(f"a route for {HOME} on {name}")
        rules = await made.start(f"nft-{name}", host, "nft", "list", "ruleset")
        await rules.ended(within=10)
        if rules.text.strip():
            left.append(f"nftables rules on {name}")
        if "Traceback (most recent call last)" in (made.directory / f"{name}.log").read_text():
            left.append(f"a traceback in {name}.log")
    return left
