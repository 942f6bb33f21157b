"""What people read on the screen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmip_tw.manage.render import moment_text, printable, table, value_text
from pmip_tw.manage.timeline import timeline
from tests.conformance import covers


@pytest.mark.parametrize(
    ("value", "column", "text"),
    [
        (None, "alive", "unknown"),
        (True, "alive", "yes"),
        (False, "alive", "no"),
        ("", "nai", "-"),
        ([], "dns", "-"),
        (["10.0.0.1", "10.0.0.2"], "dns", "10.0.0.1, 10.0.0.2"),
        ({"lifetime": 5}, "details", "lifetime=5 s"),
        (1800, "lifetime", "1800 s"),
        (12.3456, "remaining", "12.346 s"),
        (12.0, "remaining", "12 s"),
        (3, "handover_gap_ms", "3 ms"),
        (0, "octets_up", "0 B"),
        (1023, "octets_up", "1023 B"),
        (1024, "octets_up", "1.0 KiB"),
        (5 << 40, "octets_down", "5.0 TiB"),
        (5 << 50, "octets_down", "5120.0 TiB"),
        (1024, "packets_up", "1024"),
        (1e300, "last", "1e+300"),
        ("a\x1b[31mb\n", "nai", r"a\x1b[31mb\n"),
        ("\udcff", "nai", "\\udcff"),
        ("münchen", "nai", "münchen"),
    ],
)
def test_values(value: object, column: str, text: str) -> None:
    assert value_text(value, column) == text


def test_a_table_puts_known_columns_first_and_numbers_right() -> None:
    rows = [{"x": "1", "count": 5, "nai": "a@x"}, {"count": 1000, "nai": "longer@x", "new": True}]
    assert table(rows, "things").splitlines() == [
        "NAI       COUNT  X  NEW",
        "a@x           5  1  -",
        "longer@x   1000  -  yes",
        "2 things",
    ]


def test_a_narrow_terminal_does_without_what_is_least_wanted() -> None:
    rows = [{"nai": "mn1@x", "octets_up": 5, "packets_up": 1, "state": "registered", "own": "z"}]
    whole = [
        "NAI    STATE       PACKETS UP  OCTETS UP  OWN",
        "mn1@x  registered           1        5 B  z",
        "1 visitor",
    ]
    assert table(rows, "visitors").splitlines() == whole
    assert table(rows, "visitors", 45).splitlines() == whole
    assert table(rows, "visitors", 44).splitlines() == [
        "NAI    STATE       OCTETS UP  OWN",
        "mn1@x  registered        5 B  z",
        "1 visitor",
        "no room for packets up: --json shows all,",
        "and so do 45 columns",
    ]
    assert table(rows, "visitors", 1).splitlines() == [
        "NAI    STATE       OWN",
        "mn1@x  registered  z",
        "1 visitor",
        "no room for packets up, octets up: --json shows all, and so do 45 columns",
    ]


def test_an_empty_table_says_so() -> None:
    assert table([], "bindings") == "no bindings"


def test_a_timeline_counts_from_its_first_line() -> None:
    start = 1_800_000_000.0
    rows = [
        {"time": start, "daemon": "mag", "name": "a", "session": "s", "details": {"x": 1}},
        {"time": start + 75.25, "daemon": "lma", "name": "b", "reason": "r", "cause": "why"},
        {
            "time": start + 7384,
            "daemon": "mag",
            "name": "c",
            "reason": "r",
            "repeated": 3,
            "last_time": start + 7385,
        },
    ]
    assert timeline(rows).splitlines() == [
        f"from {moment_text(start)}",
        "+0.000 s  mag    a  s  x=1",
        " +1:15.2  lma  ! b",
        "                   why [r]",
        "+2:03:04  mag  ! c",
        "                   [r]",
        "                   3 times, last at +2:03:05",
    ]


def test_a_timeline_of_several_mobile_nodes_says_whose() -> None:
    rows = [
        {"time": 1.0, "name": "a", "nai": "mn1@x", "session": "s"},
        {"time": 2.0, "name": "b", "nai": "", "session": "s"},
        {"time": 3.0, "name": "c", "nai": "other@x", "session": "s"},
    ]
    assert timeline(rows).splitlines()[1:] == [
        "+0.000 s  mn1@x      a  s",
        "+1.000 s             b  s",
        "+2.000 s  other@x    c  s",
    ]
    assert "mn1@x" not in timeline(rows[:2])


def test_a_timeline_is_broken_between_words_where_the_terminal_ends() -> None:
    rows = [
        {"time": 1.0, "name": "sent", "session": "s", "details": {"lma": "192.0.2.1", "tries": 1}},
        {"time": 2.0, "name": "refused", "reason": "149", "cause": "proxy registration not supported"},
    ]
    assert timeline(rows, 40).splitlines()[1:] == [
        "+0.000 s    sent     s  lma=192.0.2.1,",
        "              tries=1",
        "+1.000 s  ! refused",
        "              proxy registration not",
        "              supported [149]",
    ]
    assert len(timeline(rows).splitlines()) == 4, "a file has no end of the line"


def test_an_empty_timeline_says_so() -> None:
    assert timeline([]) == "nothing happened"


@given(st.text())
def test_printable_is_always_printable(text: str) -> None:
    assert printable(text).isprintable()


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_columns = st.sampled_from(
    ["time", "name", "daemon", "reason", "cause", "details", "repeated", "last_time", "octets_up"]
)


@given(st.lists(st.dictionaries(_columns, _json), max_size=4))
def test_whatever_a_daemon_sends_can_be_shown(rows: list[dict[str, object]]) -> None:
    """One line for each row, whatever the values are."""
    assert table(rows, "rows").count("\n") == (len(rows) + 1 if rows else 0)
    assert table(rows, "rows", 20).partition("\nno room for")[0].count("\n") <= len(rows) + 1
    assert timeline(rows)
    assert timeline(rows, 20)


@covers("P12")
def test_identifiers_of_people_and_devices_are_in_no_table() -> None:
    """Programs that ask for JSON get them."""
    row = {"nai": "mn1@a", "device_id": "mac 020000000001", "subscriber_id": "imsi 30", "domain": "blue"}
    text = table([row], "bindings")
    assert "blue" in text and "020000000001" not in text and "imsi" not in text
