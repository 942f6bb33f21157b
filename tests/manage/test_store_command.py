"""``pmipctl store`` as its user runs it: on a journal at rest, in use, left by a killed process, and damaged."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pmip_tw.addresses import Mac, ipv4
from pmip_tw.lma.journal.recording import bound_record
from pmip_tw.lma.journal.records import LMA_JOURNAL, Leased, LeaseEnded
from pmip_tw.store.clocks import system_clocks
from pmip_tw.store.database import Database
from pmip_tw.store.place import Place
from pmip_tw.store.reading import connect
from tests.lma.anchor import MAG1, Anchor
from tests.manage.conftest import ROOT
from tests.manage.test_pmipctl import as_json, pmipctl
from tests.store.records import FORM, KEY, held, released


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Database]:
    """Three rows: two holders, one of whom has released; one whose time is over."""
    now = system_clocks()().monotonic
    database = Database(Place(str(tmp_path / "lma.journal")), FORM, horizon=3600.0, clocks=system_clocks())
    database.open()
    database.write([held(1, now + 600), held(2, now + 600)])
    database.write([released(1)])
    database.write([held(3, now - 1), held(2, now + 900)])
    yield database
    database.close()


@pytest.fixture
def running(journal: Database, tmp_path: Path) -> Path:
    return tmp_path / "lma.journal"


@pytest.fixture
def killed(running: Path, tmp_path: Path) -> Path:
    """The files of a process that is no more."""
    folder = tmp_path / "killed"
    folder.mkdir()
    for name in ("lma.journal", "lma.journal-wal"):
        shutil.copy(running.with_name(name), folder)
    return folder / "lma.journal"


@pytest.fixture
def stopped(killed: Path) -> Path:
    with closing(connect(str(killed), "rw")) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return killed


@pytest.fixture
def torn(tmp_path: Path) -> Path:
    """2000 rows; a page in their middle has lost its beginning."""
    path = tmp_path / "journal"
    database = Database(Place(str(path)), FORM, horizon=3600.0, clocks=system_clocks())
    database.open()
    for number in range(2000):
        database.write([held(number)])
    database.close()
    octets = bytearray(path.read_bytes())
    page = octets.index(b"mn1000@") // 4096 * 4096
    octets[page : page + 16] = bytes(16)
    path.write_bytes(octets)
    return path


@pytest.fixture(params=["running", "killed", "stopped"])
def path(request: pytest.FixtureRequest) -> Path:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Path)
    return found


def test_show_is_what_a_restart_would_bring(path: Path) -> None:
    files = sorted(os.listdir(path.parent))
    lines = pmipctl("store", "show", str(path)).stdout.splitlines()
    assert lines[0].split() == ["ABOUT", "OWNER", "REMAINING", "ADDRESS", "EXPIRES", "KEY", "PEERS"]
    about, owner, remaining, unit, address, *_ = lines[1].split()
    assert (about, owner, unit, address) == ("holding", "mn2@example.net", "s", "10.1.0.2")
    assert 800 < int(remaining) <= 900
    assert lines[2:] == ["1 live record"]
    (row,) = json.loads(pmipctl("--json", "store", "show", str(path)).stdout)["records"]
    assert (row["owner"], row["address"], row["key"]) == ("mn2@example.net", "10.1.0.2", "hidden")
    assert set(os.listdir(path.parent)) - {*files, "lma.journal-shm"} == set()


def test_check_for_people(stopped: Path) -> None:
    first, second, *others = pmipctl("store", "check", str(stopped)).stdout.splitlines()
    assert first == f"{stopped}: ok, the journal of role lma, not in use"
    assert second.startswith("5 records in 3 rows (4 Held, 1 Released), ")
    assert others == ["a restart would bring 1 holding", "version 1 of the tables, 1 of the records"]


def test_check_for_programs(path: Path, request: pytest.FixtureRequest) -> None:
    report = as_json("store", "check", str(path))
    assert report["rows"] == 3
    assert report["records"] == {"Held": 4, "Released": 1}
    assert report["live"] == {"holding": 1}
    assert report["versions"] == {"tables": 1, "records": 1}
    assert (report["ok"], report["role"], report["file"]) == (True, "lma", str(path))


def test_check_names_the_process_that_has_it(running: Path) -> None:
    assert as_json("store", "check", str(running))["in_use_by"] == os.getpid()


def test_export_is_everything_in_order(path: Path) -> None:
    lines = [json.loads(line) for line in pmipctl("store", "export", str(path)).stdout.splitlines()]
    assert [(line["row"], line["kind"], line["owner"]) for line in lines] == [
        (1, "Held", "mn1@example.net"),
        (1, "Held", "mn2@example.net"),
        (2, "Released", "mn1@example.net"),
        (3, "Held", "mn3@example.net"),
        (3, "Held", "mn2@example.net"),
    ]
    assert lines[0]["expires"] == pytest.approx(lines[0]["time"] + 600, abs=60)
    assert lines[0]["key"] == "hidden"


@pytest.mark.parametrize("look", ["show", "check", "export"])
def test_no_key_is_ever_printed(look: str, path: Path) -> None:
    for arguments in (("store", look, str(path)), ("--json", "store", look, str(path))):
        done = pmipctl(*arguments)
        assert done.returncode == 0
        for form in (KEY.reveal().decode(), KEY.reveal().hex()):
            assert form not in done.stdout + done.stderr


def test_looking_at_it_holds_nobody_up(journal: Database, running: Path) -> None:
    """Neither does it end the locks of whoever writes."""
    looking = subprocess.Popen(
        [sys.executable, "-m", "pmip_tw.manage.pmipctl", "store", "export", str(running)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    for number in range(200):
        journal.write([held(number)])
    out, _ = looking.communicate(timeout=30)
    assert looking.returncode == 0
    assert len(out.splitlines()) >= 5


class TestDamaged:
    def test_rows_that_cannot_be_read(self, stopped: Path) -> None:
        with closing(connect(str(stopped), "rw")) as db:
            db.execute("UPDATE journal SET checksum = checksum + 1 WHERE id = 1")
        why = f"{stopped}: row 1 cannot be read: its checksum is wrong: the disk has changed it"
        done = pmipctl("store", "check", str(stopped))
        assert (done.returncode, done.stdout) == (1, f"{why}\n")
        assert as_json("store", "check", str(stopped), status=1)["mistakes"] == [why]
        lines = [json.loads(line) for line in pmipctl("store", "export", str(stopped)).stdout.splitlines()]
        assert [("unreadable" in line, line["row"]) for line in lines] == [
            (True, 1),
            (False, 2),
            (False, 3),
            (False, 3),
        ]

    def test_rows_of_kinds_that_nobody_knows(self, stopped: Path) -> None:
        """The disk has changed what the journal says of itself."""
        with closing(connect(str(stopped), "rw")) as db:
            db.execute("DELETE FROM kinds WHERE tag = (SELECT max(tag) FROM kinds)")
        why = f"{stopped}: row 2 cannot be read: it has a record of an unknown kind ([2])"
        done = pmipctl("store", "check", str(stopped))
        assert (done.returncode, done.stdout) == (1, f"{why}\n")
        lines = pmipctl("store", "show", str(stopped)).stdout.splitlines()
        assert [line.split()[1] for line in lines[1:-1]] == ["mn2@example.net", "mn1@example.net"]

    def test_export_reads_what_is_before_and_behind_a_damaged_page(self, torn: Path) -> None:
        done = pmipctl("store", "export", str(torn))
        rows = [json.loads(line)["row"] for line in done.stdout.splitlines()]
        assert done.returncode == 1
        assert done.stderr.startswith(f"pmipctl: {torn}: is damaged")
        assert 1500 < len(rows) < 2000
        assert {1, 2, 1999, 2000} <= set(rows)
        done = pmipctl("store", "check", str(torn))
        assert done.returncode == 1

    def test_show_ends_its_json_where_it_cannot_go_on(self, torn: Path) -> None:
        done = pmipctl("store", "show", "--json", str(torn))
        found = json.loads(done.stdout)
        assert (done.returncode, done.stderr) == (1, "")
        assert found["error"].startswith(f"{torn}: is damaged")
        assert 500 < len(found["records"]) < 1500
        assert found["records"][0]["owner"] == "mn1999@example.net"
        done = pmipctl("store", "show", str(torn))
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"pmipctl: {torn}: is damaged")

    @pytest.mark.parametrize(
        ("content", "why"),
        [
            (None, "cannot be read: No such file or directory"),
            (b"a text, and no database at all" * 100, "is no journal, or its beginning is destroyed"),
            (b"", "is the database of another program"),
        ],
    )
    @pytest.mark.parametrize("look", ["show", "check", "export"])
    def test_what_is_no_journal(self, look: str, content: bytes | None, why: str, tmp_path: Path) -> None:
        path = tmp_path / "journal"
        if content is not None:
            path.write_bytes(content)
        done = pmipctl("store", look, str(path))
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"pmipctl: {path}: {why}")
        assert json.loads(pmipctl("--json", "store", look, str(path)).stdout)["error"].startswith(f"{path}: ")

    def test_what_is_no_file(self, tmp_path: Path) -> None:
        done = pmipctl("store", "check", str(tmp_path))
        assert (
            done.stderr
            == f"pmipctl: {tmp_path}: cannot be read: Is a directory; name a file in it, as 'store' does\n"
        )

    def test_several_workers_have_several(self, tmp_path: Path) -> None:
        """The operator has given the name that stands in the configuration."""
        path, parts = tmp_path / "lma.journal", []
        for worker in range(2):
            parts.append(f"{path}.{worker}-of-2")
            Path(parts[-1]).touch()
            Path(f"{parts[-1]}-wal").touch()
        done = pmipctl("store", "check", str(path))
        assert done.stderr == (
            f"pmipctl: {path}: cannot be read: No such file or directory; there is one for each worker:"
            f" {', '.join(parts)}\n"
        )

    def test_a_newer_version(self, stopped: Path) -> None:
        with closing(connect(str(stopped), "rw")) as db:
            db.execute("PRAGMA user_version = 99")
        done = pmipctl("store", "show", str(stopped))
        assert done.stderr == f"pmipctl: {stopped}: its tables are of version 99; this program reads 1\n"


def test_what_never_was_has_no_instant(tmp_path: Path) -> None:
    """A node that has not moved, whose JSON any program reads."""
    path = tmp_path / "journal"
    anchor = Anchor()
    anchor.accept(1, MAG1)
    database = Database(Place(str(path)), LMA_JOURNAL, horizon=3600.0, clocks=system_clocks())
    database.open()
    database.write([bound_record(bound) for bound in anchor.engine.bindings])
    database.close()
    for look in ("show", "export"):
        assert "Infinity" not in pmipctl("--json", "store", look, str(path)).stdout
    assert "moved_at" not in pmipctl("store", "export", str(path)).stdout


@pytest.mark.parametrize("look", [["show"], ["--json", "show"], ["export"], ["check"]])
def test_a_million_records_are_not_held(look: list[str], tmp_path: Path) -> None:
    """What is held of each is whose it is: a tenth of what showing it all at once would take."""
    path = tmp_path / "journal"
    database = Database(Place(str(path)), FORM, horizon=3600.0, clocks=system_clocks())
    database.open()
    resident = []
    for first in (0, 15_000):
        now = system_clocks()().monotonic
        database.write([held(number, now + 900) for number in range(first, 15_000 + first)])
        command = "import resource, sys; from pmip_tw.manage.pmipctl import run; status = run(sys.argv[1:]);"
        command += (
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr); sys.exit(status)"
        )
        done = subprocess.run(
            [sys.executable, "-c", command, *look[:-1], "store", look[-1], str(path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        resident.append(int(done.stderr) * 1024)
    database.close()
    assert (resident[1] - resident[0]) / 15_000 < 300


def test_a_reader_that_has_seen_enough(stopped: Path) -> None:
    """``pmipctl store export FILE | head -1``."""
    command = f"{sys.executable} -m pmip_tw.manage.pmipctl store export {stopped} | head -n 1"
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (len(done.stdout.splitlines()), done.stderr) == (1, "")


def test_leases_and_one_of_them_for_ever(tmp_path: Path) -> None:
    path, now = tmp_path / "lma.journal", system_clocks()().monotonic
    database = Database(Place(str(path)), LMA_JOURNAL, horizon=3600.0, clocks=system_clocks())
    database.open()
    client = Mac(bytes.fromhex("020000000001"))
    for address, deadline in ((ipv4("10.1.0.101"), now + 600), (ipv4("10.1.0.102"), float("inf"))):
        database.write([Leased(address, "", b"mn1@example.net", client, deadline, True, now)])
    database.write([LeaseEnded(ipv4("10.1.0.101"), "", now)])
    database.close()
    (row,) = json.loads(pmipctl("--json", "store", "show", str(path)).stdout)["records"]
    assert (row["home_address"], row["mac"], row["about"]) == ("10.1.0.102", "02:00:00:00:00:01", "lease")
    assert "remaining" not in row
    kinds = [json.loads(line)["kind"] for line in pmipctl("store", "export", str(path)).stdout.splitlines()]
    assert kinds == ["Leased", "Leased", "LeaseEnded"]
