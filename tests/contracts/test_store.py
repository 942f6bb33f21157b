"""What every IBindingStore does: the twin, and the journal in a file with its thread."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import attrs
import pytest
from twisted.internet.posixbase import PosixReactorBase
from zope.interface.verify import verifyObject

from pmip_tw.errors import StoreError
from pmip_tw.interfaces import IBindingStore
from pmip_tw.mobility.records import Record
from pmip_tw.store.clocks import Instant
from pmip_tw.store.journal import SqliteJournal
from pmip_tw.testing.store import FakeDisk, FakeStore
from tests.contracts.disks import KINDS, InFile, InMemory, OnDisk, world_of
from tests.store.records import FORM, Holder, held, released

HORIZON = 7200.0


@attrs.define(slots=True)
class Machine:
    """Its clocks, which a test sets."""

    now: Instant = attrs.field(default=Instant("first boot", 5000.0, 4000.0, 1.7e9))

    def read(self) -> Instant:
        return self.now

    def pass_time(self, seconds: float) -> None:
        self.now = attrs.evolve(
            self.now,
            since_boot=self.now.since_boot + seconds,
            monotonic=self.now.monotonic + seconds,
            wall=self.now.wall + seconds,
        )

    def sleep(self, seconds: float) -> None:
        """Suspended: the monotonic clock stands still."""
        monotonic = self.now.monotonic
        self.pass_time(seconds)
        self.now = attrs.evolve(self.now, monotonic=monotonic)

    def reboot(self, away: float, *, wall: float = 0.0) -> None:
        """``away`` seconds, after which the wall clock is ``wall`` seconds off."""
        self.now = Instant(f"{self.now.boot}, then another", 30.0, 20.0, self.now.wall + away + wall)


class World(OnDisk, Protocol):
    machine: Machine

    def open(self) -> IBindingStore: ...


class MemoryWorld(InMemory):
    def __init__(self) -> None:
        self.machine = Machine()
        self._fake = FakeDisk()
        super().__init__(self._fake)

    def open(self) -> FakeStore:
        store = FakeStore(self._fake, FORM, horizon=HORIZON, at_once=False, clocks=self.machine.read)
        store.start()
        self.opened.append(store)
        return store


class FileWorld(InFile):
    def __init__(self, path: Path, reactor: PosixReactorBase) -> None:
        super().__init__(path, reactor)
        self.machine = Machine()

    def open(self) -> SqliteJournal:
        store = SqliteJournal(
            str(self.path), FORM, horizon=HORIZON, reactor=self.reactor, clocks=self.machine.read
        )
        store.start()
        return store


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with world_of(request, MemoryWorld, lambda reactor: FileWorld(tmp_path / "journal", reactor)) as made:
        yield made


class Told:
    """What became of appends, in the order in which it was told."""

    def __init__(self) -> None:
        self.saved: list[str] = []
        self.failed: list[str] = []
        self.errors: list[StoreError] = []

    def __call__(self, name: str) -> Callable[[StoreError | None], None]:
        def done(error: StoreError | None) -> None:
            (self.saved if error is None else self.failed).append(name)
            if error is not None:
                self.errors.append(error)

        return done


def save(world: World, store: IBindingStore, *records: Record) -> None:
    """One append, durable."""
    told = Told()
    store.append(records, told("it"))
    world.settle(lambda: told.saved)


def content(store: IBindingStore) -> list[Record]:
    """Every record, newest first."""
    return [record for _, row in store.load() for record in reversed(row)]


class TestSaving:
    def test_it_is_one(self, world: World) -> None:
        store = world.open()
        assert verifyObject(IBindingStore, store)
        world.close(store)

    def test_a_new_one_is_empty(self, world: World) -> None:
        store = world.open()
        assert list(store.load()) == []
        world.close(store)

    def test_what_was_appended_outlives_the_process(self, world: World) -> None:
        store = world.open()
        save(world, store, held(1), held(2))
        save(world, store, released(1))
        world.close(store)
        again = world.open()
        assert content(again) == [released(1), held(2), held(1)]
        world.close(again)

    def test_whoever_has_it_open_may_look_as_well(self, world: World) -> None:
        store = world.open()
        save(world, store, held(1))
        assert content(store) == [held(1)]
        save(world, store, held(2))
        assert content(store) == [held(2), held(1)]
        world.close(store)

    def test_answers_come_in_order(self, world: World) -> None:
        store, told = world.open(), Told()
        for number in range(50):
            store.append([held(number)], told(str(number)))
        world.settle(lambda: len(told.saved) == 50)
        assert told.saved == [str(number) for number in range(50)]
        assert content(store) == [held(number) for number in reversed(range(50))]
        world.close(store)

    def test_an_append_of_nothing_is_told_when_all_before_it_is_durable(self, world: World) -> None:
        store, told = world.open(), Told()
        store.append([held(1)], told("something"))
        store.append([], told("nothing"))
        world.settle(lambda: told.saved == ["something", "nothing"])
        world.disturb()
        store.append([held(2)], told("lost"))
        store.append([], told("nothing"))
        world.settle(lambda: told.failed == ["nothing", "lost"])
        world.mend()
        assert content(store) == [held(1)]
        world.close(store)

    def test_many_records_at_once(self, world: World) -> None:
        """More than one row holds."""
        store = world.open()
        save(world, store, *(held(number) for number in range(10_000)))
        assert content(store) == [held(number) for number in reversed(range(10_000))]
        world.close(store)

    def test_what_is_superseded_is_left_out(self, world: World) -> None:
        """It is asked of rows that have nothing but outlines, in their turn."""
        store = world.open()
        save(world, store, held(1), held(2))
        save(world, store, held(1), released(3))
        save(world, store, held(2), held(3))
        asked: list[list[bytes]] = []
        met: list[list[Record]] = []

        def superseded(outlines: Sequence[Holder]) -> bool:
            asked.append([outline.owner for outline in outlines])
            return len(met) == 2

        for _, records in store.load(superseded):
            met.append([*records])
        assert asked == [[held(2).owner, held(3).owner], [held(1).owner, held(2).owner]]
        assert met == [[held(2), held(3)], [held(1), released(3)]]
        assert len(content(store)) == 6  # none of it is gone
        world.close(store)

    def test_an_answer_may_append(self, world: World) -> None:
        store, told = world.open(), Told()
        store.append([held(1)], lambda _: store.append([held(2)], told("second")))
        world.settle(lambda: told.saved)
        assert content(store) == [held(2), held(1)]
        world.close(store)

    def test_stopping_writes_what_waits(self, world: World) -> None:
        store, told = world.open(), Told()
        for number in range(3):
            store.append([held(number)], told(str(number)))
        world.close(store)
        assert told.saved == ["0", "1", "2"]
        store.stop()
        again = world.open()
        assert content(again) == [held(2), held(1), held(0)]
        world.close(again)

    def test_once_stopped_nothing_is_saved_and_nobody_told(self, world: World) -> None:
        store, told = world.open(), Told()
        world.close(store)
        store.append([held(1)], told("late"))
        again = world.open()
        save(world, again, held(2))
        assert content(again) == [held(2)]
        assert told.saved == told.failed == []
        world.close(again)


class TestTrouble:
    def test_everything_that_waits_fails_newest_first(self, world: World) -> None:
        store, told = world.open(), Told()
        world.disturb()
        for name in ("first", "second", "third"):
            store.append([held(len(name))], told(name))
        world.settle(lambda: len(told.failed) == 3)
        assert told.failed == ["third", "second", "first"]
        assert told.saved == []
        assert all(str(error).startswith(error.file) for error in told.errors)
        world.mend()
        assert content(store) == []
        world.close(store)

    def test_when_it_is_over_it_works_again(self, world: World) -> None:
        store, told = world.open(), Told()
        save(world, store, held(1))
        world.disturb()
        store.append([held(2)], told("lost"))
        world.settle(lambda: told.failed)
        world.mend()
        save(world, store, held(3))
        assert content(store) == [held(3), held(1)]
        assert told.saved == []
        world.close(store)

    def test_what_cannot_be_refused_is_appended_again(self, world: World) -> None:
        """From inside its failure, for as long as it lasts: tried again and again, not all the time."""
        store, told, tries = world.open(), Told(), list[int]()

        def insist(error: StoreError | None) -> None:
            tries.append(len(tries))
            if error is None:
                told("it")(None)
            else:
                if len(tries) == 3:
                    world.mend()
                store.append([held(1)], insist)

        world.disturb()
        store.append([held(1)], insist)
        world.settle(lambda: told.saved)
        assert len(tries) == 4
        assert content(store) == [held(1)]
        world.close(store)


class TestTime:
    """A deadline is told as an instant of the process that reads it."""

    @pytest.fixture
    def shifts(self, world: World) -> Callable[[], list[float]]:
        def read() -> list[float]:
            store = world.open()
            found = [shift for shift, _ in store.load()]
            world.close(store)
            return found

        return read

    @pytest.fixture(autouse=True)
    def one_record(self, world: World) -> None:
        store = world.open()
        save(world, store, held(1))
        world.close(store)

    def test_the_same_boot(self, world: World, shifts: Callable[[], list[float]]) -> None:
        world.machine.pass_time(500)
        assert shifts() == [0.0]

    def test_the_wall_clock_of_the_same_boot_does_not_matter(
        self, world: World, shifts: Callable[[], list[float]]
    ) -> None:
        world.machine.now = attrs.evolve(world.machine.now, wall=0.0)
        world.machine.pass_time(500)
        assert shifts() == [0.0]

    def test_suspended(self, world: World, shifts: Callable[[], list[float]]) -> None:
        """What would have been in 600 s is in 300 s by a clock that stood still for 300 s."""
        world.machine.sleep(300)
        assert shifts() == [pytest.approx(-300)]

    def test_another_boot(self, world: World, shifts: Callable[[], list[float]]) -> None:
        """Written at 4000, and a minute later this boot's clock shows 20."""
        world.machine.reboot(60)
        assert shifts() == [pytest.approx(20 - 60 - 4000)]

    def test_another_boot_whose_wall_clock_went_back(
        self, world: World, shifts: Callable[[], list[float]]
    ) -> None:
        """This boot has been running for 30 s: so much has passed at least, and more is not known."""
        world.machine.reboot(60, wall=-1e6)
        assert shifts() == [pytest.approx(20 - 30 - 4000)]

    def test_two_boots(self, world: World, shifts: Callable[[], list[float]]) -> None:
        """In between the clock was wrong, and is set right while the machine runs."""
        world.machine.reboot(100, wall=-1e6)
        assert shifts() == [pytest.approx(20 - 30 - 4000)]
        world.machine.pass_time(1000)
        world.machine.now = attrs.evolve(world.machine.now, wall=world.machine.now.wall + 1e6)
        assert shifts() == [pytest.approx(20 - 30 - 4000)]
        world.machine.reboot(200)
        assert shifts() == [pytest.approx(20 - 200 - 1000 - 30 - 4000)]

    @pytest.mark.parametrize(("age", "rows"), [(HORIZON - 1, 1), (HORIZON + 1, 0)])
    def test_what_is_beyond_the_horizon_is_not_told(
        self, age: float, rows: int, world: World, shifts: Callable[[], list[float]]
    ) -> None:
        world.machine.pass_time(age)
        assert len(shifts()) == rows

    @pytest.mark.parametrize(("away", "rows"), [(HORIZON - 1, 1), (HORIZON + 1, 0)])
    def test_neither_after_a_reboot(
        self, away: float, rows: int, world: World, shifts: Callable[[], list[float]]
    ) -> None:
        world.machine.reboot(away)
        assert len(shifts()) == rows
