"""A running LMA and its disk: it says what is wrong and what to do, promises nothing, and destroys nothing."""

import errno
import os
import signal
import sqlite3
import subprocess
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from bench.server import ServerError
from bench.world import Place
from tests.durability.failing_disk import FailingDisk
from tests.durability.mag import ACCEPTED, Mag
from tests.durability.process import LmaProcess
from tests.durability.stories import told
from tests.programs import require

NODES = 300

REFUSED = 130
"""Insufficient resources (RFC 5944 3.4)."""


def mounted(lma: LmaProcess, options: str) -> None:
    """The journal's directory is a small disk of its own."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(lma.journal.parent)], check=True)
    lma.journal.parent.chmod(0o700)


def remounted(lma: LmaProcess, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(lma.journal.parent)], check=True)


def there(lma: LmaProcess) -> set[int]:
    return {row.node for row in lma.bindings()}


def does_not_start(lma: LmaProcess) -> str:
    """What it says instead."""
    with pytest.raises(ServerError):
        lma.start()
    assert lma.status == 1
    said = lma.log.read_text()
    assert "Traceback" not in said
    return said


def fill(filler: Path) -> None:
    """Leave no room on the disk that it is on."""
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError):
        while True:
            file.write(bytes(4096))


def soon_accepted(mag: Mag, node: int) -> bool:
    """Without a restart: writing is tried again after a while."""
    return any(mag.register(node) == ACCEPTED for _ in range(5))


def files(lma: LmaProcess) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in lma.journal.parent.iterdir()}


def test_a_full_disk_refuses_until_there_is_room() -> None:
    told(_a_full_disk)


def _a_full_disk(place: Place) -> None:
    lma = LmaProcess(place, 0, NODES)
    mounted(lma, "size=1m")
    lma.start()
    mag = Mag(lma)
    assert mag.register(0) == ACCEPTED
    filler = lma.journal.parent / "filler"
    fill(filler)
    codes = [mag.register(node) for node in range(1, 40)]
    # What had room in the last page of the log may still have been saved.
    accepted = {0, *(node for node, code in enumerate(codes, 1) if code == ACCEPTED)}
    assert set(codes) <= {ACCEPTED, REFUSED}
    assert codes[-20:] == [REFUSED] * 20
    assert there(lma) == accepted
    # What is not saved is not answered as if it was, a de-registration neither.
    assert mag.deregister(0) != ACCEPTED
    said = lma.log.read_text()
    assert f"{lma.journal}: the disk is full" in said
    filler.unlink()
    assert soon_accepted(mag, 200)
    assert [mag.register(node) for node in range(201, 211)] == [ACCEPTED] * 10
    lma.kill()
    fill(filler)
    assert f"{lma.journal}: the disk is full" in does_not_start(lma)
    filler.unlink()
    lma.start()
    assert there(lma) == accepted | set(range(200, 211))


@pytest.mark.parametrize(
    ("what", "number"),
    [
        pytest.param("write", errno.EIO, id="writing"),
        pytest.param("sync", errno.EIO, id="flushing"),
        pytest.param("write", errno.EROFS, id="read-only from now on"),
        pytest.param("write", errno.ENOSPC, id="full"),
    ],
)
def test_a_disk_that_fails_under_a_running_lma(what: str, number: int) -> None:
    require("cc")
    told(partial(_a_failing_disk, what=what, number=number))


def _a_failing_disk(place: Place, what: str, number: int) -> None:
    disk = FailingDisk(place.directory, str(place.directory))
    lma = LmaProcess(place, 0, NODES, environment=disk.environment)
    lma.start()
    mag = Mag(lma)
    assert [mag.register(node) for node in range(10)] == [ACCEPTED] * 10
    before = {row.node: row.mag for row in lma.bindings()}
    disk.fail(what, number)
    # New ones, renewals and de-registrations: nothing is said that is not saved, and all stays as it is.
    assert [mag.register(node) for node in range(8, 16)] == [REFUSED] * 8
    assert mag.deregister(0) == REFUSED
    assert {row.node: row.mag for row in lma.bindings()} == before
    said = lma.log.read_text()
    assert f"{lma.journal}: " in said and "registrations are refused (130) until it works again" in said
    assert ("the disk is full" if number == errno.ENOSPC else "look at the disk") in said
    assert "Traceback" not in said
    disk.work()
    assert soon_accepted(mag, 20)
    assert [mag.register(node) for node in range(21, 26)] == [ACCEPTED] * 5
    lma.kill()
    lma.start()
    assert there(lma) == {*range(10), *range(20, 26)}


def test_a_read_only_disk_is_said_at_the_start() -> None:
    told(_a_read_only_disk)


def _a_read_only_disk(place: Place) -> None:
    lma = LmaProcess(place, 0, NODES)
    mounted(lma, "size=8m")
    lma.start()
    mag = Mag(lma)
    assert [mag.register(node) for node in range(10)] == [ACCEPTED] * 10
    lma.kill()
    remounted(lma, "ro")
    before = files(lma)
    said = does_not_start(lma)
    assert f"{lma.journal}: its file system is read-only: mount it with rw" in said
    assert mag.register(11, within=0.2) is None
    assert files(lma) == before
    remounted(lma, "rw")
    lma.start()
    assert there(lma) == set(range(10))


def test_a_torn_end_costs_what_was_torn() -> None:
    told(_a_torn_end)


def _a_torn_end(place: Place) -> None:
    lma = LmaProcess(place, 0, NODES)
    lma.start()
    mag = Mag(lma)
    last = -1
    for octets in (1, 100, 4000):
        last += 10
        assert [mag.register(node) for node in range(last - 9, last + 1)] == [ACCEPTED] * 10
        lma.kill()
        log = Path(f"{lma.journal}-wal")
        os.truncate(log, _end_of_what_is_new(log) - octets)
        lma.start()
        assert there(lma) == set(range(last))
        assert mag.register(last) == ACCEPTED


def _end_of_what_is_new(log: Path) -> int:
    """A log that was carried over is written anew from its beginning: what is behind has other salts."""
    octets = log.read_bytes()
    end = 32
    while octets[end + 8 : end + 16] == octets[16:24]:
        end += 24 + 4096
    return end


def test_a_destroyed_journal_is_left_alone() -> None:
    told(_a_destroyed_journal)


def _a_destroyed_journal(place: Place) -> None:
    lma = LmaProcess(place, 0, NODES)
    lma.start()
    assert Mag(lma).register(0) == ACCEPTED
    lma.stop(signal.SIGTERM)
    with lma.journal.open("r+b") as file:
        file.write(b"something else")
    before = files(lma)
    said = does_not_start(lma)
    assert str(lma.journal) in said
    assert "'store'" in said or "move it" in said
    assert files(lma) == before


def test_a_journal_of_a_newer_version_is_left_alone() -> None:
    told(_a_newer_version)


def _a_newer_version(place: Place) -> None:
    lma = LmaProcess(place, 0, NODES)
    lma.start()
    assert Mag(lma).register(0) == ACCEPTED
    lma.stop(signal.SIGTERM)
    with closing(sqlite3.connect(lma.journal)) as db:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        db.execute(f"PRAGMA user_version = {version + 1}")
    before = lma.journal.read_bytes()
    said = does_not_start(lma)
    assert f"{lma.journal}: was written by a newer pmip_tw" in said
    assert lma.journal.read_bytes() == before
    with closing(sqlite3.connect(lma.journal)) as db:
        db.execute(f"PRAGMA user_version = {version}")
    lma.start()
    assert there(lma) == {0}


def test_two_lmas_do_not_share_a_journal() -> None:
    told(_two_lmas)


def _two_lmas(place: Place) -> None:
    first, second = LmaProcess(place, 0, NODES), LmaProcess(place, 1, NODES)
    first.start()
    mag = Mag(first)
    assert mag.register(0) == ACCEPTED
    settings = second.settings.read_text()
    second.settings.write_text(settings.replace(str(second.journal), str(first.journal)))
    said = does_not_start(second)
    assert f"{first.journal}: is in use by process" in said
    assert mag.register(1) == ACCEPTED
    first.kill()
    first.start()
    assert there(first) == {0, 1}
    # The lock ends with the process, however that ends; what is not for its address it leaves in the journal.
    first.kill()
    second.start()
    assert there(second) == set()
    second.kill()
    first.start()
    assert there(first) == {0, 1}


def test_a_journal_that_is_taken_away_is_missed() -> None:
    told(_taken_away)


def _taken_away(place: Place) -> None:
    lma = LmaProcess(place, 0, NODES)
    lma.start()
    mag = Mag(lma)
    assert mag.register(0) == ACCEPTED
    lma.journal.rename(lma.journal.with_name("elsewhere"))
    assert mag.register(1) == REFUSED
    assert f"{lma.journal}: was removed or replaced" in lma.log.read_text()
    assert there(lma) == {0}
    lma.journal.with_name("elsewhere").rename(lma.journal)
    assert soon_accepted(mag, 2)
    lma.kill()
    lma.start()
    assert there(lma) == {0, 2}
