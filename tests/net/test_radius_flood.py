"""Access points, and AAA, on a real socket beside a flood of what proves nothing: forty datagrams to one good one.

What the MAG handles in a turn is what it has; the flood is five times that.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from twisted.internet.posixbase import PosixReactorBase

from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.proxy.access_points import AccessPoint, ProxySettings
from pmip_tw.aaa.radius.authorization_server import AuthorizationPolicy
from pmip_tw.aaa.verdicts import Reject
from pmip_tw.addresses import Ipv4, ipv4, ipv4_text
from pmip_tw.manage.sources import Sources
from pmip_tw.net.access_points import RadiusAccessPoints
from pmip_tw.net.dynamic_authorization import DynamicAuthorization
from pmip_tw.testing.radius_client import FakeRadiusClient
from pmip_tw.testing.sessions import FakeSessions
from pmip_tw.wire.radius import AttributeType, number
from tests.aaa.desk import MN1, WHO, Desk
from tests.aaa.desk import SECRET as CLIENT_SECRET
from tests.aaa.proxy.bench import NAS, SECRET, Ap
from tests.clocks import UnarmedClock
from tests.conformance import covers
from tests.contracts.test_access_points import Heard
from tests.loops import private_reactor

MAG, GOOD, ATTACKER = ipv4("127.0.7.1"), ipv4("127.0.7.2"), ipv4("127.0.7.66")
TURNS, AT_A_TURN = 60, 2


class Peers:
    """Sockets that all ask ``asked``, a port of the MAG, and what came back to each."""

    def __init__(self, reactor: PosixReactorBase, stack: ExitStack, asked: int) -> None:
        self._reactor = reactor
        self._stack = stack
        self._asked = (ipv4_text(MAG), asked)
        self.heard: dict[socket.socket, list[bytes]] = {}

    def at(self, address: Ipv4) -> socket.socket:
        opened = self._stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        opened.setblocking(False)
        opened.bind((ipv4_text(address), 0))
        opened.connect(self._asked)
        self.heard[opened] = []
        return opened

    def flooded(self, write: Callable[[], bytes], rubbish: bytes) -> tuple[list[bytes], list[bytes]]:
        """What the good one is answered who asks what is written, twice a turn, and what the attackers are."""
        good = self.at(GOOD)
        # Half of them have the address of the good one, but not the port.
        attackers = [self.at(address) for address in (ATTACKER, GOOD) for _ in range(20)]
        for _ in range(TURNS):
            for _ in range(AT_A_TURN):
                good.send(write())
            for attacker in attackers:
                for _ in range(2):
                    attacker.send(rubbish)
            self._turn()
        self._turn()
        return self.heard[good], [octets for attacker in attackers for octets in self.heard[attacker]]

    def _turn(self) -> None:
        self._reactor.iterate(0)
        for opened, heard in self.heard.items():
            while True:
                try:
                    heard.append(opened.recv(4096))
                except BlockingIOError:
                    break


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((ipv4_text(MAG), 0))
        port: int = probe.getsockname()[1]
        return port


@covers("AA27")
def test_an_access_point_is_heard_beside_a_flood(stack: ExitStack) -> None:
    reactor = stack.enter_context(private_reactor())
    ports, seen = (free_port(), free_port()), Sources()
    points = RadiusAccessPoints(
        reactor,
        UnarmedClock(),
        ProxySettings(access_points=(AccessPoint(address=GOOD, secret=SECRET, port="acc0"),), nas=NAS),
        seen,
        servers=FakeRadiusClient(),
        access_points=FakeRadiusClient(),
        read=lambda station, outcome: Reject("nobody is asked here"),
        local=MAG,
        ports=ports,
    )
    points.start(Heard())
    stack.callback(points.stop)
    access_point = Ap()
    answers, others = Peers(reactor, stack, ports[1]).flooded(
        lambda: access_point.account(3), b"\4\0\0\x14" + bytes(16)
    )
    assert len(answers) == TURNS * AT_A_TURN
    assert others == []
    assert {(row["source"], row["reason"]) for row in seen.rows()} == {
        (ipv4_text(ATTACKER), "unknown-access-point"),
        (ipv4_text(GOOD), "bad-authenticator"),
    }


@covers("AA14")
def test_aaa_is_heard_beside_a_flood(stack: ExitStack) -> None:
    reactor = stack.enter_context(private_reactor())
    clock, desk, seen, port = UnarmedClock(), Desk(), Sources(), free_port()
    policy = AuthorizationPolicy(
        clients={GOOD: CLIENT_SECRET}, nas=Nas(identifier="mag1", address=MAG), ahead=0.0
    )
    edge = DynamicAuthorization(
        reactor,
        clock,
        policy,
        FakeSessions({"mn1": MN1}),
        seen,
        local=MAG,
        port=port,
        address=lambda: MAG,
    )
    edge.start()
    stack.callback(edge.stop)
    now = clock.now()  # what is dated before the edge was made is not heard
    desk.time, desk.wall_offset = now.monotonic, now.wall - now.monotonic
    seconds = iter(range(1000))
    answers, others = Peers(reactor, stack, port).flooded(
        lambda: desk.change(WHO, number(AttributeType.SESSION_TIMEOUT, 600 + next(seconds))),
        desk.disconnect(WHO, at=-1000),
    )
    assert len(answers) == TURNS * AT_A_TURN
    assert others == []
    assert {row["reason"] for row in seen.rows()} == {"unknown-client", "event-timestamp"}
