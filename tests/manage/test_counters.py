"""The tally."""

from pmip_tw.interfaces import IObserver
from pmip_tw.manage.counters import MOST_KINDS, Tally
from pmip_tw.mobility.observations import Observation
from tests.manage.observations import WALL, accepted, at, refused


def test_counts_by_name_and_reason() -> None:
    tally = Tally()
    assert IObserver.providedBy(tally)
    for second in range(3):
        tally.observe(refused(), at(second))
    tally.observe(Observation(name="registration-refused", reason="131"), at(7))
    tally.observe(accepted(), at(8))
    assert tally.count("registration-refused") == 4
    assert tally.count("registration-refused", "133") == 3
    assert tally.count("unheard-of") == 0
    assert tally.rows() == [
        {"name": "access-accepted", "reason": "", "count": 1, "last": WALL + 8},
        {"name": "registration-refused", "reason": "131", "count": 1, "last": WALL + 7},
        {"name": "registration-refused", "reason": "133", "count": 3, "last": WALL + 2},
    ]


def test_kinds_are_bounded() -> None:
    tally = Tally()
    for number in range(MOST_KINDS + 5):
        tally.observe(Observation(name=f"n{number}"), at(0))
    assert len(tally.rows()) == MOST_KINDS + 1
    assert tally.count("other") == 5
