"""Hosts that lie, and noise on port 434: dropped, counted, and noticed by nobody."""

import asyncio
import time
from collections.abc import Sequence
from random import Random
from typing import Final

from pmip_tw.addresses import Endpoint, Ipv4, ipv4, ipv4_text
from pmip_tw.lab import hostile
from pmip_tw.lab.emitter import Emitter
from pmip_tw.lab.pcapng import Direction, Packet
from pmip_tw.lab.pinging import Pings, ping
from pmip_tw.lab.scenarios import Say
from pmip_tw.lab.scenarios.adversity_stage import (
    GATEWAY,
    GATEWAY_MAC,
    MAG,
    NEIGHBOR,
    SEED,
    STRANGER,
    Stage,
)
from pmip_tw.lab.sending import IP
from pmip_tw.lab.sites import CORRESPONDENT, DIRECT, LMA_ADDRESS
from pmip_tw.lab.subscribers import SUBSCRIBER
from pmip_tw.wire.codes import Code, MessageType
from pmip_tw.wire.udp import udp_packet

SPOOFED: Final = 100
"""Packets of each kind in another's name."""

DATAGRAMS: Final = 2000
NOISE_RATE: Final = 1000
SPOOF_RATE: Final = 200

_ANSWER_INTERVAL_NS: Final = 990_000_000
"""H4: one answer a second to one source; with what two clocks may differ by."""


async def spoof(stage: Stage, say: Say) -> None:
    """A registered neighbor, and a host on another access link, speak in the node's name."""
    say(f"a neighbor on the same link, and a host with the same MAC on another one, send {4 * SPOOFED} lies")
    node, liar = SUBSCRIBER.mac, NEIGHBOR.mac
    home, correspondent = stage.home_address, ipv4(CORRESPONDENT)
    packet = hostile.echo_request(home, correspondent)
    lies = [
        hostile.ip_frame(liar, GATEWAY_MAC, packet),
        hostile.arp_request(liar, liar, home, GATEWAY),
        hostile.arp_request(liar, node, home, GATEWAY),
        hostile.dhcp_release(liar, node, home, GATEWAY),
    ]
    twice = [hostile.ip_frame(node, GATEWAY_MAC, packet), hostile.dhcp_discover(node, node, 1)]
    before, state = await stage.world.counts(MAG), await stage.state()

    async def lie() -> None:
        neighbor = stage.neighbor.host
        senders = [
            await Emitter.start(stage.world, neighbor, "eth0", lies * SPOOFED, SPOOF_RATE * 2, name="lies"),
            await Emitter.start(
                stage.world, stage.double, "eth0", twice * (SPOOFED // 2), SPOOF_RATE, name="double"
            ),
        ]
        for sender in senders:
            await sender.finished()

    pings, _ = await asyncio.gather(
        ping(stage.world, stage.node.host, CORRESPONDENT, 200, name="ping-lies"), lie()
    )
    grown = await stage.world.counts(MAG) - before
    dropped = {reason: count for (_, reason), count in grown.items()}
    for what, reason in (
        ("spoofed source address", "spoofed-source"),
        ("spoofed ARP sender address", "arp-spoofed-address"),
        ("spoofed ARP sender MAC", "arp-spoofed-mac"),
        ("spoofed DHCP chaddr", "dhcp-spoofed-chaddr"),
        ("same MAC on a second interface", "duplicate-mac"),
    ):
        count = dropped.get(reason, 0)
        stage.result.check(
            f"{what} is dropped",
            count == SPOOFED,
            f"{count} counted" if count == SPOOFED else f"{count} of {SPOOFED} counted as {reason}",
        )
    undisturbed(stage, "its owner notices nothing", pings, state == await stage.state())


async def noise(stage: Stage, say: Say) -> None:
    """Datagrams to port 434 of both agents: from a stranger, from nobody, and in each other's name."""
    say(f"{DATAGRAMS} meaningless datagrams to port 434 of the MAG, and as many to the LMA")
    care_of, home_agent = ipv4(DIRECT[MAG].address), ipv4(LMA_ADDRESS)
    messages = hostile.forged_messages(
        nai=SUBSCRIBER.nai,
        spi=SUBSCRIBER.spi,
        home_address=stage.home_address,
        home_agent=home_agent,
        care_of_address=care_of,
        wall=time.time(),
    )
    state = await stage.state()
    for name, target, peer in ((MAG, care_of, home_agent), ("lma", home_agent, care_of)):
        chance = Random(SEED)
        packets = [
            udp_packet(_source(number, peer), Endpoint(target, 434), payload)
            for number, payload in enumerate(hostile.meaningless(DATAGRAMS, messages, chance))
        ]
        role = "MAG" if name == MAG else "LMA"
        before = await stage.world.counts(name)
        sender = await Emitter.start(
            stage.world, stage.stranger, IP, packets, NOISE_RATE, name=f"noise-{name}"
        )
        await sender.finished()
        grown = await stage.world.counts(name) - before
        reasons = {reason: count for (_, reason), count in grown.items() if reason}
        stage.result.check(
            f"noise to the {role} is counted",
            sum(reasons.values()) == DATAGRAMS,
            f"{sum(reasons.values())} of {DATAGRAMS}, by {len(reasons)} reasons",
        )
        stage.noise[role] = reasons
    pings = await ping(stage.world, stage.node.host, CORRESPONDENT, 20, name="ping-noise")
    undisturbed(stage, "noise changes nothing", pings, state == await stage.state())


def _source(number: int, peer: Ipv4) -> Endpoint:
    """A stranger with many ports, an address that nobody has, and the peer's own."""
    return (
        Endpoint(ipv4(STRANGER), 434),
        Endpoint(ipv4(STRANGER), 20_000 + number),
        Endpoint(ipv4("198.51.100.200"), 434),
        Endpoint(peer, 434),
    )[number // 2 % 4]


def undisturbed(stage: Stage, name: str, pings: Pings, same: bool) -> None:
    """A check: no echo request lost, and everybody where they were."""
    detail = f"{pings.sent} pings, {pings.lost} lost" if same else "visitors or bindings changed"
    stage.result.check(name, same and pings.lost == 0, detail)


def judge_capture(stage: Stage, packets: Sequence[Packet], noise_ns: tuple[int, int]) -> None:
    """What the wire shows: no spoofed packet at the correspondent, no answers to strangers but rare 131s."""
    arrived = sum(1 for packet in packets if packet.tap == "correspondent" and hostile.MARK in packet.octets)
    echoes = sum(1 for packet in packets if packet.tap == "correspondent")
    stage.result.check(
        "no spoofed packet arrives",
        arrived == 0 and echoes > 0,
        f"{arrived} among {echoes}",
    )
    answers = [
        packet
        for packet in packets
        if noise_ns[0] <= packet.time_ns <= noise_ns[1]
        and packet.direction is Direction.OUTBOUND
        and _is_from_port_434(packet.octets)
    ]
    wrong, refused = judge_answers(answers)
    stage.result.check(
        "noise gets no answer",
        not wrong,
        "; ".join(wrong[:3]) or f"but {refused} times 131, once a second (H4)",
    )


def _is_from_port_434(octets: bytes) -> bool:
    return octets[12:14] == b"\x08\x00" and octets[23] == 17 and octets[34:36] == b"\x01\xb2"


def judge_answers(answers: Sequence[Packet]) -> tuple[list[str], int]:
    """What should not have been said, and how many refusals are as they may be."""
    peers = {ipv4(address) for address in (LMA_ADDRESS, *(site.address for site in DIRECT.values()))}
    wrong: list[str] = []
    last: dict[Ipv4, int] = {}
    refused = 0
    for packet in answers:
        kind, code = packet.octets[42], packet.octets[43]
        destination = Ipv4(int.from_bytes(packet.octets[30:34], "big"))
        is_refusal = kind == MessageType.REGISTRATION_REPLY and code == Code.HA_MN_AUTH
        if destination in peers and not is_refusal:
            continue  # the registered nodes' own signalling
        if not is_refusal:
            wrong.append(f"type {kind} to {ipv4_text(destination)}")
        elif packet.time_ns - last.get(destination, 0) < _ANSWER_INTERVAL_NS:
            wrong.append(f"131 twice within a second to {ipv4_text(destination)}")
        else:
            last[destination] = packet.time_ns
            refused += 1
    return wrong, refused
