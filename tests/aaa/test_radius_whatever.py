"""Whatever a network and servers do to a RADIUS client: every question ends, once and in time."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pmip_tw.aaa.radius.configuration import StatusServer, Strategy
from pmip_tw.aaa.radius.effects import Transmit
from pmip_tw.aaa.radius.outcome import Answered
from pmip_tw.addresses import mac
from pmip_tw.secret import Secret
from tests.aaa.radius_world import FIRST, MN1, SECOND, SECRET, World, server

STRANGER = mac("02:00:00:00:00:09")
PEERS = st.sampled_from([FIRST, SECOND])

LONGEST = 70.0
"""Seconds: ten of waiting, then 16.5 at each of two servers, and once more waiting for room at the second."""


class Network(RuleBasedStateMachine):
    """Datagrams of both ways lie here until they are delivered, doubled, lost or falsified."""

    @initialize(
        status=st.sampled_from(StatusServer),
        strategy=st.sampled_from(Strategy),
        room=st.integers(1, 4),
        waiting=st.integers(0, 4),
    )
    def begin(self, status: StatusServer, strategy: Strategy, room: int, waiting: int) -> None:
        self.world = World(
            server(FIRST, status_server=status, max_outstanding=room),
            server(SECOND, status_server=status, max_outstanding=room),
            strategy=strategy,
            max_outstanding=6,
            max_waiting=waiting,
        )
        self.requests: list[Transmit] = []
        self.answers: list[tuple[bytes, Transmit]] = []
        self.asked: dict[int, float] = {}

    @rule(who=st.sampled_from([MN1, STRANGER]), pinned=st.none() | PEERS, flow=st.sampled_from("ab"))
    def ask(self, who: bytes, pinned: object, flow: str) -> None:
        number, sent = self.world.ask(who, pinned=pinned, flow=flow)  # type: ignore[arg-type]
        self.asked[number] = self.world.time
        self.requests += sent

    @precondition(lambda self: self.requests)
    @rule(data=st.data(), keep=st.booleans())
    def reach_a_server(self, data: st.DataObject, keep: bool) -> None:
        request = data.draw(st.sampled_from(self.requests))
        if not keep:
            self.requests.remove(request)
        answer = self.world.twins[request.destination].answer(request.datagram)
        if answer is not None:
            self.answers.append((answer, request))

    @precondition(lambda self: self.answers)
    @rule(data=st.data(), keep=st.booleans(), flip=st.none() | st.integers(0, 1000), astray=st.booleans())
    def reach_us(self, data: st.DataObject, keep: bool, flip: int | None, astray: bool) -> None:
        found = data.draw(st.sampled_from(self.answers))
        if not keep:
            self.answers.remove(found)
        answer, request = found
        octets = bytearray(answer)
        if flip is not None:
            octets[flip % len(octets)] ^= 1 + flip % 255
        answered = sum(isinstance(one, Answered) for one in self.world.outcomes.values())
        self.requests += self.world.receive(bytes(octets), request.destination, request.socket + astray)
        if flip is not None or astray:
            now = sum(isinstance(one, Answered) for one in self.world.outcomes.values())
            assert now == answered, "what is falsified answers nothing"

    @rule(seconds=st.floats(0.01, 20))
    def time_passes(self, seconds: float) -> None:
        world, end = self.world, self.world.time + seconds
        while (deadline := world.machine.next_deadline()) is not None and deadline <= end:
            self.requests += world.wake()
        world.time = end

    @rule(peer=PEERS, silent=st.booleans())
    def a_server_goes_or_comes(self, peer: object, silent: bool) -> None:
        self.world.twins[peer].silent = silent  # type: ignore[index]

    @rule(peer=PEERS, wrong=st.booleans())
    def a_secret_is_mistyped_or_mended(self, peer: object, wrong: bool) -> None:
        self.world.twins[peer].answer_secret = Secret(b"wrong") if wrong else SECRET  # type: ignore[index]

    @rule(peer=PEERS, code=st.integers(0, 15))
    def icmp(self, peer: object, code: int) -> None:
        self.requests += self.world.take(
            self.world.machine.peer_unreachable(peer, code, self.world.now())  # type: ignore[arg-type]
        )

    @invariant()
    def whoever_is_not_answered_is_asked_about_or_waits(self) -> None:
        if not hasattr(self, "world"):
            return
        machine = self.world.machine
        open_ones = self.asked.keys() - self.world.outcomes.keys()
        assert len(open_ones) == machine.asking + machine.waiting
        assert machine.asking <= 6
        for number in open_ones:
            assert self.world.time - self.asked[number] < LONGEST

    @invariant()
    def no_server_has_more_than_it_takes_and_no_identifier_two_requests(self) -> None:
        if not hasattr(self, "world"):
            return
        for one in self.world.machine._servers.values():
            mine = [exchange for exchange in one.outstanding.values() if not exchange.is_probe]
            assert len(mine) <= one.configured.max_outstanding
            assert all(
                exchange.server is one and exchange.slot == slot for slot, exchange in one.outstanding.items()
            )
            assert len(one.slots._free) + len(one.outstanding) == 256 * one.slots.sockets

    def teardown(self) -> None:
        """In the end everybody is told."""
        if not hasattr(self, "world"):
            return
        for _ in range(2000):
            if self.asked.keys() <= self.world.outcomes.keys():
                break
            self.world.wake()
        assert self.asked.keys() == self.world.outcomes.keys()
        assert self.world.machine.asking == self.world.machine.waiting == 0


TestNetwork = Network.TestCase
TestNetwork.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
