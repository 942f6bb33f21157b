"""Whatever happens to the file: a clear error that names it and says what to do, and nothing acknowledged is lost."""

import os
import resource
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from twisted.logger import capturedLogs, formatEvent

from pmip_tw.errors import StoreError
from pmip_tw.store import contents, database, mounts, rows
from pmip_tw.store.journal import PAUSE, SqliteJournal
from pmip_tw.store.reading import connect
from tests.loops import run_until
from tests.store.conftest import Desk, content
from tests.store.records import FORM, held


def fill(disk: Path) -> Path:
    """A file that takes all the room there is."""
    filler = disk / "filler"
    with pytest.raises(OSError, match="No space"), open(filler, "wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 12))
    return filler


def journal_of(desk: Desk, directory: Path, rows: int) -> Path:
    """One that is closed, with a record in each of so many rows."""
    path = directory / "journal"
    journal = desk.open(path)
    for number in range(rows):
        assert desk.save(journal, held(number)) is None
    desk.close(journal)
    return path


class TestFullDisk:
    def test_it_is_told_and_over_when_there_is_room(self, desk: Desk, small_disk: Path) -> None:
        path = small_disk / "journal"
        journal = desk.open(path)
        assert desk.save(journal, held(1)) is None
        filler = fill(small_disk)
        many = [held(number) for number in range(1000)]
        for _ in range(3):
            error = desk.save(journal, *many)
            assert error is not None
            assert str(error).startswith(f"{path}: the disk is full: nothing is saved")
        assert content(journal) == [held(1)]
        filler.unlink()
        assert desk.save(journal, held(2)) is None
        assert content(journal) == [held(1), held(2)]
        desk.close(journal)
        assert desk.content(path) == [held(1), held(2)]

    def test_what_was_acknowledged_before_is_there(self, desk: Desk, small_disk: Path) -> None:
        """It fills up from the journal itself."""
        path = small_disk / "journal"
        journal = desk.open(path)
        saved = 0
        while desk.save(journal, *(held(number) for number in range(saved, saved + 100))) is None:
            saved += 100
        assert saved > 1000
        with pytest.raises(OSError, match="No space"):
            (small_disk / "more").write_bytes(bytes(1 << 16))
        assert content(journal) == [held(number) for number in range(saved)]
        desk.close(journal)
        subprocess.run(["mount", "-o", "remount,size=2m", str(small_disk)], check=True)
        assert desk.content(path) == [held(number) for number in range(saved)]

    def test_at_the_start(self, desk: Desk, small_disk: Path) -> None:
        fill(small_disk)
        with pytest.raises(StoreError, match=f"^{small_disk}/journal: the disk is full"):
            desk.open(small_disk / "journal")


class TestFailingDisk:
    """A limit on the size of files is what the kernel offers for a write that fails."""

    def test_it_is_told_and_over_when_it_works_again(self, desk: Desk, tmp_path: Path) -> None:
        path = tmp_path / "journal"
        journal = desk.open(path)
        assert desk.save(journal, held(1)) is None
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        size = path.with_name("journal-wal").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            error = desk.save(journal, held(2))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert str(error).startswith(
            f"{path}: cannot be read or written: look at the disk and the kernel's log"
        )
        assert "SQLITE_IOERR_WRITE" in str(error)
        assert desk.save(journal, held(3)) is None
        desk.close(journal)
        assert desk.content(path) == [held(1), held(3)]

    def test_a_file_system_that_cannot_keep_a_journal(
        self, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What was asked of SQLite is not what it does."""
        monkeypatch.setattr(database, "SYNCHRONOUS", ("OFF", 2))
        with pytest.raises(
            StoreError, match=r"file system cannot keep a journal \(synchronous is 0 in place of 2\)"
        ):
            desk.open(tmp_path / "journal")


class TestReadOnly:
    def test_a_file_system(self, desk: Desk, small_disk: Path) -> None:
        path = small_disk / "journal"
        desk.close(desk.open(path))
        subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
        with pytest.raises(StoreError, match="journal: its file system is read-only: mount it with rw"):
            desk.open(path)

    def test_a_directory(self, desk: Desk, nobody: Callable[[], None]) -> None:
        nobody()
        with pytest.raises(StoreError, match=r"^/proc/self/journal: "):
            desk.open(Path("/proc/self/journal"))

    def test_a_directory_with_a_journal(self, desk: Desk, tmp_path: Path, nobody: Callable[[], None]) -> None:
        """SQLite could not make its files beside it."""
        folder = theirs(tmp_path)
        path = folder / "journal"
        nobody()
        desk.close(desk.open(path))
        folder.chmod(0o500)
        with pytest.raises(
            StoreError, match=r"journal: the daemon's user cannot make files in its directory"
        ):
            desk.open(path)
        folder.chmod(0o700)
        assert desk.content(path) == []

    def test_who_may_not_read_it_is_told_who_may(
        self, desk: Desk, tmp_path: Path, nobody: Callable[[], None]
    ) -> None:
        if os.geteuid() != 0:
            pytest.skip("needs two users: run it as root")
        path = journal_of(desk, tmp_path, rows=1)
        nobody()
        with pytest.raises(
            StoreError, match=r"Permission denied; run this as the daemon's user, or as root$"
        ):
            contents.checked(str(path))

    def test_a_file_of_another_user(self, desk: Desk, tmp_path: Path, nobody: Callable[[], None]) -> None:
        if os.geteuid() != 0:
            pytest.skip("needs two users: run it as root")
        path = theirs(tmp_path) / "journal"
        path.touch(0o666)
        path.chmod(0o666)
        nobody()
        with pytest.raises(StoreError, match="journal: belongs to another user: chown it to the daemon's"):
            desk.open(path)


def theirs(tmp_path: Path) -> Path:
    """A folder of the ordinary user's, whom pytest lets into none."""
    for folder in tmp_path.parents:
        if folder.stat().st_uid == os.geteuid() and "pytest" in str(folder):
            folder.chmod(0o755)
    tmp_path.chmod(0o755)
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(folder, 65534, 65534)
    return folder


class TestOthersFiles:
    """Each is refused, and stays as it was."""

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "journal"

    def refused(self, desk: Desk, path: Path, why: str) -> None:
        before = path.read_bytes()
        with pytest.raises(StoreError, match=f"^{path}: {why}") as refusal:
            desk.open(path)
        assert "'store'" in str(refusal.value)
        assert path.read_bytes() == before

    def test_a_text(self, desk: Desk, path: Path) -> None:
        path.write_text("# not a database, but somebody's work\n" * 100)
        self.refused(desk, path, "is no journal, or its beginning is destroyed")

    def test_a_database_of_another_program(self, desk: Desk, path: Path) -> None:
        with closing(sqlite3.connect(path)) as db:
            db.execute("CREATE TABLE journal (id INTEGER PRIMARY KEY)")
        self.refused(desk, path, "is the database of another program")

    def test_a_directory(self, desk: Desk, path: Path) -> None:
        path.mkdir()
        with pytest.raises(StoreError, match=f"^{path}: is a directory"):
            desk.open(path)

    def test_no_file(self, desk: Desk) -> None:
        with pytest.raises(StoreError, match=r"^/dev/null: is no file"):
            desk.open(Path("/dev/null"))

    def test_a_link(self, desk: Desk, tmp_path: Path) -> None:
        """SQLite would have its files elsewhere than we look for them."""
        for target in (tmp_path / "there", tmp_path / "not there"):
            (tmp_path / "there").touch()
            link = tmp_path / "link"
            link.symlink_to(target)
            with pytest.raises(
                StoreError, match=f"^{link}: is a symbolic link: name what it points to .{target}."
            ):
                desk.open(link)
            assert target.exists() == (target.name == "there")
            link.unlink()

    def test_a_directory_that_anybody_may_change(self, desk: Desk, tmp_path: Path) -> None:
        tmp_path.chmod(0o777)
        with pytest.raises(StoreError, match=f"anybody may change its directory: chmod o-w {tmp_path}"):
            desk.open(tmp_path / "journal")

    def test_a_directory_that_cannot_be_made(self, desk: Desk, tmp_path: Path) -> None:
        with pytest.raises(
            StoreError, match=r"No such file or directory.*create .*/a/b for the daemon's user"
        ):
            desk.open(tmp_path / "a" / "b" / "journal")

    def test_a_directory_that_is_none(self, desk: Desk, tmp_path: Path) -> None:
        """There is nothing to create: the name is taken."""
        (tmp_path / "file").touch()
        (tmp_path / "link").symlink_to(tmp_path / "nowhere")
        for name, what in (("file", "no directory"), ("link", "a link to nothing")):
            path = tmp_path / name / "journal"
            with pytest.raises(StoreError, match=f"^{path}: {path.parent} is {what}: name another path"):
                desk.open(path)


class TestDoubts:
    def test_a_file_system_in_memory_is_warned_of(self, desk: Desk, small_disk: Path) -> None:
        """A test of the LMA may be on one; who has mounted /var/lib there should know."""
        path = small_disk / "journal"
        with capturedLogs() as said:
            journal = desk.open(path)
        assert list(map(formatEvent, said)) == [
            f"{path}: its file system (tmpfs) is in memory: what it has is gone when the machine loses its power or"
            " starts anew: name a path on a local disk in 'store'"
        ]
        assert desk.save(journal, held(1)) is None

    @pytest.mark.parametrize(
        ("kind", "doubtful"), [("ext4", ""), ("nfs4", "(nfs4) is on a network"), ("ramfs", "in memory")]
    )
    def test_what_it_is_on(
        self, kind: str, doubtful: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        device = tmp_path.stat().st_dev
        table = tmp_path / "mountinfo"
        table.write_text(
            "36 35 0:0 / /elsewhere rw,noatime - xfs none rw\n"
            f"37 35 {os.major(device)}:{os.minor(device)} / /tmp rw,noatime master:1 - {kind} server:/x rw\n"
        )
        monkeypatch.setattr(mounts, "MOUNTS", table)
        assert mounts.file_system(str(tmp_path)) == kind
        assert doubtful in mounts.doubt(str(tmp_path))
        assert bool(doubtful) == bool(mounts.doubt(str(tmp_path)))

    def test_what_cannot_be_seen_is_not_doubted(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(mounts, "MOUNTS", tmp_path / "nothing")
        assert mounts.doubt(str(tmp_path)) == ""


class TestRights:
    def test_nobody_else_may_read_any_of_its_files(self, desk: Desk, tmp_path: Path) -> None:
        path = tmp_path / "new" / "journal"
        before = os.umask(0)
        try:
            journal = desk.open(path)
        finally:
            os.umask(before)
        assert desk.save(journal, held(1)) is None
        assert {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {
            "journal": 0o600,
            "journal-wal": 0o600,
            "journal-shm": 0o600,
        }
        assert path.parent.stat().st_mode & 0o777 == 0o700

    def test_a_file_that_others_could_read(self, desk: Desk, tmp_path: Path) -> None:
        path = tmp_path / "journal"
        desk.close(desk.open(path))
        path.chmod(0o644)
        desk.open(path)
        assert path.stat().st_mode & 0o777 == 0o600

    def test_a_log_of_commits_that_others_could_read(self, desk: Desk, tmp_path: Path) -> None:
        """A copy of both files keeps their names, but not always their modes."""
        copy = copied(desk, tmp_path)
        log = copy.with_name("journal-wal")
        log.chmod(0o644)
        journal = desk.open(copy)
        assert log.stat().st_mode & 0o777 == 0o600
        assert content(journal) == [held(1)]

    def test_a_log_of_commits_of_another_user(
        self, desk: Desk, tmp_path: Path, nobody: Callable[[], None]
    ) -> None:
        if os.geteuid() != 0:
            pytest.skip("needs two users: run it as root")
        copy = copied(desk, theirs(tmp_path))
        os.chown(copy.parent, 65534, 65534)
        os.chown(copy, 65534, 65534)
        log = copy.with_name("journal-wal")
        nobody()
        with pytest.raises(StoreError, match=f"^{log}: permission denied: it and its directory must belong"):
            desk.open(copy)


def copied(desk: Desk, folder: Path) -> Path:
    """A journal with one record, which is in its log of commits, as a kill leaves it."""
    path = folder / "alive" / "journal"
    assert desk.save(desk.open(path), held(1)) is None
    copy = folder / "copy" / "journal"
    copy.parent.mkdir(mode=0o700)
    for name in ("journal", "journal-wal"):
        shutil.copy(path.with_name(name), copy.parent)
    return copy


class TestPaths:
    @pytest.mark.parametrize("name", ["a b", "a?b", "a%41", "a#b", "a&b=c", "file:a", "a\nb"])
    def test_any_name_is_a_name(self, name: str, desk: Desk, tmp_path: Path) -> None:
        path = tmp_path / name
        journal = desk.open(path)
        assert desk.save(journal, held(1)) is None
        assert {file.name for file in tmp_path.iterdir()} == {name, f"{name}-wal", f"{name}-shm"}
        assert [row["owner"] for row in contents.live(str(path))] == ["mn1@example.net"]
        desk.close(journal)
        assert [row["owner"] for row in contents.live(str(path))] == ["mn1@example.net"]

    def test_two_slashes_at_the_beginning_are_no_host(self, desk: Desk, tmp_path: Path) -> None:
        path = f"/{tmp_path}/journal"
        journal = SqliteJournal(path, FORM, horizon=7200.0, reactor=desk.reactor)
        journal.start()
        assert desk.save(journal, held(1)) is None
        assert [row["owner"] for row in contents.live(path)] == ["mn1@example.net"]
        desk.close(journal)
        assert [row["owner"] for row in contents.live(path)] == ["mn1@example.net"]

    def test_octets_that_are_no_text(self, desk: Desk, tmp_path: Path) -> None:
        """``pmipctl store`` gets what the shell gives it."""
        path = tmp_path / os.fsdecode(b"a\xff")
        assert desk.save(desk.open(path), held(1)) is None
        assert [row["owner"] for row in contents.live(str(path))] == ["mn1@example.net"]

    def test_a_link_is_followed_by_who_only_looks(self, desk: Desk, tmp_path: Path) -> None:
        """To the log of commits as well."""
        assert desk.save(desk.open(tmp_path / "journal"), held(1)) is None
        link = tmp_path / "elsewhere" / "link"
        link.parent.mkdir()
        link.symlink_to(tmp_path / "journal")
        assert [row["owner"] for row in contents.live(str(link))] == ["mn1@example.net"]


class TestTwo:
    def test_one_journal_has_one_writer(self, desk: Desk, tmp_path: Path) -> None:
        path = tmp_path / "journal"
        first = desk.open(path)
        with pytest.raises(
            StoreError, match=f"^{path}: is in use by process {os.getpid()}: stop that daemon"
        ):
            desk.open(path)
        assert desk.save(first, held(1)) is None
        desk.close(first)
        assert desk.content(path) == [held(1)]


class TestRemoved:
    """What is written where nobody finds it is not durable."""

    @pytest.mark.parametrize("name", ["journal", "journal-wal"])
    def test_under_a_running_daemon(self, name: str, desk: Desk, tmp_path: Path) -> None:
        journal = desk.open(tmp_path / "journal")
        assert desk.save(journal, held(1)) is None
        removed = tmp_path / name
        removed.rename(tmp_path / "elsewhere")
        error = desk.save(journal, held(2))
        assert str(error).startswith(
            f"{removed}: was removed or replaced while in use: put it back, or restart"
        )
        removed.touch()
        assert desk.save(journal, held(3)) is not None
        (tmp_path / "elsewhere").rename(removed)
        assert desk.save(journal, held(4)) is None
        assert content(journal) == [held(1), held(4)]

    def test_a_log_of_commits_without_its_file_is_kept(self, desk: Desk, tmp_path: Path) -> None:
        """Who finds the file has both again."""
        copy = copied(desk, tmp_path)
        log = copy.with_name("journal-wal")
        copy.rename(tmp_path / "elsewhere")
        assert desk.content(copy) == []
        log.with_name("journal-wal.alone").rename(log)
        (tmp_path / "elsewhere").rename(copy)
        assert desk.content(copy) == [held(1)]


class TestRetrying:
    def test_a_failure_that_lasts_keeps_nobody_busy(self, desk: Desk, tmp_path: Path) -> None:
        path = tmp_path / "journal"
        journal, tries = desk.open(path), list[float]()
        path.rename(tmp_path / "away")

        def insist(error: StoreError | None) -> None:
            tries.append(time.monotonic())
            if error is not None:
                journal.append([held(1)], insist)

        journal.append([held(1)], insist)
        run_until(desk.reactor, lambda: len(tries) == 4)
        assert tries[-1] - tries[0] >= 3 * PAUSE
        (tmp_path / "away").rename(path)
        run_until(desk.reactor, lambda: len(tries) == 5)
        assert content(journal) == [held(1)]

    def test_stopping_does_not_wait_for_the_next_try(self, desk: Desk, tmp_path: Path) -> None:
        path = tmp_path / "journal"
        journal, told = desk.open(path), list[StoreError | None]()
        path.rename(tmp_path / "away")
        assert desk.save(journal, held(1)) is not None
        (tmp_path / "away").rename(path)
        journal.append([held(2)], told.append)
        desk.close(journal)
        assert told == [None]
        assert desk.reactor.getDelayedCalls() == []
        assert desk.content(path) == [held(2)]

    def test_stopping_in_a_failure_gives_up(self, desk: Desk, tmp_path: Path) -> None:
        """Whoever insists is not heard any more."""
        path = tmp_path / "journal"
        journal, tries = desk.open(path), list[StoreError | None]()

        def insist(error: StoreError | None) -> None:
            tries.append(error)
            journal.append([held(1)], insist)

        path.rename(tmp_path / "away")
        journal.append([held(1)], insist)
        desk.close(journal)
        assert len(tries) == 1


RIGHT = "checksum = right_sum(records, since_boot, monotonic, wall, until)"


class TestRowsThatCannotBeRead:
    @pytest.mark.parametrize(
        ("damage", "why"),
        [
            ("records = substr(records, 1, 20)", "its checksum is wrong"),
            ("checksum = checksum + 1", "its checksum is wrong"),
            ("wall = wall + 1", "its checksum is wrong"),
            (f"records = x'92'; {RIGHT}", "truncated"),
            (f"records = x'9192a0c0'; {RIGHT}", "Expected `int`"),
            (f"records = x'919163'; {RIGHT}", "Invalid value 99"),
        ],
    )
    def test_they_are_kept_aside(self, damage: str, why: str, desk: Desk, tmp_path: Path) -> None:
        path = journal_of(desk, tmp_path, 5)
        with closing(connect(str(path), "rw")) as db:
            db.create_function("right_sum", 5, rows.checksum)
            for change in damage.split("; "):
                db.execute(f"UPDATE journal SET {change} WHERE id = 3")
            (octets,) = db.execute("SELECT records FROM journal WHERE id = 3").fetchone()
        for _ in range(2):
            assert desk.content(path) == [held(0), held(1), held(3), held(4)]
        with closing(connect(str(path), "ro")) as db:
            [(number, told, kept)] = db.execute("SELECT id, why, records FROM damaged")
        assert (number, kept) == (3, octets)
        assert why in told

    @pytest.mark.parametrize("column", ["wall", "until", "records", "checksum"])
    def test_a_column_that_the_disk_has_emptied(self, column: str, desk: Desk, tmp_path: Path) -> None:
        """It is told, and kept aside as far as it is there; it never passes for a row whose time is over."""
        path = journal_of(desk, tmp_path, 3)
        with closing(connect(str(path), "rw")) as db:
            (tables,) = db.execute("SELECT sql FROM sqlite_master WHERE name = 'journal'").fetchone()
            db.execute("ALTER TABLE journal RENAME TO whole")
            db.execute(tables.replace(" NOT NULL", ""))
            db.execute("INSERT INTO journal SELECT * FROM whole")
            db.execute("DROP TABLE whole")
            db.execute(f"UPDATE journal SET {column} = NULL WHERE id = 2")
        assert contents.checked(str(path)).problems == [
            f"{path}: row 2 cannot be read: its checksum is wrong: the disk has changed it"
        ]
        assert desk.content(path) == [held(0), held(2)]
        with closing(connect(str(path), "ro")) as db:
            assert db.execute("SELECT id FROM damaged").fetchall() == [(2,)]

    @pytest.mark.parametrize("until", [0.0, -1e300, 1e300, "x"])
    def test_a_time_that_the_disk_has_changed_is_told(
        self, until: float | str, desk: Desk, tmp_path: Path
    ) -> None:
        path = journal_of(desk, tmp_path, 3)
        with closing(connect(str(path), "rw")) as db:
            db.execute("UPDATE journal SET until = ? WHERE id = 1", (until,))
        assert desk.content(path) == [held(1), held(2)]
        with closing(connect(str(path), "ro")) as db:
            assert db.execute("SELECT id FROM damaged").fetchall() == [(1,)]

    @pytest.mark.parametrize("number", [1, 4, 6])
    @pytest.mark.parametrize("run", [0, 1, 77, -5, "x"])
    def test_who_wrote_a_row_is_known_by_its_place(
        self, number: int, run: int | str, desk: Desk, tmp_path: Path
    ) -> None:
        """The checksum does not cover the number of the run."""
        path = tmp_path / "journal"
        for first in (0, 2, 4):
            journal = desk.open(path)
            assert desk.save(journal, held(first)) is None
            assert desk.save(journal, held(first + 1)) is None
            desk.close(journal)
        with closing(connect(str(path), "rw")) as db:
            db.execute("UPDATE journal SET run = ? WHERE id = ?", (run, number))
        assert len(list(contents.live(str(path)))) == len(list(contents.exported(str(path)))) == 6
        assert desk.content(path) == [held(number) for number in range(6)]
        assert desk.content(path) == [held(number) for number in range(6)]

    def test_rows_of_which_nothing_says_when_they_were_written(self, desk: Desk, tmp_path: Path) -> None:
        path = tmp_path / "journal"
        journal = desk.open(path)
        assert desk.save(journal, held(1)) is None
        desk.close(journal)
        with closing(connect(str(path), "rw")) as db:
            db.execute("DELETE FROM runs")
        with pytest.raises(StoreError, match=r"is damaged.*nothing says when its rows were written"):
            desk.open(path)
        with pytest.raises(StoreError, match=r"is damaged.*nothing says when its rows were written"):
            list(contents.live(str(path)))


class TestDefects:
    def test_a_record_that_no_row_can_hold(self, desk: Desk, tmp_path: Path) -> None:
        """It costs what was appended with it, not the journal."""
        journal = desk.open(tmp_path / "journal")
        error = desk.save(journal, held(1), held(2, deadline=object()))  # type: ignore[arg-type]
        assert str(error) == f"{tmp_path}/journal: a record cannot be written: the log says why"
        assert desk.save(journal, held(3)) is None
        assert content(journal) == [held(3)]

    def test_an_answer_that_fails_costs_no_other(self, desk: Desk, tmp_path: Path) -> None:
        journal, told = desk.open(tmp_path / "journal"), list[StoreError | None]()

        def defect(error: StoreError | None) -> None:
            raise RuntimeError("a defect")

        journal.append([held(1)], defect)
        journal.append([held(2)], told.append)
        run_until(desk.reactor, lambda: told)
        assert told == [None]
