"""Good requests among very many bad ones: each good one is answered, the bad cost few answers and few log lines."""

import random
from collections import Counter

from twisted.logger import ILogObserver, Logger
from zope.interface import implementer

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.agents.lma import Lma
from pmip_tw.forwarding.memory import MemoryPlane
from pmip_tw.interfaces import Datagram
from pmip_tw.manage.log import LINES_PER_SECOND, LogObserver
from pmip_tw.store.unsaved import Unsaved
from pmip_tw.testing.network import FakeNetwork, FakeSignalling
from pmip_tw.wire.codes import accepts
from pmip_tw.wire.registration import RegistrationReply
from tests.conformance import covers
from tests.lma.anchor import LMA, MAG1, MAG2, MAG3, Anchor

GOOD = 100
BAD_OF_GOOD = 50
BATCH = 64


@implementer(ILogObserver)
class Lines:
    """How often which event was logged, by its reason."""

    def __init__(self) -> None:
        self.count: Counter[object] = Counter()

    def __call__(self, event: dict[str, object]) -> None:
        self.count[event["event"], event["reason"]] += 1


class Mag:
    """Keeps the code of each answer."""

    def __init__(self, network: FakeNetwork, address: Ipv4) -> None:
        self.codes: list[int] = []
        FakeSignalling(network, (address,)).start(self, None)

    def datagrams_received(self, batch: list[Datagram]) -> None:
        self.codes += [RegistrationReply.decode(datagram.payload).code for datagram in batch]


def bad(anchor: Anchor, number: int, chance: random.Random) -> bytes:
    """A wrong authenticator, a stranger, a message cut short, or noise."""
    good = anchor.datagram(1 + number % 9, lifetime=0 if number % 2 else 600)
    return (
        good[:-1] + bytes((good[-1] ^ 1,)),
        good.replace(b"@", b"?"),
        good[: chance.randrange(len(good))],
        chance.randbytes(100),
    )[number % 4]


@covers("H4")
def test_no_good_request_is_lost_among_bad_ones_of_the_same_mag() -> None:
    """The bad come from the MAGs of the good ones, as they seem to when addresses are spoofed, and from elsewhere."""
    anchor, network, log = Anchor(home="10.1.0.0/28"), FakeNetwork(), Lines()
    agent = Lma(
        anchor.engine,
        clock=anchor.clock,
        signalling=FakeSignalling(network, (LMA,)),
        forwarding=MemoryPlane(monotonic=lambda: anchor.clock.monotonic, local=LMA),
        store=Unsaved(),
        observers=[LogObserver(Logger(namespace="test", observer=log))],
    )
    agent.start()
    mags = {address: Mag(network, address) for address in (MAG1, MAG2, MAG3)}
    chance = random.Random(434)
    arriving = [
        Datagram(bad(anchor, number, chance), Endpoint((MAG1, MAG2, MAG3)[number % 3], 434), LMA)
        for number in range(GOOD * BAD_OF_GOOD)
    ]
    for number in range(GOOD):
        good = Datagram(anchor.datagram(1 + number % 9, MAG1), Endpoint(MAG1, 434), LMA)
        arriving.insert(number * (1 + BAD_OF_GOOD) + chance.randrange(BAD_OF_GOOD), good)
    for first in range(0, len(arriving), BATCH):
        agent.datagrams_received(arriving[first : first + BATCH])
        network.deliver()
    accepted = [code for code in mags[MAG1].codes if accepts(code)]
    assert len(accepted) == GOOD
    assert len(anchor.engine.bindings) == 9, "and no de-registration without the key has ended one"
    refused = [code for mag in mags.values() for code in mag.codes if not accepts(code)]
    assert set(refused) == {131}
    assert len(refused) <= len(mags), "one in a second for each source"
    for event, lines in log.count.items():
        assert lines <= LINES_PER_SECOND, event
