"""``pmipctl store``: looks at a journal's file, beside a running daemon or without one. It changes nothing."""

import json
from collections import Counter
from collections.abc import Mapping
from itertools import islice
from typing import Any

from pmip_tw.errors import StoreError
from pmip_tw.manage.client import BrokenOff, DaemonError
from pmip_tw.manage.render import moment_text, printable, table_lines
from pmip_tw.store.contents import OCTETS, Report, checked, exported, live

Outcome = tuple[dict[str, Any], str]


class Damaged(Exception):
    """What ``check`` has found wrong."""

    def __init__(self, file: str, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.file = file
        self.problems = problems


def show(file: str, room: int | None, *, as_json: bool) -> None:
    """Print what a restart would bring. There may be a million, of which one at a time is held.

    DaemonError: it cannot be read, or not all of it; BrokenOff likewise, if half of a JSON object was printed.
    """
    try:
        if as_json:
            _print_object(file)
        else:
            for line in table_lines(lambda: map(_wanted, live(file)), "live records", room):
                print(line)
    except StoreError as error:
        raise DaemonError(str(error)) from None


def _print_object(file: str) -> None:
    rows = live(file)
    first = list(islice(rows, 1))
    print(f'{{"file": {json.dumps(file)}, "records": [', end="")
    try:
        for row in first:
            print(json.dumps(row), end="")
        for row in rows:
            print(f", {json.dumps(row)}", end="")
    except StoreError as error:
        print(f'], "error": {json.dumps(str(error))}}}')
        raise BrokenOff from None
    print("]}")


def _wanted(row: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in row.items() if not _is_octets(value)}


def check(file: str) -> Outcome:
    """Whether all of it can be read. Damaged: not all; DaemonError: it is no journal."""
    try:
        report = checked(file)
    except StoreError as error:
        raise DaemonError(str(error)) from None
    if report.problems:
        raise Damaged(file, tuple(report.problems))
    data = {
        "file": file,
        "ok": True,
        "role": report.role,
        "versions": {"tables": report.tables, "records": report.records},
        "octets": report.size,
        "rows": report.rows,
        "records": dict(report.kinds),
        "live": dict(report.live),
        "newest": report.newest,
        "in_use_by": report.in_use_by,
    }
    return data, _summary(report)


def export(file: str) -> None:
    """Print every record, one JSON object on each line. DaemonError: it cannot be read, or not all of it."""
    try:
        for row in exported(file):
            print(json.dumps(row))
    except StoreError as error:
        raise DaemonError(str(error)) from None


def _summary(report: Report) -> str:
    use = f"in use by process {report.in_use_by}" if report.in_use_by else "not in use"
    kinds = f" ({_counted(report.kinds)})" if report.kinds else ""
    newest = f", the newest row of {moment_text(report.newest)}" if report.newest else ""
    things = Counter({about if count == 1 else f"{about}s": count for about, count in report.live.items()})
    return (
        f"{report.file}: ok, the journal of role {report.role}, {use}\n"
        f"{sum(report.kinds.values())} records in {report.rows} rows{kinds}, {report.size} octets{newest}\n"
        f"a restart would bring {_counted(things) or 'nothing'}\n"
        f"version {report.tables} of the tables, {report.records} of the records"
    )


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {printable(name)}" for name, count in sorted(counts.items()))


def _is_octets(value: object) -> bool:
    return isinstance(value, str) and value.startswith(OCTETS)
