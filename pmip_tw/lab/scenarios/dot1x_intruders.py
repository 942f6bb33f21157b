"""Who has proven nothing gets nothing, and who has no right to change a session changes none."""

import asyncio
import time
from collections.abc import Sequence
from random import Random
from typing import Final

from pmip_tw.addresses import Mac, ipv4
from pmip_tw.lab import hostile
from pmip_tw.lab.emitter import Emitter
from pmip_tw.lab.pcapng import Direction, Packet
from pmip_tw.lab.pinging import ping
from pmip_tw.lab.report import Check, Result
from pmip_tw.lab.scenarios import Say
from pmip_tw.lab.scenarios.dot1x_seen import Seen
from pmip_tw.lab.scenarios.dot1x_stage import CHANGE_SECRET, FILTER, NODE, OUTSIDER, Stage
from pmip_tw.lab.sites import CORRESPONDENT

GATEWAY: Final = ipv4("10.1.0.1")
GATEWAY_MAC: Final = Mac(bytes.fromhex("02005e504d49"))
SEED: Final = 802
RATE: Final = 2000
AT_ACCESS_POINT: Final = 500
"""Strangers a second. hostapd has room for 2,007 stations in all, and lets nobody in when they are there."""

SECONDS: Final = 2
UNPROVEN: Final = 50
"""Frames of each kind that the outsider sends."""

_LATE: Final = 3600
"""Seconds by which a request is too old."""


async def intrude(stage: Stage, seen: Seen, say: Say) -> None:
    """A host that has proven nothing sends data, and thousands more begin 802.1X, while the node is served."""
    made = stage.world
    rate = AT_ACCESS_POINT if stage.by_access_points else RATE
    say(f"{rate} strangers a second begin 802.1X for {SECONDS} s, and an outsider sends data without any")
    crowd = list(hostile.eapol_strangers(rate * SECONDS, Random(SEED)))
    packet = hostile.echo_request(ipv4("10.1.0.77"), ipv4(CORRESPONDENT))
    data = [
        hostile.dhcp_discover(OUTSIDER, OUTSIDER, 1),
        hostile.arp_request(OUTSIDER, OUTSIDER, ipv4("10.1.0.77"), GATEWAY),
        hostile.ip_frame(OUTSIDER, GATEWAY_MAC, packet),
    ] * UNPROVEN
    state, before = await stage.state(), await made.counts("mag1")

    async def send() -> None:
        senders = [
            await Emitter.start(made, stage.outsider, "eth0", crowd, rate, name="crowd"),
            await Emitter.start(made, stage.outsider, "eth0", data, len(data) / SECONDS, name="outsider"),
        ]
        for sender in senders:
            await sender.finished()

    node, _ = await asyncio.gather(
        ping(made, made.mn, CORRESPONDENT, SECONDS * 100, name="ping-crowd"), send()
    )
    seen.dropped = await made.counts("mag1") - before
    same = await stage.state() == state
    seen.intruders.append(
        Check(
            name="strangers at 802.1X: who is served does not notice",
            passed=node.lost == 0 and same,
            detail=f"{len(crowd)} frames, {node.lost} of {node.sent} pings lost"
            + ("" if same else "; visitors or bindings changed"),
        )
    )


def judge_outsider(packets: Sequence[Packet], result: Result) -> None:
    """Nothing but 802.1X is said to a host that has proven nothing, and nothing of it passes."""
    answered = [
        packet
        for packet in packets
        if packet.tap == "mag1-access"
        and packet.direction is Direction.OUTBOUND
        and packet.octets[:6] == OUTSIDER
        and packet.octets[12:14] != b"\x88\x8e"
    ]
    passed = [packet for packet in packets if packet.tap == "correspondent" and hostile.MARK in packet.octets]
    result.check(
        "without 802.1X nothing passes and nothing is answered",
        not answered and not passed,
        f"{3 * UNPROVEN} frames of DHCP, ARP and data"
        if not answered and not passed
        else f"{len(answered)} answers, {len(passed)} packets at the correspondent",
    )


async def forge(stage: Stage, seen: Seen, say: Say) -> None:
    """CoA and Disconnect of a stranger, with a wrong secret, and of an hour ago."""
    made, mag = stage.world, seen.journey.route[-1]
    say("forged CoA and Disconnect: of a stranger, with a wrong secret, too old")
    state, before = await stage.state(), await made.counts(mag)
    who, filtered = f"User-Name={NODE.nai}", f"Filter-Id={FILTER}"
    late = time.time() - _LATE
    answers = await asyncio.gather(
        stage.ask_mag_as(stage.stranger, mag, "disconnect", CHANGE_SECRET, who, name="forged-stranger"),
        stage.ask_mag_as(made.aaa, mag, "disconnect", "another-secret", who, name="forged-secret"),
        stage.ask_mag_as(
            made.aaa, mag, "coa", CHANGE_SECRET, who, filtered, name="forged-late", instant=late
        ),
    )
    seen.refused = await made.counts(mag) - before
    said = [answer.code for answer in answers if answer.code]
    same = await stage.state() == state
    pings = await ping(made, made.mn, CORRESPONDENT, 20, name="ping-forged")
    seen.intruders.append(
        Check(
            name="forged CoA and Disconnect change nothing and get no answer",
            passed=not said and same and pings.lost == 0,
            detail=f"{len(answers)} of three kinds"
            if same and not said
            else f"{', '.join(said) or 'visitors or bindings changed'}",
        )
    )
