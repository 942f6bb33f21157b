"""What every IDiameterClient does: the twin, a real one with a server on loopback, and that of another worker."""

from collections.abc import Callable, Iterator

import attrs
import pytest
from msgspec import Struct
from msgspec.msgpack import Encoder, decode
from twisted.internet.defer import Deferred
from zope.interface.verify import verifyObject

from pmip_tw.aaa.diameter.capabilities import Identity
from pmip_tw.aaa.diameter.node import Answered, Outcome, Unanswered
from pmip_tw.agents.diameter_roads import DiameterForWorkers, DiameterThroughWorker0
from pmip_tw.agents.workers.messages import DiameterAnswered, DiameterAsked
from pmip_tw.interfaces import IDiameterClient
from pmip_tw.testing.diameter_client import MAG, FakeDiameterClient, answer
from pmip_tw.wire.diameter.codes import Result
from pmip_tw.wire.diameter.message import Message
from tests.aaa.diameter.nodes import asker, server
from tests.aaa.diameter.wires import aar
from tests.clocks import UnarmedClock
from tests.loops import private_reactor, run_until


@attrs.frozen
class Provider:
    """A client whose server says what ``says`` has at [0]."""

    client: IDiameterClient
    says: list[Callable[[Message], Message | None]]
    turn: Callable[[Callable[[], object]], None]
    rows: int = 1

    def outcome(self, request: Message) -> Outcome:
        found: list[Outcome] = []
        self.client.ask(request).addCallback(found.append)
        self.turn(lambda: found)
        return found[0]


def at_once(condition: Callable[[], object]) -> None:
    assert condition()


def of_another_worker(identity: Identity, client: IDiameterClient) -> DiameterThroughWorker0:
    """``client`` is worker 0's."""
    to_worker_0, from_worker_0 = Encoder(), Encoder()
    worker_0 = DiameterForWorkers(client, 2)

    def back(message: Struct) -> None:
        made.heard(decode(from_worker_0.encode(message), type=DiameterAnswered))

    def there(message: Struct) -> None:
        worker_0.ask_for(decode(to_worker_0.encode(message), type=DiameterAsked), back)

    made = DiameterThroughWorker0(identity, 1, UnarmedClock().now(), there)
    return made


@pytest.fixture(params=["fake", "real", "of another worker"])
def provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    says: list[Callable[[Message], Message | None]] = [answer]

    def said(asked: Message) -> Message | None:
        return says[0](asked)

    if request.param == "fake":
        client = FakeDiameterClient(said)
        client.start()
        yield Provider(client, says, at_once)
        return
    if request.param == "of another worker":
        made = of_another_worker(MAG, FakeDiameterClient(said))
        made.start()
        yield Provider(made, says, at_once, rows=0)
        return
    with private_reactor() as reactor, server(reactor, says=said) as node:
        real = asker(reactor, node, timeout=0.5)
        real.start()
        yield Provider(real, says, lambda condition: run_until(reactor, condition))
        real.stop()


def test_provides_the_interface(provider: Provider) -> None:
    assert verifyObject(IDiameterClient, provider.client)


def test_an_answer_comes_with_who_gave_it(provider: Provider) -> None:
    outcome = provider.outcome(aar())
    assert isinstance(outcome, Answered)
    assert (outcome.message.name, outcome.message.result) == ("AAA", Result.SUCCESS)
    assert outcome.peer == "aaa1.example.net" and outcome.keys


def test_silence_is_told(provider: Provider) -> None:
    provider.says[0] = lambda asked: None
    outcome = provider.outcome(aar())
    assert isinstance(outcome, Unanswered) and "aaa1.example.net" in outcome.cause


def test_session_ids_are_never_the_same(provider: Provider) -> None:
    found = {provider.client.new_session_id() for _ in range(100)}
    assert len(found) == 100
    assert all(one.startswith("mag1.example.net;") and one.count(";") in (2, 3) for one in found)


def test_a_row_for_each_peer(provider: Provider) -> None:
    provider.outcome(aar())
    rows = provider.client.peers()
    assert len(rows) == provider.rows, "those of another process are shown by that"
    assert all(row["peer"] == "aaa1.example.net" and row["state"] == "open" for row in rows)


def test_stop_is_idempotent_and_what_follows_is_unanswered(provider: Provider) -> None:
    provider.outcome(aar())
    for _ in range(2):
        gone: list[None] = []
        stopped: Deferred[None] = provider.client.stop()
        stopped.addCallback(gone.append)
        provider.turn(lambda gone=gone: gone)
    assert isinstance(provider.outcome(aar()), Unanswered)
