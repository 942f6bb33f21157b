"""An LMA's agent and AAA: questions go out, answers come back whenever they come."""

import pytest
from twisted.internet.defer import Deferred, fail
from twisted.logger import capturedLogs

from pmip_tw.aaa.node_keys import KeyAnswer, KeyGiven, KeyQuestion
from pmip_tw.addresses import Endpoint, ipv4_text
from pmip_tw.agents.lma import Lma
from pmip_tw.agents.rows.keys import key_rows
from pmip_tw.errors import PmipError
from pmip_tw.forwarding.memory import MemoryPlane
from pmip_tw.interfaces import Datagram
from pmip_tw.lma.keys.policy import KeyPolicy
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.secret import Secret
from pmip_tw.store.unsaved import Unsaved
from pmip_tw.testing.network import FakeNetwork, FakeSignalling
from pmip_tw.testing.node_keys import FakeNodeKeys
from pmip_tw.wire.registration import RegistrationReply
from tests.conformance import covers
from tests.lma.anchor import LMA, MAG1, Anchor, association, nai

NODE = 5


class Bench:
    """An agent around the engine of an Anchor, which only makes the requests; AAA knows ``NODE``."""

    def __init__(self, *, held: bool = False, aaa: FakeNodeKeys | None = None, **policy: object) -> None:
        self.anchor = Anchor(nodes=1, home="10.1.0.0/24", keys=KeyPolicy(**policy))
        self.network = FakeNetwork()
        given = KeyGiven(association=association(NODE))
        self.aaa = aaa or FakeNodeKeys({(nai(NODE), association(NODE).spi): given}, held=held)
        self.agent = Lma(
            self.anchor.engine,
            clock=self.anchor.clock,
            signalling=FakeSignalling(self.network, (LMA,)),
            forwarding=MemoryPlane(monotonic=lambda: self.anchor.clock.monotonic, local=LMA),
            store=Unsaved(),
            node_keys=self.aaa,
        )
        self.agent.start()
        self.answers: list[bytes] = []
        FakeSignalling(self.network, (MAG1,)).start(self, None)

    def datagrams_received(self, batch: list[Datagram]) -> None:
        self.answers += [datagram.payload for datagram in batch]

    def arrive(self, *payloads: bytes) -> None:
        self.agent.datagrams_received([Datagram(payload, Endpoint(MAG1, 434), LMA) for payload in payloads])

    def codes(self) -> list[int]:
        """Those of the replies since last asked."""
        self.network.deliver()
        codes = [RegistrationReply.decode(payload).code for payload in self.answers]
        self.answers.clear()
        return codes

    def strangers(self, count: int) -> list[bytes]:
        key = SecurityAssociation(5000, Secret(b"invented by somebody"))
        return [
            self.anchor.request(nai=b"stranger%d@example.net" % number).encode(mn_ha=key)
            for number in range(count)
        ]


@covers("AA10")
def test_an_answer_that_comes_later() -> None:
    bench = Bench(held=True)
    bench.arrive(bench.anchor.datagram(NODE), bench.anchor.datagram(1))
    assert bench.codes() == [1], "others are served meanwhile"
    assert bench.aaa.release() == 1
    assert bench.codes() == [1]
    bench.arrive(bench.anchor.datagram(NODE))
    assert bench.codes() == [1]
    assert len(bench.aaa.asked) == 1


def test_an_answer_that_is_there_at_once() -> None:
    bench = Bench()
    bench.arrive(bench.anchor.datagram(NODE))
    assert bench.codes() == [1]


def test_however_many_wait_when_nobody_answers_one_follows_the_other() -> None:
    """Each answer lets the next question be put, which is answered at once; a thousand times, not inside each other."""
    bench = Bench(held=True, outstanding=4, rate=1_000_000)
    bench.arrive(*bench.strangers(5000))
    assert len(bench.aaa.outstanding) == 2
    bench.aaa.held, bench.aaa.down = False, True
    assert bench.aaa.release() == 2
    assert len(bench.aaa.asked) == 2 + 1000, "the rest is more than one address may have waiting"
    bench.aaa.down = False
    bench.arrive(bench.anchor.datagram(NODE))
    assert bench.codes() == [1]


def test_an_answer_to_somebody_who_has_stopped() -> None:
    bench = Bench(held=True)
    bench.arrive(bench.anchor.datagram(NODE))
    bench.agent.stop()
    assert bench.aaa.outstanding == ()
    assert bench.codes() == []


def test_questions_that_wait_for_their_turn_are_put_in_time() -> None:
    bench = Bench(held=True, outstanding=100, rate=100)
    bench.arrive(*bench.strangers(200))
    while bench.aaa.outstanding:
        bench.aaa.release()
        bench.anchor.clock.advance(0.1)
    assert len(bench.aaa.asked) == 200


class Broken(FakeNodeKeys):
    """An AAA of which every answer meets a defect, at once or later."""

    at_once = True

    def fetch(self, question: KeyQuestion) -> Deferred[KeyAnswer]:
        if self.at_once:
            raise ValueError("a defect of ours")
        answer = super().fetch(question)
        answer.addCallback(lambda _: fail(ValueError("a defect of ours")))
        return answer


@pytest.mark.parametrize("at_once", [True, False])
def test_defects_do_not_use_up_the_questions_that_may_be_asked_at_a_time(at_once: bool) -> None:
    aaa = Broken()
    aaa.at_once = at_once
    bench = Bench(outstanding=4, rate=1_000_000, aaa=aaa)
    with capturedLogs() as events:
        for stranger in bench.strangers(20):
            bench.arrive(stranger)
    assert len([event for event in events if "defect" in str(event["log_format"])]) == 20
    bench.agent.stop()


def test_nothing_of_it_is_there_without_aaa() -> None:
    anchor = Anchor(nodes=1)
    anchor.ignore("no-association", anchor.datagram(NODE))


@covers("AA17", "P29")
def test_an_operator_locks_out_who_is_not_registered_just_now() -> None:
    bench = Bench()
    bench.arrive(bench.anchor.datagram(NODE))
    bench.arrive(bench.anchor.datagram(NODE, lifetime=0))
    assert (bench.codes(), len(bench.aaa.asked)) == ([1, 1], 1)
    with pytest.raises(PmipError, match="before it registers again AAA is asked"):
        bench.agent.revoke(nai(NODE).decode())
    bench.aaa.answers.clear()
    bench.arrive(bench.anchor.datagram(NODE))
    assert (bench.codes(), len(bench.aaa.asked)) == ([129], 2)


@covers("AA10")
class TestWhatAnOperatorSees:
    """``pmipctl show keys``."""

    @staticmethod
    def rows(bench: Bench) -> list[tuple[object, ...]]:
        columns = ("nai", "source", "state", "age", "mags")
        rows = bench.agent.tables()["keys"]()
        return [tuple(row[column] for column in columns) for row in rows if "blue" not in str(row["nai"])]

    CONFIGURED = (nai(1).decode(), "configuration", "ready", "", "")

    def test_a_key_that_is_asked_for_and_comes(self) -> None:
        bench = Bench(held=True)
        name, mag = nai(NODE).decode(), ipv4_text(MAG1)
        assert self.rows(bench) == [self.CONFIGURED]
        bench.arrive(bench.anchor.datagram(NODE))
        assert self.rows(bench) == [self.CONFIGURED, (name, "aaa", "asked", "", mag)]
        bench.aaa.release()
        bench.anchor.clock.advance(42)
        assert self.rows(bench) == [self.CONFIGURED, (name, "aaa", "ready", 42, mag)]
        [row] = [row for row in bench.agent.tables()["keys"]() if row["source"] == "aaa"]
        assert row["spi"] == association(NODE).spi
        assert row["expires"] == round(bench.anchor.clock.wall) + 86_400 - 42

    def test_one_whose_time_is_over(self) -> None:
        bench = Bench(lifetime=60, grace=600)
        bench.arrive(bench.anchor.datagram(NODE))
        bench.anchor.clock.advance(62)
        [_, (*_, state, age, _mags)] = self.rows(bench)
        assert (state, age) == ("retired", 62)

    def test_strangers_that_wait_for_their_turn(self) -> None:
        bench = Bench(held=True, outstanding=4)
        bench.arrive(*bench.strangers(5))
        states = [state for _, _, state, _, _ in self.rows(bench)]
        assert (states.count("asked"), states.count("to be asked")) == (2, 3)

    def test_never_a_key(self) -> None:
        bench = Bench()
        bench.arrive(bench.anchor.datagram(NODE))
        assert "key of mobile node" not in str(bench.agent.tables()["keys"]())


@covers("AA10")
def test_an_operator_sees_keys_that_a_restart_has_lost() -> None:
    anchor = Anchor(nodes=1, home="10.1.0.0/24", keys=KeyPolicy())
    anchor.hear(anchor.datagram(NODE))
    anchor.aaa_says(KeyGiven(association=association(NODE)))
    anchor.restart()
    list(anchor.engine.bindings)
    [row] = [row for row in key_rows(anchor.engine, anchor.clock.now()) if row["source"] == "aaa"]
    assert (row["state"], row["age"], row["expires"]) == ("missing", None, "")


@covers("AA10")
def test_an_operator_sees_a_key_that_is_being_replaced() -> None:
    anchor = Anchor(nodes=1, home="10.1.0.0/24", keys=KeyPolicy(overlap=60))
    anchor.hear(anchor.datagram(NODE))
    anchor.aaa_says(KeyGiven(association=association(NODE)))
    anchor.clock.advance(20)
    new = SecurityAssociation(association(NODE).spi, Secret(b"the next key of this node"))
    anchor.hear(anchor.request(NODE).encode(mn_ha=new))
    anchor.aaa_says(KeyGiven(association=new))
    found = [row for row in key_rows(anchor.engine, anchor.clock.now()) if row["source"] == "aaa"]
    assert [(row["state"], row["age"]) for row in found] == [("ready", 0), ("replaced", None)]
    assert found[1]["expires"] == round(anchor.clock.wall) + 60
