"""What ``aaa-failover`` has shown: who was served, and whether every account has arrived once."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from pmip_tw.lab import pcapng
from pmip_tw.lab.capture import Capture
from pmip_tw.lab.freeradius import Record
from pmip_tw.lab.heard import Heard
from pmip_tw.lab.measure import milliseconds
from pmip_tw.lab.report import Goal, Result
from pmip_tw.lab.scenarios import Outcome, Say
from pmip_tw.lab.scenarios.aaa_failover_seen import Seen
from pmip_tw.lab.scenarios.aaa_failover_stage import FAILED_OVER, MAG, SERVED, SUBSCRIBERS, Stage
from pmip_tw.lab.scenarios.aaa_failover_story import lines
from pmip_tw.lab.scenarios.secrecy import judge_secrecy
from pmip_tw.lab.subscribers import Subscriber

FAILOVER_GOAL: Final = 3000
"""Milliseconds: tries of a server that says nothing."""

_SERVED: Final = frozenset({"Start", "Interim-Update", "Stop"})


@attrs.frozen(slots=True, kw_only=True)
class Accounts:
    """Records by what they say: ``missing`` and ``doubled`` in words, ``sessions`` as the wire has shown them."""

    sessions: Mapping[str, int]
    missing: Sequence[str]
    doubled: Sequence[str]


async def judge(stage: Stage, capture: Capture, seen: Seen, result: Result, say: Say) -> Outcome:
    """What was noted and what was heard, held against what the scenario promises."""
    say("reading the capture")
    made = stage.world
    packets = await asyncio.to_thread(lambda: list(pcapng.read(capture.path)))
    heard = await asyncio.to_thread(made.listener().hear, packets)
    calm = _asked_for(heard, SUBSCRIBERS[SERVED], seen.began_ns, seen.one_down_ns)
    failover = _asked_for(heard, SUBSCRIBERS[FAILED_OVER], seen.one_down_ns, seen.both_down_ns)
    result.check(
        "one server down: who comes is served by the other",
        bool(seen.failed_over) and failover is not None,
        f"{seen.failed_over}, authenticated in {failover} ms" if failover is not None else "no address",
    )
    result.check(
        "one server down: accounts go to the other",
        seen.told_other,
        "the Start of who has just come" if seen.told_other else "none went there",
    )
    result.check(
        "both down: no address, and the trace says why",
        seen.got_nothing and bool(seen.said),
        seen.said or "nothing in the trace",
    )
    result.check(
        "both down: who is served does not notice",
        seen.dark is not None and seen.dark.lost == 0,
        f"{seen.dark.lost} of {seen.dark.sent} pings lost" if seen.dark else "not tried",
    )
    result.check(
        "both down: the MAG keeps its accounts, and says so",
        seen.waiting > 0,
        f"pmipctl show accounting: {seen.waiting} waiting",
    )
    result.check(
        "both back: who has waited is served",
        seen.back_ms is not None,
        f"{seen.back_ms} ms after they were started" if seen.back_ms is not None else "no address",
    )
    found = accounts(heard, [record for _, record in seen.records])
    total = sum(found.sessions.values())
    result.check(
        "not one accounting record is missing",
        total >= len(SUBSCRIBERS) and not found.missing and not seen.capture_lost,
        "; ".join(found.missing) or f"Start and Stop of {total} sessions",
    )
    result.check(
        "not one accounting record is doubled",
        not found.doubled,
        "; ".join(found.doubled) or f"{len(seen.records)} records at two servers",
    )
    judge_secrecy(made, result)
    tracebacks = made.tracebacks(MAG, "lma")
    result.check("no traceback", not tracebacks, ", ".join(tracebacks) or "in no log of any daemon")
    result.check(
        "nothing is left", not seen.left, "; ".join(seen.left) or "no binding, visitor, device or rule"
    )
    result.measurements |= {
        "authentication_calm_ms": calm,
        "failover_ms": failover,
        "recovery_ms": seen.back_ms,
        "records": len(seen.records),
        "records_lost": len(found.missing),
        "records_doubled": len(found.doubled),
    }
    result.goals += [
        Goal(name="failover_ms", at_most=FAILOVER_GOAL, unit="ms", measured=failover),
        Goal(name="records_lost", at_most=0, unit="", measured=len(found.missing)),
        Goal(name="records_doubled", at_most=0, unit="", measured=len(found.doubled)),
    ]
    return Outcome(result, lambda style: lines(heard, seen, style), capture.path)


def _asked_for(heard: Heard, who: Subscriber, began: int, ended: int) -> float | None:
    """Milliseconds from the first question about a node to the answer that it may be served."""
    name = who.mac.hex("-")
    asked = [
        message.time_ns
        for message in heard.named("access-request")
        if message.note == name and began <= message.time_ns < ended
    ]
    accepted = [
        message.time_ns
        for message in heard.named("access-accept")
        if message.note == who.nai and asked and asked[0] <= message.time_ns < ended
    ]
    return milliseconds(accepted[0] - asked[0]) if accepted else None


def accounts(heard: Heard, records: Sequence[Record]) -> Accounts:
    """What each session on the wire should have, and what the servers have."""
    sessions = _sessions(heard)
    missing: list[str] = []
    for nai, count in sessions.items():
        ids = {
            status: {record["Acct-Session-Id"][0] for record in records if _is(record, nai, status)}
            for status in ("Start", "Stop")
        }
        for status, found in ids.items():
            if len(found) < count:
                missing.append(f"{count - len(found)} {status} of {nai}")
        if ids["Start"] != ids["Stop"]:
            missing.append(f"{nai}: its Starts and its Stops are of different sessions")
    seen = Counter(
        (
            record["User-Name"][0],
            record["Acct-Status-Type"][0],
            record["Acct-Session-Id"][0],
            record.get("Event-Timestamp", ("",))[0]
            if record["Acct-Status-Type"][0] not in ("Start", "Stop")
            else "",
        )
        for record in records
        if record["Acct-Status-Type"][0] in _SERVED
    )
    doubled = [f"{status} of {nai}, {count} times" for (nai, status, *_), count in seen.items() if count > 1]
    return Accounts(sessions=sessions, missing=missing, doubled=doubled)


def _is(record: Record, nai: str, status: str) -> bool:
    return record["User-Name"] == (nai,) and record["Acct-Status-Type"] == (status,)


def _sessions(heard: Heard) -> Mapping[str, int]:
    """By NAI how often it was registered anew, which is how many sessions there were. Renewals are none."""
    registered: defaultdict[str, bool] = defaultdict(bool)
    count: Counter[str] = Counter()
    for message in heard.named("request"):
        nai = message.note
        if message.lifetime and not registered[nai]:
            count[nai] += 1
        registered[nai] = bool(message.lifetime)
    return count
