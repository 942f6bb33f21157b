"""Where RADIUS asks us at any of our addresses: the answer comes from the one that was asked."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from twisted.internet.posixbase import PosixReactorBase

from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.proxy.access_points import AccessPoint, ProxySettings
from pmip_tw.aaa.radius.authorization_server import AuthorizationPolicy
from pmip_tw.aaa.verdicts import Reject
from pmip_tw.addresses import UNSPECIFIED, Ipv4, ipv4, ipv4_text
from pmip_tw.net.access_points import RadiusAccessPoints
from pmip_tw.net.dynamic_authorization import DynamicAuthorization
from pmip_tw.testing.radius_client import FakeRadiusClient
from pmip_tw.testing.sessions import FakeSessions
from pmip_tw.wire.radius import AttributeType, Code
from tests.aaa.desk import MN1, WHO, Desk
from tests.aaa.desk import SECRET as CLIENT_SECRET
from tests.aaa.proxy.bench import NAS, SECRET, Ap
from tests.clocks import UnarmedClock
from tests.conformance import covers
from tests.contracts.test_access_points import Heard
from tests.loops import private_reactor, run_until
from tests.observers import Notes

PEER = ipv4("127.0.8.9")
OURS = (ipv4("127.0.8.1"), ipv4("127.0.8.2"))


class Asking:
    """Somebody at ``PEER`` who takes answers from nobody but whom he has asked, as everybody does in RADIUS."""

    def __init__(self, reactor: PosixReactorBase, stack: ExitStack) -> None:
        self.reactor = reactor
        self.stack = stack
        self._socket = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self._socket.setblocking(False)
        self._socket.bind((ipv4_text(PEER), 0))

    def answer(self, request: bytes, address: Ipv4, port: int) -> bytes:
        self._socket.connect((ipv4_text(address), port))
        self._socket.send(request)
        answers: list[bytes] = []

        def is_answered() -> bool:
            try:
                answers.append(self._socket.recv(4096))
            except BlockingIOError:
                return False
            return True

        run_until(self.reactor, is_answered, 5.0)
        return answers[0]


@pytest.fixture
def asking() -> Iterator[Asking]:
    with ExitStack() as stack:
        yield Asking(stack.enter_context(private_reactor()), stack)


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("0.0.0.0", 0))
        port: int = probe.getsockname()[1]
        return port


@covers("AA27")
def test_an_access_point_is_answered_by_whom_it_asked(asking: Asking) -> None:
    """At once, again, and when somebody else has thought about it."""
    servers, ports, own = FakeRadiusClient(held=True), (free_port(), free_port()), [OURS[0]]
    points = RadiusAccessPoints(
        asking.reactor,
        UnarmedClock(),
        ProxySettings(access_points=(AccessPoint(address=PEER, secret=SECRET, port="acc0"),), nas=NAS),
        Notes(),
        servers=servers,
        access_points=FakeRadiusClient(),
        read=lambda station, outcome: Reject("nobody is let in here"),
        local=UNSPECIFIED,
        ports=ports,
        address=lambda: own[0],
    )
    points.start(Heard())
    asking.stack.callback(points.stop)
    access_point = Ap()
    for address in OURS:
        request = access_point.account(3)
        first = asking.answer(request, address, ports[1])
        assert first[0] == Code.ACCOUNTING_RESPONSE
        assert asking.answer(request, address, ports[1]) == first


@covers("AA14")
def test_aaa_is_answered_by_whom_it_asked(asking: Asking) -> None:
    desk, clock, port, own = Desk(), UnarmedClock(), free_port(), [OURS[0]]
    now = clock.now()
    desk.time, desk.wall_offset = now.monotonic, now.wall - now.monotonic
    edge = DynamicAuthorization(
        asking.reactor,
        clock,
        AuthorizationPolicy(
            clients={PEER: CLIENT_SECRET}, nas=Nas(identifier="mag1", address=own[0]), ahead=0.0
        ),
        FakeSessions({"mn1": MN1}),
        Notes(),
        local=UNSPECIFIED,
        port=port,
        address=lambda: own[0],
    )
    edge.start()
    asking.stack.callback(edge.stop)
    for count, address in enumerate(OURS):
        timeout = (AttributeType.SESSION_TIMEOUT.value, bytes((0, 0, 2, count)))
        request = desk.change(WHO, timeout)
        first = asking.answer(request, address, port)
        assert first[0] == Code.COA_ACK
        assert asking.answer(request, address, port) == first
