"""What every ISpool does: the twin, and the file with its thread."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from zope.interface.verify import verifyObject

from pmip_tw.aaa.accounting.spool import SpoolChange, SpoolContents
from pmip_tw.errors import StoreError
from pmip_tw.interfaces import ISpool
from pmip_tw.store.spool import SqliteSpool
from pmip_tw.testing.spool import FakeSpool, FakeSpoolDisk
from tests.contracts.disks import KINDS, InFile, InMemory, OnDisk, world_of


class World(OnDisk, Protocol):
    def open(self) -> tuple[ISpool, SpoolContents]: ...


class MemoryWorld(InMemory):
    def __init__(self) -> None:
        self._fake = FakeSpoolDisk()
        super().__init__(self._fake)

    def open(self) -> tuple[ISpool, SpoolContents]:
        spool = FakeSpool(self._fake, at_once=False)
        self.opened.append(spool)
        return spool, spool.start()


class FileWorld(InFile):
    def open(self) -> tuple[ISpool, SpoolContents]:
        spool = SqliteSpool(str(self.path), reactor=self.reactor)
        return spool, spool.start()


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with world_of(request, MemoryWorld, lambda reactor: FileWorld(tmp_path / "spool", reactor)) as made:
        yield made


def write(world: World, spool: ISpool, change: SpoolChange) -> StoreError | None:
    told: list[StoreError | None] = []
    spool.write(change, told.append)
    world.settle(lambda: told)
    return told[0]


def test_it_is_one(world: World) -> None:
    spool, contents = world.open()
    assert verifyObject(ISpool, spool)
    assert dict(contents.records) == dict(contents.sessions) == {}
    world.close(spool)


def test_what_was_written_outlives_the_process_in_order(world: World) -> None:
    spool, _ = world.open()
    write(world, spool, SpoolChange(records={2: b"two", 1: b"one"}, sessions={"b": b"B", "a": b"A"}))
    write(
        world, spool, SpoolChange(records={3: b"three", 1: None, 99: None}, sessions={"b": b"BB", "a": None})
    )
    world.close(spool)
    again, contents = world.open()
    assert list(contents.records.items()) == [(2, b"two"), (3, b"three")]
    assert dict(contents.sessions) == {"b": b"BB"}
    world.close(again)


def test_many_at_once(world: World) -> None:
    spool, _ = world.open()
    records: dict[int, bytes | None] = dict.fromkeys(range(5000), b"x" * 500)
    assert write(world, spool, SpoolChange(records=records)) is None
    world.close(spool)
    again, contents = world.open()
    assert len(contents.records) == 5000
    world.close(again)


def test_a_write_that_fails_changes_nothing_and_the_next_may_not(world: World) -> None:
    spool, _ = world.open()
    write(world, spool, SpoolChange(records={1: b"one"}))
    world.disturb()
    error = write(world, spool, SpoolChange(records={1: None, 2: b"two"}))
    assert error is not None and str(error).startswith(error.file)
    world.mend()
    assert write(world, spool, SpoolChange(records={3: b"three"})) is None
    world.close(spool)
    again, contents = world.open()
    assert dict(contents.records) == {1: b"one", 3: b"three"}
    world.close(again)


def test_stopping_finishes_what_is_on_its_way_and_then_nothing_is_written(world: World) -> None:
    spool, _ = world.open()
    told: list[StoreError | None] = []
    spool.write(SpoolChange(records={1: b"one"}), told.append)
    world.close(spool)
    assert told == [None]
    spool.write(SpoolChange(records={2: b"two"}), told.append)
    spool.stop()
    again, contents = world.open()
    assert dict(contents.records) == {1: b"one"} and told == [None]
    world.close(again)


def test_an_older_change_and_a_newer_one_are_one() -> None:
    older = SpoolChange(records={1: b"1", 2: b"2"}, sessions={"a": b"old"})
    newer = SpoolChange(records={1: None}, sessions={"a": b"new"})
    both = older.before(newer)
    assert both == SpoolChange(records={1: None, 2: b"2"}, sessions={"a": b"new"})
    assert both and not SpoolChange()
