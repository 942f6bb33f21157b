"""What ``aaa-failover`` shows on a screen: what happened to the servers, and where each account ended."""

from collections.abc import Iterator
from typing import Final

from pmip_tw.lab.freeradius import Record
from pmip_tw.lab.heard import Heard
from pmip_tw.lab.scenarios.aaa_failover_seen import Seen
from pmip_tw.lab.scenarios.aaa_failover_stage import SUBSCRIBERS
from pmip_tw.lab.scenarios.telling import divider
from pmip_tw.lab.terminal import Style

_WHEN: Final = 8
_NODE: Final = 18
_CELL: Final = 26


def lines(heard: Heard, seen: Seen, style: Style) -> list[str]:
    """Seconds count from the first node's beginning."""
    return [
        *style.wrapped(
            "MN 1 to 5: dhclient and ping, nothing of ours. One MAG with two AAA servers, and a spool for accounts.",
            code="2",
        ),
        divider("what happened: seconds, and who was asked", style),
        *_happened(heard, seen, style),
        divider("where each record ended: server, seconds later", style),
        *_records(seen, style),
    ]


def _happened(heard: Heard, seen: Seen, style: Style) -> Iterator[str]:
    for when, ended, text in (
        (seen.began_ns, seen.one_down_ns, "both servers are there; MN 1, 2 and 4 attach"),
        (seen.one_down_ns, seen.both_down_ns, "server 1 is killed; MN 3 attaches"),
        (
            seen.both_down_ns,
            seen.killed_ns,
            f"server 2 is killed; MN 5 asks in vain, MN 4 leaves: {seen.said}",
        ),
        (seen.killed_ns, seen.both_back_ns, f"the MAG is killed; records that wait: {seen.waiting}"),
        (seen.both_back_ns, seen.left_ns, "both servers are back; MN 5 attaches, and all leave"),
    ):
        asked = sum(1 for one in heard.named("access-request") if when <= one.time_ns < ended)
        told = sum(1 for one in heard.named("accounting-request") if when <= one.time_ns < ended)
        after = f"{(when - seen.began_ns) / 1e9:{_WHEN - 2}.1f}  "
        first, *rest = style.wrapped(
            f"{after}{text} ({asked} questions, {told} accounts sent)", indent=" " * _WHEN
        )
        yield first
        yield from rest


def _records(seen: Seen, style: Style) -> Iterator[str]:
    yield style.paint("1", f"{'':{_NODE}}{'Start':{_CELL}}{'Stop':{_CELL}}".rstrip())
    for subscriber in SUBSCRIBERS:
        mine = [(number, one) for number, one in seen.records if one["User-Name"] == (subscriber.nai,)]
        row = f"{subscriber.nai:{_NODE}}"
        for status in ("Start", "Stop"):
            found = [
                f"{number}, {_delay(one)} s" for number, one in mine if one["Acct-Status-Type"] == (status,)
            ]
            row += f"{'; '.join(found) or '-':{_CELL}}"
        yield row.rstrip()


def _delay(record: Record) -> str:
    """RFC 2866 5.2."""
    return record.get("Acct-Delay-Time", ("0",))[0]
