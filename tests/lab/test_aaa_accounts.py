"""Accounts are held against the truth: each check fails when it should."""

from collections.abc import Mapping

import pytest

from pmip_tw.addresses import Endpoint, mac
from pmip_tw.lab.freeradius import Attachment, Record, attachments, records
from pmip_tw.lab.heard import Heard
from pmip_tw.lab.messages import Kind, Message
from pmip_tw.lab.port_counters import Counted
from pmip_tw.lab.report import Result
from pmip_tw.lab.scenarios.aaa_failover_proof import accounts
from pmip_tw.lab.scenarios.dot1x_accounts import judge_accounts
from pmip_tw.lab.scenarios.dot1x_seen import Seen
from pmip_tw.lab.scenarios.dot1x_stage import CLASSES, NODE
from tests.lab.frames import LMA, MAG1, MS

DETAIL = """\
Sun Nov 22 07:09:30 2026
\tUser-Name = "mn1@lab.example"
\tAcct-Status-Type = Start
\tClass = 0x6162
\tClass = 0x6364
\tTimestamp = 1795331370

Sun Nov 22 07:09:31 2026
\tAcct-Status-Type = Accounting-On
\tTimestamp = 1795331371

"""
ATTACHED = """\
2026-11-22 07:11:56|02-00-00-00-00-01|mn4@lab.example|anon@lab.example|TTLS|yes|mag1|Framed-User
2026-11-22 07:11:57||mn4@lab.example|mn4@lab.example|none|no||
"""


def test_a_detail_file_is_read_with_every_value() -> None:
    first, second = records(DETAIL)
    assert first["Class"] == ("0x6162", "0x6364") and first["User-Name"] == ("mn1@lab.example",)
    assert second == {"Acct-Status-Type": ("Accounting-On",), "Timestamp": ("1795331371",)}


def test_attachments_without_a_station_are_nobodys() -> None:
    assert attachments(ATTACHED) == [
        Attachment(
            mac=mac("02:00:00:00:00:01"),
            nai="mn4@lab.example",
            name="anon@lab.example",
            method="TTLS",
            resumed=True,
            gateway="mag1",
        )
    ]


# --- dot1x ----------------------------------------------------------------------------------------------


def record(status: str, session: str, **more: str) -> dict[str, tuple[str, ...]]:
    return {
        "User-Name": (NODE.nai,),
        "Acct-Status-Type": (status,),
        "Acct-Session-Id": (session,),
        "Acct-Multi-Session-Id": ("journey",),
        "Class": CLASSES,
        **{name.replace("_", "-"): (value,) for name, value in more.items()},
    }


def stop(session: str, cause: str, octets: int, gigawords: int = 0) -> dict[str, tuple[str, ...]]:
    return record(
        "Stop",
        session,
        Acct_Terminate_Cause=cause,
        Acct_Input_Octets=str(octets),
        Acct_Input_Gigawords=str(gigawords),
        Acct_Output_Octets=str(octets),
    )


GOOD = (
    record("Start", "a"),
    stop("a", "NAS-Request", 400_000),
    record("Start", "b"),
    stop("b", "Admin-Reset", 600_100),
)
COUNTED = (Counted(packets=9, octets=1_000_000), Counted(packets=9, octets=1_000_000))


def judged(
    *found: Mapping[str, tuple[str, ...]], counted: tuple[Counted, Counted] = COUNTED, early: int = 0
) -> set[str]:
    """The checks that failed."""
    result = Result(scenario="dot1x")
    judge_accounts(Seen(records=found, counted=counted), 2, result, early)
    assert len(result.checks) == 4
    return {check.name.split(",")[0].split(":")[0] for check in result.checks if not check.passed}


def test_what_was_sent_too_early_may_have_been_dropped_but_not_counted_twice() -> None:
    short = (*GOOD[:3], {**stop("b", "Admin-Reset", 550_000), "Acct-Output-Octets": ("600000",)})
    assert judged(*short) == {OCTETS}
    assert judged(*short, early=50_000) == set()
    assert judged(*GOOD[:3], stop("b", "Admin-Reset", 650_000), early=50_000) == {OCTETS}


def test_good_accounts_pass() -> None:
    assert judged(*GOOD) == set()


SESSIONS, CAUSES = "one Start and one Stop for each session", "records say why a session was over"
JOURNEY, OCTETS = "one journey", "accounts equal what nftables counted"


@pytest.mark.parametrize(
    ("found", "failed"),
    [
        (GOOD[:3], {SESSIONS, CAUSES, OCTETS}),
        ((*GOOD, GOOD[3]), {SESSIONS, CAUSES, OCTETS}),
        ((GOOD[0], *GOOD[1:3], stop("c", "Admin-Reset", 600_000)), {SESSIONS}),
        ((*GOOD[:3], stop("b", "User-Request", 600_000)), {CAUSES}),
        ((*GOOD[:3], {**GOOD[3], "Class": CLASSES[:1]}), {JOURNEY}),
        ((*GOOD[:3], {**GOOD[3], "Acct-Multi-Session-Id": ("other",)}), {JOURNEY}),
        ((*GOOD[:3], stop("b", "Admin-Reset", 601_100)), {OCTETS}),
        ((*GOOD[:3], stop("b", "Admin-Reset", 600_000, gigawords=1)), {OCTETS}),
    ],
    ids=["no Stop", "doubled", "other id", "other cause", "Class cut", "two journeys", "octets", "gigawords"],
)
def test_bad_accounts_fail(found: tuple[Record, ...], failed: set[str]) -> None:
    assert judged(*found) == failed


# --- aaa-failover ---------------------------------------------------------------------------------------


def request(ms: int, lifetime: int) -> Message:
    return Message(
        time_ns=ms * MS,
        tap="mag1-core",
        kind=Kind.REGISTRATION,
        name="request",
        source=Endpoint(MAG1, 434),
        destination=Endpoint(LMA, 434),
        label="",
        note=NODE.nai,
        lifetime=lifetime,
    )


TWICE = Heard(messages=[request(1, 1800), request(2, 1800), request(3, 0), request(4, 1800), request(5, 0)])
"""Registered, renewed, ended, and registered once more."""


def test_two_sessions_with_a_renewal_have_four_records() -> None:
    found = accounts(TWICE, GOOD)
    assert (found.sessions, found.missing, found.doubled) == ({NODE.nai: 2}, [], [])


def test_a_record_too_few_is_missing() -> None:
    assert accounts(TWICE, GOOD[:3]).missing[0] == f"1 Stop of {NODE.nai}"


def test_a_session_that_a_restart_has_renamed_is_told() -> None:
    renamed = (*GOOD[:3], {**GOOD[3], "Acct-Session-Id": ("c",)})
    assert "different sessions" in accounts(TWICE, renamed).missing[0]


def test_the_same_record_at_another_server_is_doubled() -> None:
    later = {**GOOD[3], "Acct-Delay-Time": ("5",), "Event-Timestamp": ("other",)}
    assert accounts(TWICE, (*GOOD, later)).doubled == [f"Stop of {NODE.nai}, 2 times"]


def test_interims_are_told_apart_by_their_time() -> None:
    interims = [record("Interim-Update", "a", Event_Timestamp=when) for when in ("1", "2", "2")]
    assert accounts(TWICE, (*GOOD, *interims)).doubled == [f"Interim-Update of {NODE.nai}, 2 times"]
