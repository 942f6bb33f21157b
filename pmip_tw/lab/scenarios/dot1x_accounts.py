"""What AAA was told of the node's sessions, held against what the kernel has counted at its port."""

from collections.abc import Sequence

from pmip_tw.lab.freeradius import Record
from pmip_tw.lab.report import Goal, Result
from pmip_tw.lab.scenarios.dot1x_seen import Seen
from pmip_tw.lab.scenarios.dot1x_stage import CLASSES, NODE

EXACT: float = 0.1
"""Percent."""


def judge_accounts(seen: Seen, sessions: int, result: Result, early: int = 0) -> None:
    """``sessions``: one for the attachment and for each move. ``early``: octets that the node has sent to a MAG before
    that had accepted it: held and carried later, or dropped."""
    mine = [record for record in seen.records if record.get("User-Name") == (NODE.nai,)]
    starts, stops = (_of(mine, status) for status in ("Start", "Stop"))
    ids = {_one(record, "Acct-Session-Id") for record in starts}
    result.check(
        "one Start and one Stop for each session",
        len(starts) == len(stops) == len(ids) == sessions
        and {_one(record, "Acct-Session-Id") for record in stops} == ids,
        f"{len(starts)} and {len(stops)}, {sessions} sessions",
    )
    causes = [_one(record, "Acct-Terminate-Cause") for record in stops]
    result.check(
        "records say why a session was over",
        causes == [*["NAS-Request"] * (sessions - 1), "Admin-Reset"],
        ", ".join(causes) or "there are none",
    )
    common = {_one(record, "Acct-Multi-Session-Id") for record in mine}
    classes = {record.get("Class", ()) for record in mine}
    result.check(
        "one journey: the same Acct-Multi-Session-Id, and Class as AAA gave it",
        len(common) == 1 and "" not in common and classes == {CLASSES},
        f"{len(mine)} records" if classes == {CLASSES} else f"Class {sorted(classes)}",
    )
    if seen.counted is None:
        result.check("accounts equal what nftables counted", False, "nftables did not tell")
        return
    told = [sum(_octets(record, way) for record in stops) for way in ("Input", "Output")]
    apart = [
        _apart(said, counted.octets, spare)
        for said, counted, spare in zip(told, seen.counted, (early, 0), strict=True)
    ]
    result.check(
        f"accounts equal what nftables counted, within {EXACT:g} %",
        max(apart) <= EXACT,
        f"octets from the node {told[0]}, nftables {seen.counted[0].octets} with {early} from before it was accepted, "
        f"of which some are dropped; to it {told[1]}, nftables {seen.counted[1].octets}",
    )
    worst = round(max(apart), 4)
    result.measurements["accounts_apart_percent"] = worst
    result.goals.append(Goal(name="accounts_apart_percent", at_most=EXACT, unit="%", measured=worst))


def _of(records: Sequence[Record], status: str) -> list[Record]:
    return [record for record in records if _one(record, "Acct-Status-Type") == status]


def _one(record: Record, name: str) -> str:
    return record.get(name, ("",))[0]


def _octets(record: Record, way: str) -> int:
    """RFC 2869 5.1: what did not fit into 32 bits counts in gigawords."""
    low, high = (int(_one(record, f"Acct-{way}-{part}") or 0) for part in ("Octets", "Gigawords"))
    return high << 32 | low


def _apart(told: int, counted: int, spare: int) -> float:
    """In percent of what was counted. ``spare``: so much of it may have been accounted for, or dropped."""
    if not counted:
        return 100.0
    return 100 * max(told - counted, counted - spare - told, 0) / counted
