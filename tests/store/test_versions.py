"""Journals of every version, as they were written then: each is read today, and none is lost on the way.

``versions/N.journal`` was written by the program whose tables had version N, and stays as it is. A new version gets
its file by ``python -m tests.store.versions``.
"""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import attrs
import pytest

from pmip_tw.errors import StoreError
from pmip_tw.mobility.records import Fields, JournalFormat, Record
from pmip_tw.secret import Secret
from pmip_tw.store.database import Database
from pmip_tw.store.layout import LAYOUT, Layout
from pmip_tw.store.place import Place
from pmip_tw.store.reading import connect
from tests.store.conftest import Desk, content
from tests.store.records import FORM, KEY, Released, held
from tests.store.versions import CONTENT, VERSIONS, machine_of_then

FILES = sorted(VERSIONS.glob("*.journal"))


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of a version's journal."""
    return Path(shutil.copy(request.param, tmp_path / "journal"))


def stored(path: Path, query: str) -> list[Any]:
    with closing(connect(str(path), "ro")) as db:
        return db.execute(query).fetchall()


def change(path: Path, statement: str) -> None:
    with closing(connect(str(path), "rw")) as db:
        db.execute(statement)


def refusal(path: Path, opening: Callable[[], object]) -> str:
    """Why it was not opened; nothing of it has changed."""
    before = path.read_bytes()
    with pytest.raises(StoreError) as refused:
        opening()
    assert path.read_bytes() == before
    return str(refused.value)


def test_every_version_has_its_file() -> None:
    assert [path.stem for path in FILES] == [str(version) for version in range(1, LAYOUT.version + 1)]


def test_what_was_saved_then_is_there(path: Path, desk: Desk) -> None:
    for expected in (CONTENT, [*CONTENT, held(99)]):
        journal = desk.open(path, clocks=machine_of_then)
        assert content(journal) == expected
        assert desk.save(journal, held(99)) is None
        desk.close(journal)


class TestTables:
    """What a change of the tables will be like."""

    LATER = Layout(
        LAYOUT.version + 1,
        {
            **LAYOUT.steps,
            LAYOUT.version: lambda db: db.execute("ALTER TABLE runs ADD COLUMN process INTEGER"),
        },
    )

    def database(self, path: Path) -> Database:
        return Database(Place(str(path)), FORM, horizon=7200.0, clocks=machine_of_then)

    def test_an_earlier_version_is_migrated(self, path: Path, desk: Desk) -> None:
        before = stored(path, "SELECT * FROM journal")
        for _ in range(2):
            database = self.database(path)
            database.open(self.LATER)
            database.close()
        assert stored(path, "SELECT * FROM journal") == before
        assert stored(path, "SELECT process FROM runs")[-1] == (None,)
        assert stored(path, "PRAGMA user_version") == [(LAYOUT.version + 1,)]

    def test_a_migration_that_fails_has_changed_nothing(self, path: Path) -> None:
        def step(db: sqlite3.Connection) -> None:
            db.execute("DROP TABLE journal")
            raise sqlite3.OperationalError("power failure")

        later = Layout(LAYOUT.version + 1, {**LAYOUT.steps, LAYOUT.version: step})
        assert "power failure" in refusal(path, lambda: self.database(path).open(later))

    def test_a_newer_version_is_refused(self, path: Path, desk: Desk) -> None:
        change(path, "PRAGMA user_version = 99")
        assert refusal(path, lambda: desk.open(path)) == (
            f"{path}: was written by a newer pmip_tw (version 99 of its tables, this program knows "
            f"{LAYOUT.version}): start that one, or name another path in 'store'"
        )

    def test_one_that_is_too_old_is_refused(self, path: Path, desk: Desk) -> None:
        change(path, "PRAGMA user_version = 0")
        assert "was written by a pmip_tw too old for this one" in refusal(path, lambda: desk.open(path))


class Holding(Record, tag=3, kw_only=True):
    """What ``Held`` may become one day: the owner is a text, and what was one record is two."""

    about: ClassVar[str] = "holding"
    identity: ClassVar[tuple[str, ...]] = ("owner",)

    owner: str
    deadline: float
    key: Secret


class Noted(Record, tag=4, kw_only=True):
    about: ClassVar[str] = "note"
    identity: ClassVar[tuple[str, ...]] = ("owner",)

    owner: str


def _to_version_2(record: Fields) -> list[Fields]:
    if record[0] != 1:
        return [record]
    _, owner, _, deadline, key, *_ = record
    return [[3, owner.decode(), deadline, key], [4, owner.decode()]]


class TestRecords:
    """What a change of records will be like that defaults cannot bridge."""

    LATER = JournalFormat(
        role="lma", version=2, kinds=(Holding, Noted, Released), migrations={1: _to_version_2}
    )

    def test_an_earlier_version_is_migrated(self, path: Path, desk: Desk) -> None:
        names = ["mn1@example.net", "mn2@example.net", "mn3@example.net"]
        first, second, third = (Holding(owner=name, deadline=1e9, key=KEY) for name in names)
        expected = [
            *(first, Noted(owner=names[0])),
            *(second, Noted(owner=names[1])),
            Released(owner=b"mn1@example.net"),
            *(third, Noted(owner=names[2])),
        ]
        for _ in range(2):
            journal = desk.open(path, self.LATER, clocks=machine_of_then)
            assert content(journal) == expected
            desk.close(journal)
        assert refusal(path, lambda: desk.open(path)).startswith(
            f"{path}: was written by a newer pmip_tw (version 2 of its records, this program knows 1)"
        )

    def test_a_row_that_cannot_be_read_is_not_made_readable(self, path: Path, desk: Desk) -> None:
        change(path, "UPDATE journal SET checksum = checksum + 1 WHERE id = 1")
        journal = desk.open(path, self.LATER, clocks=machine_of_then)
        assert len(content(journal)) == 5
        [(number, why)] = stored(path, "SELECT id, why FROM damaged")
        assert number == 1
        assert why.startswith("its checksum is wrong")

    def test_a_version_nobody_can_migrate_is_refused(self, path: Path, desk: Desk) -> None:
        later = attrs.evolve(self.LATER, version=3)
        assert "too old for this one (version 1 of its records)" in refusal(
            path, lambda: desk.open(path, later)
        )

    def test_a_new_field_with_a_default_needs_no_version(self, path: Path, desk: Desk) -> None:
        class Held(Record, tag=1, kw_only=True):
            about: ClassVar[str] = "holding"
            identity: ClassVar[tuple[str, ...]] = ("owner",)

            owner: bytes
            address: int
            deadline: float
            key: Secret | None = None
            peers: tuple[int, ...] = ()
            class_of_service: str = "none"

        form = JournalFormat(role="lma", version=1, kinds=(Held, Released))
        journal = desk.open(path, form, clocks=machine_of_then)
        found = [record for record in content(journal) if isinstance(record, Held)]
        assert [record.class_of_service for record in found] == ["none"] * 3
        added = Held(owner=b"x", address=1, deadline=1.0, class_of_service="gold")
        assert desk.save(journal, added) is None
        desk.close(journal)
        # And the program of before reads what it knows of it.
        journal = desk.open(path, clocks=machine_of_then)
        assert content(journal)[-1].owner == b"x"  # type: ignore[attr-defined]

    def test_another_roles_journal_is_refused(self, path: Path, desk: Desk) -> None:
        form = attrs.evolve(FORM, role="mag")
        assert refusal(path, lambda: desk.open(path, form)) == (
            f"{path}: is the journal of another role (lma): name another path in 'store'"
        )
