"""The edge where AAA asks: real datagrams on loopback, a fake agent behind."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.radius.authorization_server import AuthorizationPolicy
from pmip_tw.addresses import Ipv4, ipv4
from pmip_tw.errors import PmipError
from pmip_tw.net.dynamic_authorization import DynamicAuthorization
from pmip_tw.testing.sessions import FakeSessions
from pmip_tw.wire.radius import AttributeType, Code
from tests.aaa.desk import MN1, MN2, SECRET, WHO, Desk, error_cause
from tests.clocks import UnarmedClock
from tests.conformance import covers
from tests.loops import private_reactor, run_until
from tests.observers import Notes

LOOPBACK = ipv4("127.0.0.1")


class Loop:
    """A client, a ``desk`` that writes for it, and the edge under test on a port that was free."""

    def __init__(self, stack: ExitStack) -> None:
        self.reactor = stack.enter_context(private_reactor())
        self.client = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.client.bind(("127.0.0.1", 0))
        self.client.setblocking(False)
        self.sessions = FakeSessions({"mn1": MN1, "mn2": MN2})
        self.notes = Notes()
        self.own = ipv4("198.51.100.10")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        clock = UnarmedClock()
        self.desk = Desk()
        now = clock.now()
        self.desk.time, self.desk.wall_offset = now.monotonic, now.wall - now.monotonic
        policy = AuthorizationPolicy(
            clients={LOOPBACK: SECRET}, nas=Nas(identifier="mag1", address=self.own), ahead=0.0
        )
        self.edge = DynamicAuthorization(
            self.reactor,
            clock,
            policy,
            self.sessions,
            self.notes,
            local=LOOPBACK,
            port=self.port,
            address=self._address,
        )
        self.edge.start()
        stack.callback(self.edge.stop)

    def _address(self) -> Ipv4:
        return self.own

    def send(self, payload: bytes) -> None:
        self.client.sendto(payload, ("127.0.0.1", self.port))

    def answer(self) -> bytes:
        found: list[bytes] = []

        def came() -> bool:
            try:
                found.append(self.client.recv(4096))
            except BlockingIOError:
                return False
            return True

        run_until(self.reactor, came)
        return found[0]


@pytest.fixture
def loop() -> Iterator[Loop]:
    with ExitStack() as stack:
        yield Loop(stack)


@covers("AA14", "AA17")
def test_a_disconnect_is_acknowledged_to_whoever_asked(loop: Loop) -> None:
    request = loop.desk.disconnect(WHO)
    loop.send(request)
    answer = loop.desk.read(loop.answer(), request)
    assert answer.code is Code.DISCONNECT_ACK
    assert set(loop.sessions.sessions) == {"mn2"}
    assert [note.name for note in loop.notes.all] == ["dynamic-authorization-done"]


@covers("AA14")
def test_the_answer_leaves_when_it_is_true(loop: Loop) -> None:
    loop.sessions.held = True
    request = loop.desk.disconnect(WHO)
    loop.send(request)
    run_until(loop.reactor, lambda: len(loop.sessions.sessions) == 1)
    with pytest.raises(BlockingIOError):
        loop.client.recv(4096)
    loop.sessions.release()
    assert loop.desk.read(loop.answer(), request).code is Code.DISCONNECT_ACK


@covers("AA14")
def test_noise_and_strangers_harm_nobody(loop: Loop) -> None:
    for payload in (b"", b"\x28", bytes(4096), loop.desk.disconnect(WHO, at=-400)):
        loop.send(payload)
    request = loop.desk.change(WHO, (AttributeType.SESSION_TIMEOUT.value, bytes((0, 0, 2, 88))))
    loop.send(request)
    assert loop.desk.read(loop.answer(), request).code is Code.COA_ACK
    assert set(loop.sessions.sessions) == {"mn1", "mn2"}
    assert len(loop.notes.named("message-discarded")) == 4


@covers("AA15")
def test_another_address_is_ours(loop: Loop) -> None:
    """P82: NAS-IP-Address is what the agent says at the moment."""
    theirs = (AttributeType.NAS_IP_ADDRESS.value, ipv4("203.0.113.9").to_bytes(4, "big"))
    request = loop.desk.disconnect(WHO, theirs)
    loop.send(request)
    assert error_cause(loop.desk.read(loop.answer(), request).attributes) == 403
    loop.own = ipv4("203.0.113.9")
    request = loop.desk.disconnect(WHO, theirs, identifier=8)
    loop.send(request)
    assert loop.desk.read(loop.answer(), request).code is Code.DISCONNECT_ACK


def test_what_is_answered_after_the_end_is_not_sent(loop: Loop) -> None:
    loop.sessions.held = True
    loop.send(loop.desk.disconnect(WHO))
    run_until(loop.reactor, lambda: len(loop.sessions.sessions) == 1)
    loop.edge.stop()
    loop.sessions.release()
    loop.edge.stop()


def test_a_port_that_is_taken_is_named(loop: Loop) -> None:
    other = DynamicAuthorization(
        loop.reactor,
        UnarmedClock(),
        AuthorizationPolicy(clients={}, nas=Nas()),
        loop.sessions,
        loop.notes,
        local=LOOPBACK,
        port=loop.port,
        address=loop._address,
    )
    with pytest.raises(PmipError, match=f"UDP 127.0.0.1:{loop.port} cannot be bound"):
        other.start()
    other.stop()
