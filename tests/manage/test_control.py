"""The control socket as a client sees it, octet by octet."""

import json
import signal
import socket
import stat
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.manage.conftest import Starter, first_line


def exchange(path: Path, *lines: bytes) -> list[dict[str, Any]]:
    """Send ``lines`` at once and read as many answers, or fewer if the daemon closes first."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(str(path))
        connection.sendall(b"".join(line + b"\n" for line in lines))
        with connection.makefile("rb") as answers:
            return [json.loads(answer) for _, answer in zip(lines, answers, strict=False)]


def ask(path: Path, **request: object) -> dict[str, Any]:
    (answer,) = exchange(path, json.dumps(request).encode())
    return answer


def test_show(mag_socket: Path) -> None:
    answer = ask(mag_socket, command="show", what="visitors")
    assert answer["role"] == "mag"
    assert [row["nai"] for row in answer["rows"]] == ["mn1@example.net"]


def test_a_long_answer_arrives_whole(mag_socket: Path) -> None:
    assert len(ask(mag_socket, command="show", what="many")["rows"]) == 20_000


def test_an_empty_table_is_no_error(lma_socket: Path) -> None:
    assert ask(lma_socket, command="show", what="bindings") == {"role": "lma", "rows": []}


def test_an_unknown_table_says_what_there_is(mag_socket: Path) -> None:
    error = ask(mag_socket, command="show", what="bindings")["error"]
    assert error == "the MAG has no table 'bindings'; it has visitors, tunnels, counters, many, broken, bytes"


def test_trace(mag_socket: Path) -> None:
    rows = ask(mag_socket, command="trace", key="02:00:00:00:00:01")["rows"]
    assert [row["name"] for row in rows] == ["attachment-seen", "access-accepted", "registration-refused"]


def test_detach(mag_socket: Path) -> None:
    assert ask(mag_socket, command="detach", nai="mn1@example.net")["result"]["state"] == "detached"
    assert ask(mag_socket, command="detach", nai="x@y") == {"error": "x@y is not served here"}


def test_answers_keep_the_order_of_their_requests(mag_socket: Path) -> None:
    """The first of them takes the daemon a while."""
    answers = exchange(
        mag_socket,
        b'{"command": "detach", "nai": "late@example.net"}',
        b'{"command": "show", "what": "counters"}',
    )
    assert answers == [
        {"role": "mag", "result": {"nai": "late@example.net", "state": "detached"}},
        {"role": "mag", "rows": []},
    ]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"", "a request is one JSON object on one line"),
        (b"{", "a request is one JSON object on one line"),
        (b"[1]", "a request is one JSON object on one line"),
        (b"\xff\xfe", "a request is one JSON object on one line"),
        (b"[" * 4000, "a request is one JSON object on one line"),
        (b"{}", "unknown command None; there are show, trace, detach and revoke"),
        (b'{"command": ["show"]}', "unknown command ['show']; there are show, trace, detach and revoke"),
        (b'{"command": "show"}', "show needs 'what', a text"),
        (b'{"command": "show", "what": {}}', "show needs 'what', a text"),
        (b'{"command": "trace", "key": ""}', "trace needs 'key', a text"),
        (b'{"command": "detach", "nai": "\\udcff"}', r"'\udcff' is no text in UTF-8"),
        (b'{"command": "detach", "nai": 1}', "detach needs 'nai', a text"),
        (b'{"command": "show", "what": "broken"}', "the daemon failed to answer: its log says why"),
        (b'{"command": "show", "what": "bytes"}', "the daemon failed to answer: its log says why"),
    ],
)
def test_a_bad_request_is_answered_and_the_next_one_too(line: bytes, error: str, mag_socket: Path) -> None:
    answers = exchange(mag_socket, line, b'{"command": "show", "what": "counters"}')
    assert answers == [{"error": error}, {"role": "mag", "rows": []}]


def test_a_line_without_end_closes_the_connection_and_harms_nobody(mag_socket: Path) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(str(mag_socket))
        connection.sendall(b"x" * 20_000)
        with connection.makefile("rb") as answers:
            assert json.loads(answers.readline()) == {"error": "a request has at most 4096 octets"}
            assert answers.readline() == b""
    assert ask(mag_socket, command="show", what="counters")["rows"] == []


def test_who_does_not_read_his_answers_is_not_asked_for_more(mag_socket: Path) -> None:
    """Each answer has a megabyte; the daemon must not keep them all."""
    request = b'{"command": "show", "what": "many"}\n'
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(str(mag_socket))
        for _ in range(20):
            connection.sendall(request)
        assert ask(mag_socket, command="show", what="counters")["rows"] == []
        connection.settimeout(1)
        with pytest.raises(TimeoutError):
            for _ in range(100_000):
                connection.sendall(request)
        connection.settimeout(30)
        with connection.makefile("rb") as answers:
            assert [len(json.loads(answers.readline())["rows"]) for _ in range(3)] == [20_000] * 3


def test_connections_that_hang_give_way(mag_socket: Path) -> None:
    with ExitStack() as hanging:
        connections = [hanging.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(40)]
        for connection in connections:
            connection.settimeout(30)
            connection.connect(str(mag_socket))
            connection.sendall(b'{"command":')
        assert ask(mag_socket, command="show", what="counters")["rows"] == []
        oldest, newest = connections[0], connections[-1]
        with suppress(ConnectionResetError):  # what the daemon had not read yet; the end, if it had
            assert oldest.recv(1) == b""
        newest.sendall(b'"show","what":"counters"}\n')
        assert newest.recv(100) == b'{"role":"mag","rows":[]}\n'


def test_only_the_owner_may_connect(mag_socket: Path) -> None:
    assert stat.S_IMODE(mag_socket.stat().st_mode) == 0o600


def test_the_socket_goes_with_its_daemon(start_daemon: Starter, tmp_path: Path) -> None:
    daemon = start_daemon("x.sock", "mag")
    assert first_line(daemon) == "ready"
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(60) in (0, -signal.SIGTERM)
    assert not (tmp_path / "x.sock").exists()


def test_a_socket_that_somebody_removed(start_daemon: Starter, tmp_path: Path) -> None:
    """The daemon ends in peace all the same."""
    daemon = start_daemon("x.sock", "mag")
    assert first_line(daemon) == "ready"
    (tmp_path / "x.sock").unlink()
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(60) in (0, -signal.SIGTERM)


def test_the_socket_of_a_dead_daemon_is_replaced(start_daemon: Starter, tmp_path: Path) -> None:
    dead = start_daemon("x.sock", "mag")
    assert first_line(dead) == "ready"
    dead.kill()
    dead.wait()
    assert (tmp_path / "x.sock").is_socket()
    assert first_line(start_daemon("x.sock", "mag")) == "ready"
    assert ask(tmp_path / "x.sock", command="show", what="counters")["rows"] == []


def test_the_socket_of_a_live_daemon_is_left_alone(mag_socket: Path, start_daemon: Starter) -> None:
    second = start_daemon("mag.sock", "lma")
    assert first_line(second).startswith(f"refused: another daemon answers on {mag_socket}")
    assert second.wait(60) == 1
    assert ask(mag_socket, command="show", what="counters")["role"] == "mag"


def test_a_file_that_is_no_socket_is_left_alone(start_daemon: Starter, tmp_path: Path) -> None:
    (tmp_path / "x.sock").write_text("precious")
    assert "is there and is no socket" in first_line(start_daemon("x.sock", "mag"))
    assert (tmp_path / "x.sock").read_text() == "precious"


def test_a_directory_that_is_not_there(start_daemon: Starter) -> None:
    line = first_line(start_daemon("none/x.sock", "mag"))
    assert line.startswith("refused: the control socket ")
    assert line.endswith("cannot be made: No such file or directory")
