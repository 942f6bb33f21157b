"""What is made durable together: as much as the load makes it, and nothing waits for others on an idle machine."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from pmip_tw.errors import StoreError
from pmip_tw.mobility.records import Record
from pmip_tw.store.journal import MUCH, SqliteJournal
from tests.loops import run_until
from tests.store.conftest import Desk
from tests.store.records import held


def commits(journal: SqliteJournal) -> list[Sequence[Record]]:
    """Oldest first."""
    return [records for _, records in journal.load()][::-1]


def many(number: int) -> list[Record]:
    return [held(node) for node in range(100, 100 + number)]


class Steps:
    """Three appends: the second comes while the first is written, the third when that is known to be durable."""

    def __init__(self, journal: SqliteJournal, first: Sequence[Record]) -> None:
        self.told: list[StoreError | None] = []
        self._journal = journal
        journal.append(first, self._go_on)
        journal.append([held(1)], self.told.append)

    def _go_on(self, error: StoreError | None) -> None:
        self.told.append(error)
        self._journal.append([held(2)], self.told.append)


def test_one_alone_is_not_kept_waiting(desk: Desk, tmp_path: Path) -> None:
    journal = desk.open(tmp_path / "journal")
    for number in (1, MUCH):
        assert desk.save(journal, *many(number)) is None
        assert desk.reactor.getDelayedCalls() == []


@pytest.mark.parametrize(
    ("first", "behind"),
    [(MUCH - 1, [[held(1)], [held(2)]]), (MUCH, [[held(1), held(2)]])],
    ids=["little", "much"],
)
def test_behind_much_more_comes_together(
    first: int, behind: list[list[Record]], desk: Desk, tmp_path: Path
) -> None:
    journal = desk.open(tmp_path / "journal")
    steps = Steps(journal, many(first))
    run_until(desk.reactor, lambda: len(steps.told) == 3)
    assert steps.told == [None, None, None]
    assert commits(journal) == [many(first), *behind]


def test_stopping_does_not_wait_for_more(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = desk.open(path)
    steps = Steps(journal, many(MUCH))
    run_until(desk.reactor, lambda: steps.told)
    assert steps.told == [None]
    desk.close(journal)
    assert steps.told == [None, None, None]
    assert desk.reactor.getDelayedCalls() == []
    assert desk.content(path) == [*many(MUCH), held(1), held(2)]


def test_stopping_while_much_is_written(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal, told = desk.open(path), list[StoreError | None]()
    for records in (many(MUCH), [held(1)]):
        journal.append(records, told.append)
    desk.close(journal)
    assert told == [None, None]
    assert desk.content(path) == [*many(MUCH), held(1)]
