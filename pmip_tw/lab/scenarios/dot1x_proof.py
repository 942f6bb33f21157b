"""What ``dot1x`` has shown: checks and figures, from what the run noted, AAA wrote down and the capture heard."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs

from pmip_tw.addresses import ipv4
from pmip_tw.lab import pcapng
from pmip_tw.lab.capture import Capture
from pmip_tw.lab.decoding import ask_tshark, decoding_check
from pmip_tw.lab.heard import Heard
from pmip_tw.lab.measure import delivery, handover_gaps, milliseconds, typical
from pmip_tw.lab.messages import Message
from pmip_tw.lab.pcapng import Direction, Packet
from pmip_tw.lab.report import Goal, Result
from pmip_tw.lab.scenarios import Outcome, Say
from pmip_tw.lab.scenarios.dot1x_accounts import judge_accounts
from pmip_tw.lab.scenarios.dot1x_intruders import judge_outsider
from pmip_tw.lab.scenarios.dot1x_seen import Seen
from pmip_tw.lab.scenarios.dot1x_stage import NODE, SECRETS, Stage
from pmip_tw.lab.scenarios.dot1x_story import Story
from pmip_tw.lab.scenarios.journey_proof import WINDOW_NS, judge_node, judge_paths, judge_tcp
from pmip_tw.lab.scenarios.secrecy import judge_secrecy
from pmip_tw.lab.sites import AAA_ADDRESS
from pmip_tw.lab.supplicant import ANONYMOUS
from pmip_tw.lab.terminal import Style, shown
from pmip_tw.wire.radius import AttributeType

FULL_GOAL: Final = 300
RESUMED_GOAL: Final = 100
"""Milliseconds without an answer, when the node proves itself at length and when it resumes a TLS session."""


@attrs.frozen(slots=True, kw_only=True)
class Proof:
    """One authentication on the wire, Unix nanoseconds; ``gateway``: through which MAG the node speaks from then on.
    ``accepted_ns``: when AAA has said so."""

    began_ns: int
    accepted_ns: int
    succeeded_ns: int
    ended_ns: int
    gateway: str

    @property
    def took_ms(self) -> float:
        return milliseconds(self.succeeded_ns - self.began_ns)


async def judge(stage: Stage, capture: Capture, seen: Seen, result: Result, say: Say) -> Outcome:
    """What was noted and what was heard, held against what the scenario promises."""
    say("reading the capture")
    made, listener = stage.world, stage.listener()
    packets = await asyncio.to_thread(lambda: list(pcapng.read(capture.path)))
    heard = await asyncio.to_thread(listener.hear, packets)
    proofs = _proofs(seen, heard)
    _judge_proofs(stage, seen, heard, proofs, result)
    judge_node(seen.journey, result)
    judge_tcp(seen.journey, heard, result)
    judge_paths(heard, result)
    _judge_losses(seen, heard, result)
    _judge_change(seen, result)
    _judge_end(seen, heard, result)
    early = 0 if stage.by_access_points else _early(seen, packets, proofs)
    judge_accounts(seen, 1 + len(seen.journey.moves), result, early)
    result.checks += seen.intruders
    judge_outsider(packets, result)
    if stage.by_access_points:
        _judge_access_points(stage, heard, result)
    taps = listener.signalling_taps
    rows = await ask_tshark(capture.path, taps)
    result.checks.append(decoding_check("tshark decodes every message", rows, heard, taps))
    judge_secrecy(made, result, SECRETS)
    result.check(
        "nothing is left", not seen.left, "; ".join(seen.left) or "no binding, visitor, device or rule"
    )
    gaps = _measure(stage, seen, heard, proofs, result)
    story = Story(heard=heard, seen=seen, gaps=gaps, by_access_points=stage.by_access_points)
    ladder = made.directory / "ladder.txt"
    ladder.write_text("\n".join(story.full(Style())) + "\n")
    return Outcome(result, lambda style: story.lines(style, stage.method, _places(ladder)), capture.path)


def _places(ladder: Path) -> str:
    return shown(ladder)


# --- 802.1X -------------------------------------------------------------------------------------------------


def _proofs(seen: Seen, heard: Heard) -> list[Proof | None]:
    """The attachment's, and that of every move; None for one that was not heard to its end."""
    moves = seen.journey.moves
    starts = [seen.attach_ns, *(move.began_ns for move in moves)]
    ends = [seen.journey_ns, *(move.began_ns for move in moves[1:]), seen.travelled_ns]
    gateways = ["mag1", *seen.journey.route]
    return [
        _proof(heard, began, ended, gateway)
        for began, ended, gateway in zip(starts, ends, gateways, strict=True)
    ]


def _proof(heard: Heard, began: int, ended: int, gateway: str) -> Proof | None:
    """From the first word of 802.1X to the Success."""

    def said(*names: str) -> list[Message]:
        return [one for one in heard.named(*names) if began <= one.time_ns < ended]

    first, success = said("eapol-start", "eap-request"), said("eap-success")
    accepted = [message for message in said("access-accept") if message.note]
    if not first or not success or not accepted:
        return None
    return Proof(
        began_ns=first[0].time_ns,
        accepted_ns=accepted[0].time_ns,
        succeeded_ns=success[0].time_ns,
        ended_ns=ended,
        gateway=gateway,
    )


def _early(seen: Seen, packets: Sequence[Packet], proofs: Sequence[Proof | None]) -> int:
    """Octets of IPv4 that the node has sent to a MAG before AAA had accepted it there."""
    waits = [(_since(seen, proof), proof.accepted_ns) for proof in proofs if proof is not None]
    return sum(
        int.from_bytes(packet.octets[16:18], "big")
        for packet in packets
        if packet.tap == "mn"
        and packet.direction is Direction.OUTBOUND
        and packet.octets[12:14] == b"\x08\x00"
        and any(began <= packet.time_ns < ended for began, ended in waits)
    )


def _judge_proofs(
    stage: Stage, seen: Seen, heard: Heard, proofs: Sequence[Proof | None], result: Result
) -> None:
    done = sum(1 for proof in proofs if proof is not None)
    found = [(one.nai, one.method, one.resumed) for one in seen.attachments]
    forgotten = seen.forgotten
    expected = [
        (NODE.nai, stage.method.upper(), number > 0 and number not in forgotten)
        for number in range(len(proofs))
    ]
    result.check(
        "the node proves itself at every MAG, by itself",
        done == len(proofs) and found == expected,
        f"{done} times EAP-{stage.method.upper()}, {sum(1 for one in found if one[2])} by a resumed session"
        if found == expected
        else f"FreeRADIUS accepted {found}",
    )
    early = [
        echo
        for proof in proofs
        if proof is not None
        for echo in heard.echoes
        if echo.tap == f"{proof.gateway}-core"
        and echo.request
        and _since(seen, proof) <= echo.time_ns < proof.accepted_ns
    ]
    served = heard.named("dhcp-offer", "dhcp-ack", "request")
    first = min((message.time_ns for message in served), default=0)
    known = next((proof for proof in proofs if proof is not None), None)
    result.check(
        "nothing passes before the node has proven itself",
        known is not None and not early and first > known.accepted_ns,
        f"{len(early)} pings were in the tunnel before"
        if early
        else "no address, no registration, no packet",
    )
    outer = {message.note for message in heard.named("access-request") if message.attributes.joined(79)}
    inner = {message.note for message in heard.named("request")}
    result.check(
        "the proven identity is registered, not the one that everybody can read",
        inner == {NODE.nai} and outer == ({NODE.nai} if stage.method == "tls" else {ANONYMOUS}),
        f"AAA was asked about {', '.join(sorted(outer))}, the LMA about {', '.join(sorted(inner))}",
    )


def _since(seen: Seen, proof: Proof) -> int:
    """When the node came to the MAG where it then proved itself."""
    moves = [move.ended_ns for move in seen.journey.moves if move.ended_ns <= proof.succeeded_ns]
    return moves[-1] if moves else seen.attach_ns


def _judge_access_points(stage: Stage, heard: Heard, result: Result) -> None:
    """AA27: what a profile says of mobility is the MAG's alone."""
    points = {ipv4(point.address) for point in stage.world.access_points.values()}
    accepts = [message for message in heard.named("access-accept") if message.note]
    told = [message for message in accepts if message.destination.address in points]
    kept = [message for message in accepts if message.destination.address not in points]
    leaks = sum(1 for message in told if _mobility(message))
    result.check(
        "no key and nothing of mobility goes to an access point",
        bool(told) and not leaks and all(_mobility(message) for message in kept),
        f"{leaks} of {len(told)} Access-Accepts have such attributes"
        if leaks
        else f"{len(told)} Access-Accepts without, of {len(kept)} that had them",
    )


def _mobility(message: Message) -> bool:
    """Whether it has attributes of the vendors that speak of mobility."""
    values = message.attributes.all(AttributeType.VENDOR_SPECIFIC)
    return any(int.from_bytes(value[:4], "big") in _MOBILITY for value in values)


_AAA: Final = ipv4(AAA_ADDRESS)
_MOBILITY: Final = frozenset({5535, 24757})
"""3GPP2 and the WiMAX Forum."""


# --- traffic and AAA's own words ----------------------------------------------------------------------------


def _judge_losses(seen: Seen, heard: Heard, result: Result) -> None:
    """What is sent while the node has not proven itself is lost, or kept and sent on: but never doubled."""
    on_the_way = [echo for echo in heard.echoes if seen.journey_ns <= echo.time_ns < seen.travelled_ns]
    found = delivery(
        attrs.evolve(heard, echoes=on_the_way),
        node="mn",
        access=("mag1-access", "mag2-access"),
        correspondent="correspondent",
    )
    result.check(
        "no echo request arrives twice",
        found.sent > 0 and not found.duplicated and not seen.capture_lost,
        f"the capture lost {seen.capture_lost} packets"
        if seen.capture_lost
        else f"{found.sent} sent, {found.lost_requests} lost",
    )
    result.measurements["pings_lost"] = found.unanswered
    result.measurements["pings_sent"] = found.sent


def _judge_change(seen: Seen, result: Result) -> None:
    codes = [answer.code for answer in seen.changes]
    lost = [pings.lost for pings in seen.after_change]
    sent = [pings.sent for pings in seen.after_change]
    result.check(
        "CoA: a filter applies at once, and is taken away again",
        codes == ["CoA-ACK", "CoA-ACK"] and lost == [sent[0], 0],
        f"{lost[0]} of {sent[0]} pings filtered, then {lost[1]} of {sent[1]} lost"
        if codes == ["CoA-ACK", "CoA-ACK"]
        else ", ".join(f"{answer.code or 'no answer'} {answer.error_cause}" for answer in seen.changes),
    )


def _judge_end(seen: Seen, heard: Heard, result: Result) -> None:
    """AA17: the de-registration is under way before AAA has its answer."""

    def first(name: str, *, ending: bool = False) -> int:
        times = [
            message.time_ns
            for message in heard.named(name)
            if seen.end_ns <= message.time_ns
            and (
                message.lifetime == 0
                if ending
                else _AAA in (message.source.address, message.destination.address)
            )
        ]
        return times[0] if times else 0

    asked, left, answered = (
        first("disconnect-request"),
        first("request", ending=True),
        first("disconnect-ack"),
    )
    result.check(
        "Disconnect ends the session before it is answered",
        0 < asked < left < answered,
        f"de-registered after {milliseconds(left - asked)} ms, answered after {milliseconds(answered - asked)}"
        if 0 < asked < left and answered
        else f"AAA got {seen.ended}",
    )


# --- figures ------------------------------------------------------------------------------------------------


def _measure(
    stage: Stage, seen: Seen, heard: Heard, proofs: Sequence[Proof | None], result: Result
) -> list[float | None]:
    """Fill in the measurements; the handover gap of each move, in milliseconds."""
    moves = seen.journey.moves
    discovers, acks = heard.named("dhcp-discover"), heard.named("dhcp-ack")
    proven = proofs[0].took_ms if proofs[0] is not None else None
    addressed = milliseconds(acks[0].time_ns - discovers[0].time_ns) if discovers and acks else None
    gaps = [
        None if gap is None else milliseconds(gap[1] - gap[0])
        for gap in handover_gaps(heard, moves, "mn", WINDOW_NS)
    ]
    full = [gap for number, gap in enumerate(gaps, 1) if number in seen.forgotten and gap is not None]
    resumed = [gap for number, gap in enumerate(gaps, 1) if number not in seen.forgotten and gap is not None]
    again = [proof.took_ms for proof in proofs[1:] if proof is not None]
    figures = {
        f"attach_{stage.method}_ms": None
        if proven is None or addressed is None
        else round(proven + addressed, 2),
        "reauth_full_ms": typical(again[number - 1] for number in seen.forgotten if number <= len(again)),
        "reauth_resumed_ms": typical(
            took for number, took in enumerate(again, 1) if number not in seen.forgotten
        ),
        "handover_gap_full_ms": typical(full),
        "handover_gap_resumed_ms": typical(resumed),
        "handover_gap_worst_ms": max((gap for gap in gaps if gap is not None), default=None),
        "accounting_records": len(seen.records),
    }
    result.measurements = {**figures, **result.measurements}
    result.goals += [
        Goal(name="handover_gap_full_ms", at_most=FULL_GOAL, unit="ms", measured=typical(full)),
        Goal(name="handover_gap_resumed_ms", at_most=RESUMED_GOAL, unit="ms", measured=typical(resumed)),
    ]
    return gaps
