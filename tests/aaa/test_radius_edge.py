"""RADIUS on a real socket: retransmission by the timer, the error queue, sources, failover."""

import socket
from collections.abc import Iterator

import attrs
import pytest
from twisted.internet.epollreactor import EPollReactor
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.selectreactor import SelectReactor

from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.aaa.verdicts import Accept, MacCredential, Unavailable, Verdict
from pmip_tw.addresses import Endpoint, ipv4, mac
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.net.radius import RadiusAuthenticator
from pmip_tw.secret import Secret
from pmip_tw.testing.radius_server import RadiusAccount, RadiusTwin, RadiusTwinProtocol
from tests.loops import private_reactor, run_until
from tests.observers import Notes
from tests.radius_clients import authenticator_at

SECRET = Secret(b"testing123")
KEY = Secret(b"0123456789abcdef")
LOOPBACK = ipv4("127.0.0.1")
CREDENTIAL = MacCredential(mac=mac("02:00:00:00:00:01"), port="eth1")
PROFILE = Profile(nai="mn1@example.net", lmas=(ipv4("192.0.2.1"),), mn_ha=SecurityAssociation(4096, KEY))


@pytest.fixture(params=[EPollReactor, SelectReactor])
def reactor(request: pytest.FixtureRequest) -> Iterator[PosixReactorBase]:
    with private_reactor(request.param) as private:
        yield private


class Bench:
    """An authenticator with short timers, and servers on loopback."""

    def __init__(self, reactor: PosixReactorBase) -> None:
        self.reactor = reactor
        self.notes = Notes()
        self.twin = RadiusTwin(SECRET, [RadiusAccount.of("02-00-00-00-00-01", PROFILE, KEY)])
        self.found: list[Verdict] = []
        self.authenticator: RadiusAuthenticator

    def listen(self, port: int = 0) -> Endpoint:
        listening = self.reactor.listenUDP(port, RadiusTwinProtocol(self.twin), interface="127.0.0.1")
        return Endpoint(LOOPBACK, listening.getHost().port)

    def ask(self, *endpoints: Endpoint, timeout: float = 0.05) -> None:
        self.authenticator = authenticator_at(self.reactor, endpoints, self.notes, timeout=timeout)
        self.authenticator.authenticate(CREDENTIAL).addCallback(self.found.append)

    def verdict(self) -> Verdict:
        run_until(self.reactor, lambda: self.found)
        self.authenticator.stop()
        [verdict] = self.found
        return verdict


def closed_port() -> Endpoint:
    """A loopback port where nothing listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return Endpoint(LOOPBACK, probe.getsockname()[1])


def test_retransmissions_are_identical_on_the_wire(reactor: PosixReactorBase) -> None:
    """AA6."""
    bench = Bench(reactor)
    bench.twin.silent = True
    bench.ask(bench.listen())
    verdict = bench.verdict()
    assert isinstance(verdict, Unavailable) and "no answer in 3 tries" in verdict.cause
    assert len(bench.twin.requests) == 3
    assert len(set(bench.twin.requests)) == 1


def test_nothing_listens_is_heard_and_named(reactor: PosixReactorBase) -> None:
    """ICMP port unreachable arrives in the error queue, and every try is really made."""
    bench = Bench(reactor)
    endpoint = closed_port()
    bench.ask(endpoint)
    assert bench.verdict() == Unavailable(f"{endpoint}: nothing listens on that port (ICMP port unreachable)")
    assert len(bench.notes.named("radius-request-sent")) == 3
    assert len(bench.notes.named("radius-unreachable")) == 3


def test_a_server_that_starts_late_still_answers(reactor: PosixReactorBase) -> None:
    """After an error queue report the socket goes on reading."""
    bench = Bench(reactor)
    endpoint = closed_port()
    bench.ask(endpoint, timeout=0.3)
    run_until(reactor, lambda: bench.notes.named("radius-unreachable"))
    bench.listen(endpoint.port)
    assert bench.verdict() == Accept(PROFILE)


def test_icmp_about_one_request_does_not_cost_the_next(reactor: PosixReactorBase) -> None:
    """The kernel tells the pending error by refusing the next send, which is then made again."""
    bench = Bench(reactor)
    endpoint = closed_port()
    bench.ask(endpoint, timeout=5.0)
    bench.listen(endpoint.port)
    found: list[Verdict] = []
    bench.authenticator.authenticate(CREDENTIAL).addCallback(found.append)
    run_until(reactor, lambda: found)
    assert found == [Accept(PROFILE)]
    assert len(bench.notes.named("radius-request-sent")) == 2
    bench.authenticator.stop()


def test_the_second_server_is_asked(reactor: PosixReactorBase) -> None:
    bench = Bench(reactor)
    bench.ask(closed_port(), bench.listen())
    assert bench.verdict() == Accept(PROFILE)
    assert [n.details["try"] for n in bench.notes.named("radius-request-sent")] == [1, 2, 3, 1]


def test_an_answer_from_elsewhere_is_not_looked_at(reactor: PosixReactorBase) -> None:
    """Right in every octet, wrong source port."""
    bench = Bench(reactor)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as elsewhere,
    ):
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        bench.ask(Endpoint(LOOPBACK, server.getsockname()[1]), timeout=5.0)
        request, client = server.recvfrom(4096)
        answer = bench.twin.answer(request)
        assert answer is not None
        elsewhere.sendto(answer, client)
        run_until(reactor, lambda: bench.notes.named("radius-answer-discarded"))
        assert [n.reason for n in bench.notes.named("radius-answer-discarded")] == ["unknown-source"]
        assert bench.found == []
        server.sendto(answer, client)
        assert bench.verdict() == Accept(PROFILE)


def test_an_address_that_is_not_ours_makes_it_unavailable(reactor: PosixReactorBase) -> None:
    authenticator = authenticator_at(reactor, [closed_port()], local=ipv4("192.0.2.77"))
    found: list[Verdict] = []
    authenticator.authenticate(CREDENTIAL).addCallback(found.append)
    [verdict] = found
    assert isinstance(verdict, Unavailable) and "192.0.2.77" in verdict.cause


def test_a_verdict_may_stop_the_authenticator(reactor: PosixReactorBase) -> None:
    """Whoever gets the verdict is free to call back in."""
    bench = Bench(reactor)
    bench.ask(bench.listen(), timeout=5.0)
    other: list[Verdict] = []
    bench.authenticator.authenticate(attrs.evolve(CREDENTIAL, port="eth2")).addCallback(
        lambda verdict: (other.append(verdict), bench.authenticator.stop())
    )
    run_until(reactor, lambda: other)
    bench.authenticator.stop()
    assert reactor.getDelayedCalls() == []
