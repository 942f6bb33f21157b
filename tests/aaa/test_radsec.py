"""RADIUS over TLS on real sockets: whom we believe, what connections carry, and what becomes of broken ones."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from twisted.internet.posixbase import PosixReactorBase

from pmip_tw.aaa.radius.configuration import RadiusServer, RadiusSettings, ServerGroup
from pmip_tw.aaa.radius.outcome import AUTHENTICATION, Answered, RadiusOutcome, Unanswered
from pmip_tw.addresses import Endpoint
from pmip_tw.errors import ConfigurationError
from pmip_tw.lab.certificates import Authority, Credentials
from pmip_tw.net.radius_client import RadiusClient
from pmip_tw.net.radsec import RadsecLink
from pmip_tw.net.tls_names import TlsFiles, client_side
from pmip_tw.wire.radius import Attributes, AttributeType, Request, text
from tests.aaa.radsec_house import NAME, RADSEC, served
from tests.clocks import UnarmedClock
from tests.loops import private_reactor, run_until
from tests.observers import Notes


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def reactor() -> Iterator[PosixReactorBase]:
    with private_reactor() as private:
        yield private


class Asking:
    """A client of one server that is asked over TLS."""

    def __init__(
        self,
        reactor: PosixReactorBase,
        directory: Path,
        endpoint: Endpoint,
        believed: Authority,
        *,
        name: str = NAME,
        own: Credentials | None = None,
        window: int = 50,
    ) -> None:
        self.reactor = reactor
        self.notes = Notes()
        (directory / "ca.pem").write_bytes(believed.certificate)
        paths = (None, None) if own is None else own.write(directory, "own")
        files = TlsFiles(authorities=directory / "ca.pem", certificate=paths[0], key=paths[1])
        link = RadsecLink(reactor, endpoint, client_side(files, name))
        server = RadiusServer(endpoint=endpoint, secret=RADSEC, tls=True, max_outstanding=window)
        settings = RadiusSettings(groups=(ServerGroup(name=AUTHENTICATION, servers=(server,)),), timeout=1.0)
        self.client = RadiusClient(reactor, UnarmedClock(), settings, self.notes, links={endpoint: link})
        self.found: list[RadiusOutcome] = []

    def ask(self, *names: str) -> list[RadiusOutcome]:
        before = len(self.found)
        for name in names:
            request = Request(attributes=Attributes([text(AttributeType.USER_NAME, name)]))
            self.client.ask(request, AUTHENTICATION).addCallback(self.found.append)
        run_until(self.reactor, lambda: len(self.found) == before + len(names))
        return self.found[before:]

    def state(self) -> object:
        [row] = self.client.servers()
        return row["state"]


def locked(key: bytes) -> bytes:
    """The same with a passphrase."""
    return serialization.load_pem_private_key(key, password=None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"passphrase"),
    )


def classes(outcomes: list[RadiusOutcome]) -> list[bytes | None]:
    return [one.answer.attributes.first(AttributeType.CLASS) for one in outcomes if isinstance(one, Answered)]


@pytest.mark.parametrize("in_pieces", [False, True])
def test_many_on_one_connection(
    reactor: PosixReactorBase, authority: Authority, tmp_path: Path, in_pieces: bool
) -> None:
    """However TCP cuts it."""
    house = served(reactor, authority)
    house.in_pieces = in_pieces
    asking = Asking(reactor, tmp_path, house.endpoint, authority)
    names = [f"mn{number}" for number in range(200)]
    assert classes(asking.ask(*names)) == [name.encode() for name in names]
    assert len(house.connections) == 1
    assert asking.notes.all[0].name == "radius-connected"
    asking.client.stop()


def test_an_address_may_be_the_name(reactor: PosixReactorBase, authority: Authority, tmp_path: Path) -> None:
    house = served(reactor, authority, "127.0.0.1")
    asking = Asking(reactor, tmp_path, house.endpoint, authority, name="127.0.0.1")
    assert classes(asking.ask("mn1")) == [b"mn1"]
    asking.client.stop()


@pytest.mark.parametrize(
    ("name", "another", "said"),
    [
        ("other.example.net", False, "its certificate is another's"),
        (NAME, True, "from nobody whom we trust"),
    ],
)
def test_whoever_is_somebody_else_hears_nothing(
    reactor: PosixReactorBase, authority: Authority, tmp_path: Path, name: str, another: bool, said: str
) -> None:
    house = served(reactor, authority, name)
    asking = Asking(reactor, tmp_path, house.endpoint, Authority() if another else authority)
    [outcome] = asking.ask("mn1")
    assert isinstance(outcome, Unanswered) and said in outcome.cause
    assert house.twin.requests == [] and house.twin.probes == 0
    assert asking.state() == "dead"
    asking.client.stop()


def test_whose_certificate_names_no_machine_is_nobody(
    reactor: PosixReactorBase, authority: Authority, tmp_path: Path
) -> None:
    """Whoever has any certificate of the authority, such as a user's, could be each server by it."""
    house = served(reactor, authority, alternative=False)
    asking = Asking(reactor, tmp_path, house.endpoint, authority)
    [outcome] = asking.ask("mn1")
    assert isinstance(outcome, Unanswered) and "its certificate is another's" in outcome.cause
    assert house.twin.requests == [] and house.twin.probes == 0
    asking.client.stop()


def test_we_show_who_we_are_where_that_is_asked(
    reactor: PosixReactorBase, authority: Authority, tmp_path: Path
) -> None:
    house = served(reactor, authority, asks=True)
    own = authority.issue("mag1.example.net")
    asking = Asking(reactor, tmp_path, house.endpoint, authority, own=own)
    assert classes(asking.ask("mn1")) == [b"mn1"]
    asking.client.stop()


def test_a_server_that_does_not_know_us_is_dead_and_not_asked_in_a_circle(
    reactor: PosixReactorBase, authority: Authority, tmp_path: Path
) -> None:
    house = served(reactor, authority, asks=True)
    asking = Asking(reactor, tmp_path, house.endpoint, authority, own=Authority().issue("mag1.example.net"))
    [outcome] = asking.ask("mn1")
    assert isinstance(outcome, Unanswered) and outcome.cause
    assert len(house.connections) <= 2 and house.twin.requests == []
    asking.client.stop()


def test_a_broken_connection_is_made_again_and_nothing_is_lost(
    reactor: PosixReactorBase, authority: Authority, tmp_path: Path
) -> None:
    house = served(reactor, authority)
    asking = Asking(reactor, tmp_path, house.endpoint, authority)
    asking.ask("mn1")
    run_until(reactor, lambda: asking.state() == "alive" and house.twin.probes)
    house.twin.silent = True
    asking.client.ask(Request(attributes=Attributes([text(1, "mn2")])), AUTHENTICATION).addCallback(
        asking.found.append
    )
    run_until(reactor, lambda: len(house.twin.requests) == 2)
    house.twin.silent = False
    [connection] = house.connections
    assert connection.transport is not None
    connection.transport.abortConnection()  # type: ignore[attr-defined]
    run_until(reactor, lambda: len(asking.found) == 2)
    assert classes(asking.found) == [b"mn1", b"mn2"]
    assert house.twin.requests[1] == house.twin.requests[2], "the same octets"
    assert [one.reason for one in asking.notes.named("radius-disconnected")] == ["disconnected"]
    asking.client.stop()


def test_what_is_not_radius_ends_the_connection(
    reactor: PosixReactorBase, authority: Authority, tmp_path: Path
) -> None:
    house = served(reactor, authority)
    house.twin.knows_status = False
    house.twin.decides = lambda received: None
    asking = Asking(reactor, tmp_path, house.endpoint, authority)
    request = Request(attributes=Attributes([text(1, "mn1")]))
    asking.client.ask(request, AUTHENTICATION).addCallback(asking.found.append)
    run_until(reactor, lambda: house.twin.requests)
    assert house.connections[0].transport is not None
    house.connections[0].transport.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    run_until(reactor, lambda: asking.notes.named("radius-disconnected"))
    assert "that is not RADIUS" in asking.notes.named("radius-disconnected")[0].cause
    asking.client.stop()


def test_files_and_names_that_are_no_use_are_told(authority: Authority, tmp_path: Path) -> None:
    """Before anything is asked, and which of them."""
    (tmp_path / "ca.pem").write_bytes(authority.certificate)
    certificate, key = authority.issue("mag1.example.net").write(tmp_path, "own")
    _, other_key = authority.issue("mag2.example.net").write(tmp_path, "other")
    (tmp_path / "empty.key").touch()
    (tmp_path / "locked.key").write_bytes(locked(key.read_bytes()))
    for name, used, said in (
        (NAME, other_key, "other.key: is not the key of the certificate in"),
        (NAME, tmp_path / "empty.key", "empty.key: no private key in PEM form"),
        (NAME, tmp_path / "locked.key", "locked.key: the key has a passphrase"),
        (NAME, tmp_path / "none.key", "none.key: No such file or directory"),
        ("not a name", key, "'not a name' is not the name of a machine"),
    ):
        files = TlsFiles(authorities=tmp_path / "ca.pem", certificate=certificate, key=used)
        with pytest.raises(ConfigurationError, match=said):
            client_side(files, name)
    for pem in ("", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        (tmp_path / "broken.pem").write_text(pem)
        with pytest.raises(ConfigurationError, match=r"broken\.pem: no certificate in PEM form"):
            client_side(TlsFiles(authorities=tmp_path / "broken.pem"), NAME)


def test_nobody_is_there(reactor: PosixReactorBase, authority: Authority, tmp_path: Path) -> None:
    house = served(reactor, authority)
    assert house.listening is not None
    house.listening.stopListening()
    reactor.iterate(0)
    asking = Asking(reactor, tmp_path, house.endpoint, authority)
    [outcome] = asking.ask("mn1")
    assert isinstance(outcome, Unanswered) and "connection refused" in outcome.cause
    asking.client.stop()
    assert reactor.getDelayedCalls() == []
