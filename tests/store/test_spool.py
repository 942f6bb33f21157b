"""The spool's file: whose it is, what the disk may do to it, and what an operator reads then."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet.posixbase import PosixReactorBase

from pmip_tw.aaa.accounting.spool import SpoolChange, SpoolContents
from pmip_tw.errors import StoreError
from pmip_tw.store.spool import SqliteSpool
from tests.contracts.disks import close
from tests.loops import private_reactor, run_until


@pytest.fixture
def reactor() -> Iterator[PosixReactorBase]:
    with private_reactor() as one:
        yield one


def written(path: Path, reactor: PosixReactorBase, change: SpoolChange) -> None:
    spool, told = SqliteSpool(str(path), reactor=reactor), list[StoreError | None]()
    spool.start()
    spool.write(change, told.append)
    run_until(reactor, lambda: told)
    close(spool, reactor)


def read(path: Path, reactor: PosixReactorBase) -> SpoolContents:
    spool = SqliteSpool(str(path), reactor=reactor)
    contents = spool.start()
    close(spool, reactor)
    return contents


def test_nobody_else_reads_it_and_one_process_has_it(tmp_path: Path, reactor: PosixReactorBase) -> None:
    path = tmp_path / "spool"
    one = SqliteSpool(str(path), reactor=reactor)
    one.start()
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(StoreError, match=r"is in use by .* name another path in 'spool'"):
        SqliteSpool(str(path), reactor=reactor).start()
    close(one, reactor)


@pytest.mark.parametrize(
    "statement, complaint",
    [
        ("PRAGMA application_id = 5", "another program: name another path in 'spool'"),
        ("PRAGMA user_version = 2", "newer pmip_tw"),
    ],
)
def test_a_strangers_file_is_left_alone(
    tmp_path: Path, reactor: PosixReactorBase, statement: str, complaint: str
) -> None:
    path = tmp_path / "spool"
    written(path, reactor, SpoolChange(records={1: b"one"}))
    with sqlite3.connect(path) as db:
        db.execute(statement)
    db.close()
    with pytest.raises(StoreError, match=complaint):
        SqliteSpool(str(path), reactor=reactor).start()


def test_what_is_no_database_is_left_alone(tmp_path: Path, reactor: PosixReactorBase) -> None:
    path = tmp_path / "spool"
    path.write_bytes(b"something else" * 1000)
    with pytest.raises(StoreError, match="is no spool"):
        SqliteSpool(str(path), reactor=reactor).start()
    assert path.read_bytes() == b"something else" * 1000


def test_what_the_disk_has_changed_is_put_aside(tmp_path: Path, reactor: PosixReactorBase) -> None:
    path = tmp_path / "spool"
    written(path, reactor, SpoolChange(records={1: b"one", 2: b"two"}, sessions={"a": b"A"}))
    with sqlite3.connect(path) as db:
        db.execute("UPDATE records SET record = x'00' WHERE number = 1")
    db.close()
    assert dict(read(path, reactor).records) == {2: b"two"}
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT what, record FROM damaged").fetchall() == [("records", b"\0")]
    db.close()


def test_a_disk_without_room(tmp_path: Path, reactor: PosixReactorBase) -> None:
    spool, told = SqliteSpool(str(tmp_path / "spool"), reactor=reactor), list[StoreError | None]()
    spool.start()
    spool._db.execute("PRAGMA max_page_count = 10")
    spool.write(SpoolChange(records={1: b"x" * 100_000}), told.append)
    run_until(reactor, lambda: told)
    assert "the disk is full" in str(told[0])
    spool.write(SpoolChange(records={2: b"x"}), told.append)
    run_until(reactor, lambda: len(told) == 2)
    assert told[1] is None
    close(spool, reactor)
