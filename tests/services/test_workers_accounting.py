"""``workers = N`` with accounting: what a RADIUS server has heard, whoever was killed (AA20, AA22)."""

import hashlib
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from pmip_tw.aaa.accounting.records import StatusType
from pmip_tw.addresses import Ipv4
from tests.conformance import covers
from tests.namespaces import private_network
from tests.programs import require
from tests.services.workers import Lma, Mag, mags, nai

SERVER = "127.0.9.53"
ACCOUNTING_REQUEST = 4
START, STOP = StatusType.START, StatusType.STOP
ACCOUNTING = f"""
[lma.accounting]
enabled = true
spool = "SPOOL"
[lma.radius]
timeout = 0.5
[[lma.radius.servers]]
address = "{SERVER}"
secret = "text:radius"
purposes = ["accounting"]
"""


class Ledger:
    """A RADIUS server that takes every record, and drops who repeats one."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((SERVER, 1813))
        self.records: dict[tuple[str, StatusType, int], tuple[bytes, bytes]] = {}
        self.silent = False
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _listen(self) -> None:
        while True:
            try:
                request, source = self._socket.recvfrom(4096)
            except OSError:
                return
            if self.silent:
                continue
            if request[0] == ACCOUNTING_REQUEST:
                self._note(dict(_attributes(request)))
            head = b"\x05" + request[1:2] + b"\0\x14"
            self._socket.sendto(head + hashlib.md5(head + request[4:20] + b"radius").digest(), source)

    def _note(self, said: dict[int, bytes]) -> None:
        status = StatusType(int.from_bytes(said[40], "big"))
        at = int.from_bytes(said[55], "big")
        self.records[said[44].decode(), status, at] = (said.get(1, b""), said.get(8, b""))

    def counted(self, status: StatusType) -> Counter[str]:
        return Counter(session for session, what, _ in list(self.records) if what is status)

    @property
    def going_on(self) -> dict[bytes, Ipv4]:
        """Whose session has no Stop yet, and with which address."""
        over = self.counted(STOP)
        return {
            nai: Ipv4(int.from_bytes(home, "big"))
            for (session, status, _), (nai, home) in list(self.records.items())
            if status is START and session not in over
        }

    def wait_for(self, had: dict[int, Ipv4]) -> None:
        """Until those are known to be here, and nobody else; each session has begun once, and ended once at most."""
        wanted = {nai(node): home for node, home in had.items()}
        end = time.monotonic() + 30
        while self.going_on != wanted:
            assert time.monotonic() < end, (self.going_on, wanted)
            time.sleep(0.1)
        starts, stops = self.counted(START), self.counted(STOP)
        assert set(starts.values()) <= {1} and set(stops.values()) <= {1} and stops.keys() <= starts.keys()


def _attributes(packet: bytes) -> Iterator[tuple[int, bytes]]:
    at, end = 20, int.from_bytes(packet[2:4], "big")
    while at < end:
        yield packet[at], packet[at + 2 : at + packet[at + 1]]
        at += packet[at + 1]


@pytest.fixture
def network() -> Iterator[list[Mag]]:
    require("ip")
    with private_network(), mags(2) as made:
        yield made


@pytest.fixture
def ledger(network: list[Mag]) -> Iterator[Ledger]:
    made = Ledger()
    yield made
    made.close()


@pytest.fixture
def lma(tmp_path: Path, ledger: Ledger) -> Iterator[Lma]:
    made = Lma(tmp_path)
    made.more = ACCOUNTING.replace("SPOOL", str(tmp_path / "spool" / "lma.accounting"))
    for directory in ("journal", "spool"):
        (tmp_path / directory).mkdir(mode=0o700)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.kill()


def register(mag: Mag, *nodes: int, **fields: int) -> dict[int, Ipv4]:
    replies = mag.register(*nodes, **fields)
    assert {reply.code for reply in replies.values()} == {1}
    return {node: reply.home_address for node, reply in replies.items()}


@covers("AA20", "AA22")
def test_no_session_is_lost_or_doubled_whoever_is_killed(
    lma: Lma, network: list[Mag], ledger: Ledger
) -> None:
    """One worker, worker 0 and so all, and with another number of workers."""
    here, there = network
    lma.start(3)
    had = register(here, *range(60))
    ledger.wait_for(had)
    assert lma.others().keys() == {1, 2}
    begun = ledger.counted(START)

    lma.kill(1)
    had |= register(there, *range(20))  # handed over meanwhile, or right after
    lma.wait_for("all 3 workers serve", times=2)
    had |= register(here, *range(60, 80))
    ledger.wait_for(had)
    assert begun.keys() <= ledger.counted(START).keys() and not ledger.counted(STOP)

    ledger.silent = True
    register(there, *range(10), lifetime=0)
    for node in range(10):
        del had[node]
    had |= register(here, *range(80, 100))
    lma.kill()
    for workers in (4, 1):
        lma.start(workers)
        had |= register(there, *range(20, 30))
        lma.kill()
    ledger.silent = False
    lma.start(3)
    ledger.wait_for(had)
    assert len(ledger.counted(START)) == 100 and len(ledger.counted(STOP)) == 10

    [row, *others] = lma.ask("show", "accounting")
    assert (row["worker"], row["sessions"], row["waiting"]) == ("all", 90, 0)
    assert [each["worker"] for each in others] == [0, 1, 2]
    assert sum(int(str(each["sessions"])) for each in others) == 90
    os.kill(lma.others()[2], 15)  # as a supervisor ends all
    lma.stop()
    assert not ledger.counted(StatusType.ACCOUNTING_OFF)
