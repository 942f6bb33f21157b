"""What comes by thousands in a second: every observer hears of it as if one by one, and nobody pays for all."""

from collections.abc import Sequence

import pytest
from twisted.logger import Logger
from zope.interface import implementer

from pmip_tw.addresses import ipv4
from pmip_tw.agents.observers import Telling
from pmip_tw.errors import PmipError
from pmip_tw.interfaces import IObserver
from pmip_tw.manage.counters import Tally
from pmip_tw.manage.log import LogObserver
from pmip_tw.manage.sources import Sources
from pmip_tw.manage.trace import Trace
from pmip_tw.manage.unsorted import SORTED_IN, UNSORTED
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.observations import Alike, Observation
from tests.manage.observations import WALL, at
from tests.manage.test_log import Collected


class Renewals:
    """Of numbered nodes; ``made`` counts those that somebody has looked at."""

    def __init__(self) -> None:
        self.made = 0

    def of(self, numbers: Sequence[int]) -> Alike[int]:
        return Alike("binding-renewed", numbers, self._tell, lambda number: f"MN{number}@example.net")

    def _tell(self, number: int) -> Observation:
        self.made += 1
        return Observation(name="binding-renewed", nai=f"MN{number}@example.net", session=f"10.1.0.{number}")


class Discards(Renewals):
    """Datagrams from numbered nodes that were discarded; number 0 is nobody known."""

    def of(self, numbers: Sequence[int], reason: str = "bad-authenticator") -> Alike[int]:
        def tell(number: int) -> Observation:
            self.made += 1
            return Observation(name="message-discarded", nai=whose(number), reason=reason, cause="wrong")

        def whose(number: int) -> str:
            return f"MN{number}@example.net" if number else ""

        return Alike(
            "message-discarded",
            numbers,
            tell,
            whose,
            reason=reason,
            source=lambda number: ipv4(f"192.0.2.{number % 2}"),
        )


def test_all_are_counted_and_none_is_made() -> None:
    tally, renewals = Tally(), Renewals()
    tally.observe_alike(renewals.of(range(64)), at(0))
    tally.observe_alike(renewals.of(range(36)), at(2))
    assert tally.rows() == [{"name": "binding-renewed", "reason": "", "count": 100, "last": WALL + 2}]
    assert renewals.made == 0


def test_the_log_has_its_lines_and_says_how_many_it_has_not() -> None:
    log, renewals = Collected(), Renewals()
    observer = LogObserver(Logger(namespace="test", observer=log), lines_per_second=3)
    observer.observe_alike(renewals.of([1, 2]), at(0))
    observer.observe_alike(renewals.of([3, 4, 5]), at(0.5))
    observer.observe_alike(renewals.of([6]), at(2))
    assert log.lines == [
        "binding-renewed nai=MN1@example.net session=10.1.0.1",
        "binding-renewed nai=MN2@example.net session=10.1.0.2",
        "binding-renewed nai=MN3@example.net session=10.1.0.3",
        "binding-renewed: 2 more within a second, suppressed",
        "binding-renewed nai=MN6@example.net session=10.1.0.6",
    ]
    assert renewals.made == 4


def test_nobody_is_to_blame() -> None:
    sources, renewals = Sources(), Renewals()
    sources.observe_alike(renewals.of([1]), at(0))
    assert sources.rows() == [] and renewals.made == 0


def test_those_of_a_flood_are_counted_by_reason_and_source() -> None:
    tally, sources, discards = Tally(), Sources(), Discards()
    for observer in (tally, sources):
        observer.observe_alike(discards.of(range(1, 64)), at(0))
        observer.observe_alike(discards.of([2, 4], "malformed"), at(1))
    assert tally.count("message-discarded", "bad-authenticator") == 63
    assert [(row["source"], row["reason"], row["count"]) for row in sources.rows()] == [
        ("192.0.2.1", "bad-authenticator", 32),
        ("192.0.2.0", "bad-authenticator", 31),
        ("192.0.2.0", "malformed", 2),
    ]
    assert discards.made == 0


def test_what_one_wakeup_tells_is_told_by_kind() -> None:
    heard: list[tuple[str, str, int]] = []

    @implementer(IObserver)
    class Listener:
        def observe(self, observation: Observation, now: Now) -> None:
            heard.append((observation.name, observation.reason, 1))

        def observe_alike(self, observations: Alike[int], now: Now) -> None:
            heard.append((observations.name, observations.reason, len(observations)))

    telling, discards = Telling([Listener()]), Discards()
    for numbers, reason in (([1, 2], "malformed"), ([3], "bad-authenticator"), ([4], "malformed")):
        telling.gather(discards.of(numbers, reason))
    telling.finish(at(0))
    assert heard == [("message-discarded", "malformed", 3), ("message-discarded", "bad-authenticator", 1)]


class TestTrace:
    def test_on_an_ordinary_day_they_are_sorted_in(self) -> None:
        trace, renewals = Trace(per_node=3), Renewals()
        for second in range(5):
            trace.observe_alike(renewals.of([1, 2]), at(second))
        found = trace.find("mn1@example.net")
        assert [row["time"] for row in found] == [WALL + 2, WALL + 3, WALL + 4]
        assert [row["name"] for row in trace.find("10.1.0.2")] == ["binding-renewed"] * 3

    def test_in_a_flood_they_wait_until_somebody_asks(self) -> None:
        trace, renewals = Trace(), Renewals()
        trace.observe(Observation(name="binding-created", nai="mn7@example.net", session="10.1.0.7"), at(0))
        trace.observe_alike(renewals.of(range(SORTED_IN + 1)), at(1))
        trace.observe(Observation(name="binding-moved", nai="mn7@example.net", session="10.1.0.7"), at(2))
        assert renewals.made == 0
        expected = ["binding-created", "binding-renewed", "binding-moved"]
        for key in ("MN7@example.net", "10.1.0.7"):
            assert [row["name"] for row in trace.find(key)] == expected
        assert renewals.made == 2

    def test_of_whom_nothing_else_is_known(self) -> None:
        """By the home address, too."""
        trace, renewals = Trace(), Renewals()
        trace.observe_alike(renewals.of(range(SORTED_IN + 1)), at(1))
        for key in ("mn300@example.net", "10.1.0.300"):
            [row] = trace.find(key)
            assert (row["nai"], row["time"]) == ("MN300@example.net", WALL + 1)
        with pytest.raises(PmipError, match="nothing is known"):
            trace.find("mn9999@example.net")

    def test_the_oldest_go(self) -> None:
        trace, renewals = Trace(), Renewals()
        some = SORTED_IN + 1
        for turn in range(UNSORTED // some + 2):
            trace.observe_alike(renewals.of(range(turn * some, (turn + 1) * some)), at(turn))
        with pytest.raises(PmipError):
            trace.find("mn0@example.net")
        assert trace.find(f"mn{3 * some}@example.net")

    def test_the_next_second_has_room_again(self) -> None:
        trace, renewals = Trace(), Renewals()
        trace.observe_alike(renewals.of(range(SORTED_IN)), at(1))
        trace.observe_alike(renewals.of([1]), at(1.5))
        made = renewals.made
        trace.observe_alike(renewals.of([1]), at(2))
        assert renewals.made == made + 1

    def test_a_flood_of_failures_pushes_out_nothing_that_went_well(self) -> None:
        trace, renewals, discards = Trace(), Renewals(), Discards()
        trace.observe_alike(renewals.of(range(SORTED_IN + 1)), at(1))
        for turn in range(2 * UNSORTED // SORTED_IN):
            trace.observe_alike(discards.of([0, 7] * SORTED_IN), at(2 + turn))
        assert discards.made == renewals.made == 0
        assert trace.find("mn8@example.net")
        renewed, failed = trace.find("mn7@example.net")
        assert renewed["name"] == "binding-renewed"
        assert (failed["reason"], failed["repeated"]) == ("bad-authenticator", UNSORTED // 2)

    def test_nobody_known_has_no_history(self) -> None:
        trace, discards = Trace(), Discards()
        trace.observe_alike(discards.of([0] * (SORTED_IN + 1)), at(1))
        with pytest.raises(PmipError, match="nothing is known"):
            trace.find("")
