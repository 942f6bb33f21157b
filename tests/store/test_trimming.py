"""The old end is dropped when nothing in it can matter any more: in small steps, and never more than that."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pmip_tw.store import reading
from pmip_tw.store.clocks import Instant
from pmip_tw.store.database import MOST_RECORDS, Database
from pmip_tw.store.place import Place
from pmip_tw.store.reading import connect, oldest_first
from pmip_tw.store.trimming import MOST_ROWS
from tests.store.records import FORM, held

HORIZON = 1000.0
SLACK = HORIZON / 100


class Machine:
    """Its clocks, which go on when a test says so."""

    def __init__(self) -> None:
        self.now = Instant("a boot", 100.0, 100.0, 1.7e9)

    def __call__(self) -> Instant:
        return self.now

    def pass_time(self, seconds: float) -> None:
        boot, since_boot, monotonic, wall = (
            self.now.boot,
            self.now.since_boot,
            self.now.monotonic,
            self.now.wall,
        )
        self.now = Instant(boot, since_boot + seconds, monotonic + seconds, wall + seconds)


@pytest.fixture
def machine() -> Machine:
    return Machine()


@contextmanager
def opened(path: Path, machine: Machine, horizon: float = HORIZON) -> Iterator[Database]:
    database = Database(Place(str(path)), FORM, horizon=horizon, clocks=machine)
    database.open()
    yield database
    database.close()


def numbers(path: Path) -> list[int]:
    """The rows that are there."""
    db = connect(str(path), "ro")
    found = [row.number for row in oldest_first(db)]
    db.close()
    return found


def write(database: Database, rows: int) -> None:
    for number in range(rows):
        database.write([held(number)])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def test_what_may_matter_stays(path: Path, machine: Machine) -> None:
    with opened(path, machine) as database:
        write(database, 10)
        machine.pass_time(HORIZON - 1)
        database.trim()
        assert numbers(path) == list(range(1, 11))


def test_what_cannot_is_dropped_some_time_later(path: Path, machine: Machine) -> None:
    """So that there are many to be dropped at once; the newest row tells how to number the next."""
    with opened(path, machine) as database:
        write(database, 10)
        database.trim()
        machine.pass_time(HORIZON / 2)
        write(database, 10)
        machine.pass_time(HORIZON / 2 + SLACK)
        database.trim()
        assert numbers(path) == list(range(11, 21))
        machine.pass_time(10 * HORIZON)
        database.trim()
        assert numbers(path) == [20]
        write(database, 1)
        assert numbers(path) == [20, 21]


def test_a_step_is_small(path: Path, machine: Machine) -> None:
    with opened(path, machine) as database:
        write(database, 3 * MOST_ROWS)
        machine.pass_time(2 * HORIZON)
        left = []
        for _ in range(4):
            database.trim()
            left.append(len(numbers(path)))
        assert left == [2 * MOST_ROWS, MOST_ROWS, 1, 1]


def test_a_step_is_small_by_octets_as_well(path: Path, machine: Machine) -> None:
    with opened(path, machine) as database:
        for _ in range(10):
            database.write([held(number) for number in range(4000)])  # about 250,000 octets
        machine.pass_time(2 * HORIZON)
        database.trim()
        assert 5 <= len(numbers(path)) <= 8


def test_commits_of_several_rows_do_not_outrun_it(path: Path, machine: Machine) -> None:
    """A slow disk makes few commits, of all that has come meanwhile: as much must go as comes."""
    most = 0
    with opened(path, machine) as database:
        for _ in range(40):
            database.write([held(number) for number in range(3 * MOST_RECORDS)])
            database.trim()
            machine.pass_time(HORIZON / 10)
            most = max(most, len(numbers(path)))
        assert most <= 3 * 14  # what is written in a horizon, and in its slack
        assert len(numbers(path)) <= 3 * 12


@pytest.mark.parametrize(("away", "left"), [(HORIZON / 2, 20), (HORIZON + 1, 11)])
def test_rows_of_the_boot_before(away: float, left: int, path: Path, machine: Machine) -> None:
    with opened(path, machine) as database:
        write(database, 10)
    machine.now = Instant("another boot", 5.0, 5.0, machine.now.wall + away)
    with opened(path, machine) as database:
        write(database, 10)
        database.trim()
        assert len(numbers(path)) == left - (away > HORIZON)


def test_a_shorter_horizon_drops_nothing_that_had_a_longer_one(path: Path, machine: Machine) -> None:
    """An operator lowers max_lifetime: what was granted before still holds."""
    with opened(path, machine) as database:
        write(database, 10)
    machine.pass_time(HORIZON / 2)
    with opened(path, machine, HORIZON / 10) as database:
        write(database, 10)
        machine.pass_time(HORIZON / 4)
        database.trim()
        assert len(numbers(path)) == 20


def test_the_file_stops_growing(path: Path, machine: Machine) -> None:
    sizes = []
    with opened(path, machine) as database:
        for _ in range(6):
            for _ in range(500):
                database.write([held(number) for number in range(20)])
                database.trim()
                machine.pass_time(HORIZON / 500)
            sizes.append(path.stat().st_size)
    assert sizes[-1] <= 1.3 * sizes[1]
    assert len(numbers(path)) < 1.2 * 500


def test_runs_that_left_nothing_are_forgotten(path: Path, machine: Machine) -> None:
    for _ in range(5):
        with opened(path, machine) as database:
            write(database, 2)
            machine.pass_time(2 * HORIZON)
            database.trim()
    db = connect(str(path), "ro")
    assert db.execute("SELECT count(*) FROM runs").fetchone()[0] <= 3
    db.close()


def test_the_log_of_commits_stays_small(path: Path, machine: Machine) -> None:
    with opened(path, machine) as database:
        largest = 0
        for _ in range(300):
            database.write([held(number) for number in range(1000)])
            largest = max(largest, path.with_name("journal-wal").stat().st_size)
    assert path.stat().st_size > 4 * largest
    assert largest < 6 << 20


def test_somebodys_long_look_does_not_leave_a_large_log(path: Path, machine: Machine) -> None:
    log = path.with_name("journal-wal")
    with opened(path, machine) as database:
        write(database, 1)
        looking = connect(str(path), "ro")
        looking.execute("BEGIN")
        looking.execute("SELECT count(*) FROM journal").fetchone()
        while log.stat().st_size < 20 << 20:
            database.write([held(number) for number in range(1000)])
        looking.close()
        for _ in range(100):
            database.write([held(number) for number in range(1000)])
        assert log.stat().st_size <= 16 << 20


def test_a_daemon_that_starts_and_ends_all_night_leaves_hardly_anything(path: Path, machine: Machine) -> None:
    """It is known who wrote what is there, and what the clocks showed last."""
    with opened(path, machine) as database:
        write(database, 1)
    for _ in range(5):
        with opened(path, machine):
            machine.pass_time(2)
    with opened(path, machine) as database:
        write(database, 1)
    db = connect(str(path), "ro")
    assert [(run.number, run.first_row) for run in reading.runs(db)] == [(1, 1), (6, 2), (7, 2)]
    db.close()
    assert numbers(path) == [1, 2]
