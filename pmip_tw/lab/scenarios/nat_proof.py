"""What ``nat`` has shown: checks and figures, from what the run noted and the capture heard."""

import asyncio
from typing import Final

import attrs

from pmip_tw.addresses import ipv4_text, mac_text
from pmip_tw.lab import pcapng
from pmip_tw.lab.capture import Capture
from pmip_tw.lab.decoding import ask_tshark, decoding_check, tunnel_data_check
from pmip_tw.lab.heard import Heard
from pmip_tw.lab.measure import handover_gaps, longest_gap, milliseconds, stalls, typical
from pmip_tw.lab.report import Goal, Result
from pmip_tw.lab.scenarios import Outcome, Say
from pmip_tw.lab.scenarios.journey_proof import (
    LOSSES,
    WINDOW_NS,
    judge_authentication,
    judge_echoes,
    judge_node,
    judge_paths,
    judge_tcp,
)
from pmip_tw.lab.scenarios.nat_seen import Seen
from pmip_tw.lab.scenarios.nat_stage import KEEPALIVE, NODE, Stage
from pmip_tw.lab.scenarios.nat_story import Story
from pmip_tw.lab.scenarios.nat_wire import (
    judge_encapsulation,
    judge_keepalives,
    judge_option_82,
    judge_relaying,
)
from pmip_tw.lab.scenarios.secrecy import judge_secrecy
from pmip_tw.lab.sites import HOME
from pmip_tw.lab.terminal import Style, shown

OUTAGE_GOAL: Final = 10_000
"""Milliseconds (N59)."""

_LEAST_EXTENSION: Final = 20
"""Seconds by which a renewed lease ends later, at the least."""


async def judge(stage: Stage, capture: Capture, seen: Seen, result: Result, say: Say) -> Outcome:
    """What was noted and what was heard, held against what the scenario promises."""
    say("reading the capture")
    made, listener = stage.world, stage.listener()
    packets = await asyncio.to_thread(lambda: list(pcapng.read(capture.path)))
    heard = await asyncio.to_thread(listener.hear, packets)
    _judge_lease(seen, result)
    judge_option_82(heard, seen.lease, result)
    judge_relaying(heard, (seen.silent_ns, seen.spoken_ns), result)
    _judge_reach(seen, result)
    judge_keepalives(heard, packets, (seen.silent_ns, seen.spoken_ns), result)
    outage = _judge_reboot(seen, heard, result)
    _judge_tables(seen, heard, result)
    _judge_server(seen, result)
    judge_node(seen.journey, result)
    judge_tcp(seen.journey, heard, result)
    judge_paths(heard, result)
    judge_encapsulation(packets, result)
    on_the_way = [echo for echo in heard.echoes if seen.journey_ns <= echo.time_ns < seen.renew_ns]
    judge_echoes(attrs.evolve(heard, echoes=on_the_way), seen.capture_lost, result)
    judge_authentication(made, heard, 1 + len(seen.journey.moves), result)
    taps = listener.signalling_taps
    rows = await ask_tshark(capture.path, taps)
    result.checks += [
        decoding_check("tshark decodes every message", rows, heard, taps),
        tunnel_data_check("tshark decodes tunnel data", rows, heard, taps),
    ]
    judge_secrecy(made, result)
    result.checks += seen.intruders.checks
    result.check(
        "nothing is left", not seen.left, "; ".join(seen.left) or "no binding, visitor, device or rule"
    )
    gaps = _measure(seen, heard, outage, result)
    story = Story(heard=heard, seen=seen, gaps=gaps, outage=outage)
    ladder = made.directory / "ladder.txt"
    ladder.write_text("\n".join(story.full(Style())) + "\n")
    client, server = stage.node.client, stage.server.program
    return Outcome(result, lambda style: story.lines(style, client, server, shown(ladder)), capture.path)


def _judge_lease(seen: Seen, result: Result) -> None:
    lease, address = seen.lease, seen.journey.address
    result.check(
        "the address is from the DHCP server's lease file",
        lease is not None and ipv4_text(lease.address) == address,
        f"{address}, {'the file has nothing' if lease is None else ipv4_text(lease.address)}",
    )
    extended = seen.renewed_lease.ends - lease.ends if lease and seen.renewed_lease else 0
    result.check(
        "the lease is renewed through the tunnel",
        seen.renewed == address and extended >= _LEAST_EXTENSION,
        f"it ends {extended} s later" if seen.renewed else "the client was not answered",
    )
    result.check(
        "a release ends lease and binding",
        seen.released,
        f"{milliseconds(seen.gone_ns - seen.released_ns):.0f} ms after the client began"
        if seen.released
        else "not within 5 s",
    )


def _judge_reach(seen: Seen, result: Result) -> None:
    lost = sum(pings.lost for pings in seen.both_ways)
    sent = sum(pings.sent for pings in seen.both_ways)
    result.check("traffic both ways", sent > 0 and lost == 0, f"{sent} pings, {lost} lost")
    after = seen.after_silence
    result.check(
        "reached after a silence that the NAT forgets in",
        after is not None and after.lost == 0,
        f"{(seen.spoken_ns - seen.silent_ns) / 1e9:.0f} s, then {after.sent} pings, {after.lost} lost"
        if after
        else "not tried",
    )


def _judge_reboot(seen: Seen, heard: Heard, result: Result) -> tuple[int, int] | None:
    """The longest time without an answer, from when to when."""
    answers = [
        echo.time_ns
        for echo in heard.echoes
        if echo.tap == "mn" and echo.inbound and not echo.request and echo.time_ns < seen.rebooted_ns
    ]
    gap = longest_gap(answers, seen.reboot_ns, seen.rebooted_ns)
    if gap is None:
        detail = "no answer any more"
    elif not seen.neighbor_back:
        detail = "the node's, but not its neighbor's"
    else:
        detail = f"after {(gap[1] - gap[0]) / 1e9:.1f} s"
    result.check("NAT reboot: the session comes back", gap is not None and seen.neighbor_back, detail)
    revoked = [
        message
        for message in heard.named("revocation")
        if seen.reboot_ns <= message.time_ns < seen.rebooted_ns
    ]
    result.check(
        "NAT reboot: nobody has moved, nobody is revoked",
        not revoked,
        f"{len(revoked)} revocations" if revoked else "the same MAG behind another port",
    )
    return gap


def _judge_tables(seen: Seen, heard: Heard, result: Result) -> None:
    """After the reboot: the endpoint is the one on the wire, one mapping was lost, the lease is the node's."""
    asked = [
        f"{ipv4_text(message.source.address)}:{message.source.port}"
        for message in heard.named("request", tap="mag1-nat")
        if message.time_ns < seen.rebooted_ns
    ]
    at_lma = [row["remote"] for row in seen.tunnels.get("lma", []) if row["way"] == "nat"]
    at_mag = [
        (row["way"], row["keepalive_interval"], row["mappings_lost"]) for row in seen.tunnels.get("mag1", [])
    ]
    leased = [(row["home_address"], row["mac"]) for row in seen.leases if row["nai"] == NODE.nai]
    true = (
        bool(asked)
        and asked[-1] in at_lma
        and asked[0] not in at_lma
        and at_mag == [("nat", KEEPALIVE, 1)]
        and leased == [(seen.journey.address, mac_text(NODE.mac))]
    )
    result.check(
        "pmipctl show tunnels and leases say what the wire does",
        true,
        f"{asked[-1]} instead of {asked[0]}; one mapping lost"
        if true
        else f"wire {asked[-1:]}, LMA {at_lma}, MAG 1 {at_mag}, leases {leased}",
    )


def _judge_server(seen: Seen, result: Result) -> None:
    result.check(
        "DHCP server down: no address, and the trace says why",
        seen.waited and seen.got_nothing and bool(seen.server_down) and all(seen.server_down),
        "; ".join(seen.server_down) or "not asked" if seen.got_nothing else "it got one",
    )
    back = seen.server_back_ms
    result.check(
        "DHCP server down: it recovers",
        back is not None,
        "no address" if back is None else f"address {back:.0f} ms later",
    )


def _measure(seen: Seen, heard: Heard, outage: tuple[int, int] | None, result: Result) -> list[float | None]:
    """Fill in the measurements; the handover gap of each move, in milliseconds."""
    outage_ms = None if outage is None else milliseconds(outage[1] - outage[0])
    moves = seen.journey.moves
    mine = [
        message for message in heard.messages if message.dhcp is not None and message.dhcp.chaddr == NODE.mac
    ]
    discovers = [message.time_ns for message in mine if message.name == "dhcp-discover"]
    acks = [
        message.time_ns for message in mine if message.name == "dhcp-ack" and message.tap == "mag1-access"
    ]
    gaps = handover_gaps(heard, moves, "mn", WINDOW_NS)
    gaps_ms = [None if gap is None else milliseconds(gap[1] - gap[0]) for gap in gaps]
    measured = [gap for gap in gaps_ms if gap is not None]
    complete = len(measured) == len(moves) > 0
    silent = [gap[1] - gap[0] for gap in stalls(heard, moves, "correspondent", HOME, WINDOW_NS) if gap]
    gap = typical(measured) if complete else None
    figures = {
        "attach_ms": milliseconds(acks[0] - discovers[0]) if discovers and acks else None,
        "handover_gap_ms": gap,
        "handover_gap_worst_ms": max(measured) if complete else None,
        "nat_reboot_outage_ms": outage_ms,
        "keepalives_per_minute": result.measurements.pop("keepalives_per_minute"),
        **{name: result.measurements.pop(name) for name in LOSSES},
        "tcp_stalled_ms": milliseconds(max(silent)) if silent else None,
        "dhcp_server_recovery_ms": seen.server_back_ms,
    }
    result.measurements.update(figures)
    result.goals += [
        Goal(name="handover_gap_ms", at_most=50, unit="ms", measured=gap),
        Goal(name="nat_reboot_outage_ms", at_most=OUTAGE_GOAL, unit="ms", measured=outage_ms),
    ]
    return gaps_ms
