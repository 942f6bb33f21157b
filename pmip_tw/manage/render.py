"""Rows for people: values with their units, in aligned tables. Imports nothing slow."""

import re
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

Row = Mapping[str, object]

KNOWN_COLUMNS = (
    "daemon", "worker", "server", "access_point", "purposes",
    "source", "about", "owner", "nai", "session", "mac", "interface", "port", "home_address", "domain",
    "care_of_address", "mag", "lma", "local", "public", "remote", "way", "name", "reason", "state", "method",
    "identity", "encapsulation",
    "tunnel", "nodes", "since_heard", "since_sent", "keepalive_interval", "keepalive_asked", "mappings_lost",
    "mapping_survived", "mapping_expired", "lifetime", "remaining", "packets_up", "octets_up", "packets_down",
    "octets_down", "local_packets_up", "local_octets_up", "local_packets_down", "local_octets_down", "count", "last",
)  # fmt: skip
"""What comes first, in this order; other columns follow as the daemon sends them."""

ONLY_JSON = frozenset({"interface_id", "device_id", "subscriber_id", "key_up", "key_down"})
"""What tables leave out: identifiers of people and devices (P12), and what is of use to programs only."""

LEAST_WANTED = (
    "status_server", "since_seconds", "transport", "repeated", "discarded", "sent",
    "technology", "public", "keepalive_asked", "since_sent", "mapping_expired", "mapping_survived", "mappings_lost",
    "local", "local_packets_up", "local_packets_down", "local_octets_up", "local_octets_down",
    "identity", "packets_up", "packets_down", "octets_up", "octets_down", "lifetime", "revocation", "encapsulation",
    "tunnel", "interface", "port", "session", "mac", "idle_timeout", "session_remaining", "remaining",
)  # fmt: skip
"""What a narrow terminal does without, the least wanted first."""

_SECONDS = frozenset(
    {
        "lifetime",
        "remaining",
        "age",
        "oldest_age",
        "idle",
        "since_heard",
        "since_sent",
        "session_timeout",
        "session_remaining",
        "idle_timeout",
        "keepalive_interval",
        "keepalive_asked",
        "mapping_survived",
        "mapping_expired",
    }
)  # fmt: skip
_INSTANTS = frozenset({"time", "last", "since", "registered", "expires"})
_OCTET_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
GAP = "  "
_NARROWEST = 20
"""Columns; with fewer than that words do not fit either."""


def printable(text: str) -> str:
    """``text`` with control characters escaped: it may come from a stranger and must not drive a terminal."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape", "replace").decode()
        for character in text
    )


def fields_text(fields: Mapping[str, object]) -> str:
    """``lifetime=1800 s, revocation=yes``."""
    return ", ".join(f"{printable(name)}={value_text(value, name)}" for name, value in fields.items())


def value_text(value: object, column: str = "") -> str:
    """One value with its unit; None is "unknown", nothing is "-"."""
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _number_text(value, column)
    if isinstance(value, Mapping):
        return fields_text(value) or "-"
    if isinstance(value, list | tuple):
        return ", ".join(value_text(item) for item in value) or "-"
    return printable(str(value)) or "-"


def _number_text(value: float, column: str) -> str:
    if _is_instant(column):
        return moment_text(value)
    if column.startswith(("octets", "local_octets")):
        return _octets_text(value)
    number = str(value) if isinstance(value, int) else f"{value:.3f}".rstrip("0").rstrip(".")
    if column.endswith("_ms"):
        return f"{number} ms"
    return f"{number} s" if column in _SECONDS or column.endswith("_seconds") else number


def _octets_text(value: float) -> str:
    unit = 0
    while value >= 1024 and unit < len(_OCTET_UNITS) - 1:
        value /= 1024
        unit += 1
    return f"{value:.1f} {_OCTET_UNITS[unit]}" if unit else f"{value:g} B"


def _is_instant(column: str) -> bool:
    return column in _INSTANTS or column.endswith("_at")


def moment_text(wall: float) -> str:
    """A Unix time on this machine's clock, to the second."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(wall))
    except (ValueError, OverflowError, OSError):
        return str(wall)


def table(rows: Sequence[Row], what: str, room: int | None = None) -> str:
    """``rows`` under one header; "no bindings" if there are none.

    ``room`` is how many columns a terminal has. What does not fit there is left out and named below.
    """
    return "\n".join(table_lines(lambda: rows, what, room))


def table_lines(rows: Callable[[], Iterable[Row]], what: str, room: int | None = None) -> Iterator[str]:
    """The lines of ``table``, of so many rows that they are not held: ``rows`` are gone through twice."""
    columns = _Columns()
    for row in rows():
        columns.measure(row)
    if not columns.rows:
        yield f"no {what}"
        return
    names, widths = columns.names, columns.widths
    shown = names if room is None else _fitting(names, widths, room)
    breadths = [widths[name] for name in shown]
    numeric = [columns.is_quantity(name) for name in shown]
    yield _aligned(map(_title, shown), breadths, numeric)
    count = 0
    for row in rows():
        count += 1
        yield _aligned([_cell(row, name) for name in shown], breadths, numeric)
    noun = what if count != 1 else re.sub(r"s\b", "", what, count=1)
    yield f"{count} {noun}"
    hidden = ", ".join(_title(name).lower() for name in names if name not in shown)
    if hidden:
        left_out = f"no room for {hidden}: --json shows all, and so do {_breadth(names, widths)} columns"
        yield folded(left_out, room)


class _Columns:
    """What a table's header must know of its ``rows``, so many. ``widths``: of each column, as they come up."""

    def __init__(self) -> None:
        self.widths: dict[str, int] = {}
        self.rows = 0
        self._quantities: Counter[str] = Counter()

    def measure(self, row: Row) -> None:
        self.rows += 1
        for name, value in row.items():
            if name not in ONLY_JSON:
                width = len(value_text(value, name))
                self.widths[name] = max(self.widths.get(name) or len(_title(name)), width)
                self._quantities[name] += _is_quantity(value, name)

    @property
    def names(self) -> list[str]:
        known = [name for name in KNOWN_COLUMNS if name in self.widths]
        return known + [name for name in self.widths if name not in known]

    def is_quantity(self, name: str) -> bool:
        """Whether every row has one."""
        return self._quantities[name] == self.rows


def folded(line: str, room: int | None, indent: int = 0) -> str:
    """``line`` in as many lines as a terminal with ``room`` columns needs, broken between words; None: as it is."""
    if room is None or len(line) <= room or room < _NARROWEST:
        return line
    return textwrap.fill(
        line,
        room,
        subsequent_indent=" " * min(indent, room // 2),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _title(name: str) -> str:
    return printable(name).replace("_", " ").upper()


def _cell(row: Row, name: str) -> str:
    return value_text(row[name], name) if name in row else "-"


def _breadth(names: Sequence[str], widths: Mapping[str, int]) -> int:
    return sum(widths[name] + len(GAP) for name in names) - len(GAP)


def _fitting(names: list[str], widths: Mapping[str, int], room: int) -> list[str]:
    """``names`` without the least wanted, as many of those as it takes."""
    shown = list(names)
    for name in LEAST_WANTED:
        if _breadth(shown, widths) <= room:
            break
        if name in shown and len(shown) > 1:
            shown.remove(name)
    return shown


def _is_quantity(value: object, column: str) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not _is_instant(column)


def _aligned(cells: Iterable[str], widths: Iterable[int], numeric: list[bool]) -> str:
    placed = (
        cell.rjust(width) if right else cell.ljust(width)
        for cell, width, right in zip(cells, widths, numeric, strict=True)
    )
    return GAP.join(placed).rstrip()
