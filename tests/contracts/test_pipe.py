"""What every pipe between two workers does (IPipe): the twin, and the one between processes."""

from collections.abc import Callable, Iterator
from typing import Protocol

import pytest
from msgspec import Struct
from twisted.internet.posixbase import PosixReactorBase

from pmip_tw.addresses import Endpoint, ipv4
from pmip_tw.agents.workers.messages import Answer, Carry, Change, Passed, Question, Serving, Stop
from pmip_tw.agents.workers.pipes import IPipe
from pmip_tw.interfaces import Datagram
from pmip_tw.mobility.effects import Install, Remove
from pmip_tw.mobility.tunnels import AnchorEntry, AnchorKey, Broadcasts, Encapsulation, Tunnel
from pmip_tw.net.pipe import Pipe
from pmip_tw.testing.clock import FakeClock
from pmip_tw.testing.pipe import fake_pipe
from tests.loops import private_reactor, run_until
from tests.net.pipes import socket_pipe

LMA, MAG = ipv4("192.0.2.1"), ipv4("198.51.100.1")
LARGE = Passed(Datagram(bytes(1000), Endpoint(MAG, 434), LMA))


class World(Protocol):
    """Both ends, and time."""

    zero: IPipe
    other: IPipe

    def until(self, condition: Callable[[], object]) -> None: ...
    def stall(self, stalled: bool) -> None:
        """The other worker does not get round to reading, or does again."""


class MemoryWorld:
    def __init__(self) -> None:
        self._clock = FakeClock()
        self.zero, self.other = fake_pipe(self._clock, lambda: 0.001)

    def until(self, condition: Callable[[], object]) -> None:
        self._clock.advance(1.0)
        assert condition()

    def stall(self, stalled: bool) -> None:
        self.other.stall(stalled)


class SocketWorld:
    def __init__(self, reactor: PosixReactorBase) -> None:
        self._reactor = reactor
        self.zero, self.other = socket_pipe(reactor)

    def until(self, condition: Callable[[], object]) -> None:
        run_until(self._reactor, condition)

    def stall(self, stalled: bool) -> None:
        assert isinstance(self.other, Pipe)
        assert self.other.transport is not None
        if stalled:
            self.other.transport.stopReading()
        else:
            self.other.transport.startReading()


@pytest.fixture(params=["memory", "socket"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "memory":
        yield MemoryWorld()
    else:
        with private_reactor() as reactor:
            made = SocketWorld(reactor)
            yield made
            for end in (made.zero, made.other):
                end.stop()
            made.until(lambda: made.zero.transport is None and made.other.transport is None)


class Ends:
    """What is heard at both, and who has lost whom."""

    def __init__(self, world: World) -> None:
        self.at_zero: list[Struct] = []
        self.at_other: list[Struct] = []
        self.lost: list[str] = []
        self.defects = 0
        self.answer: Callable[[], None] = lambda: None
        world.zero.start(self.hear, lambda: self.lost.append("zero"))
        world.other.start(self.hear_at_other, lambda: self.lost.append("other"))

    def hear_at_other(self, message: Struct) -> None:
        self.at_other.append(message)
        self.answer()

    def hear(self, message: Struct) -> None:
        self.at_zero.append(message)
        if self.defects:
            self.defects -= 1
            raise ValueError("a defect")


def test_messages_arrive_whole_and_in_order_however_large(world: World) -> None:
    ends = Ends(world)
    many = [Question(number, "show", "bindings") for number in range(1000)]
    for question in many:
        world.zero.send(question)
    rows = [{"nai": f"mn{number}@example.net", "octets": number, "last": 0.5} for number in range(50_000)]
    world.other.send(Answer(1, rows))
    world.zero.send(Stop())
    world.until(lambda: ends.at_zero and len(ends.at_other) == 1001)
    assert ends.at_other == [*many, Stop()]
    assert ends.at_zero == [Answer(1, rows)]


def test_every_kind_of_entry_comes_out_as_it_went_in(world: World) -> None:
    """And as good as new: a tunnel is a key of dictionaries."""
    plain = AnchorEntry(home_address=ipv4("10.1.0.2"), tunnel=Tunnel(local=LMA, remote=MAG))
    keyed = Tunnel(
        local=LMA, remote=MAG, encapsulation=Encapsulation.GRE, remote_port=434, key_in=7, key_out=8
    )
    full = AnchorEntry(
        home_address=ipv4("10.1.0.3"),
        tunnel=keyed,
        domain="blue",
        copies=(plain.tunnel,),
        broadcasts=Broadcasts.WRAPPED,
    )
    ends = Ends(world)
    changes = [
        Change.of(Install(plain)),
        Change.of(Install(full)),
        Change.of(Remove(AnchorKey(LMA, "blue"))),
    ]
    world.other.send(Carry(1, changes))
    world.zero.send(Passed(Datagram(b"\x07", Endpoint(MAG, 434), LMA)))
    world.until(lambda: ends.at_zero and ends.at_other)
    (carry,) = ends.at_zero
    assert isinstance(carry, Carry)
    assert [carry.changes[0].installed, carry.changes[1].installed] == [plain, full]
    assert {carry.changes[1].installed.tunnel: "found"}[keyed] == "found"
    assert carry.changes[2].key == AnchorKey(LMA, "blue")
    assert ends.at_other == [Passed(Datagram(b"\x07", Endpoint(MAG, 434), LMA))]


def test_an_end_that_is_closed_is_lost_to_the_other_only(world: World) -> None:
    ends = Ends(world)
    world.zero.send(Stop())
    world.zero.stop()
    world.zero.stop()
    world.until(lambda: ends.lost)
    assert ends.at_other == [Stop()], "what was said before arrives"
    assert ends.lost == ["other"]
    world.other.send(Serving())
    world.until(lambda: True)
    assert ends.at_zero == []
    assert ends.lost == ["other"]


def test_a_message_that_meets_a_defect_costs_itself_only(world: World) -> None:
    ends = Ends(world)
    ends.defects = 1
    world.other.send(Carry(1, []))
    world.other.send(Carry(2, []))
    world.until(lambda: len(ends.at_zero) == 2)


def test_an_answer_may_be_sent_while_hearing(world: World) -> None:
    ends = Ends(world)
    ends.answer = lambda: world.other.send(Serving())
    world.zero.send(Stop())
    world.until(lambda: ends.at_zero)
    assert ends.at_zero == [Serving()]


def test_an_end_is_crowded_while_the_other_does_not_read(world: World) -> None:
    """Nothing that was sent is lost; what may be lost is not sent then."""
    ends = Ends(world)
    assert not world.zero.crowded
    world.stall(True)
    for _ in range(1000):
        world.zero.send(LARGE)
    world.until(lambda: world.zero.crowded)
    assert not world.other.crowded
    world.stall(False)
    world.until(lambda: len(ends.at_other) == 1000)
    assert not world.zero.crowded


def test_an_end_that_is_crowded_can_be_closed(world: World) -> None:
    ends = Ends(world)
    world.stall(True)
    for _ in range(1000):
        world.zero.send(LARGE)
    world.until(lambda: world.zero.crowded)
    world.zero.stop()
    world.stall(False)
    world.until(lambda: ends.lost == ["other"])
    assert len(ends.at_other) == 1000
