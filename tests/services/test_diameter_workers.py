"""An LMA of three processes whose nodes' keys are at a Diameter server: one connection, by the LMA's name."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pmip_tw.addresses import ipv4
from pmip_tw.lab.certificates import Authority
from pmip_tw.lab.diameter_aaa import DiameterUser
from pmip_tw.lab.diameter_server import READY, DiameterServer, toml
from pmip_tw.lma.workers.slices import worker_of_nai
from tests.conformance import covers
from tests.namespaces import private_network
from tests.programs import require
from tests.services.workers import LMA, Lma, mags, nai, node_of

WORKERS = 3
NODES = range(9)
AAA = "127.0.9.53"
VISITED = "127.0.9.60"
AAA_SPI, AAA_KEY = 12288, "what node and AAA share"


class Aaa:
    """The laboratory's server in a process of its own, which knows everybody's key."""

    def __init__(self, directory: Path) -> None:
        self._authority = Authority()
        self._directory = directory
        self._server = DiameterServer(
            directory=directory / "aaa",
            name="aaa.example.net",
            realm="example.net",
            address=ipv4(AAA),
            users=tuple(
                DiameterUser(
                    mac=str(node),
                    nai=nai(node).decode(),
                    lma=ipv4(LMA),
                    spi=4096,
                    key_text="0123456789abcdef",
                    aaa_spi=AAA_SPI,
                    aaa_key_text=AAA_KEY,
                    home_agent="lma1.example.net",
                    home_agent_realm="example.net",
                )
                for node in NODES
            ),
            commands=directory / "aaa.sock",
        )
        self.said: list[str] = []

    def start(self) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            self._server.argv(self._authority),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self._directory,
        )
        threading.Thread(target=self._listen, args=[process], daemon=True).start()
        end = time.monotonic() + 60
        while not any(READY in line for line in self.said):
            assert process.poll() is None and time.monotonic() < end, "".join(self.said)
            time.sleep(0.05)
        return process

    def _listen(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.said.append(line)

    def asked(self, event: str) -> list[dict[str, str]]:
        rows = [json.loads(line) for line in self.said if line.startswith("{")]
        return [row for row in rows if row["event"] == event]

    def command(self, text: str) -> None:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._server.commands))
            connection.sendall(f"{text}\n".encode())

    def visited_by(self, node: int) -> list[dict[str, object]]:
        """What a foreign agent is answered that registers and de-registers the node, by AAA and by UDP."""
        certificate, key = self._authority.issue("fa.example.net").write(self._directory, "fa")
        table = {
            "name": "fa.example.net",
            "realm": "example.net",
            "server_realm": "example.net",
            "address": VISITED,
            "lma": LMA,
            "relay": "aaa.example.net",
            "relay_address": AAA,
            "relay_port": 5868,
            "authorities": self._directory / "ca.pem",
            "certificate": certificate,
            "key": key,
            "nai": nai(node).decode(),
            "spi": 4096,
            "mn_ha_key": "0123456789abcdef",
            "aaa_spi": AAA_SPI,
            "aaa_key": AAA_KEY,
        }
        file = self._directory / "fa.toml"
        file.write_text("\n".join(toml(table)))
        done = subprocess.run(
            [sys.executable, "-m", "pmip_tw.lab.foreign_agent", str(file)],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    def settings(self) -> str:
        certificate, key = self._authority.issue("lma1.example.net").write(self._directory, "lma")
        trusted = self._directory / "ca.pem"
        trusted.write_bytes(self._authority.certificate)
        return (
            f'[lma.diameter]\nidentity = "lma1.example.net"\nrealm = "example.net"\n'
            f'purposes = ["authentication"]\nmobile_ipv4 = true\nreconnect_interval = 1\nca_file = "{trusted}"\n'
            f'certificate_file = "{certificate}"\nkey_file = "{key}"\n'
            f'[[lma.diameter.peers]]\nidentity = "aaa.example.net"\naddress = "{AAA}"\n'
        )


@pytest.fixture
def aaa(tmp_path: Path) -> Iterator[Aaa]:
    require("ip")
    with private_network():
        made = Aaa(tmp_path)
        process = made.start()
        yield made
        process.kill()
        process.wait()


@covers("AA10", "AA23")
def test_every_worker_gets_keys_through_the_one_connection(aaa: Aaa, tmp_path: Path) -> None:
    lma = Lma(tmp_path, nodes=0)
    lma.more = aaa.settings()
    (tmp_path / "journal").mkdir(mode=0o700)
    with mags(1) as (mag,):
        try:
            lma.start(WORKERS)
            replies = mag.register_until(1, *NODES)
            assert {worker_of_nai(nai(node), WORKERS) for node in replies} == set(range(WORKERS))
            [peer] = lma.ask("show", "peers")
            assert (peer["peer"], peer["state"]) == ("aaa.example.net", "open")
            sessions = [row["session"] for row in aaa.asked("keys")]
            assert {row["nai"] for row in aaa.asked("keys")} == {nai(node).decode() for node in NODES}
            assert len(set(sessions)) == len(sessions), "no two workers name a session alike"
            assert {session.split(";")[0] for session in sessions} == {"lma1.example.net"}
            assert lma.ask("show", "counters")
            # A worker that is killed has forgotten the keys, and gets them again.
            before = len(sessions)
            lma.kill(1)
            lma.wait_for(f"all {WORKERS} workers serve", times=2)
            assert set(mag.register_until(1, *NODES)) == set(NODES)
            assert len(aaa.asked("keys")) > before
            assert len(lma.ask("show", "bindings")) == len(NODES)
            lma.stop()
        finally:
            if lma.process is not None and lma.process.poll() is None:
                lma.kill()


@covers("AA23")
def test_what_aaa_brings_is_led_to_the_worker_that_has_the_node(aaa: Aaa, tmp_path: Path) -> None:
    """RFC 4004: the reply goes back the same way, and so does the end of the session."""
    lma = Lma(tmp_path, nodes=0)
    lma.more = aaa.settings()
    (tmp_path / "journal").mkdir(mode=0o700)
    try:
        lma.start(WORKERS)
        for worker in range(WORKERS):
            node = node_of(worker, WORKERS)
            said = aaa.visited_by(node)
            assert [one["event"] for one in said] == ["ama", "ama", "udp", "udp", "ama"]
            assert all(one["code"] in (0, 1) and one["proven"] for one in said), json.dumps(said)
            names = [row["name"] for row in lma.ask("trace", nai(node).decode())]
            assert names.count("registration-brought") == 3
        assert {row["cause"] for row in aaa.asked("termination")} == {1}
        assert len(aaa.asked("termination")) == WORKERS
        assert len(lma.ask("show", "bindings")) == WORKERS
        for worker in range(WORKERS):
            aaa.command(f"abort {nai(node_of(worker, WORKERS)).decode()}")
        end = time.monotonic() + 30
        while len(aaa.asked("termination")) < 2 * WORKERS:
            assert time.monotonic() < end, "".join(aaa.said)
            time.sleep(0.05)
        assert lma.ask("show", "bindings") == []
        lma.stop()
    finally:
        if lma.process is not None and lma.process.poll() is None:
            lma.kill()
