"""A MAG and its disk: what rests on it waits, nodes do not wait long, and the next process goes on."""

from collections.abc import Sequence

import pytest

from pmip_tw.addresses import Mac
from pmip_tw.agents.keeping import MOST_AT_ONCE, PATIENCE, TRY_AGAIN, Keeping
from pmip_tw.errors import PmipError
from pmip_tw.interfaces import Datagram
from pmip_tw.mag.effects import MagEffect, Save, Transmit
from pmip_tw.mag.journal.records import MAG_JOURNAL, Departed
from pmip_tw.mobility.tunnels import AccessEntry
from pmip_tw.store.rows import RowCodec
from pmip_tw.testing.network import FakeSignalling
from pmip_tw.testing.store import FakeDisk, FakeStore
from pmip_tw.wire.codes import MessageType as WireType
from pmip_tw.wire.dhcp import MessageType
from tests.agents.world import GATEWAY, PORT, MagNode, Station, World
from tests.conformance import covers


class Scene:
    """One MAG, whose disk takes its time: ``node.store.commit`` is when it is done. Its node has no address yet."""

    def __init__(self) -> None:
        self.world = World(mags=1, nodes=3)
        [self.node] = self.world.mags
        self.restart(at_once=False)
        self.station = self.world.stations[0]

    def restart(self, *, at_once: bool = True) -> MagNode:
        self.node.kill()
        self.node.start(at_once=at_once)
        return self.node

    def dhcp(self, kind: MessageType, station: Station | None = None, **fields) -> list[MessageType | None]:
        """What is sent to the node at once when it says that."""
        self.world.hear(self.node, (station or self.station).dhcp(kind, **fields))
        return self.kinds()

    def kinds(self) -> list[MessageType | None]:
        return [message.message_type for message in self.node.told()]

    def request(self, station: Station | None = None) -> list[MessageType | None]:
        """DISCOVER, OFFER, REQUEST: what follows at once."""
        station = station or self.station
        self.world.hear(self.node, station.dhcp(MessageType.DISCOVER))
        [offer] = self.node.told()
        self.offered = offer.yiaddr
        return self.dhcp(MessageType.REQUEST, station, requested=offer.yiaddr, server=GATEWAY)

    def serve(self, station: Station | None = None) -> None:
        assert self.request(station) == []
        self.node.store.commit()
        assert self.kinds() == [MessageType.ACK]

    @property
    def entries(self) -> list[AccessEntry]:
        return [entry for entry in self.node.plane.snapshot() if entry.upstream]

    def told(self, name: str) -> list[str]:
        return [note.cause for note in self.node.notes.named(name)]


class TestStopping:
    def test_who_has_left_while_the_disk_was_full_does_not_come_back(self) -> None:
        """It is written when the process stops, if it can be then."""
        scene = Scene()
        scene.serve()
        scene.node.disk.trouble = "the disk is full"
        scene.dhcp(MessageType.RELEASE, ciaddr=scene.offered, server=GATEWAY)
        scene.node.store.commit()
        scene.node.disk.trouble = ""
        scene.node.agent.stop()
        scene.restart()
        assert list(scene.node.engine.visitors) == []

    def test_a_disk_that_stays_full_does_not_keep_it_from_stopping(self) -> None:
        scene = Scene()
        scene.serve()
        scene.node.disk.trouble = "the disk is full"
        scene.dhcp(MessageType.RELEASE, ciaddr=scene.offered, server=GATEWAY)
        scene.node.store.commit()
        scene.node.agent.stop()
        scene.restart()
        assert len(list(scene.node.engine.visitors)) == 1


class TestOrder:
    @covers("D23")
    def test_a_lease_waits_for_the_disk_and_the_service_does_not(self) -> None:
        """OFFER promises nothing; the node's packets are carried as soon as its LMA has accepted it."""
        scene = Scene()
        assert scene.request() == []
        assert len(scene.entries) == 1
        scene.node.store.commit()
        assert scene.kinds() == [MessageType.ACK]

    @covers("D23")
    def test_every_extension_of_it_too(self) -> None:
        scene = Scene()
        scene.serve()
        assert scene.dhcp(MessageType.REQUEST, ciaddr=scene.offered, server=GATEWAY) == []
        scene.node.store.commit()
        assert scene.kinds() == [MessageType.ACK]

    @covers("P78", "P79")
    def test_a_handover_does_not_wait(self) -> None:
        """The frames that were held go on before anything is written."""
        world = World()
        station, (old, new) = world.stations[0], world.mags
        address = world.attach(station, old)
        new.kill()
        new.start(at_once=False)
        world.advance(5)
        world.hear(new, station.data(address, b"the first after the move"))
        assert [packet[-24:] for packet in world.plane.delivered] == [b"the first after the move"]
        assert new.store.waiting == 1

    @covers("P21")
    def test_a_deregistration_waits(self) -> None:
        """Or a restart could bring back whom the LMA has forgotten."""
        scene = Scene()
        scene.serve()
        before = len(scene.world.network.carried)
        scene.dhcp(MessageType.RELEASE, ciaddr=scene.offered, server=GATEWAY)
        assert scene.entries == [] and len(scene.world.network.carried) == before
        scene.node.store.commit()
        scene.world.network.deliver()
        assert not list(scene.world.lma_engine.bindings)

    @covers("RV32", "RV33")
    def test_the_acknowledgment_of_a_revocation_waits(self) -> None:
        scene = Scene()
        scene.serve()
        scene.world.lma.revoke(scene.station.nai)
        scene.world.network.deliver()
        assert scene.entries == [] and scene.world.lma_engine.revoking == 1
        scene.node.store.commit()
        scene.world.network.deliver()
        assert scene.world.lma_engine.revoking == 0

    @covers("RV17", "RV32")
    def test_nor_is_it_acknowledged_sooner_when_it_comes_twice(self) -> None:
        """Or an LMA would take for ended what a restart brings back."""
        scene = Scene()
        scene.serve()
        scene.world.lma.revoke(scene.station.nai)
        scene.world.network.deliver()
        source, destination, payload = scene.world.network.carried[-1]
        assert payload[0] == WireType.REVOCATION
        for _ in range(2):
            scene.node.signalling.arrive(Datagram(payload, source, destination.address))
        scene.world.network.deliver()
        assert scene.world.lma_engine.revoking == 1
        scene.node.store.commit()
        scene.world.network.deliver()
        assert scene.world.lma_engine.revoking == 0

    def test_who_was_revoked_meanwhile_is_given_no_lease(self) -> None:
        scene = Scene()
        assert scene.request() == []
        scene.world.lma.revoke(scene.station.nai)
        scene.world.network.deliver()
        scene.node.store.commit()
        assert scene.kinds() == []

    def test_at_the_end_everything_is_written(self) -> None:
        scene = Scene()
        scene.request()
        scene.node.agent.stop()
        scene.node.start()
        assert scene.node.states == {scene.station.nai: "registered"}

    def test_after_the_end_nothing_happens_any_more(self) -> None:
        scene = Scene()
        scene.request()
        scene.node.agent.stop()
        assert scene.kinds() == [MessageType.ACK]
        before = len(scene.node.notes.all)
        scene.world.advance(2000, step=10.0)
        assert len(scene.node.notes.all) == before

    def test_a_start_that_fails_lets_the_journal_go(self) -> None:
        world = World(mags=1)
        [node] = world.mags
        node.kill()
        FakeSignalling(world.network, (node.address,)).start(node.agent, None)
        with pytest.raises(PmipError, match="cannot be bound"):
            node.start()
        told: list[object] = []
        node.store.append([Departed(mac=Mac(bytes(6)), nai="", deadline=9.0)], told.append)
        assert told == [] and node.disk.rows == []


class Hands:
    """Keeping alone; ``happened``: what has waited, ``calls``: how often its owner was called."""

    def __init__(self) -> None:
        self.disk = FakeDisk()
        self.store = FakeStore(self.disk, MAG_JOURNAL, at_once=False)
        self.store.start()
        self.happened: list[MagEffect] = []
        self.calls = 0
        self.keeping = Keeping(self.store, self._carry_on)

    def _carry_on(self, effects: Sequence[MagEffect]) -> None:
        self.calls += 1
        self.happened += effects

    def departs(self, number: int, *then: MagEffect, nai: str = "") -> None:
        record = Departed(mac=Mac(number.to_bytes(6, "big")), nai=nai, deadline=99.0)
        self.keeping.save(Save((record,), then))

    @property
    def names(self) -> list[str]:
        codec = RowCodec(MAG_JOURNAL)
        return [record.nai for _, row in self.disk.rows for record in codec.decode(row)]


class TestKeeping:
    def test_what_a_wake_up_decides_is_appended_in_one_call(self) -> None:
        hands = Hands()
        effects = [Transmit(PORT, bytes((number,))) for number in range(3)]
        for number, effect in enumerate(effects):
            hands.departs(number, effect)
        hands.keeping.append(1.0)
        assert hands.store.waiting == 1 and hands.happened == []
        hands.store.commit()
        assert hands.happened == effects and len(hands.disk.rows) == 1

    def test_of_one_append_that_fails_the_newest_word_is_kept(self) -> None:
        hands = Hands()
        hands.disk.trouble = "the disk is full"
        hands.departs(1, nai="older")
        hands.departs(1, nai="newer")
        hands.keeping.append(1.0)
        hands.store.commit()
        hands.disk.trouble = ""
        hands.keeping.wake(1.0 + TRY_AGAIN)
        hands.store.commit()
        assert hands.names == ["newer"]

    def test_when_it_works_again_the_rest_follows_at_once(self) -> None:
        """Its owner is called, so that it looks at the deadline."""
        hands = Hands()
        hands.disk.trouble = "the disk is full"
        for number in range(MOST_AT_ONCE + 1):
            hands.departs(number)
        hands.keeping.append(1.0)
        hands.store.commit()
        hands.disk.trouble = ""
        at = 1.0 + TRY_AGAIN
        hands.keeping.wake(at)
        calls = hands.calls
        hands.store.commit()
        assert len(hands.names) == MOST_AT_ONCE
        assert hands.calls == calls + 1
        deadline = hands.keeping.next_deadline()
        assert deadline is not None and deadline <= at
        hands.keeping.wake(at)
        hands.store.commit()
        assert len(hands.names) == MOST_AT_ONCE + 1 and hands.keeping.next_deadline() is None


class TestTrouble:
    @covers("D23")
    def test_a_full_disk_ends_nobodys_service(self) -> None:
        scene = Scene()
        scene.node.disk.trouble = "the disk is full"
        assert scene.request() == []
        scene.node.store.commit()
        assert scene.kinds() == [MessageType.ACK]
        [cause] = scene.told("journal-failed")[-1:]
        assert "mag.journal: the disk is full" in cause and "restart" in cause
        assert scene.node.states == {scene.station.nai: "registered"}

    def test_what_failed_is_written_when_it_can_be(self) -> None:
        """The newest word about each: who has left meanwhile is not there, and who has come is."""
        scene = Scene()
        second = scene.world.stations[1]
        scene.serve()
        scene.node.disk.trouble = "the disk is full"
        scene.dhcp(MessageType.RELEASE, ciaddr=scene.offered, server=GATEWAY)
        scene.request(second)
        scene.node.store.commit()
        scene.world.advance(TRY_AGAIN + 0.25)
        scene.node.store.commit()
        assert scene.told("journal-works-again") == []
        scene.node.disk.trouble = ""
        scene.world.advance(TRY_AGAIN + 0.25)
        scene.node.store.commit()
        assert len(scene.told("journal-works-again")) == 1
        assert scene.restart().states == {second.nai: "registered"}

    def test_nothing_older_is_written_after_what_is_newer(self) -> None:
        scene = Scene()
        scene.node.disk.trouble = "the disk is full"
        scene.request()
        scene.node.store.commit()
        scene.node.disk.trouble = ""
        scene.dhcp(MessageType.RELEASE, ciaddr=scene.offered, server=GATEWAY)
        scene.node.store.commit()
        for _ in range(3):
            scene.world.advance(TRY_AGAIN)
            scene.node.store.commit()
        assert scene.restart().states == {}

    def test_of_several_that_fail_together_the_newest_is_kept(self) -> None:
        scene = Scene()
        scene.node.disk.trouble = "the disk is full"
        scene.request()
        scene.dhcp(MessageType.RELEASE, ciaddr=scene.offered, server=GATEWAY)
        assert scene.node.store.waiting > 1
        scene.node.store.commit()
        scene.node.disk.trouble = ""
        scene.world.advance(TRY_AGAIN + 0.25)
        scene.node.store.commit()
        assert scene.restart().states == {}

    def test_a_slow_disk_is_not_waited_for_for_long(self) -> None:
        scene = Scene()
        assert scene.request() == []
        scene.world.clock.advance(PATIENCE - 0.1)
        assert scene.kinds() == []
        scene.world.clock.advance(0.2)
        assert scene.kinds() == [MessageType.ACK]
        assert len(scene.told("journal-slow")) == 1
        scene.node.store.commit()
        assert scene.told("journal-works-again") == []  # it did all the time
        assert scene.kinds() == []  # once
        assert scene.restart().states == {scene.station.nai: "registered"}

    def test_a_disk_that_is_slow_again_is_told_again(self) -> None:
        scene = Scene()
        for station, told in zip(scene.world.stations[:2], (1, 2), strict=True):
            scene.request(station)
            scene.world.clock.advance(2 * PATIENCE)
            assert len(scene.told("journal-slow")) == told
            scene.node.store.commit()
            assert scene.kinds() == [MessageType.ACK]

    def test_what_is_over_is_not_kept_for_ever(self) -> None:
        """A full disk must not fill the memory: who came and went while it was."""
        scene = Scene()
        scene.restart(at_once=True)
        scene.node.disk.trouble = "the disk is full"
        assert scene.request() == [MessageType.ACK]
        scene.world.advance(2000, step=1.0)
        scene.node.disk.trouble = ""
        scene.world.advance(2 * TRY_AGAIN)
        assert scene.node.disk.rows == []
        scene.request(scene.world.stations[1])
        assert len(scene.told("journal-works-again")) == 1


class TestKilled:
    @covers("P44", "P40")
    def test_packets_flow_before_anybody_is_heard(self) -> None:
        scene = Scene()
        scene.serve()
        carried, asked = len(scene.world.network.carried), scene.node.aaa
        node = scene.restart()
        assert node.states == {scene.station.nai: "registered"} and len(scene.entries) == 1
        scene.world.hear(node, scene.station.data(scene.offered, b"on it goes"))
        assert [packet[-10:] for packet in scene.world.plane.delivered] == [b"on it goes"]
        assert len(scene.world.network.carried) == carried  # the LMA was not bothered
        assert asked is not node.aaa and node.aaa.asked == []

    def test_what_was_not_durable_was_not_promised(self) -> None:
        scene = Scene()
        assert scene.request() == []
        node = scene.restart()
        assert node.states == {}
        scene.world.hear(
            node, scene.station.dhcp(MessageType.REQUEST, requested=scene.offered, server=GATEWAY)
        )
        assert scene.kinds() == [MessageType.ACK]

    @covers("P79", "P15")
    def test_who_moved_away_meanwhile_is_left_where_it_is(self) -> None:
        """Not even the LMA's revocation got here: at half of the lifetime nobody answers, and nothing is stolen."""
        world = World(mag_settings={"lifetime": 60})
        station, (old, new) = world.stations[0], world.mags
        address = world.attach(station, old)
        old.kill()
        world.advance(3)
        world.hear(new, station.data(address))
        world.advance(10)
        old.start()
        assert old.states == {station.nai: "registered"}
        for _ in range(40):
            world.hear(new, station.arp(address, GATEWAY))
            world.advance(1)
        assert old.states == {} and new.states == {station.nai: "registered"}
        [binding] = world.lma_engine.bindings
        assert binding.care_of_address == new.address

    @covers("RV32", "RV23")
    def test_the_revocation_that_was_on_its_way_still_counts(self) -> None:
        world = World()
        station, (old, new) = world.stations[0], world.mags
        address = world.attach(station, old)
        old.kill()
        world.advance(3)
        world.hear(new, station.data(address))
        world.advance(1)
        old.start()
        world.advance(10)
        assert old.states == {} and world.lma_engine.revoking == 0

    def test_both_roles_are_killed_at_once(self) -> None:
        scene = Scene()
        scene.serve()
        scene.world.lma.stop()
        scene.node.kill()
        scene.world.start_lma()
        node = scene.restart()
        scene.world.hear(node, scene.station.data(scene.offered, b"hello"))
        assert [packet[-5:] for packet in scene.world.plane.delivered] == [b"hello"]
