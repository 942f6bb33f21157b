"""What a host whose MAGs ask by Diameter has shown: from its journey, its capture and what the server has noted."""

import asyncio
from collections import Counter
from contextlib import suppress
from typing import Any

import attrs

from pmip_tw.lab import pcapng
from pmip_tw.lab.capture import Capture
from pmip_tw.lab.diameter_stage import RELAY, ROAMER, DiameterStage, Event
from pmip_tw.lab.heard import Heard
from pmip_tw.lab.measure import handover_gaps, milliseconds, typical
from pmip_tw.lab.mobile_node import MobileNode
from pmip_tw.lab.report import Goal, Result
from pmip_tw.lab.scenarios import Outcome, Say
from pmip_tw.lab.scenarios.journey import Journey
from pmip_tw.lab.scenarios.journey_proof import WINDOW_NS, judge_node, judge_paths, judge_tcp
from pmip_tw.lab.scenarios.telling import divider
from pmip_tw.lab.terminal import Style
from pmip_tw.lab.world import World
from pmip_tw.manage.timeline import timeline
from pmip_tw.wire.diameter.codes import TerminationCause

_OF_THE_SERVER = ("answer", "brought")
"""Events that are about what it has asked itself."""


@attrs.define(slots=True, kw_only=True)
class Seen:
    """What the run itself noted, beside the capture."""

    journey: Journey = attrs.field(factory=Journey)
    events: list[Event] = attrs.field(factory=list)
    traces: list[dict[str, Any]] = attrs.field(factory=list)
    left: list[str] = attrs.field(factory=list)
    after_abort: list[str] = attrs.field(factory=list)
    visit: list[Event] = attrs.field(factory=list)
    bound: list[str] = attrs.field(factory=list)
    """At the LMA when AAA has ended the roamer's registration and had the other node asked about."""
    aborted: bool = False
    abort_ms: float = 0.0
    relay_missed: bool = False
    relay_back: bool = False
    reconnect_ms: float = 0.0
    served_again: bool = False
    capture_lost: int = 0

    def named(self, event: str) -> list[Event]:
        return [one for one in self.events if one["event"] == event]


async def judge(
    made: World,
    node: MobileNode,
    stage: DiameterStage,
    capture: Capture,
    seen: Seen,
    result: Result,
    say: Say,
) -> Outcome:
    """What was noted and what was heard, held against what the scenario promises."""
    say("reading the capture")
    listener = made.listener()
    heard = await asyncio.to_thread(lambda: listener.hear(pcapng.read(capture.path)))
    judge_node(seen.journey, result)
    judge_tcp(seen.journey, heard, result)
    judge_paths(heard, result)
    _judge_access(seen, result)
    _judge_ends(seen, result)
    _judge_roaming(seen, result)
    _judge_what_aaa_wants(made, seen, result)
    _judge_relay(seen, result)
    _judge_accounting(made, seen, result)
    octets = await asyncio.to_thread(capture.path.read_bytes)
    known = [*(one.key_text for one in made.subscribers), ROAMER.key_text, ROAMER.aaa_key_text]
    keys = [key for key in known if key.encode() in octets]
    result.check(
        "no key in any packet",
        not keys,
        "the capture has a key in the clear"
        if keys
        else f"{len(octets) >> 10} KiB searched: TLS on both hops",
    )
    result.check(
        "nothing is left", not seen.left, "; ".join(seen.left) or "no binding, visitor, device or rule"
    )
    _measure(seen, heard, result)
    seen.traces.sort(key=lambda row: float(row["time"]))
    story = timeline(seen.traces)
    (made.directory / "ladder.txt").write_text(story + "\n")
    return Outcome(result, lambda style: _told(seen, node, style), capture.path)


def _judge_access(seen: Seen, result: Result) -> None:
    accepted = Counter(one["command"] for one in seen.named("access") if one["result"] == 2001)
    refused = [one for one in seen.named("access") if one["result"] != 2001]
    result.check(
        "NASREQ and EAP let it in",
        accepted["AAR"] >= 2 and accepted["DER"] >= 2 and not refused,
        f"{accepted['AAR']} AAR, {accepted['DER']} DER accepted"
        + (f", refused: {refused[0]}" if refused else ""),
    )
    fetched = [one for one in seen.named("keys") if one["nai"]]
    result.check(
        "the LMA has the node's key from the server",
        bool(fetched),
        f"asked {len(fetched)} times about {fetched[0]['nai']}" if fetched else "it never asked",
    )
    direct = [one for one in seen.events if one["event"] not in _OF_THE_SERVER and not one.get("by")]
    result.check(
        "everything came through the relay",
        not direct,
        f"{direct[0]} came without Route-Record"
        if direct
        else f"Route-Record in {len(seen.events)} messages, by {RELAY}",
    )


def _judge_ends(seen: Seen, result: Result) -> None:
    """Every session that was begun is over, and the server was told why."""
    told = (*seen.named("access"), *seen.named("brought"))
    begun = {one["session"] for one in told if one["result"] == 2001}
    ended = Counter(one["session"] for one in seen.named("termination"))
    wrong = sorted(begun ^ set(ended)) + [session for session, times in ended.items() if times > 1]
    causes = {_cause(one) for one in seen.named("termination")}
    result.check(
        "each session ends with one STR",
        bool(begun) and not wrong,
        f"not so: {wrong[0]}" if wrong else f"{len(begun)}: {', '.join(sorted(causes))}",
    )
    answers = [one["result"] for one in seen.named("answer")]
    result.check(
        "ASR ends the session",
        seen.aborted and not seen.after_abort and any("(2001)" in str(one) for one in answers),
        f"ASA {', '.join(map(str, answers)) or 'missing'}; visitors then: {len(seen.after_abort)}",
    )


def _judge_what_aaa_wants(made: World, seen: Seen, result: Result) -> None:
    """ASR at the LMA ends what AAA has brought; RAR at a MAG ends nothing."""
    nai = made.subscribers[0].nai
    asked = [(one["command"], "(2001)" in str(one["result"])) for one in seen.named("answer")]
    again = [
        one for one in seen.named("access") if one["command"] == "AAR" and one["session"].endswith(";eap")
    ]
    result.check(
        "ASR at the LMA and RAR at a MAG",
        asked.count(("ASR", True)) == 2
        and asked.count(("RAR", True)) == 1
        and len(again) == 1
        and seen.bound == [nai],
        f"asked anew {len(again)} times; then registered: {', '.join(seen.bound) or 'nobody'}",
    )


def _judge_roaming(seen: Seen, result: Result) -> None:
    """RFC 4004: each way there and back, and every reply proven by the keys that AAA has given."""
    served = [one for one in seen.visit if one.get("code") in (0, 1) and one.get("proven")]
    ways = Counter(one["event"] for one in served)
    brought = [one["result"] for one in seen.named("brought")]
    wrong = [one for one in seen.visit if one not in served]
    result.check(
        "AAA brings registrations, and proves others (RFC 4004)",
        (ways["ama"], ways["udp"], brought) == (3, 2, [2001] * 3),
        f"by HAR {ways['ama']}, by the LMA's AMR {ways['udp']}, for {served[0]['home_address'] if served else '-'}"
        + (f"; not so: {wrong[0]}" if wrong else ""),
    )


def _judge_relay(seen: Seen, result: Result) -> None:
    result.check(
        "the relay may go and come back",
        seen.relay_missed and seen.relay_back and seen.served_again,
        "noticed by both MAGs, connected again, and the node is served"
        if seen.relay_back and seen.served_again
        else f"missed: {seen.relay_missed}, back: {seen.relay_back}, served again: {seen.served_again}",
    )


def _judge_accounting(made: World, seen: Seen, result: Result) -> None:
    records = seen.named("accounting")
    kinds = Counter(one["record"] for one in records)
    again = [one for one in records if one["again"]]
    nai = made.subscribers[0].nai
    strange = [one for one in records if one["echoed_class"] != f"class of {nai}" or one["nai"] != nai]
    stops = [one for one in records if one["record"] == "stop"]
    result.check(
        "accounting by ACR, nothing missing or doubled",
        0 < kinds["start"] == kinds["stop"] and not again and not strange,
        f"{kinds['start']} starts, {kinds['stop']} stops, {len(again)} doubled, {len(strange)} without its Class",
    )
    result.measurements["octets_accounted"] = sum(one.get("input_octets", 0) for one in stops)


def _measure(seen: Seen, heard: Heard, result: Result) -> None:
    moves = seen.journey.moves
    discovers, acks = heard.named("dhcp-discover"), heard.named("dhcp-ack")
    attach = milliseconds(acks[0].time_ns - discovers[0].time_ns) if discovers and acks else None
    gaps = handover_gaps(heard, moves, "mn", WINDOW_NS)
    gaps_ms = [milliseconds(gap[1] - gap[0]) for gap in gaps if gap is not None]
    result.measurements.update(
        {
            "attach_ms": attach,
            "handover_gap_ms": typical(gaps_ms) if len(gaps_ms) == len(moves) else None,
            "abort_ms": round(seen.abort_ms, 1),
            "reconnect_ms": round(seen.reconnect_ms, 1),
        }
    )
    goal = attach if isinstance(attach, int | float) else None
    result.goals.append(Goal(name="attach_ms", at_most=100, unit="ms", measured=goal))


def _told(seen: Seen, node: MobileNode, style: Style) -> list[str]:
    """What the server did, in order, in a line each."""
    lines = style.wrapped(
        f"MN: {node.client}, wpa_supplicant (EAP-MD5), ping, iperf3, nothing of ours. MAG 1 asks about its MAC (AAR), "
        "MAG 2 wants 802.1X (DER). The relay is an unmodified freeDiameter; the AAA server is ours.",
        code="2",
    )
    lines.append(divider("what the AAA server did", style))
    for one in seen.events:
        lines.append(style.plain(f"  {one['command']:4} {one['session']:44} {_what(one)}"))
    return lines


def _what(one: Event) -> str:
    match one["event"]:
        case "access":
            return "accepted" if one["result"] == 2001 else "refused"
        case "keys":
            return "the key, for the LMA"
        case "accounting":
            return f"{one['record']}, number {one['number']}"
        case "termination":
            return f"over: {_cause(one)}"
        case "brought":
            return f"the registration is brought to the LMA, which answers {one['result']}"
        case "answer":
            return f"answered {one['result']}"
        case _:
            return str(one.get("text", ""))


def _cause(one: Event) -> str:
    """Its Termination-Cause by name."""
    with suppress(ValueError):
        return TerminationCause(one["cause"]).name.replace("_", "-").lower()
    return f"Termination-Cause {one['cause']}"
