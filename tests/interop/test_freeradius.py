"""MAC authentication against an unmodified FreeRADIUS, in a network of its own."""

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import md5
from pathlib import Path

import attrs
import pytest
from twisted.internet.posixbase import PosixReactorBase

from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.aaa.verdicts import Accept, Challenge, EapCredential, MacCredential, Reject, Unavailable, Verdict
from pmip_tw.addresses import Endpoint, Mac, ipv4, mac, mac_text
from pmip_tw.lab.freeradius import PROGRAM, FreeRadius, RadiusUser, authentications
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.net.radius import RadiusAuthenticator
from pmip_tw.secret import Secret
from pmip_tw.wire.eap import IDENTITY, Eap, EapCode
from tests.conformance import covers
from tests.loops import private_reactor, run_until
from tests.namespaces import private_network
from tests.observers import Notes
from tests.radius_clients import authenticator_at

MN1, MN2, STRANGER = (mac(f"02:00:00:00:00:0{n}") for n in (1, 2, 9))
KEYS = {MN1: "0123456789abcdef", MN2: "a-key-of-33-octets-spans-3-blocks"}
USERS = [
    RadiusUser(mac=who, nai=f"mn{n}@example.net", lma=ipv4("192.0.2.1"), spi=4095 + n, key_text=KEYS[who])
    for n, who in enumerate((MN1, MN2), start=1)
]
PROFILES = {
    user.mac: Profile(
        nai=user.nai,
        lmas=(user.lma,),
        mn_ha=SecurityAssociation(user.spi, Secret(user.key_text.encode())),
    )
    for user in USERS
}
PROMPT, SLOW, CLOSED, OPEN = 1812, 1822, 1832, 1842
CALL_CHECK = "Service-Type == Call-Check, "
REJECT_DELAY = 1.0
MD5 = 4
DOCS = Path(__file__).parents[2] / "docs"
DOT1X_PAGE, RADIUS_PAGE = ((DOCS / name).read_text() for name in ("dot1x.md", "radius.md"))


@contextmanager
def running(
    directory: Path, port: int, reject_delay: float, *, call_check: bool = True
) -> Iterator[FreeRadius]:
    """Not ``call_check``: an operator has forgotten that MACs are no names for EAP."""
    server = FreeRadius(
        directory=directory,
        address="127.0.0.1",
        port=port,
        secret="testing123",
        clients="127.0.0.0/8",
        users=USERS,
        reject_delay=reject_delay,
    )
    server.write()
    if not call_check:
        entries = directory / "users"
        entries.write_text(entries.read_text().replace(CALL_CHECK, ""))
    with server.debug_log.open("w") as log:
        process = subprocess.Popen(server.argv(), stdout=log, stderr=subprocess.STDOUT)
    try:
        end = time.monotonic() + 60
        while not server.ready(server.debug_log.read_text()):
            assert process.poll() is None and time.monotonic() < end, server.debug_log.read_text()
            try:
                process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
        yield server
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, FreeRadius]]:
    """One that rejects at once, one that takes its time, and one that is careless with MACs, by port."""
    if shutil.which(PROGRAM) is None:
        pytest.skip("FreeRADIUS is not installed (Debian package freeradius)")
    directory = tmp_path_factory.mktemp("freeradius")
    with (
        private_network(),
        running(directory / "prompt", PROMPT, 0) as prompt,
        running(directory / "slow", SLOW, REJECT_DELAY) as slow,
        running(directory / "open", OPEN, 0, call_check=False) as careless,
    ):
        yield {PROMPT: prompt, SLOW: slow, OPEN: careless}


class Client:
    """Asks one port and waits for the verdicts."""

    def __init__(self, port: int, *, secret: str = "testing123", timeout: float = 2.0) -> None:
        self.notes = Notes()
        self._server = Endpoint(ipv4("127.0.0.1"), port)
        self._secret = secret.encode()
        self._timeout = timeout

    def ask(self, *who: Mac) -> list[Verdict]:
        """Ask about all of them at a time; the verdicts in that order."""
        found: dict[Mac, Verdict] = {}
        with private_reactor() as reactor:
            authenticator = self._authenticator(reactor)
            for one in who:
                authenticator.authenticate(MacCredential(mac=one, port="eth1")).addCallback(
                    lambda verdict, one=one: found.__setitem__(one, verdict)
                )
            run_until(reactor, lambda: len(found) == len(who), 30)
            authenticator.stop()
        return [found[one] for one in who]

    def prove_by_md5(self, name: str, password: str) -> Verdict:
        """A supplicant on a port with 802.1X, whose MAC is nobody's."""
        said = Eap(code=EapCode.RESPONSE, identifier=1, kind=IDENTITY, data=name.encode())
        conversation = None
        with private_reactor() as reactor:
            authenticator = self._authenticator(reactor)
            found: list[Verdict] = []
            for rounds in range(1, 4):
                credential = EapCredential(
                    mac=STRANGER,
                    port="eth1",
                    identity=name.encode(),
                    message=said.encode(),
                    conversation=conversation,
                )
                authenticator.authenticate(credential).addCallback(found.append)
                run_until(reactor, lambda rounds=rounds: len(found) == rounds, 30)
                verdict = found[-1]
                if not isinstance(verdict, Challenge):
                    break
                asked, conversation = Eap.decode(verdict.message), verdict.conversation
                assert asked.kind == MD5
                value = asked.data[1 : 1 + asked.data[0]]
                digest = md5(bytes((asked.identifier,)) + password.encode() + value).digest()
                said = attrs.evolve(asked, code=EapCode.RESPONSE, data=bytes((len(digest),)) + digest)
            authenticator.stop()
        return verdict

    def _authenticator(self, reactor: PosixReactorBase) -> RadiusAuthenticator:
        return authenticator_at(
            reactor,
            [self._server],
            self.notes,
            nas=Nas(identifier="mag1.example.net", address=ipv4("198.51.100.10")),
            secret=self._secret,
            timeout=self._timeout,
        )


def log_of(server: FreeRadius) -> list[tuple[Mac, bool]]:
    return authentications(server.debug_log.read_text())


@covers("AA11")
def test_accept_with_the_salted_key(servers: dict[int, FreeRadius]) -> None:
    """LMA, SPI and key arrive as they were configured, and FreeRADIUS logs the MAC."""
    client = Client(PROMPT)
    assert client.ask(MN1, MN2) == [Accept(PROFILES[MN1]), Accept(PROFILES[MN2])]
    assert {(MN1, True), (MN2, True)} <= set(log_of(servers[PROMPT]))
    assert client.notes.named("radius-server-unsigned") == []


@covers("AA24", "X1")
def test_a_mac_that_aaa_knows_is_no_name_for_eap(servers: dict[int, FreeRadius]) -> None:
    """docs/dot1x.md: everybody can read that name, and its password is the name."""
    name = mac_text(MN1, "-")
    [line] = re.findall(rf"`({name} {CALL_CHECK}[^`]*)`", DOT1X_PAGE)
    assert line in (servers[PROMPT].directory / "users").read_text()
    assert line in RADIUS_PAGE
    assert Client(PROMPT).ask(MN1) == Client(OPEN).ask(MN1) == [Accept(PROFILES[MN1])]
    assert isinstance(Client(PROMPT).prove_by_md5(name, name), Reject)
    assert isinstance(Client(OPEN).prove_by_md5(name, "guessed"), Reject)
    opened = Client(OPEN).prove_by_md5(name, name)
    assert isinstance(opened, Accept) and opened.profile.nai == "mn1@example.net", (
        "or this test shows nothing"
    )


@covers("AA3")
def test_reject_is_signed_too(servers: dict[int, FreeRadius]) -> None:
    """Otherwise a Reject would be dropped after the first signed Accept (AA3)."""
    client = Client(PROMPT)
    [verdict] = client.ask(STRANGER)
    assert isinstance(verdict, Reject)
    assert client.notes.named("radius-server-unsigned") == []
    assert (STRANGER, False) in log_of(servers[PROMPT])


def test_wrong_secret_is_silence_with_the_likely_cause(servers: dict[int, FreeRadius]) -> None:
    """FreeRADIUS drops a request whose Message-Authenticator does not verify."""
    before = log_of(servers[PROMPT])
    [verdict] = Client(PROMPT, secret="another", timeout=0.1).ask(MN1)
    assert isinstance(verdict, Unavailable)
    assert "wrong shared secret" in verdict.cause and "another" not in verdict.cause
    assert log_of(servers[PROMPT]) == before
    assert "Shared secret is incorrect" in servers[PROMPT].debug_log.read_text()


def test_server_down_is_told_by_icmp(servers: dict[int, FreeRadius]) -> None:
    [verdict] = Client(CLOSED, timeout=0.1).ask(MN1)
    assert verdict == Unavailable("127.0.0.1:1832: nothing listens on that port (ICMP port unreachable)")


@covers("AA6")
def test_retransmissions_are_one_authentication(servers: dict[int, FreeRadius]) -> None:
    """AA6: while FreeRADIUS holds a refusal back it recognizes the same octets as a duplicate."""
    client = Client(SLOW, timeout=REJECT_DELAY / 5)
    [verdict] = client.ask(STRANGER)
    assert isinstance(verdict, Reject)
    assert len(client.notes.named("radius-request-sent")) >= 2
    assert log_of(servers[SLOW]).count((STRANGER, False)) == 1


def test_256_strangers_do_not_keep_a_served_node_out(servers: dict[int, FreeRadius]) -> None:
    """Every identifier is in use while the refusals are held back; the known node waits for one of them at most."""
    crowd = [Mac(b"\2\0\0\1" + index.to_bytes(2, "big")) for index in range(256)]
    client = Client(SLOW)
    begun = time.monotonic()
    verdicts = client.ask(*crowd, MN1)
    assert verdicts[-1] == Accept(PROFILES[MN1])
    assert all(isinstance(verdict, Reject) for verdict in verdicts[:-1])
    assert time.monotonic() - begun < 3 * REJECT_DELAY + 20
    assert client.notes.named("radius-answer-discarded") == []


def test_log_reading() -> None:
    text = (
        "Auth: (0) Login OK: [02-00-00-00-00-01] (from client lab port 0 cli 02-00-00-00-00-01)\n"
        "Auth: (1) Login incorrect (pap: no match): [02-00-00-00-00-09] (from client lab port 0)\n"
        "Auth: (2) Login OK: [mn1@example.net] (from client lab port 0)\n"
    )
    assert authentications(text) == [(MN1, True), (STRANGER, False)]


def test_values_that_would_break_the_configuration_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="shared secret") as error:
        FreeRadius(
            directory=tmp_path, address="127.0.0.1", port=1, secret='a"b', clients="127.0.0.1/32", users=[]
        )
    assert 'a"b' not in str(error.value)
