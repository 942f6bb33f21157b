"""An LMA whose packet plane is in another process: what it is busy with may be obsolete when it has done it."""

from itertools import count

import pytest
from twisted.logger import capturedLogs

from pmip_tw.addresses import Endpoint, Ipv4, ipv4_text
from pmip_tw.agents.lma import Lma
from pmip_tw.errors import PmipError
from pmip_tw.forwarding.memory import MemoryPlane
from pmip_tw.interfaces import Datagram, Unreachable
from pmip_tw.lma.journal.records import LMA_JOURNAL
from pmip_tw.lma.registration.commitment import Commit
from pmip_tw.mobility.tunnels import AnchorEntry, Tunnel
from pmip_tw.testing.network import FakeNetwork, FakeSignalling
from pmip_tw.testing.store import FakeDisk, FakeStore
from tests.agents.slow_carrier import SlowCarrier
from tests.agents.world import LMA
from tests.conformance import covers
from tests.lma.anchor import FIRST_ADDRESS, MAG1, MAG2, Anchor
from tests.observers import Notes


class Bench:
    """An LMA with a disk that answers at once, or when it is told to, and a packet plane that does not."""

    def __init__(self, *, at_once: bool = True) -> None:
        self.at_once = at_once
        self.anchor = Anchor(handover_min_interval=0.0)
        self.network = FakeNetwork()
        self.disk = FakeDisk()
        self.plane = MemoryPlane(
            monotonic=lambda: self.anchor.clock.monotonic, local=LMA, domains=("", "blue")
        )
        self.notes = Notes()
        self.answers: list[bytes] = []
        self.mag = FakeSignalling(self.network, (MAG1, MAG2))
        self.mag.start(self, None)
        self.start()

    def start(self) -> None:
        self.engine = self.anchor._new_engine()
        self.carrier = SlowCarrier(self.plane)
        self.signalling = FakeSignalling(self.network, (LMA,))
        self.store = FakeStore(self.disk, LMA_JOURNAL, at_once=self.at_once)
        self.agent = Lma(
            self.engine,
            clock=self.anchor.clock,
            signalling=self.signalling,
            forwarding=self.plane,
            store=self.store,
            observers=[self.notes],
            carrier=self.carrier,
        )
        self.agent.start()

    def datagrams_received(self, batch: list[Datagram]) -> None:
        self.answers += [datagram.payload for datagram in batch]

    def peer_unreachable(self, report: Unreachable) -> None:
        """An LMA that does not listen yet."""

    def ask(self, node: int, mag: Ipv4 = MAG1, **fields: object) -> None:
        payload = self.anchor.datagram(node, mag, **fields)
        self.agent.datagrams_received([Datagram(payload, Endpoint(mag, 434), LMA)])

    def codes(self) -> list[int]:
        self.network.deliver()
        codes = [octets[1] for octets in self.answers if octets[0] == 3]
        self.answers.clear()
        return codes

    def where(self) -> list[int]:
        """The MAGs that the packet plane sends to."""
        return [entry.tunnel.remote for entry in self.plane.snapshot()]


@covers("P77")
def test_the_answer_waits_for_the_plane() -> None:
    bench = Bench()
    bench.ask(1)
    assert bench.codes() == [] and bench.where() == []
    bench.carrier.do()
    assert bench.codes() == [1] and bench.where() == [MAG1]


def test_a_renewal_asks_nothing_of_it() -> None:
    bench = Bench()
    bench.ask(1)
    bench.carrier.do()
    bench.ask(1)
    assert len(bench.carrier) == 0 and bench.codes() == [1, 1]


@covers("H14")
def test_what_it_cannot_carry_is_refused_and_everything_is_as_before() -> None:
    bench = Bench()
    bench.ask(1)
    bench.carrier.do()
    bench.plane.fail_next_install("no room")
    bench.ask(1, MAG2)
    bench.carrier.do()
    assert bench.codes() == [1, 130] and bench.where() == [MAG1]
    binding = next(iter(bench.engine.bindings))
    assert binding.care_of_address == MAG1


@covers("P45")
def test_an_address_that_a_node_of_another_worker_has_in_the_same_tunnel() -> None:
    """In another address space. One process alone would see that before it decides, and refuse with the same code."""
    bench = Bench()
    theirs = AnchorEntry(home_address=FIRST_ADDRESS, tunnel=Tunnel(local=LMA, remote=MAG1), domain="blue")
    bench.plane.install(theirs)
    bench.ask(1)
    bench.carrier.do()
    assert bench.codes() == [139] and bench.plane.snapshot() == (theirs,)
    bench.ask(1, MAG2)
    bench.carrier.do()
    assert bench.codes() == [1]


def test_a_newer_request_overtakes_nothing() -> None:
    """Two moves while the plane is busy: it does one after the other, and only the last is answered."""
    bench = Bench()
    bench.ask(1)
    bench.carrier.do()
    bench.codes()
    bench.ask(1, MAG2)
    bench.ask(1, MAG1)
    assert len(bench.carrier) == 1, "the second waits for the first"
    bench.carrier.do()
    assert bench.codes() == [] and bench.where() == [MAG2]
    bench.carrier.do()
    assert len(bench.carrier) == 0, "what nobody was told of is undone, and that is all that is asked for"
    assert bench.codes() == [1] and bench.where() == [MAG1]
    assert bench.notes.named("message-discarded")[-1].reason == "superseded"


def test_the_same_for_a_node_that_is_new() -> None:
    bench = Bench()
    bench.ask(1, MAG1)
    bench.ask(1, MAG2)
    bench.carrier.do_all()
    assert bench.codes() == [1] and bench.where() == [MAG2]


@covers("RV23")
@pytest.mark.parametrize("known", [False, True])
def test_what_an_operator_ends_meanwhile_is_not_there_afterwards(known: bool) -> None:
    bench = Bench()
    if known:
        bench.ask(1, MAG1)
        bench.carrier.do()
    bench.ask(1, MAG2)
    bench.agent.revoke("mn1@example.net")
    bench.codes()
    bench.carrier.do_all()
    assert bench.codes() == [] and bench.where() == []
    assert len(bench.engine.bindings) == 0


def give_away(bench: Bench) -> None:
    """The address of the first node, which has left, goes to the second: a DHCP server has given it (P38, P62)."""
    with pytest.raises(PmipError, match="held for nobody now"):
        bench.agent.revoke(ipv4_text(FIRST_ADDRESS))
    bench.ask(2, MAG1, home_address=FIRST_ADDRESS)


@covers("P38", "P62", "P77")
@pytest.mark.parametrize("done", [0, 1, 2])
def test_who_leaves_takes_nothing_from_who_gets_its_address(done: int) -> None:
    """It has moved just before, and the plane is busy with that: its end may not be carried out after what follows."""
    bench = Bench()
    bench.ask(1)
    bench.carrier.do()
    bench.codes()
    bench.ask(1, MAG2)
    bench.ask(1, MAG2, lifetime=0)
    for _ in range(done):
        bench.carrier.do()
    give_away(bench)
    bench.carrier.do_all()
    assert bench.codes() == [1, 1]
    (entry,) = bench.plane.snapshot()
    assert entry == next(iter(bench.engine.bindings)).entry and entry.tunnel.remote == MAG1


@covers("P38", "P62")
def test_what_is_undone_does_not_come_back_at_an_address_that_is_anothers() -> None:
    """The first node leaves, and is back with another address before the plane has heard that the second has its."""
    bench = Bench(at_once=False)
    bench.ask(1, MAG2)
    bench.store.commit()
    bench.carrier.do()
    bench.ask(1, MAG2, lifetime=0)
    give_away(bench)
    bench.ask(1, home_address=Ipv4(FIRST_ADDRESS + 1))
    bench.store.commit()
    bench.ask(1, lifetime=0)
    bench.store.commit()
    bench.carrier.do_all()
    (entry,) = bench.plane.snapshot()
    assert [binding.entry for binding in bench.engine.bindings] == [entry]
    assert bench.codes() == [1, 1, 1]


@covers("P38", "P77")
@pytest.mark.parametrize("taken", [True, False])
def test_what_is_over_is_not_taken_away_behind_what_replaces_it(taken: bool) -> None:
    """The first node is back with another address, which the disk does not take, while the plane is asked to install
    the second one at the address before.
    """
    bench = Bench(at_once=False)
    bench.ask(1, MAG2)
    bench.store.commit()
    bench.carrier.do()
    bench.ask(1, MAG2, lifetime=0)
    give_away(bench)
    saved = bench.store.waiting
    bench.ask(1, home_address=Ipv4(FIRST_ADDRESS + 1))
    bench.store.commit(saved)
    bench.disk.trouble = "no room"
    bench.store.commit()
    assert bench.where() == [MAG2], "nobody removes what the plane is asked to replace"
    if not taken:
        bench.plane.fail_next_install("no room")
    bench.carrier.do_all()
    assert bench.codes() == [1, 130, 1 if taken else 130]
    assert list(bench.plane.snapshot()) == [binding.entry for binding in bench.engine.bindings]
    assert bench.where() == ([MAG1] if taken else [])


def test_a_deregistration_waits_as_well() -> None:
    bench = Bench()
    bench.ask(1)
    bench.carrier.do()
    bench.codes()
    bench.ask(1, lifetime=0)
    assert bench.codes() == [] and bench.where() == [MAG1]
    bench.carrier.do()
    assert bench.codes() == [1] and bench.where() == []


def test_a_defect_of_ours_is_not_what_others_wait_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first of those who wait for the plane meets it."""
    bench = Bench()
    bench.ask(1)
    bench.carrier.do()
    bench.codes()
    for mag in (MAG2, MAG1, MAG2):
        bench.ask(1, mag)
    stands, asked = bench.engine.stands, count(1)

    def met(commit: Commit) -> bool:
        if next(asked) == 2:
            raise RuntimeError("a defect")
        return stands(commit)

    monkeypatch.setattr(bench.engine, "stands", met)
    with capturedLogs() as said:
        bench.carrier.do_all()
    assert bench.codes() == [1] and bench.where() == [MAG2]
    assert sum("log_failure" in event for event in said) == 1


def test_at_the_end_what_is_under_way_is_answered() -> None:
    bench = Bench()
    bench.ask(1)
    bench.ask(1)
    stopped: list[None] = []
    waiting = bench.agent.stop()
    assert waiting is not None
    waiting.addCallback(stopped.append)
    bench.ask(2)
    assert not stopped and len(bench.carrier) == 1, "nothing new is begun"
    bench.carrier.do_all()
    assert stopped and bench.codes() == [1]


def test_a_plane_that_is_gone_is_not_waited_for() -> None:
    bench = Bench()
    bench.ask(1)
    stopped: list[None] = []
    waiting = bench.agent.stop()
    assert waiting is not None
    waiting.addCallback(stopped.append)
    assert not stopped
    bench.agent.stop(carried=False)
    assert stopped and bench.codes() == []


def test_after_a_restart_nothing_is_heard_before_everything_forwards() -> None:
    bench = Bench()
    for node in (1, 2):
        bench.ask(node)
    bench.carrier.do_all()
    bench.codes()
    bench.agent.stop()
    bench.plane = MemoryPlane(monotonic=lambda: bench.anchor.clock.monotonic, local=LMA)
    bench.start()
    for codes in ([], [1]):
        bench.carrier.do()
        bench.mag.send(bench.anchor.datagram(1), Endpoint(LMA, 434), MAG1)
        bench.network.deliver()
        assert bench.codes() == codes
    assert len(bench.where()) == 2
