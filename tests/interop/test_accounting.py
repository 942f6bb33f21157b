"""Accounting with FreeRADIUS as it is: a process that is killed at any moment, and a server that comes and goes.

What must be in its detail file is said by no ledger: every session that is there began once, ended once, and in that
order. What is there twice is the same: only a crash between an answer and its durability, on either side, does that.
"""

import random
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

from pmip_tw.lab.freeradius.logs import Record, records
from tests.conformance import covers
from tests.interop.test_radius_servers import Server, network

__all__ = ["network"]

KILLS = 14
OUTAGE = range(4, 8)
PORT = 1812
OF_THE_PACKET = {"Acct-Delay-Time", "Timestamp", "Acct-Unique-Session-Id", "NAS-Port"}
"""What is another one each time that a record is told."""


class Process:
    def __init__(self, spool: Path) -> None:
        arguments = [sys.executable, "-m", "tests.interop.accounting_teller", str(spool), str(PORT + 1)]
        self._process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def finish(self) -> None:
        self._process.communicate("finish\n", timeout=120)
        assert self._process.returncode == 0


@covers("AA20", "AA22")
def test_nothing_is_lost_and_only_the_same_is_there_twice(network: None, tmp_path: Path) -> None:
    server, chance = Server(tmp_path / "radius", PORT), random.Random(7)
    server.start()
    try:
        for number in range(KILLS):
            if number == OUTAGE.start:
                server.kill()
            if number == OUTAGE.stop:
                server.start()
            process = Process(tmp_path / "spool")
            time.sleep(chance.uniform(0.05, 0.8))
            process.kill()
        Process(tmp_path / "spool").finish()
        found = records(server.detail.read_text())
    finally:
        server.kill()
    sessions: defaultdict[str, list[Record]] = defaultdict(list)
    again = 0
    for record in found:
        if record["Acct-Status-Type"][0] not in ("Start", "Stop"):
            continue
        said = {name: value for name, value in record.items() if name not in OF_THE_PACKET}
        [session] = record["Acct-Session-Id"]
        if said in sessions[session]:
            again += 1
        else:
            sessions[session].append(said)
    told = {session: [one["Acct-Status-Type"][0] for one in said] for session, said in sessions.items()}
    assert len(told) > 100
    assert {session: said for session, said in told.items() if said != ["Start", "Stop"]} == {}
    # Those that a former process had begun and a later one has ended, and those that died with a process.
    causes = {said[-1]["Acct-Terminate-Cause"][0] for said in sessions.values()}
    assert causes == {"User-Request", "NAS-Reboot"}
    assert again <= 32 * (KILLS + 1), "more is there twice than was on its way"
