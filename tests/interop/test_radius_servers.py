"""The RADIUS client against FreeRADIUS that is killed and comes back, and over TLS, by settings as in a file."""

import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from twisted.internet.posixbase import PosixReactorBase

from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.radius.outcome import ACCOUNTING, Answered, RadiusOutcome
from pmip_tw.aaa.verdicts import Accept, MacCredential, Unavailable, Verdict
from pmip_tw.addresses import Mac, ipv4, mac
from pmip_tw.config.settings.radius import RadiusServer, RadiusSettings
from pmip_tw.lab.certificates import Authority
from pmip_tw.lab.freeradius import PROGRAM, FreeRadius, RadiusUser, Tls
from pmip_tw.net.radius import RadiusAuthenticator
from pmip_tw.secret import Secret
from pmip_tw.services.radius import radius_client_of
from pmip_tw.wire.radius import Attributes, AttributeType, Code, Request, number, text
from tests.clocks import UnarmedClock
from tests.conformance import covers
from tests.loops import private_reactor, run_until
from tests.namespaces import private_network
from tests.observers import Notes

MN1 = mac("02:00:00:00:00:01")
USER = RadiusUser(
    mac=MN1, nai="mn1@example.net", lma=ipv4("192.0.2.1"), spi=4096, key_text="0123456789abcdef"
)
SECRET = Secret(b"testing123")
NAS = Nas(identifier="mag1.example.net", address=ipv4("198.51.100.10"))
FIRST, SECOND = 1812, 1912
RADSEC = 2083


class Server:
    """A FreeRADIUS that can be killed and started again."""

    def __init__(
        self, directory: Path, port: int, tls: Tls | None = None, users: Sequence[RadiusUser] = (USER,)
    ) -> None:
        self._server = FreeRadius(
            directory=directory,
            address="127.0.0.1",
            port=port,
            secret="testing123",
            clients="127.0.0.0/8",
            users=users,
            tls=tls,
        )
        self._server.write()
        self.detail = self._server.detail
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._server.debug_log.open("w") as log:
            self._process = subprocess.Popen(self._server.argv(), stdout=log, stderr=subprocess.STDOUT)
        end = time.monotonic() + 60
        while not self._server.ready(self._server.debug_log.read_text()):
            assert self._process.poll() is None and time.monotonic() < end, self._server.debug_log.read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait(10)


@pytest.fixture(scope="module")
def network() -> Iterator[None]:
    if shutil.which(PROGRAM) is None:
        pytest.skip("FreeRADIUS is not installed (Debian package freeradius)")
    with private_network():
        yield


@pytest.fixture
def reactor() -> Iterator[PosixReactorBase]:
    with private_reactor() as private:
        yield private


class Mag:
    """What a MAG asks with."""

    def __init__(self, reactor: PosixReactorBase, *servers: RadiusServer, timeout: float = 0.5) -> None:
        self._reactor = reactor
        self.notes = Notes()
        table = RadiusSettings(servers=servers, timeout=timeout, probe_interval=1, dead_time=1)
        self.client = radius_client_of(table, NAS, reactor, UnarmedClock(), self.notes)
        self._authenticator = RadiusAuthenticator(self.client, NAS)

    def ask(self, *who: Mac) -> list[Verdict]:
        found: list[Verdict] = []
        for one in who:
            self._authenticator.authenticate(MacCredential(mac=one, port="eth1")).addCallback(found.append)
        run_until(self._reactor, lambda: len(found) == len(who), 60)
        return found

    def states(self) -> list[object]:
        return [row["state"] for row in self.client.servers() if "authentication" in str(row["purposes"])]

    def until(self, *states: str) -> None:
        run_until(self._reactor, lambda: self.states() == list(states), 30)


def at(port: int) -> RadiusServer:
    return RadiusServer(
        address=ipv4("127.0.0.1"), port=port, accounting_port=port + 1, secret=SECRET, status_server="auto"
    )


def test_one_is_killed_both_are_killed_both_come_back(
    network: None, reactor: PosixReactorBase, tmp_path: Path
) -> None:
    """Attaches go on at the other one, say why when there is none, and go on when there is one again."""
    servers = [Server(tmp_path / "one", FIRST), Server(tmp_path / "two", SECOND)]
    try:
        for server in servers:
            server.start()
        mag = Mag(reactor, at(FIRST), at(SECOND))
        assert all(isinstance(verdict, Accept) for verdict in mag.ask(MN1))
        run_until(reactor, lambda: [r["status_server"] for r in mag.client.servers()][:2] == 2 * ["answered"])
        servers[0].kill()
        began = time.monotonic()
        assert all(isinstance(verdict, Accept) for verdict in mag.ask(*[MN1] * 20))
        assert time.monotonic() - began < 5
        mag.until("dead", "alive")
        servers[1].kill()
        verdicts = mag.ask(MN1, MN1)
        assert all(isinstance(verdict, Unavailable) for verdict in verdicts)
        assert all("127.0.0.1:1812" in one.cause for one in verdicts if isinstance(one, Unavailable))
        for server in servers:
            server.start()
        mag.until("alive", "alive")
        assert all(isinstance(verdict, Accept) for verdict in mag.ask(*[MN1] * 20))
        names = [one.name for one in mag.notes.all if one.name.startswith("radius-server-")]
        assert names.count("radius-server-dead") == 2 and names[-1] == "radius-server-alive"
        mag.client.stop()
    finally:
        for server in servers:
            server.kill()


@covers("AA3", "AA6")
def test_over_tls_with_everything_that_is_asked(
    network: None, reactor: PosixReactorBase, tmp_path: Path
) -> None:
    """Our certificate, its name, one request at a time (3.2.1 takes no more), accounting on the same connection."""
    authority = Authority()
    server = Server(tmp_path / "one", FIRST, Tls(authority=authority, radsec=RADSEC))
    certificate, key = authority.issue("mag1.example.net").write(tmp_path, "mag")
    (tmp_path / "ca.pem").write_bytes(authority.certificate)
    over_tls = RadiusServer(
        address=ipv4("127.0.0.1"),
        transport="tls",
        radsec_port=RADSEC,
        ca_file=str(tmp_path / "ca.pem"),
        certificate_file=str(certificate),
        key_file=str(key),
        server_name="aaa.lab.example",
    )
    try:
        server.start()
        mag = Mag(reactor, over_tls, timeout=5.0)
        verdicts = mag.ask(*[MN1] * 100)
        assert all(isinstance(verdict, Accept) for verdict in verdicts)
        assert [one.name for one in mag.notes.all].count("radius-connected") == 1
        assert mag.notes.named("radius-answer-discarded") == []
        record = Request(
            code=Code.ACCOUNTING_REQUEST,
            attributes=Attributes(
                [
                    number(AttributeType.ACCT_STATUS_TYPE, 1),
                    text(AttributeType.ACCT_SESSION_ID, "over-tls"),
                    text(AttributeType.USER_NAME, "mn1@example.net"),
                ]
            ),
        )
        found: list[RadiusOutcome] = []
        mag.client.ask(record, ACCOUNTING).addCallback(found.append)
        run_until(reactor, lambda: found)
        assert isinstance(found[0], Answered) and found[0].answer.code is Code.ACCOUNTING_RESPONSE
        assert 'Acct-Session-Id = "over-tls"' in server.detail.read_text()
        server.kill()
        run_until(reactor, lambda: mag.states() == ["dead"])
        assert isinstance(mag.ask(MN1)[0], Unavailable)
        server.start()
        mag.until("alive")
        assert isinstance(mag.ask(MN1)[0], Accept)
        mag.client.stop()
    finally:
        server.kill()
