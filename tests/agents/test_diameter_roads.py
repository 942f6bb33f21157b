"""Diameter of an LMA that is several processes: what another worker asks leaves as if worker 0 had asked it."""

import attrs
from msgspec import Struct

from pmip_tw.aaa.diameter.node import Outcome, Unanswered
from pmip_tw.agents.diameter_roads import DiameterForWorkers, DiameterThroughWorker0
from pmip_tw.agents.workers.messages import DiameterAnswered, DiameterAsked
from pmip_tw.mobility.clock import Now
from pmip_tw.testing.diameter_client import MAG, FakeDiameterClient, answer
from pmip_tw.wire.diameter import avps
from pmip_tw.wire.diameter.codes import Code
from pmip_tw.wire.diameter.message import MAXIMUM_SIZE
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
    DiameterForWorkers(client).ask(asked, answers.append)
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
