"""Diameter of an LMA that is several processes: what another worker asks leaves as if worker 0 had asked it."""

import attrs
from msgspec import Struct
from twisted.internet.defer import succeed

from pmip_tw.aaa.diameter.node import Outcome, Unanswered
from pmip_tw.agents.diameter_roads import DiameterForWorkers, DiameterThroughWorker0
from pmip_tw.agents.workers.messages import (
    DiameterAnswered,
    DiameterAsked,
    DiameterRequested,
    DiameterResponded,
)
from pmip_tw.lma.workers.slices import worker_of_nai
from pmip_tw.mobility.clock import Now
from pmip_tw.testing.diameter_client import MAG, FakeDiameterClient, answer, refuse
from pmip_tw.wire.diameter import avps
from pmip_tw.wire.diameter.avps import Avps
from pmip_tw.wire.diameter.codes import Code, Command, Result
from pmip_tw.wire.diameter.message import MAXIMUM_SIZE, Message
from tests.aaa.diameter.test_home_agent import asr, brought
from tests.aaa.diameter.wires import aar
from tests.conformance import covers

LATER = attrs.evolve(MAG, state_id=MAG.state_id + 60)
"""As a worker knows itself that was started again a minute after worker 0."""


def worker(sent: list[Struct], number: int = 1, wall: float = 1_704_067_200.25) -> DiameterThroughWorker0:
    return DiameterThroughWorker0(LATER, number, Now(0.0, wall, bytes), sent.append)


@covers("AA23")
def test_the_server_sees_one_node_with_one_state() -> None:
    """RFC 6733 8.16: a larger Origin-State-Id would say that all its sessions are lost."""
    client, sent, answers = FakeDiameterClient(answer), [], []
    request = aar()
    worker(sent).ask(attrs.evolve(request, avps=avps.Avps((*request.avps, LATER.state))))
    [asked] = sent
    assert isinstance(asked, DiameterAsked)
    DiameterForWorkers(client, 2).ask_for(asked, answers.append)
    assert [one.avps.number(Code.ORIGIN_STATE_ID) for one in client.asked] == [MAG.state_id]
    assert client.asked[0].avps.text(Code.ORIGIN_HOST) == MAG.host
    assert len(answers) == 1


def test_workers_that_begin_in_the_same_second_name_no_session_alike() -> None:
    made = [worker([]), worker([], 2), worker([], 1, 1_704_067_200.75)]
    names = [one.new_session_id() for one in made for _ in range(100)]
    assert len(set(names)) == len(names)
    assert names[0].startswith("mag1.example.net;1704067200;")


def test_the_second_half_of_a_name_goes_over_into_the_first() -> None:
    """RFC 6733 8.8: 32 bits each."""
    made = worker([], wall=1_704_067_200.999_999_5)
    names = [made.new_session_id().split(";") for _ in range(5_000)]
    assert (names[0][1], names[-1][1]) == ("1704067200", "1704067201")
    assert all(int(name[2]) <= 0xFFFFFFFF for name in names) and names[0][3] == "1"


def test_what_is_too_long_or_too_late_is_not_asked() -> None:
    sent: list[Struct] = []
    found: list[Outcome] = []
    asking = worker(sent)
    request = aar()
    long = attrs.evolve(
        request, avps=avps.Avps((*request.avps, avps.octets(Code.STATE, bytes(MAXIMUM_SIZE))))
    )
    asking.ask(long).addCallback(found.append)
    assert not sent and isinstance(found[0], Unanswered)
    asking.ask(request).addCallback(found.append)
    asking.stop()
    assert isinstance(found[1], Unanswered)
    asking.heard(DiameterAnswered(1, cause="nobody"))  # it comes all the same
    asking.ask(request).addCallback(found.append)
    assert len(sent) == 1 and isinstance(found[2], Unanswered)


def test_nothing_shows_what_is_in_an_answer() -> None:
    assert "key" not in repr(DiameterAnswered(1, b"a key", "aaa1.example.net", keys=True))


def har(user: str, session: str = "aaa1.example.net;1;1") -> Message:
    return brought(b"whatever it is", user=user, session=session)


class Crew:
    """Worker 0 with its client, and two others that say 2001 to everything."""

    def __init__(self) -> None:
        self.client = FakeDiameterClient(answer)
        self.shared = DiameterForWorkers(self.client, 3)
        self.there = {1, 2}
        self.led: list[tuple[int, Message]] = []
        self.silent = False
        for command in (Command.HOME_AGENT_MIP, Command.ABORT_SESSION):
            self.shared.serve(command, lambda asked: succeed(self.answered(0, asked)))
        self.others = {
            number: DiameterThroughWorker0(MAG, number, Now(0.0, 1.0, bytes), self.back) for number in (1, 2)
        }
        for number, other in self.others.items():
            for command in (Command.HOME_AGENT_MIP, Command.ABORT_SESSION):
                other.serve(command, lambda asked, number=number: succeed(self.answered(number, asked)))
        self.shared.reach(self.tell)

    def tell(self, worker: int, message: Struct) -> bool:
        assert isinstance(message, DiameterRequested)
        if worker in self.there and not self.silent:
            self.others[worker].requested(message)
        return worker in self.there

    def back(self, message: Struct) -> None:
        assert isinstance(message, DiameterResponded)
        self.shared.responded(message)

    def answered(self, worker: int, asked: Message) -> Message:
        self.led.append((worker, asked))
        return answer(asked)

    def asked(self, request: Message) -> list[Message]:
        found: list[Message] = []
        self.client.be_asked(request).addCallback(found.append)
        return found


def of(worker: int) -> str:
    return next(
        name for n in range(99) if worker_of_nai((name := f"mn{n}@example.net").encode(), 3) == worker
    )


@covers("AA23")
def test_a_registration_is_led_to_its_nodes_worker_and_so_is_what_follows() -> None:
    crew = Crew()
    for worker in range(3):
        session = f"aaa1.example.net;1;{worker}"
        [haa] = crew.asked(har(of(worker), session))
        assert haa.result == Result.SUCCESS
        [asa] = crew.asked(asr(session=session))
        assert asa.name == "ASA"
    assert [(worker, one.name) for worker, one in crew.led] == [
        (worker, name) for worker in range(3) for name in ("HAR", "ASR")
    ]


def test_who_may_bring_nothing_leads_no_session_astray() -> None:
    crew = Crew()
    crew.asked(har(of(1), "aaa1.example.net;1;1"))
    crew.others[2].serve(Command.HOME_AGENT_MIP, lambda one: succeed(refuse(one)))
    [haa] = crew.asked(har(of(2), "aaa1.example.net;1;1"))
    assert haa.result == Result.AUTHENTICATION_REJECTED
    crew.asked(asr(session="aaa1.example.net;1;1"))
    assert [worker for worker, _ in crew.led] == [1, 1]


def test_of_a_session_that_nobody_knows_worker_0_says_so() -> None:
    crew = Crew()
    crew.asked(asr(session="aaa1.example.net;9;9"))
    assert [worker for worker, _ in crew.led] == [0]


def test_a_worker_that_is_not_there_is_4006() -> None:
    crew = Crew()
    crew.there.clear()
    [haa] = crew.asked(har(of(2)))
    assert haa.result == Result.HA_NOT_AVAILABLE and not crew.led


def test_an_answer_that_is_too_long_is_none_and_leaves_nothing_behind() -> None:
    """Proxy-Info comes back as it was; there is no telling how much of it a peer may send."""
    crew = Crew()
    asked = har(of(1))
    room = MAXIMUM_SIZE - len(asked.encode()) - 100
    filled = attrs.evolve(asked, avps=Avps((avps.octets(Code.PROXY_INFO, bytes(room)), *asked.avps)))
    crew.others[1].serve(
        Command.HOME_AGENT_MIP,
        lambda one: succeed(answer(one, avps.octets(Code.MIP_REG_REPLY, bytes(2000)))),
    )
    assert crew.asked(filled) == []
    assert not crew.shared._led
    [haa] = crew.asked(har(of(2)))
    assert haa.result == Result.SUCCESS


def test_nor_is_one_that_ends_meanwhile() -> None:
    crew = Crew()
    crew.silent = True
    found = [*crew.asked(har(of(1)))]
    assert not found
    waiting = crew.asked(har(of(1), "aaa1.example.net;1;2"))
    other = crew.asked(har(of(2), "aaa1.example.net;1;3"))
    crew.shared.lost(1)
    assert [one.result for one in waiting] == [Result.HA_NOT_AVAILABLE] and not other
