"""An LMA and its disk: answers wait for it, failures are told, and the next process goes on."""

from collections.abc import Iterable

import pytest
from twisted.logger import capturedLogs

from pmip_tw.addresses import Endpoint, Ipv4, ipv4_text
from pmip_tw.agents.lma import Lma
from pmip_tw.errors import StoreError
from pmip_tw.forwarding.memory import MemoryPlane
from pmip_tw.interfaces import Datagram
from pmip_tw.lma.engine import LmaEngine
from pmip_tw.lma.journal.records import LMA_JOURNAL, Bound, Revoking, Spent, Unbound
from pmip_tw.lma.registration.commitment import Commit, Effect
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.tunnels import AnchorEntry, Tunnel
from pmip_tw.store.rows import RowCodec
from pmip_tw.testing.network import FakeNetwork, FakeSignalling
from pmip_tw.testing.store import FakeDisk, FakeStore
from pmip_tw.wire.extension_values import RevocationSupport
from pmip_tw.wire.registration import RegistrationReply
from pmip_tw.wire.revocation import Revocation
from tests.agents.world import LMA, World
from tests.conformance import covers
from tests.forwarding.packets import from_node, to_node
from tests.lma.anchor import FIRST_ADDRESS, MAG1, MAG2, Anchor, nai
from tests.observers import Notes


class Bench:
    """An LMA on a disk; ``start`` begins a process. The Anchor makes the requests, and the engines."""

    store_class = FakeStore

    def __init__(self, *, at_once: bool = False, **settings: object) -> None:
        self.anchor = Anchor(**settings)
        self.network = FakeNetwork()
        self.disk = FakeDisk("lma.journal")
        self.plane = MemoryPlane(monotonic=lambda: self.anchor.clock.monotonic, local=LMA)
        self.notes = Notes()
        self.answers: list[bytes] = []
        self.at_once = at_once
        for mag in (MAG1, MAG2):
            FakeSignalling(self.network, (mag,)).start(self, None)
        self.start()

    def start(self) -> None:
        self.engine = self.anchor._new_engine()
        self.store = self.store_class(self.disk, LMA_JOURNAL, at_once=self.at_once)
        self.agent = Lma(
            self.engine,
            clock=self.anchor.clock,
            signalling=FakeSignalling(self.network, (LMA,)),
            forwarding=self.plane,
            store=self.store,
            observers=[self.notes],
        )
        self.agent.start()

    def datagrams_received(self, batch: list[Datagram]) -> None:
        self.answers += [datagram.payload for datagram in batch]

    def arrive(self, *asked: tuple[int, int], lifetime: int = 600) -> None:
        """Requests of (node, MAG) in one wake-up."""
        self.agent.datagrams_received(
            [
                Datagram(
                    self.anchor.datagram(node, mag, lifetime=lifetime, revocation=RevocationSupport(5)),
                    Endpoint(mag, 434),
                    LMA,
                )
                for node, mag in asked
            ]
        )

    def codes(self) -> list[int]:
        """Those of the replies since last asked."""
        self.network.deliver()
        replies = [RegistrationReply.decode(octets).code for octets in self.answers if octets[0] == 3]
        self.answers.clear()
        return replies

    def revoked(self) -> list[Ipv4]:
        """The MAGs that a revocation came to since last asked."""
        self.network.deliver()
        told = [Revocation.decode(octets).foreign_domain for octets in self.answers if octets[0] == 7]
        self.answers.clear()
        return told

    def rows(self) -> list[list[object]]:
        return [list(RowCodec(LMA_JOURNAL).decode(row)) for _, row in self.disk.rows]


class TestAppending:
    def test_one_wake_up_is_one_append_and_its_answers_wait(self) -> None:
        bench = Bench()
        bench.arrive((1, MAG1), (2, MAG1), (3, MAG2))
        assert bench.store.waiting == 1
        assert bench.codes() == [] and bench.plane.snapshot() == ()
        bench.store.commit()
        assert bench.codes() == [1, 1, 1] and len(bench.plane.snapshot()) == 3
        [row] = bench.rows()
        assert [type(record) for record in row] == [Bound] * 3

    def test_whom_a_handover_revokes_is_saved_with_it(self) -> None:
        """The revocation must outlive us, so that nothing is to be saved after it is sent."""
        bench = Bench()
        bench.arrive((1, MAG1))
        bench.store.commit()
        bench.arrive((1, MAG2))
        bench.store.commit()
        assert bench.codes() == [1, 1]
        assert [type(record) for record in bench.rows()[-1]] == [Bound, Revoking]
        assert bench.store.waiting == 0

    @covers("RV21")
    def test_what_an_operator_ends_is_saved_before_a_mag_hears_of_it(self) -> None:
        bench = Bench()
        bench.arrive((1, MAG1))
        bench.store.commit()
        bench.codes()
        bench.agent.revoke("mn1@example.net")
        assert bench.revoked() == []
        bench.store.commit()
        assert bench.revoked() == [MAG1]
        assert [type(record) for record in bench.rows()[-1]] == [Unbound, Revoking]

    def test_refusals_do_not_wait(self) -> None:
        bench = Bench()
        bench.agent.datagrams_received(
            [Datagram(bench.anchor.datagram(1, MAG1, flags=0), Endpoint(MAG1, 434), LMA)]
        )
        assert bench.codes() == [138]
        bench.store.commit()
        [[record]] = bench.rows()
        assert isinstance(record, Spent)

    def test_a_store_that_answers_at_once(self) -> None:
        bench = Bench(at_once=True)
        bench.arrive((1, MAG1), (2, MAG1))
        bench.arrive((1, MAG2))
        assert bench.codes() == [1, 1, 1]
        assert len(bench.rows()) == 2 and bench.store.waiting == 0


class TestFailing:
    @covers("H14")
    def test_nothing_is_promised_that_is_not_saved(self) -> None:
        bench = Bench()
        bench.disk.trouble = "the disk is full: free some space"
        bench.arrive((1, MAG1), (2, MAG1))
        bench.store.commit()
        assert bench.codes() == [130, 130]
        assert bench.plane.snapshot() == () and len(bench.engine.bindings) == 0
        [failed] = bench.notes.named("journal-failed")
        assert failed.cause.startswith("lma.journal: the disk is full: free some space")

    def test_it_works_again_without_a_restart(self) -> None:
        """And what could not be refused is saved then, before anything newer."""
        bench = Bench()
        bench.arrive((1, MAG1), (2, MAG1))
        bench.store.commit()
        bench.disk.trouble = "the disk is full"
        bench.agent.revoke("mn1@example.net")
        bench.arrive((2, MAG1))
        bench.store.commit()
        assert bench.codes() == [1, 1, 130]
        bench.disk.trouble = ""
        bench.arrive((1, MAG1))
        bench.store.commit()
        assert bench.codes() == [1]
        records = [record for row in bench.rows()[1:] for record in row]
        kinds = [type(record) for record in records]
        assert kinds.index(Unbound) < kinds.index(Bound)
        bench.agent.stop()
        bench.start()
        assert {binding.nai for binding in bench.engine.bindings} == {b"mn1@example.net", b"mn2@example.net"}

    def test_it_is_tried_again_while_nothing_is_heard(self) -> None:
        bench = Bench()
        bench.arrive((1, MAG1))
        bench.store.commit()
        bench.disk.trouble = "the disk is full"
        bench.agent.revoke("mn1@example.net")
        bench.store.commit()
        bench.disk.trouble = ""
        assert bench.store.waiting == 0
        bench.anchor.clock.advance(1.5)
        bench.store.commit()
        assert any(isinstance(record, Unbound) for row in bench.rows() for record in row)

    @covers("RV21")
    def test_what_an_operator_has_ended_is_not_back_after_a_stop(self) -> None:
        """The disk was full when he did, and is not any more."""
        bench = Bench()
        bench.arrive((1, MAG1))
        bench.store.commit()
        bench.disk.trouble = "the disk is full"
        bench.agent.revoke("mn1@example.net")
        bench.store.commit()
        bench.codes()
        bench.disk.trouble = ""
        bench.agent.stop()
        assert bench.revoked() == [MAG1]
        bench.start()
        assert len(bench.engine.bindings) == 0

    def test_stopping_while_the_disk_is_full(self) -> None:
        """It ends, with whoever waited refused, and nothing is tried afterwards."""
        bench = Bench()
        bench.arrive((1, MAG1))
        bench.store.commit()
        bench.codes()
        bench.disk.trouble = "the disk is full"
        bench.agent.revoke("mn1@example.net")
        bench.arrive((2, MAG1))
        bench.agent.stop()
        assert bench.codes() == [130]
        failures = len(bench.notes.named("journal-failed"))
        bench.anchor.clock.advance(60)
        assert len(bench.notes.named("journal-failed")) == failures
        assert bench.revoked() == []

    @covers("I10")
    def test_a_disk_that_is_full_for_long_does_not_fill_the_memory(self) -> None:
        """Of what cannot be refused the newest is kept: of each node the latest Identification."""
        bench = Bench()
        bench.disk.trouble = "the disk is full"
        for _ in range(50):
            bench.arrive((1, MAG1), (2, MAG1), (1, MAG2), (1, MAG1))
            bench.anchor.clock.advance(0.01)
            bench.store.commit()
        first, captured = (
            Datagram(bench.anchor.datagram(1, mag), Endpoint(mag, 434), LMA) for mag in (MAG1, MAG2)
        )
        bench.agent.datagrams_received([first, captured])
        for trouble in ("the disk is full", "the disk is full", ""):
            bench.disk.trouble = trouble
            bench.anchor.clock.advance(1.5)
            bench.store.commit()
        bench.codes()
        [row] = bench.rows()
        assert {type(record) for record in row} == {Spent} and len(row) < 10
        bench.agent.stop()
        bench.start()
        bench.agent.datagrams_received([captured])
        assert bench.codes() == [133]

    def test_a_defect_in_one_failure_does_not_keep_the_others_from_being_undone(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bench = Bench()
        failed = LmaEngine.failed

        def defective(engine, commit, *arguments, **more):
            if commit.owner == b"mn2@example.net":
                raise RuntimeError("nobody has tried this")
            return failed(engine, commit, *arguments, **more)

        monkeypatch.setattr(LmaEngine, "failed", defective)
        bench.arrive((1, MAG1), (2, MAG1), (3, MAG1))
        bench.disk.trouble = "the disk is full"
        bench.store.commit()
        assert bench.codes() == [130, 130]
        assert [bytes(binding.owner) for binding in bench.engine.bindings] == [b"mn2@example.net"]

    def test_a_full_disk_is_not_tried_all_the_time(self) -> None:
        bench = Bench(at_once=True)
        bench.disk.trouble = "the disk is full"
        bench.arrive((1, MAG1), (2, MAG1))
        assert bench.codes() == [130, 130]
        assert len(bench.notes.named("journal-failed")) <= 2
        bench.anchor.clock.advance(3)
        assert len(bench.notes.named("journal-failed")) <= 6


class TestRestarting:
    def test_live_bindings_forward_before_anything_is_heard(self) -> None:
        bench = Bench()
        bench.arrive((1, MAG1), (2, MAG2))
        bench.store.commit()
        held = set(bench.plane.snapshot())
        bench.store.crash()
        bench.agent._signalling.stop()
        bench.plane = MemoryPlane(monotonic=lambda: bench.anchor.clock.monotonic, local=LMA)
        bench.start()
        assert set(bench.plane.snapshot()) == held
        [restored] = bench.notes.named("bindings-restored")
        assert restored.details == {"bindings": 2, "dropped": 0}

    def test_who_has_not_been_heard_since_is_served_and_counted_and_moves(self) -> None:
        """A binding of which nobody has asked yet, and a session of which no packet was seen."""
        bench = Bench(at_once=True)
        bench.arrive((1, MAG1))
        bench.agent._signalling.stop()
        bench.plane = MemoryPlane(monotonic=lambda: bench.anchor.clock.monotonic, local=LMA)
        bench.start()
        there, elsewhere = Tunnel(local=LMA, remote=MAG1), Tunnel(local=LMA, remote=MAG2)
        bench.plane.host_sends(to_node(b"down"))
        bench.plane.arrive(there, from_node(b"up"))
        bench.plane.arrive(elsewhere, from_node(b"not his"))
        assert [tunnel for tunnel, _ in bench.plane.tunnelled] == [there]
        assert [packet[-2:] for packet in bench.plane.delivered] == [b"up"]
        bench.arrive((1, MAG2))
        bench.plane.host_sends(to_node(b"down"))
        bench.plane.arrive(there, from_node(b"too late"))
        assert [tunnel for tunnel, _ in bench.plane.tunnelled] == [there, elsewhere]
        [entry] = bench.plane.snapshot()
        counters = bench.plane.counters(entry.key)
        assert (counters.packets_down, counters.packets_up) == (2, 1)

    def test_what_nobody_was_told_of_is_lost(self) -> None:
        bench = Bench()
        bench.arrive((1, MAG1))
        bench.store.crash()
        bench.agent._signalling.stop()
        bench.start()
        assert len(bench.engine.bindings) == 0 and bench.codes() == []

    def test_what_ends_while_the_journal_is_read_is_over_before_anybody_asks(self) -> None:
        bench = Bench(at_once=True, nodes=251, home="10.1.0.0/22")
        bench.arrive(*((node, MAG1) for node in range(1, 251)), lifetime=10)
        bench.arrive((251, MAG1))
        bench.agent.stop()

        class Slow(FakeStore):
            def load(self, superseded=None):
                yield from super().load(superseded)
                bench.anchor.clock.advance(12.0)

        bench.store_class = Slow
        bench.start()
        [left] = bench.engine.bindings
        assert left.owner == nai(251)
        [entry] = bench.plane.snapshot()
        assert entry.key == left.key
        assert len(bench.notes.named("binding-expired")) == 250

    def test_orphans_in_the_packet_plane_are_removed(self) -> None:
        bench = Bench()
        bench.agent.stop()
        tunnel = Tunnel(local=LMA, remote=MAG1)
        bench.plane.install(AnchorEntry(home_address=FIRST_ADDRESS, tunnel=tunnel))
        bench.start()
        assert bench.plane.snapshot() == ()

    @covers("RV21")
    def test_what_the_packet_plane_does_not_take_any_more_ends(self) -> None:
        """Its MAG is told, and another restart does not bring it back."""
        bench = Bench()
        bench.arrive((1, MAG1))
        bench.store.commit()
        assert bench.codes() == [1]
        bench.agent.stop()
        bench.plane = MemoryPlane(monotonic=lambda: bench.anchor.clock.monotonic, local=LMA)
        bench.plane.fail_next_install("there is no such domain")
        bench.start()
        assert len(bench.engine.bindings) == 0 and bench.plane.snapshot() == ()
        bench.store.commit()
        assert bench.revoked() == [MAG1]
        bench.agent.stop()
        bench.start()
        assert len(bench.engine.bindings) == 0

    def test_a_journal_that_cannot_be_read(self) -> None:
        """The process does not start, and leaves nothing open."""
        bench = Bench()
        bench.agent.stop()

        class Broken(FakeStore):
            stopped = False

            def load(self, superseded=None):
                raise StoreError("lma.journal", "row 7 is damaged: pmipctl store check lma.journal says more")

            def stop(self) -> None:
                self.stopped = True

        store = Broken(bench.disk, LMA_JOURNAL)
        agent = Lma(
            bench.anchor._new_engine(),
            clock=bench.anchor.clock,
            signalling=FakeSignalling(bench.network, (LMA,)),
            forwarding=bench.plane,
            store=store,
        )
        with pytest.raises(StoreError, match="row 7"):
            agent.start()
        assert store.stopped and not bench.plane.started
        bench.start()

    def test_stopping_saves_and_answers_first(self) -> None:
        bench = Bench()
        bench.arrive((1, MAG1))
        bench.agent.stop()
        assert bench.codes() == [1]
        bench.start()
        assert len(bench.engine.bindings) == 1


def test_mags_need_not_do_anything() -> None:
    """A host talks on through an LMA that was gone for a moment."""
    world = World()
    station, node = world.stations[0], world.mags[0]
    address = world.attach(station, node)
    sent = len(node.notes.named("registration-sent"))
    world.lma.stop()
    for entry in world.plane.snapshot():
        world.plane.remove(entry.key)
    world.advance(2)
    world.start_lma()
    world.plane.delivered.clear()
    world.hear(node, station.data(address))
    assert len(world.plane.delivered) == 1
    assert len(node.notes.named("registration-sent")) == sent
    [binding] = world.lma_engine.bindings
    assert ipv4_text(binding.home_address) == ipv4_text(address)


@pytest.mark.parametrize("part", ["arrived", "saved"])
def test_a_defect_of_ours_costs_those_whom_it_happens_to(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others of the same commit are answered, and at once."""
    bench = Bench()
    bench.arrive((1, MAG1), (2, MAG1))
    bench.store.commit()
    assert bench.codes() == [1, 1]

    def broken(*arguments: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(bench.engine, part, broken)
    bench.agent.revoke("mn2@example.net")
    bench.arrive((1, MAG1), (3, MAG1))
    with capturedLogs() as said:
        bench.store.commit()
    assert bench.codes() == {"arrived": [1], "saved": [1, 1]}[part]
    assert any("log_failure" in event for event in said)


def test_a_defect_in_what_is_carried_out_together_stays_in_its_tunnel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench()
    bench.arrive((1, MAG1), (2, MAG2))
    bench.store.commit()
    assert bench.codes() == [1, 1]
    arrived, tunnels = bench.engine.arrived, iter([RuntimeError("a defect"), None])

    def met(commits: Iterable[Commit], now: Now) -> list[Effect]:
        defect = next(tunnels)
        if defect is not None:
            raise defect
        return arrived(commits, now)

    monkeypatch.setattr(bench.engine, "arrived", met)
    bench.arrive((3, MAG1), (4, MAG2))
    with capturedLogs() as said:
        bench.store.commit()
    assert bench.codes() == [1]
    assert sum("log_failure" in event for event in said) == 1
