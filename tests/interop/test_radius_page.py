"""docs/radius.md works as it is written: its files in FreeRADIUS's own tree, its table of mistakes word for word."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.aaa.verdicts import Accept, MacCredential, Reject, Unavailable, Verdict
from pmip_tw.addresses import Endpoint, Mac, ipv4, mac
from pmip_tw.mag.effects import Authenticate
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.secret import Secret
from pmip_tw.wire.dhcp import MessageType
from tests.loops import private_reactor, run_until
from tests.mag.bench import Bench, note
from tests.namespaces import private_network
from tests.observers import Notes
from tests.radius_clients import authenticator_at

PAGE = (Path(__file__).parents[2] / "docs" / "radius.md").read_text()
STOCK = Path("/etc/freeradius/3.0")
PROGRAM = "freeradius"
NODE, STRANGER = mac("02:00:00:00:00:01"), mac("02:00:00:00:00:09")
MAG, SERVER = ipv4("198.51.100.10"), Endpoint(ipv4("198.51.100.53"), 1812)

Change = Callable[[str], str]
"""Makes a mistake in a file of the page."""


def files_of_the_page() -> dict[str, str]:
    """Path below /etc/freeradius/3.0 -> the text that the page gives for it."""
    found = re.findall(r"`/etc/freeradius/3\.0/([^`]+)`[^\n]*:\n\n```\n(.*?)```\n", PAGE, re.S)
    assert len(found) == 3
    return dict(found)


CLIENTS, USERS, SITE = files_of_the_page()


def without(line: str) -> Change:
    """The same file with every line that has ``line`` in it taken out."""
    return lambda text: "".join(one for one in text.splitlines(True) if line not in one)


def tree(directory: Path, changes: dict[str, Change]) -> Path:
    """FreeRADIUS's own tree with the page's files in it, each changed as ``changes`` says."""
    shutil.copytree(STOCK, directory, symlinks=True)
    for link in re.findall(r"^ +rm /etc/freeradius/3\.0/(\S+)$", PAGE, re.M):
        (directory / link).unlink()
    for name, text in files_of_the_page().items():
        changed = changes.get(name, str)(text)
        assert (changed != text) == (name in changes), f"the mistake in {name} is none"
        path = directory / name
        path.write_text((path.read_text() if name == CLIENTS else "") + changed)
    # It runs as root here, for this directory is root's, and keeps away from the machine's own files.
    main = directory / "radiusd.conf"
    text = re.sub(r"^\s*(user|group) = \w+\n", "", main.read_text(), flags=re.M)
    text = re.sub(r"^(logdir|run_dir) = .*$", rf"\1 = {directory}", text, flags=re.M)
    main.write_text(text.replace("reject_delay = 1", "reject_delay = 0"))
    return directory


@contextmanager
def running(directory: Path, changes: dict[str, Change]) -> Iterator[None]:
    raddb = tree(directory / "raddb", changes)
    log = directory / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [PROGRAM, "-f", "-l", "stdout", "-d", str(raddb)], stdout=output, stderr=subprocess.STDOUT
        )
    try:
        end = time.monotonic() + 60
        while "Ready to process requests" not in log.read_text():
            assert process.poll() is None and time.monotonic() < end, log.read_text()
            try:
                process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
        yield
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def network() -> Iterator[None]:
    """MAG and server as the page has them, both on this machine."""
    if os.geteuid() != 0 or shutil.which(PROGRAM) is None or not (STOCK / "radiusd.conf").exists():
        pytest.skip("needs root and FreeRADIUS (Debian package freeradius)")
    with private_network():
        for address in ("198.51.100.10", "198.51.100.53"):
            subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)
        yield


def ask(*who: Mac, secret: str = "change-me-too", timeout: float = 2.0) -> tuple[list[Verdict], Notes]:
    """One after the other, as one MAG; the last verdict is the interesting one."""
    verdicts: list[Verdict] = []
    notes = Notes()
    with private_reactor() as reactor:
        authenticator = authenticator_at(
            reactor,
            [SERVER],
            notes,
            local=MAG,
            nas=Nas(identifier="mag1.example.net", address=MAG),
            secret=secret.encode(),
            timeout=timeout,
        )
        for one in who:
            before = len(verdicts)
            authenticator.authenticate(MacCredential(mac=one, port="eth1")).addCallback(verdicts.append)
            run_until(reactor, lambda before=before: len(verdicts) > before, 30)
        authenticator.stop()
    return verdicts, notes


def in_the_page(cause: str) -> bool:
    """Whether the table of mistakes has that text (after the server's address, if it begins with one)."""
    return f"| {cause.removeprefix(f'{SERVER}: ').removeprefix(f'{SERVER} ')} |" in PAGE


def test_the_page_is_a_working_configuration(network: None, tmp_path: Path) -> None:
    with running(tmp_path, {}):
        [accept, reject, again], notes = ask(NODE, STRANGER, NODE)
    association = SecurityAssociation(4096, Secret(b"0123456789abcdef"))
    assert accept == again
    assert accept == Accept(Profile(nai="mn1@example.net", lmas=(ipv4("192.0.2.1"),), mn_ha=association))
    assert isinstance(reject, Reject) and in_the_page(reject.cause)
    assert [note.name for note in notes.all if note.reason] == []


SIGNING = re.compile(r"( *update reply \{\n *&Message-Authenticator := 0x00\n *\}\n)")


def unsigned_rejects(site: str) -> str:
    _, reject = SIGNING.finditer(site)
    return site[: reject.start()] + site[reject.end() :]


@pytest.mark.parametrize(
    ("file", "change"),
    [
        (USERS, without("User-Name")),
        (USERS, lambda text: text.replace("0123456789abcdef", "01234567")),
        (USERS, lambda text: text.replace("4096", "12")),
        (USERS, lambda text: text.replace("02-00", "02:00")),
    ],
    ids=["no NAI", "short key", "reserved SPI", "other MAC format"],
)
def test_mistakes_that_refuse(network: None, tmp_path: Path, file: str, change: Change) -> None:
    with running(tmp_path, {file: change}):
        [verdict], _ = ask(NODE)
    assert isinstance(verdict, Reject) and in_the_page(verdict.cause), verdict


def test_an_accept_without_lma_is_of_no_use_to_a_mag_without_default(network: None, tmp_path: Path) -> None:
    with running(tmp_path, {USERS: without("Home-Agent")}):
        [verdict], _ = ask(NODE)
    assert isinstance(verdict, Accept) and verdict.profile.lmas == ()
    bench = Bench()
    heard = bench.hear(bench.station.dhcp(MessageType.DISCOVER))
    [asked] = [effect for effect in heard if isinstance(effect, Authenticate)]
    bench.decide(asked, verdict)
    assert in_the_page(note("visitor-removed", bench.effects).cause)


def test_mistakes_that_look_like_silence(network: None, tmp_path: Path) -> None:
    [closed], _ = ask(NODE, timeout=0.1)
    with running(tmp_path, {}):
        [other_secret], _ = ask(NODE, secret="change-me", timeout=0.1)
    assert isinstance(closed, Unavailable) and in_the_page(closed.cause), closed
    assert isinstance(other_secret, Unavailable) and in_the_page(other_secret.cause), other_secret


def test_unknown_client(network: None, tmp_path: Path) -> None:
    with running(tmp_path, {CLIENTS: lambda text: text.replace("198.51.100.10", "198.51.100.11")}):
        [verdict], _ = ask(NODE, timeout=0.1)
    assert isinstance(verdict, Unavailable) and in_the_page(verdict.cause), verdict


def test_server_that_signs_nothing(network: None, tmp_path: Path) -> None:
    with running(tmp_path, {SITE: lambda text: SIGNING.sub("", text)}):
        [accept], notes = ask(NODE)
    assert isinstance(accept, Accept)
    [warning] = notes.named("radius-server-unsigned")
    assert in_the_page(warning.cause), warning


def test_signed_accepts_with_unsigned_rejects(network: None, tmp_path: Path) -> None:
    with running(tmp_path, {SITE: unsigned_rejects}):
        [accept, refused], _ = ask(NODE, STRANGER, timeout=0.5)
    assert isinstance(accept, Accept)
    assert isinstance(refused, Unavailable) and in_the_page(refused.cause), refused
