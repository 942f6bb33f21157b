"""Histories of mobile nodes: found by every name, bounded, and safe from floods."""

import pytest

from pmip_tw.errors import PmipError
from pmip_tw.interfaces import IObserver
from pmip_tw.manage.trace import Trace
from pmip_tw.mobility.observations import Observation
from tests.manage.observations import NAI, SESSION, WALL, accepted, at, refused


def names(trace: Trace, key: str) -> list[object]:
    return [row["name"] for row in trace.find(key)]


def seen(session: str = SESSION, name: str = "attachment-seen") -> Observation:
    return Observation(name=name, session=session)


def test_it_is_an_observer() -> None:
    assert IObserver.providedBy(Trace())


def test_what_came_before_the_name_joins_it() -> None:
    """A MAC is seen, AAA is asked, and only then the NAI is known; what follows may name the session alone."""
    trace = Trace()
    trace.observe(seen(), at(0))
    trace.observe(seen(name="radius-request"), at(1))
    assert names(trace, "02:00:00:00:00:01") == ["attachment-seen", "radius-request"]
    trace.observe(accepted(), at(2))
    trace.observe(seen(name="dhcp-ack"), at(3))
    expected = ["attachment-seen", "radius-request", "access-accepted", "dhcp-ack"]
    for key in (NAI, "MN1@EXAMPLE.NET", SESSION, "02:00:00:00:00:01", "02-00-00-00-00-01"):
        assert names(trace, key) == expected


def test_a_home_address_finds_its_node() -> None:
    trace = Trace()
    trace.observe(Observation(name="binding-created", nai=NAI, session="10.1.0.5"), at(0))
    trace.observe(
        Observation(name="registered", nai="mn2@x", session=SESSION, details={"home_address": "10.1.0.6"}),
        at(1),
    )
    assert names(trace, "10.1.0.5") == ["binding-created"]
    assert names(trace, "10.1.0.6") == ["registered"]


def test_an_address_finds_the_nodes_of_every_address_space() -> None:
    trace = Trace()
    for seconds, nai, session in ((0, "a@x", "10.1.0.5"), (1, "b@y", "10.1.0.5 in blue")):
        trace.observe(Observation(name="binding-created", nai=nai, session=session), at(seconds))
    assert [row["nai"] for row in trace.find("10.1.0.5")] == ["a@x", "b@y"]
    assert [row["nai"] for row in trace.find("10.1.0.5 in blue")] == ["b@y"]


def test_an_address_that_two_nodes_have_shows_both() -> None:
    """Two LMAs may give the same one; each row says whose it is."""
    trace = Trace()
    first, second = "02:00:00:00:00:01 on acc0", "02:00:00:00:00:02 on acc0"
    for seconds, nai, session in ((0, "a@x", first), (1, "b@y", second), (2, "a@x", first)):
        details = {"home_address": "10.1.0.5"}
        trace.observe(Observation(name="registered", nai=nai, session=session, details=details), at(seconds))
    assert [row["nai"] for row in trace.find("10.1.0.5")] == ["a@x", "b@y", "a@x"]
    assert [row["nai"] for row in trace.find("b@y")] == ["b@y"]
    assert [row["nai"] for row in trace.find("02:00:00:00:00:02")] == ["b@y"]


def test_an_address_without_a_name_is_of_who_had_it_last() -> None:
    trace = Trace()
    trace.observe(Observation(name="first", nai="a@x", session="10.1.0.5"), at(0))
    trace.observe(Observation(name="second", nai="b@x", session="10.1.0.5"), at(1))
    trace.observe(seen("10.1.0.5", name="third"), at(2))
    assert names(trace, "10.1.0.5") == ["first", "second", "third"]
    assert names(trace, "a@x") == ["first"]
    assert names(trace, "b@x") == ["second", "third"]


def test_a_name_that_everybody_has_finds_the_newest() -> None:
    trace = Trace()
    for number in range(50):
        trace.observe(Observation(name=f"n{number}", nai=f"mn{number}@x", session="10.1.0.5"), at(number))
    assert names(trace, "10.1.0.5") == [f"n{number}" for number in range(42, 50)]


def test_rows_have_everything_that_is_known() -> None:
    trace = Trace()
    details = {"server": "198.51.100.53:1812"}
    trace.observe(
        Observation(name="n", nai=NAI, session="s", cause="c", reason="r", details=details), at(1.5)
    )
    assert trace.find(NAI) == [
        {
            "time": WALL + 1.5,
            "name": "n",
            "nai": NAI,
            "session": "s",
            "reason": "r",
            "cause": "c",
            "details": details,
        }
    ]


def test_nothing_known_is_an_error() -> None:
    trace = Trace()
    trace.observe(Observation(name="started"), at(0))
    with pytest.raises(PmipError, match="nothing is known of 'mn1@"):
        trace.find(NAI)


def test_the_oldest_records_go_first() -> None:
    trace = Trace(per_node=3)
    for second in range(5):
        trace.observe(Observation(name=f"n{second}", nai=NAI), at(second))
    assert names(trace, NAI) == ["n2", "n3", "n4"]


def test_joining_keeps_the_newest_records() -> None:
    trace = Trace(per_node=2)
    trace.observe(accepted(session=""), at(0))
    trace.observe(seen(name="later"), at(1))
    trace.observe(seen(name="latest"), at(2))
    trace.observe(accepted(), at(3))
    assert names(trace, NAI) == ["latest", "access-accepted"]


def test_a_repeated_failure_is_counted_and_pushes_nothing_out() -> None:
    trace = Trace(per_node=3)
    trace.observe(accepted(), at(0))
    for second in range(1, 100):
        trace.observe(refused(cause=f"attempt {second}"), at(second))
    first, repeated = trace.find(NAI)
    assert first["name"] == "access-accepted"
    assert (repeated["repeated"], repeated["cause"]) == (99, "attempt 99")
    assert (repeated["time"], repeated["last_time"]) == (WALL + 1, WALL + 99)


def test_failures_that_repeat_in_the_name_of_a_node_keep_it_no_longer_than_others() -> None:
    trace = Trace(nodes=2)
    trace.observe(accepted("a@x"), at(0))
    trace.observe(refused("a@x"), at(1))
    trace.observe(accepted("b@x"), at(2))
    trace.observe(refused("a@x"), at(3))
    trace.observe(accepted("c@x"), at(4))
    assert names(trace, "b@x") == ["access-accepted"]
    with pytest.raises(PmipError):
        trace.find("a@x")


def test_nodes_are_bounded_least_recent_first() -> None:
    trace = Trace(nodes=2)
    for second, nai in enumerate(("a@x", "b@x", "a@x", "c@x")):
        trace.observe(accepted(nai, session=f"session of {nai}"), at(second))
    assert len(trace.find("a@x")) == 2
    assert names(trace, "session of c@x") == ["access-accepted"]
    for gone in ("b@x", "session of b@x"):
        with pytest.raises(PmipError):
            trace.find(gone)


def test_a_flood_of_strangers_pushes_out_no_served_node() -> None:
    """Random MACs and invented NAIs share the strangers' room."""
    trace = Trace(nodes=10, strangers=10)
    trace.observe(accepted(), at(0))
    for number in range(1_000):
        trace.observe(seen(f"02:ff:00:00:{number >> 8:02x}:{number & 255:02x} on acc0"), at(1))
        trace.observe(refused(f"invented{number}@x"), at(1))
    assert names(trace, NAI) == ["access-accepted"]
    assert names(trace, "invented999@x") == ["registration-refused"]
    with pytest.raises(PmipError):
        trace.find("invented0@x")


def test_memory_has_a_bound() -> None:
    """Names that are forgotten leave nothing behind, and one node cannot collect names for ever."""
    trace = Trace(per_node=5, nodes=5, strangers=5)
    for number in range(500):
        trace.observe(accepted(f"mn{number % 7}@x", session=f"s{number}"), at(number))
        trace.observe(seen(f"t{number} on acc0"), at(number))
        trace.observe(accepted(f"mn{number % 7}@x", session=f"t{number} on acc0"), at(number))
        trace.observe(accepted(f"mn{number % 7}@x", session="of all"), at(number))
    assert len(trace._known) == 5
    assert len(trace._unproven) <= 5
    assert len(trace._by_alias) <= 10 * 8
    assert sum(map(len, trace._by_alias.values())) <= 10 * 8
