"""pmipctl as its user runs it: a process, its output, its exit status."""

import json
import os
import pty
import socket
import subprocess
import sys
import termios
import threading
from pathlib import Path
from typing import Any

import pytest

from pmip_tw.manage.pmipctl import TABLES, run
from tests.manage.conftest import ROOT, Starter, first_line

NAI = "mn1@example.net"
PMIPCTL = (sys.executable, "-m", "pmip_tw.manage.pmipctl")


def pmipctl(*arguments: str, path: Path | None = None) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if name != "PMIP_SOCKET"}
    if path is not None:
        environment["PMIP_SOCKET"] = str(path)
    command = [*PMIPCTL, *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    assert "Traceback" not in done.stderr
    return done


def as_json(*arguments: str, path: Path | None = None, status: int = 0) -> dict[str, Any]:
    """The one object that --json prints, the same before and after the subcommand, and nothing else."""
    before = pmipctl("--json", *arguments, path=path)
    after = pmipctl(*arguments, "--json", path=path)
    for done in (before, after):
        assert (done.returncode, done.stderr) == (status, "")
    found = json.loads(before.stdout)
    assert isinstance(found, dict)
    assert json.loads(after.stdout) == found
    return found


def test_show_for_people(mag_socket: Path) -> None:
    done = pmipctl("show", "visitors", path=mag_socket)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "NAI              HOME ADDRESS  LIFETIME  OCTETS UP\n"
        "mn1@example.net  10.1.0.50       1800 s    2.0 KiB\n"
        "1 visitor\n"
    )


@pytest.mark.parametrize(
    ("width", "octets_are_shown", "lines"), [(40, False, 5), (80, True, 3), (0, True, 3)]
)
def test_show_on_a_terminal(width: int, octets_are_shown: bool, lines: int, mag_socket: Path) -> None:
    """The table fits a terminal that knows its width."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, width))
    command = [*PMIPCTL, "--socket", str(mag_socket), "show", "visitors"]
    subprocess.run(command, cwd=ROOT, stdout=theirs, timeout=30, check=True)
    printed = os.read(ours, 10_000).decode().splitlines()
    os.close(ours)
    os.close(theirs)
    assert ("OCTETS UP" in printed[0]) == octets_are_shown
    assert len(printed) == lines
    assert width == 0 or max(map(len, printed)) <= width


def test_show_for_programs(mag_socket: Path) -> None:
    (row,) = as_json("show", "visitors", path=mag_socket)["visitors"]
    assert row == {"nai": NAI, "home_address": "10.1.0.50", "lifetime": 1800, "octets_up": 2048}


def test_an_empty_table(lma_socket: Path) -> None:
    assert pmipctl("show", "bindings", path=lma_socket).stdout == "no bindings\n"
    assert as_json("show", "bindings", path=lma_socket) == {"bindings": []}


def test_trace_for_people(mag_socket: Path) -> None:
    lines = pmipctl("trace", NAI, path=mag_socket).stdout.splitlines()
    assert lines[0].startswith("from 20")
    assert lines[1:] == [
        "+0.000 s    attachment-seen       02:00:00:00:00:01 on acc0",
        "+0.250 s    access-accepted       02:00:00:00:00:01 on acc0",
        "+1.500 s  ! registration-refused",
        "              clocks differ [133]",
    ]


def test_trace_for_programs(mag_socket: Path) -> None:
    rows = as_json("trace", "10.9.9.9", path=mag_socket, status=1)
    assert rows == {
        "error": "nothing is known of '10.9.9.9': name a NAI, a MAC or a home address that was seen here"
    }
    rows = as_json("trace", "02-00-00-00-00-01", path=mag_socket)
    assert [row["name"] for row in rows["trace"]] == [
        "attachment-seen",
        "access-accepted",
        "registration-refused",
    ]


def test_detach(mag_socket: Path) -> None:
    assert as_json("detach", NAI, path=mag_socket) == {"detached": {"nai": NAI, "state": "detached"}}
    done = pmipctl("detach", "x@y", path=mag_socket)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "pmipctl: x@y is not served here\n")


def test_revoke(lma_socket: Path) -> None:
    assert as_json("revoke", NAI, path=lma_socket) == {"revoked": {"nai": NAI, "mag": "198.51.100.10"}}
    done = pmipctl("revoke", "x@y", path=lma_socket)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "pmipctl: no binding is of 'x@y'\n")


@pytest.mark.parametrize(
    "command",
    [
        ("show", "bindings"),
        ("show", "visitors"),
        ("show", "tunnels"),
        ("trace", NAI),
        ("detach", NAI),
        ("revoke", NAI),
    ],
)
def test_a_daemon_that_is_not_running_is_an_error(command: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "none.sock"
    assert as_json(*command, path=path, status=1) == {"error": f"no daemon is running at {path}"}
    done = pmipctl(*command, "--socket", str(path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"pmipctl: no daemon is running at {path}\n"


def test_the_socket_that_a_dead_daemon_left(start_daemon: Starter, tmp_path: Path) -> None:
    daemon = start_daemon("x.sock", "mag")
    assert first_line(daemon) == "ready"
    daemon.kill()
    daemon.wait()
    path = tmp_path / "x.sock"
    assert as_json("show", "visitors", path=path, status=1) == {"error": f"no daemon is running at {path}"}


@pytest.mark.parametrize("name", ["file", "."])
def test_what_is_no_socket_is_called_so(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / name
    error = f"{path} is no socket: name the 'control' socket of a daemon"
    assert as_json("show", "visitors", path=path, status=1) == {"error": error}


def test_the_option_goes_before_the_environment(mag_socket: Path, tmp_path: Path) -> None:
    for arguments in (
        ("--socket", str(mag_socket), "show", "counters"),
        ("show", "counters", "--socket", str(mag_socket)),
    ):
        assert pmipctl(*arguments, path=tmp_path / "none").stdout == "no counters\n"


def test_a_wrong_table_of_a_running_daemon(lma_socket: Path) -> None:
    """A MAG's table asked of an LMA."""
    assert as_json("trace", "x", path=lma_socket, status=1) == {"error": "nothing is known of 'x'"}


class TestSeveralDaemons:
    """Without a socket named, ``tunnels``, ``counters`` and ``trace`` ask every daemon of this machine."""

    @pytest.fixture(autouse=True)
    def _here(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.delenv("PMIP_SOCKET", raising=False)
        sockets = (str(tmp_path / "mag.sock"), str(tmp_path / "lma.sock"))
        monkeypatch.setitem(TABLES, "tunnels", sockets)
        monkeypatch.setattr("pmip_tw.manage.pmipctl.EVERY_SOCKET", sockets)

    def rows(self, capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> dict[str, Any]:
        assert run([*arguments, "--json"]) == status
        found = json.loads(capsys.readouterr().out)
        assert isinstance(found, dict)
        return found

    def test_all_of_them(
        self, mag_socket: Path, lma_socket: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self.rows(capsys, "show", "tunnels") == {
            "tunnels": [
                {"daemon": "mag", "remote": "192.0.2.1"},
                {"daemon": "lma", "remote": "198.51.100.10"},
            ]
        }

    def test_the_one_that_runs(self, lma_socket: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.rows(capsys, "show", "tunnels") == {
            "tunnels": [{"daemon": "lma", "remote": "198.51.100.10"}]
        }

    def test_none(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        error = self.rows(capsys, "show", "tunnels", status=1)["error"]
        assert (
            error
            == f"no daemon is running at {tmp_path}/mag.sock; no daemon is running at {tmp_path}/lma.sock"
        )

    def test_a_mobile_node_that_one_of_them_knows(
        self, mag_socket: Path, lma_socket: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        rows = self.rows(capsys, "trace", NAI)["trace"]
        assert {row["daemon"] for row in rows} == {"mag"}
        assert len(rows) == 3

    def test_one_that_fails_is_not_passed_over(
        self, mag_socket: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A socket that breaks off is another thing than a daemon that does not run."""
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(tmp_path / "lma.sock"))
            listener.listen()

            def hang_up() -> None:
                connection, _ = listener.accept()
                connection.recv(1000)
                connection.close()

            rude = threading.Thread(target=hang_up)
            rude.start()
            error = self.rows(capsys, "show", "tunnels", status=1)["error"]
            rude.join()
        assert error == f"{tmp_path}/lma.sock: the daemon broke off its answer"


def test_check_of_a_good_file() -> None:
    done = pmipctl("check", "conf/mag.toml")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "conf/mag.toml: ok, a MAG: mag1.example.net at 198.51.100.10, access on eth1, home prefix 10.1.0.0/24,"
        " RADIUS 198.51.100.53:1812\n"
    )
    found = as_json("check", "conf/lma.toml")
    assert (found["ok"], found["role"]) == (True, "lma")
    assert found["summary"].endswith("pool 10.1.0.0/24, 2 mobile nodes")


def test_check_prints_every_mistake(tmp_path: Path) -> None:
    file = tmp_path / "mag.toml"
    text = (ROOT / "conf" / "mag.toml").read_text()
    file.write_text(text.replace("[mag]\n", "[mag]\nlifetme = 1\nlifetime = 0\n", 1))
    mistakes = [
        f"{file}:6:1: unknown setting 'lifetme' - did you mean 'lifetime'?",
        f"{file}:7:1: lifetime: must be from 1 to 65534, not 0",
    ]
    done = pmipctl("check", str(file))
    assert (done.returncode, done.stdout.splitlines(), done.stderr) == (1, mistakes, "")
    found = as_json("check", str(file), status=1)
    assert found == {"error": "\n".join(mistakes), "file": str(file), "mistakes": mistakes}


@pytest.mark.parametrize(
    "arguments", [(), ("show",), ("show", "x"), ("trace",), ("sing",), ("show", "tunnels", "-x")]
)
def test_wrong_usage(arguments: tuple[str, ...]) -> None:
    done = pmipctl(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: pmipctl")
    assert as_json(*arguments, status=2)["error"].startswith("usage: ")


def test_a_reader_that_has_seen_enough(mag_socket: Path) -> None:
    """``pmipctl ... | head -0`` ends without a traceback."""
    command = [*PMIPCTL, "--socket", str(mag_socket), "show", "visitors"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, complaint = process.communicate(timeout=30)
    assert complaint == b""
    assert process.returncode == 1


def test_it_starts_without_anything_slow() -> None:
    """Asking a daemon imports neither Twisted nor what only ``check`` and daemons need."""
    program = (
        "import sys, pmip_tw.manage.pmipctl as p\n"
        "p.run(['--json', '--socket', '/nonexistent', 'show', 'tunnels'])\n"
        "print([m for m in ('twisted', 'zope.interface', 'attrs', 'attr', 'cattrs', 'pyroute2') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
