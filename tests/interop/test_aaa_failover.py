"""The scenario ``aaa-failover`` as a person runs it."""

import pytest

from tests.conformance import covers
from tests.interop.scenario import Outcome, assert_checks, assert_measured, assert_passed, outcome_of

CHECKS = {
    "one server down: who comes is served by the other",
    "one server down: accounts go to the other",
    "both down: no address, and the trace says why",
    "both down: who is served does not notice",
    "both down: the MAG keeps its accounts, and says so",
    "both back: who has waited is served",
    "not one accounting record is missing",
    "not one accounting record is doubled",
    "no key in any log",
    "no traceback",
    "nothing is left",
}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return outcome_of(
        "aaa-failover", tmp_path_factory.mktemp("aaa-failover"), needs=("freeradius", "dhclient", "ping")
    )


def test_it_has_exactly_these_checks(outcome: Outcome) -> None:
    assert_checks(outcome, CHECKS)


@covers("AA6", "AA20", "AA22")
def test_servers_die_and_no_account_is_lost_or_doubled(outcome: Outcome) -> None:
    assert_passed(outcome)


def test_every_figure_was_measured(outcome: Outcome) -> None:
    measured = outcome["measurements"]
    assert_measured(outcome, measured, goals={"failover_ms", "records_lost", "records_doubled"})
    assert (measured["records_lost"], measured["records_doubled"]) == (0, 0)
