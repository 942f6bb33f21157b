"""The port that workers share, and how worker 0 starts the others."""

import errno
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.epollreactor import EPollReactor
from twisted.internet.error import ProcessTerminated
from twisted.logger import LogLevel, capturedLogs, formatEvent
from twisted.python.failure import Failure

from pmip_tw.addresses import ipv4
from pmip_tw.config.load import load
from pmip_tw.config.settings.lma import LmaSettings
from pmip_tw.errors import PmipError, PortInUse
from pmip_tw.services.crew import Crew
from pmip_tw.services.lma_worker import begin
from pmip_tw.services.shared_port import SharedPort
from pmip_tw.services.worker_process import WorkerProcess
from tests.loops import private_reactor, run_until
from tests.namespaces import private_network
from tests.programs import require

HERE, HOST, PORT = ipv4("127.0.4.1"), "127.0.4.1", 4342


@pytest.fixture
def holder() -> Iterator[socket.socket]:
    """Somebody who has the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind((HOST, PORT))
        yield one


def test_a_port_whose_holder_is_ending_is_waited_for(holder: socket.socket) -> None:
    """Workers of a worker 0 that was killed have it for a moment."""
    port = SharedPort(HERE, 2, PORT)
    threading.Timer(0.3, holder.close).start()
    port.start()
    port.stop()


def test_a_port_that_stays_somebodys_is_told(holder: socket.socket) -> None:
    began = time.monotonic()
    with pytest.raises(PortInUse, match="another program has the port"):
        SharedPort(HERE, 2, PORT, patience=0.3).start()
    assert time.monotonic() - began >= 0.3


def test_whatever_else_is_wrong_is_told_at_once() -> None:
    began = time.monotonic()
    with pytest.raises(PmipError, match="is it an address of this machine") as told:
        SharedPort(ipv4("192.0.2.99"), 2, PORT, patience=60.0).start()
    assert not isinstance(told.value, PortInUse)
    assert time.monotonic() - began < 30


class WithoutProcesses(EPollReactor):
    """The machine has no room for another one."""

    tried = 0

    def spawnProcess(self, *arguments: Any, **more: Any) -> Any:
        self.tried += 1
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")


def settings_in(directory: Path) -> tuple[LmaSettings, Path]:
    config = directory / "lma.toml"
    config.write_text(
        f'[lma]\naddress = "{HOST}"\nidentity = "lma1"\nworkers = 2\nstore = ""\n'
        '[[lma.pools]]\nprefix = "10.1.0.0/24"\nrealms = ["example.net"]\n'
    )
    settings = load(config)
    assert isinstance(settings, LmaSettings)
    return settings, config


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[tuple[Crew, EPollReactor]]:
    """Of two, on a port of their own."""
    require("ip")
    with private_network(), private_reactor(WithoutProcesses) as reactor:
        made = Crew(reactor, *settings_in(tmp_path))
        made.port.start()
        yield made, reactor
        made.port.stop()


def test_a_worker_that_cannot_be_started_is_tried_again_and_keeps_nobody(
    crew: tuple[Crew, WithoutProcesses],
) -> None:
    made, reactor = crew
    lost: list[int] = []
    with capturedLogs() as said:
        made.start(lambda worker, pipe: pipe.start(lambda message: None, lambda: lost.append(worker)))
        run_until(reactor, lambda: reactor.tried >= 2 and len(lost) >= 2)
    texts = [formatEvent(event) for event in said if event["log_level"] is LogLevel.warn]
    assert texts[0] == (
        "worker 1 has ended (it could not be started: Resource temporarily unavailable),"
        " and is started again in 0.1 s"
    )
    ended: list[None] = []
    made.stop().addCallback(ended.append)
    run_until(reactor, lambda: ended)


def test_what_a_worker_says_has_its_number_and_its_last_word_counts() -> None:
    process = WorkerProcess(2, lambda worker, why, lived: None)
    with capturedLogs() as said:
        line = json.dumps(["pmip.store", "warn", "the disk is full"])
        process.childDataReceived(1, f"{line}\nFatal".encode())
        process.childDataReceived(2, b"Traceback\n")
        process.childDataReceived(1, b" Python error")
        process.processEnded(Failure(ProcessTerminated(signal=9)))
    assert [(event["log_level"], formatEvent(event)) for event in said] == [
        (LogLevel.warn, "worker 2: the disk is full"),
        (LogLevel.error, "worker 2: Traceback"),
        (LogLevel.error, "worker 2: Fatal Python error"),
    ]
    assert said[0]["log_namespace"] == "pmip.store"


@pytest.mark.parametrize("wrong", [PmipError("no such journal"), RuntimeError("a defect")])
def test_a_worker_that_cannot_begin_ends(wrong: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    """One that only stayed would keep its nodes, and who waits for its addresses, without an answer."""

    class Other:
        def start(self) -> None:
            raise wrong

    ended: list[bool] = []
    with capturedLogs() as said:
        begin(Other(), lambda: ended.append(True))  # type: ignore[arg-type]
    assert ended == [True]
    told = capsys.readouterr().err + "".join(str(event.get("log_failure", "")) for event in said)
    assert str(wrong) in told
