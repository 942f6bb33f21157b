"""MAGs behind NATs, addresses by DHCP through the LMA: a session outlives silence, a NAT's reboot, and moves."""

import asyncio
import contextlib
import signal
import time
from pathlib import Path
from typing import Final

from pmip_tw.addresses import ipv4
from pmip_tw.errors import PmipError
from pmip_tw.lab.pinging import ping
from pmip_tw.lab.programs import eventually
from pmip_tw.lab.programs import run as run_program
from pmip_tw.lab.scenarios import Chosen, Outcome, Say, Scenario
from pmip_tw.lab.scenarios.journey import leftovers, travel
from pmip_tw.lab.scenarios.nat_intruders import lie_by_dhcp, strike
from pmip_tw.lab.scenarios.nat_proof import judge
from pmip_tw.lab.scenarios.nat_seen import Seen
from pmip_tw.lab.scenarios.nat_stage import NEWCOMER, NODE, RENEW_AFTER, SUBSCRIBERS, Stage
from pmip_tw.lab.scenarios.playing import play
from pmip_tw.lab.sites import BEHIND_NATS, CORRESPONDENT
from pmip_tw.lab.world import world

ROUTE: Final = ("mag2", "mag1", "mag2")
"""Where the moves lead; the node begins at mag1."""

SILENCE: Final = 21
"""Seconds without traffic: two keepalives long, and longer than the NATs remember."""

HEALED: Final = 20.0
"""Seconds after which nobody waits any more for a session to come back."""

MAG_SAYS: Final = r"are its DHCP servers up\?"
LMA_SAYS: Final = r"no answer from 192\.0\.2\.67"
"""What the traces say of a DHCP server that is down."""


async def run(directory: Path, say: Say, chosen: Chosen) -> Outcome:
    seen = Seen()
    async with world(directory, say, SUBSCRIBERS, BEHIND_NATS) as made:
        stage = Stage(made, chosen)
        say(f"starting FreeRADIUS, {stage.server.program}, the LMA and two MAGs behind NATs")
        await asyncio.gather(made.start_aaa(), stage.start_dhcp_server(), stage.start_lma())
        await asyncio.gather(*(stage.start_mag(name) for name in made.mags))
        return await play(
            "nat",
            made,
            seen,
            capture=stage.start_capture,
            drive=lambda: _drive(stage, seen, say),
            judge=lambda capture, result: judge(stage, capture, seen, result, say),
        )


async def _drive(stage: Stage, seen: Seen, say: Say) -> None:
    await _attach(stage, seen, say)
    await _be_silent(stage, seen, say)
    await _reboot(stage, seen, say)
    seen.journey_ns = time.time_ns()
    await travel(stage.world, stage.node, seen.journey, ROUTE, say)
    seen.renew_ns = time.time_ns()
    await _renew(stage, seen, say)
    await _release(stage, seen, say)


async def _attach(stage: Stage, seen: Seen, say: Say) -> None:
    """Addresses for the node and its neighbor; traffic both ways."""
    made, node = stage.world, stage.node
    say(f"{node.client} asks for an address at MAG 1, whose NAT has {BEHIND_NATS['mag1'].seen_as}")
    seen.attach_ns = time.time_ns()
    seen.journey.address = await node.attach()
    seen.attached = time.monotonic()
    seen.lease = await stage.lease_kept(NODE)
    seen.neighbor_ns = time.time_ns()
    seen.neighbor_address = await stage.neighbor.attach()
    say(f"it got {seen.journey.address}, its neighbor {seen.neighbor_address}; traffic both ways")
    neighbor = stage.neighbor.host
    # Nodes speak last, so that the last packets are answers: what gets none is cause for doubt (N59).
    for pairs in (
        ((made.correspondent, seen.journey.address), (made.correspondent, seen.neighbor_address)),
        ((made.mn, CORRESPONDENT), (neighbor, CORRESPONDENT)),
    ):
        seen.both_ways += await asyncio.gather(
            *(ping(made, host, target, 50, name=f"ping-{host.name}-to-{target}") for host, target in pairs)
        )


async def _be_silent(stage: Stage, seen: Seen, say: Say) -> None:
    """Nobody behind the NATs says anything; others try to. Then the correspondent begins."""
    until = time.monotonic() + SILENCE
    seen.silent_ns = time.time_ns()
    say(f"{SILENCE} s of silence, the NATs forget after 15; meanwhile strangers try to get in")
    home = ipv4(seen.journey.address)
    await strike(stage, seen.intruders, home, await stage.endpoint())
    await lie_by_dhcp(stage, seen.intruders, home)
    await asyncio.sleep(max(0.0, until - time.monotonic()))
    seen.spoken_ns = time.time_ns()
    made = stage.world
    seen.after_silence = await ping(made, made.correspondent, seen.journey.address, 20, name="ping-after")


async def _reboot(stage: Stage, seen: Seen, say: Say) -> None:
    """NAT 1 forgets everything while the node talks; at MAG 2 a newcomer meets a DHCP server that is down."""
    made = stage.world
    talk = await made.start("ping-reboot", made.mn, "ping", "-n", "-D", "-i", "0.1", CORRESPONDENT)
    await talk.said("bytes from", within=HEALED)
    say("NAT 1 starts anew while the node talks; the DHCP server is down while a newcomer asks at MAG 2")
    await made.stop("dhcp-server")
    asked = time.time()
    await stage.newcomer.ask()
    seen.reboot_ns = time.time_ns()
    await made.nats["mag1"].forget()
    await asyncio.sleep(0.2)
    mark = talk.lines
    seen.server_down = [
        await made.trace_says("mag2", NEWCOMER.mac, MAG_SAYS, asked, within=8),
        await made.trace_says("lma", NEWCOMER.nai, LMA_SAYS, asked, within=8),
    ]
    seen.waited = await stage.newcomer.asked(times=2)
    seen.got_nothing = not await stage.newcomer.addresses()
    with contextlib.suppress(PmipError):
        await talk.said("bytes from", within=HEALED, since=mark)
    began = time.monotonic()
    await stage.start_dhcp_server("dhcp-server-again")
    with contextlib.suppress(PmipError):
        await stage.newcomer.bound(within=HEALED)
        seen.server_back_ms = round((time.monotonic() - began) * 1000, 1)
    say("the session is back" if talk.lines > mark else "the session does not come back")
    talk.send(signal.SIGINT)
    await talk.ended(within=5)

    async def answers() -> bool:
        command = made.correspondent.command("ping", "-c", "1", "-W", "1", seen.neighbor_address)
        return (await run_program(command))[0] == 0

    seen.neighbor_back = await eventually(answers, within=HEALED, pause=0.5)
    seen.rebooted_ns = time.time_ns()
    for name in ("mag1", "lma"):
        seen.tunnels[name] = (await made.ask(name, "show", "tunnels"))["tunnels"]
    seen.leases = (await made.ask("lma", "show", "leases"))["leases"]


async def _renew(stage: Stage, seen: Seen, say: Say) -> None:
    say(f"{stage.node.client} renews its lease at MAG 2, through the tunnel")
    left = max(0.0, seen.attached + RENEW_AFTER - time.monotonic())
    with contextlib.suppress(PmipError):
        seen.renewed = await stage.node.renewed(within=left + 10)
    seen.renewed_lease = stage.lease_of(NODE)


async def _release(stage: Stage, seen: Seen, say: Say) -> None:
    """The node gives its address back, and then the others do."""
    made = stage.world
    say(f"{stage.node.client} gives the address back")
    seen.released_ns = time.time_ns()
    await stage.node.release()

    async def over() -> bool:
        bound = [row["nai"] for row in await made.bindings()]
        return stage.lease_of(NODE) is None and NODE.nai not in bound

    seen.released = await eventually(over, within=5)
    seen.gone_ns = time.time_ns()
    await made.save_tables()
    for other in (stage.neighbor, stage.newcomer):
        await other.release()
    seen.left = await leftovers(made, say)


SCENARIO: Final = Scenario(
    name="nat",
    summary="behind NATs, with DHCP through the LMA, no session ends",
    programs=("ip", "nft", "ping", "iperf3", "dhclient"),
    run=run,
    choices={
        "dhcp-client": {"dhclient": "dhclient", "udhcpc": "udhcpc"},
        "dhcp-server": {"kea": "kea-dhcp4", "dnsmasq": "dnsmasq"},
    },
)
