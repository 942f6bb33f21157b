"""What every IRadiusClient does."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from zope.interface.verify import verifyObject

from pmip_tw.aaa.radius.configuration import RadiusServer, RadiusSettings, ServerGroup
from pmip_tw.aaa.radius.outcome import ACCOUNTING, AUTHENTICATION, Answered, RadiusOutcome, Unanswered
from pmip_tw.addresses import Endpoint, ipv4
from pmip_tw.interfaces import IRadiusClient
from pmip_tw.lab.certificates import Authority
from pmip_tw.net.radius_client import RadiusClient
from pmip_tw.net.radsec import RadsecLink
from pmip_tw.net.tls_names import TlsFiles, client_side
from pmip_tw.secret import Secret
from pmip_tw.testing.radius_client import FakeRadiusClient, Reply
from pmip_tw.testing.radius_server import RadiusTwin, RadiusTwinProtocol
from pmip_tw.wire.radius import Attributes, AttributeType, Code, ReceivedRequest, Request, text
from pmip_tw.wire.salt_cipher import SaltCipher
from tests.aaa.radsec_house import NAME, served
from tests.clocks import UnarmedClock
from tests.loops import private_reactor, run_until
from tests.observers import Notes

FIRST = Endpoint(ipv4("127.0.0.1"), 1)
KEY = Secret(b"0123456789abcdef")


def known_as(name: str, code: Code = Code.ACCESS_REQUEST) -> Request:
    return Request(code=code, attributes=Attributes([text(AttributeType.USER_NAME, name)]))


def answers(request: Request, cipher: SaltCipher) -> Reply | None:
    """What all servers say: mn1 is known and has a key, mn2 is challenged, "silence" is not answered."""
    name = request.attributes.first(AttributeType.USER_NAME)
    if name == b"silence":
        return None
    if request.code is Code.ACCOUNTING_REQUEST:
        return Reply(Code.ACCOUNTING_RESPONSE)
    if name == b"mn1":
        keys = Attributes.of(vendor={(5535, 58): (cipher.encrypt(KEY, b"\x80\1"),)})
        return Reply(Code.ACCESS_ACCEPT, keys)
    if name == b"mn2":
        return Reply(Code.ACCESS_CHALLENGE, Attributes([(AttributeType.STATE, b"\0state")]))
    return Reply(Code.ACCESS_REJECT)


class Provider:
    """A client of two servers that say the same, and how to wait for it."""

    def __init__(self, client: IRadiusClient, turn: Callable[[Callable[[], object]], None]) -> None:
        self.client = client
        self._turn = turn

    def ask(
        self, *requests: Request, group: str = AUTHENTICATION, pinned: Endpoint | None = None
    ) -> list[RadiusOutcome]:
        found: dict[int, RadiusOutcome] = {}
        for number, request in enumerate(requests):
            self.client.ask(request, group, pinned).addCallback(
                lambda outcome, number=number: found.__setitem__(number, outcome)
            )
        self._turn(lambda: len(found) == len(requests))
        return [found[number] for number in range(len(requests))]

    def answer(
        self, request: Request, group: str = AUTHENTICATION, pinned: Endpoint | None = None
    ) -> Answered:
        [outcome] = self.ask(request, group=group, pinned=pinned)
        assert isinstance(outcome, Answered), outcome
        return outcome


def at_once(condition: Callable[[], object]) -> None:
    assert condition()


def says(twin: RadiusTwin) -> Callable[[ReceivedRequest], tuple[Code, Attributes] | None]:
    """``answers``, of a server on a real socket."""

    def decide(received: ReceivedRequest) -> tuple[Code, Attributes] | None:
        cipher = SaltCipher(twin.secret, received.authenticator)
        reply = answers(Request(code=received.code, attributes=received.attributes), cipher)
        return None if reply is None else (reply.code, reply.attributes)

    return decide


@contextmanager
def on_udp() -> Iterator[Provider]:
    """Two servers on loopback, with ports for both purposes."""
    with ExitStack() as stack:
        reactor = stack.enter_context(private_reactor())
        twin = RadiusTwin(Secret(b"testing123"))
        twin.decides = says(twin)

        def listen() -> RadiusServer:
            port = reactor.listenUDP(0, RadiusTwinProtocol(twin), interface="127.0.0.1")
            return RadiusServer(
                endpoint=Endpoint(FIRST.address, port.getHost().port),
                secret=twin.secret,
                max_outstanding=1000,
            )

        groups = tuple(
            ServerGroup(name=name, servers=(listen(), listen())) for name in (AUTHENTICATION, ACCOUNTING)
        )
        settings = RadiusSettings(groups=groups, timeout=0.2)
        client = RadiusClient(reactor, UnarmedClock(), settings, Notes())
        stack.callback(client.stop)
        yield Provider(client, lambda condition: run_until(reactor, condition))


@contextmanager
def over_tls(directory: Path) -> Iterator[Provider]:
    """The same by RADIUS over TLS: each connection serves both purposes."""
    with ExitStack() as stack:
        reactor = stack.enter_context(private_reactor())
        authority = Authority()
        houses = [served(reactor, authority, NAME) for _ in range(2)]
        for house in houses:
            house.twin.decides = says(house.twin)
        servers = tuple(
            RadiusServer(endpoint=house.endpoint, secret=house.twin.secret, tls=True, max_outstanding=200)
            for house in houses
        )
        (directory / "ca.pem").write_bytes(authority.certificate)
        trust = client_side(TlsFiles(authorities=directory / "ca.pem"), NAME)
        links = {house.endpoint: RadsecLink(reactor, house.endpoint, trust) for house in houses}
        groups = tuple(ServerGroup(name=name, servers=servers) for name in (AUTHENTICATION, ACCOUNTING))
        settings = RadiusSettings(groups=groups, timeout=0.2)
        client = RadiusClient(reactor, UnarmedClock(), settings, Notes(), links=links)
        stack.callback(client.stop)
        yield Provider(client, lambda condition: run_until(reactor, condition))


@pytest.fixture(params=["fake", "udp", "tls"])
def provider(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Provider]:
    if request.param == "udp":
        with on_udp() as provider:
            yield provider
    elif request.param == "tls":
        with over_tls(tmp_path) as provider:
            yield provider
    else:
        second = Endpoint(FIRST.address, 2)
        yield Provider(FakeRadiusClient({FIRST: answers, second: answers}), at_once)


class TestRadiusClient:
    """One class for all providers."""

    def test_provides_the_interface(self, provider: Provider) -> None:
        assert verifyObject(IRadiusClient, provider.client)

    def test_keys_in_an_answer_are_decrypted_by_its_cipher(self, provider: Provider) -> None:
        found = provider.answer(known_as("mn1"))
        assert found.answer.code is Code.ACCESS_ACCEPT
        [hidden] = found.answer.attributes.all_vendor(5535, 58)
        assert found.cipher.decrypt(hidden) == KEY
        assert "0123456789abcdef" not in repr(found)

    def test_a_conversation_stays_with_its_server(self, provider: Provider) -> None:
        first = provider.answer(known_as("mn2"))
        assert first.answer.code is Code.ACCESS_CHALLENGE
        assert first.answer.attributes.first(AttributeType.STATE) == b"\0state"
        assert provider.answer(known_as("mn1"), pinned=first.server).server == first.server

    def test_nobody_else_answers_for_a_server_that_is_unknown(self, provider: Provider) -> None:
        [outcome] = provider.ask(known_as("mn1"), pinned=Endpoint(ipv4("192.0.2.99"), 1812))
        assert isinstance(outcome, Unanswered) and outcome.cause

    def test_accounting(self, provider: Provider) -> None:
        request = known_as("mn1", Code.ACCOUNTING_REQUEST)
        assert provider.answer(request, ACCOUNTING).answer.code is Code.ACCOUNTING_RESPONSE

    def test_silence_ends_in_words(self, provider: Provider) -> None:
        [outcome] = provider.ask(known_as("silence"))
        assert isinstance(outcome, Unanswered)
        assert all(str(row["server"]) in outcome.cause for row in provider.client.servers()[:2])

    def test_what_cannot_be_written_is_unanswered(self, provider: Provider) -> None:
        [outcome] = provider.ask(known_as("x" * 254))
        assert isinstance(outcome, Unanswered) and "254 octets" in outcome.cause

    def test_many_at_a_time(self, provider: Provider) -> None:
        found = provider.ask(*(known_as(f"mn{number}") for number in range(500)))
        codes = [outcome.answer.code for outcome in found if isinstance(outcome, Answered)]
        assert len(codes) == 500
        assert codes[1] is Code.ACCESS_ACCEPT and codes[2] is Code.ACCESS_CHALLENGE
        assert set(codes[3:]) == {Code.ACCESS_REJECT}

    def test_servers_are_told_without_secrets(self, provider: Provider) -> None:
        provider.ask(known_as("mn1"))
        rows = provider.client.servers()
        assert [row["state"] for row in rows][:1] == ["alive"]
        assert "testing123" not in repr(rows)

    def test_stop_is_idempotent_and_what_follows_is_unanswered(self, provider: Provider) -> None:
        provider.client.stop()
        provider.client.stop()
        [outcome] = provider.ask(known_as("mn1"))
        assert isinstance(outcome, Unanswered) and outcome.cause


def test_the_twin_holds_until_it_is_told_and_ends_everything_at_its_stop() -> None:
    fake = FakeRadiusClient(answers, held=True)
    found: list[RadiusOutcome] = []
    fake.ask(known_as("mn1"), AUTHENTICATION, subject="mn1 on eth1").addCallback(found.append)
    assert found == [] and [asked.subject for asked in fake.outstanding] == ["mn1 on eth1"]
    assert fake.release() == 1
    fake.ask(known_as("mn1"), AUTHENTICATION).addCallback(found.append)
    fake.stop()
    assert [type(outcome) for outcome in found] == [Answered, Unanswered]


def test_the_twins_servers_may_be_down() -> None:
    second = Endpoint(FIRST.address, 2)
    provider = Provider(FakeRadiusClient({FIRST: answers, second: answers}), at_once)
    fake = provider.client
    assert isinstance(fake, FakeRadiusClient)
    assert provider.answer(known_as("mn2")).server == FIRST
    fake.down.add(FIRST)
    assert provider.answer(known_as("mn1")).server == second
    assert provider.ask(known_as("mn1"), pinned=FIRST) == [
        Unanswered("127.0.0.1:1: no answer; 127.0.0.1:2: no answer")
    ]
