"""Between two processes: whole messages, in order, and an end that is noticed."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from msgspec import Struct

from pmip_tw.addresses import Endpoint, ipv4
from pmip_tw.agents.worker_messages import Answer, Carry, Change, Passed, Question, Stop
from pmip_tw.interfaces import Datagram
from pmip_tw.mobility.effects import Install, Remove
from pmip_tw.mobility.tunnels import AnchorEntry, AnchorKey, Broadcasts, Encapsulation, Tunnel
from pmip_tw.net.pipe import Pipe
from tests.loops import private_reactor, run_until

LMA, MAG = ipv4("192.0.2.1"), ipv4("198.51.100.1")


class Ends:
    """Both in one process."""

    def __init__(self, reactor: object) -> None:
        ours, theirs = socket.socketpair()
        self.zero, self.other = Pipe.of_worker_0(reactor, ours), Pipe.of_another(reactor, theirs)
        self.at_zero: list[Struct] = []
        self.at_other: list[Struct] = []
        self.lost: list[str] = []
        self.zero.start(self.hear, lambda: self.lost.append("zero"))
        self.other.start(self.at_other.append, lambda: self.lost.append("other"))
        self.defects = 0

    def hear(self, message: Struct) -> None:
        self.at_zero.append(message)
        if self.defects:
            self.defects -= 1
            raise ValueError("a defect")


@contextmanager
def both() -> Iterator[tuple[Ends, Callable[[Callable[[], object]], None]]]:
    """The ends, and what turns the reactor until a condition holds."""
    with private_reactor() as reactor:
        ends = Ends(reactor)
        yield ends, lambda condition: run_until(reactor, condition)
        ends.zero.stop()
        ends.other.stop()
        run_until(reactor, lambda: ends.zero.transport is None and ends.other.transport is None)


def test_messages_arrive_whole_and_in_order_however_large() -> None:
    with both() as (ends, until):
        many = [Question(number, "show", "bindings") for number in range(1000)]
        for question in many:
            ends.zero.send(question)
        rows = [{"nai": f"mn{number}@example.net", "octets": number, "last": 0.5} for number in range(50_000)]
        ends.other.send(Answer(1, rows))
        ends.zero.send(Stop())
        until(lambda: ends.at_zero and len(ends.at_other) == 1001)
        assert ends.at_other == [*many, Stop()]
        assert ends.at_zero == [Answer(1, rows)]


def test_every_kind_of_entry_comes_out_as_it_went_in() -> None:
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
    with both() as (ends, until):
        changes = [
            Change.of(Install(plain)),
            Change.of(Install(full)),
            Change.of(Remove(AnchorKey(LMA, "blue"))),
        ]
        ends.other.send(Carry(1, changes))
        ends.zero.send(Passed(Datagram(b"\x07", Endpoint(MAG, 434), LMA)))
        until(lambda: ends.at_zero and ends.at_other)
        (carry,) = ends.at_zero
        assert isinstance(carry, Carry)
        assert [carry.changes[0].installed, carry.changes[1].installed] == [plain, full]
        assert {carry.changes[1].installed.tunnel: "found"}[keyed] == "found"
        assert carry.changes[2].key == AnchorKey(LMA, "blue")
        assert ends.at_other == [Passed(Datagram(b"\x07", Endpoint(MAG, 434), LMA))]


def test_an_end_that_is_closed_is_lost_to_the_other_only() -> None:
    with both() as (ends, until):
        ends.zero.send(Stop())
        ends.zero.stop()
        until(lambda: ends.lost)
        assert ends.at_other == [Stop()], "what was said before arrives"
        assert ends.lost == ["other"]


def test_a_message_that_meets_a_defect_costs_itself_only() -> None:
    with both() as (ends, until):
        ends.defects = 1
        ends.other.send(Carry(1, []))
        ends.other.send(Carry(2, []))
        until(lambda: len(ends.at_zero) == 2)
