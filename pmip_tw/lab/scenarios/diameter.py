"""An unmodified host is served by MAGs that ask a Diameter server, through freeDiameter, over TLS."""

import asyncio
import time
from pathlib import Path
from typing import Final

from pmip_tw.lab.diameter_stage import ROAMER, DiameterStage
from pmip_tw.lab.freediameter import PROGRAM as FREEDIAMETER
from pmip_tw.lab.mobile_node import MobileNode
from pmip_tw.lab.programs import eventually
from pmip_tw.lab.scenarios import Chosen, Outcome, Say, Scenario
from pmip_tw.lab.scenarios.diameter_proof import Seen, judge
from pmip_tw.lab.scenarios.journey import leftovers, travel
from pmip_tw.lab.scenarios.playing import play
from pmip_tw.lab.supplicant import PROGRAM as SUPPLICANT
from pmip_tw.lab.supplicant import Account, Supplicant
from pmip_tw.lab.world import World, world

PASSWORD: Final = "password of the laboratory"
ROUTE: Final = ("mag2", "mag1", "mag2")
"""The node begins at MAG 1, which asks about its MAC; MAG 2 wants EAP."""

MAGS: Final = ("mag1", "mag2")


async def run(directory: Path, say: Say, _: Chosen) -> Outcome:
    seen = Seen()
    async with world(directory, say) as made:
        node, stage = MobileNode(made), DiameterStage(made, PASSWORD)
        say("starting the Diameter server, freeDiameter as a relay, the LMA and two MAGs")
        await stage.start_server()
        await asyncio.gather(stage.start_relay(), made.start_lma(stage.keys(), subscribers=()))
        await asyncio.gather(
            made.start_mag("mag1", aaa=stage.settings("mag1")),
            made.start_mag("mag2", aaa=stage.settings("mag2"), access='authentication = "802.1x"'),
        )
        await stage.peers_are("open", *MAGS, "lma", within=15)
        return await play(
            "diameter",
            made,
            seen,
            capture=made.start_capture,
            drive=lambda: _drive(made, node, stage, seen, say),
            judge=lambda capture, result: judge(made, node, stage, capture, seen, result, say),
        )


async def _drive(made: World, node: MobileNode, stage: DiameterStage, seen: Seen, say: Say) -> None:
    nai = made.subscribers[0].nai
    account = Account(identity=nai, password=PASSWORD, authority=stage.authority)
    await Supplicant(made, made.mn, account, "md5").start()
    say(f"{node.client} asks for an address at MAG 1, which sends an AAR")
    seen.journey.address = await node.attach()
    say("wpa_supplicant answers MAG 2, which sends DERs; ping and iperf3 run")
    await travel(made, node, seen.journey, ROUTE, say)
    say(
        "a foreign agent asks by AMR about a node that has nothing but MN-AAA; the server brings it to the LMA (HAR)"
    )
    seen.visit = await stage.roam()
    say("the server ends that by ASR at the LMA, and has MAG 2 ask about its node anew (RAR)")
    before = len(stage.named("termination"))
    stage.command(f"abort {ROAMER.nai}")
    stage.command(f"reauth {nai}")

    async def carried_out() -> bool:
        return len(stage.named("answer")) >= 2 and len(stage.named("termination")) > before

    await eventually(carried_out, within=5, pause=0.02)
    seen.bound = [str(row["nai"]) for row in (await made.ask("lma", "show", "bindings"))["bindings"]]
    say("the server ends the session by ASR")
    before = len(stage.named("termination"))
    began = time.monotonic()
    stage.command(f"abort {nai}")

    async def aborted() -> bool:
        return len(stage.named("answer", command="ASR")) > 1 and len(stage.named("termination")) > before

    seen.aborted = await eventually(aborted, within=5, pause=0.02)
    seen.abort_ms = (time.monotonic() - began) * 1000
    seen.after_abort = [row["nai"] for name in MAGS for row in await made.visitors(name)]
    say("the relay is stopped and started again")
    await made.stop("relay")
    seen.relay_missed = await stage.peers_are("closed", *MAGS, within=10) or await stage.peers_are(
        "connecting", *MAGS, within=2
    )
    began = time.monotonic()
    await stage.start_relay()
    seen.relay_back = await stage.peers_are("open", *MAGS, "lma", within=15)
    seen.reconnect_ms = (time.monotonic() - began) * 1000
    say("the node moves to MAG 1, and is served again")
    made.cells.move(made.mn, "cell-mag1")

    async def served() -> bool:
        return any(row["state"] == "registered" for row in await made.visitors("mag1"))

    await made.start("ping-again", made.mn, "ping", "-n", "-i", "0.2", "203.0.113.9")
    seen.served_again = await eventually(served, within=40)
    await made.stop("ping-again")
    say(f"{node.client} gives the address back")
    await node.release()
    await made.save_tables()

    async def told() -> bool:
        return len(stage.named("accounting", record="stop")) >= len(stage.named("accounting", record="start"))

    await eventually(told, within=10)
    seen.traces = [row for name in MAGS for row in (await made.ask(name, "trace", nai))["trace"]]
    seen.left = await leftovers(made, say)
    seen.events = stage.events()


SCENARIO: Final = Scenario(
    name="diameter",
    summary="MAGs ask a Diameter server through freeDiameter, over TLS",
    programs=("ip", "nft", "ping", "iperf3", FREEDIAMETER, SUPPLICANT),
    run=run,
)
