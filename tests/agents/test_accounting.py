"""A node's stay at MAGs as AAA hears of it: the packets that were carried, and every end (AA20, AA21)."""

import pytest

from pmip_tw.aaa.accounting.records import AccountingRecord, StatusType, TerminateCause, Usage, common_id
from pmip_tw.aaa.dynamic_authorization import Done, ErrorCause, Outcome, Refused, Selection
from pmip_tw.addresses import Endpoint, Ipv4, ipv4
from pmip_tw.mobility.tunnels import AnchorKey
from pmip_tw.wire.dhcp import MessageType
from pmip_tw.wire.udp import udp_packet
from tests.agents.world import CORRESPONDENT, GATEWAY, LMA, MagNode, Station, World
from tests.conformance import covers

START, STOP, INTERIM = StatusType.START, StatusType.STOP, StatusType.INTERIM_UPDATE
ON, OFF = StatusType.ACCOUNTING_ON, StatusType.ACCOUNTING_OFF


class Scene:
    """MAGs whose accounting is looked at."""

    def __init__(self, **more) -> None:
        self.world = World(accounting=True, **more)
        self.station = self.world.stations[0]

    @property
    def node(self) -> MagNode:
        return self.world.mags[0]

    def told(self, node: MagNode | None = None) -> list[AccountingRecord]:
        return (node or self.node).ledger.told

    def statuses(self, node: MagNode | None = None) -> list[StatusType]:
        return [record.status for record in self.told(node)]

    def move(self, address: Ipv4, up: int, down: int, node: MagNode | None = None) -> Usage:
        """Packets of the station; what they are in octets."""
        node = node or self.node
        before = len(self.world.plane.delivered)
        for _ in range(up):
            self.world.hear(node, self.station.data(address, b"x" * 100))
        sent = sum(map(len, self.world.plane.delivered[before:]))
        packet = udp_packet(Endpoint(CORRESPONDENT, 7), Endpoint(address, 5000), b"y" * 300, 64)
        for _ in range(down):
            self.world.plane.host_sends(packet)
            self.world.network.deliver()
        node.plane.transmitted.clear()
        return Usage(sent, down * len(packet), up, down)


def release(scene: Scene, address: Ipv4, node: MagNode | None = None) -> None:
    frame = scene.station.dhcp(MessageType.RELEASE, ciaddr=address, server=GATEWAY)
    scene.world.hear(node or scene.node, frame)


@covers("AA20", "AA21")
def test_start_at_the_first_acceptance_and_stop_with_what_was_carried() -> None:
    scene = Scene()
    assert scene.statuses() == [ON]
    address = scene.world.attach(scene.station, scene.node)
    moved = scene.move(address, up=3, down=2)
    for _ in range(91):  # and a renewal on the way
        scene.world.advance(10)
        scene.world.hear(scene.node, scene.station.arp(address, GATEWAY))
    release(scene, address)
    [start] = [record for record in scene.told() if record.status is START]
    [stop] = [record for record in scene.told() if record.status is STOP]
    session = start.session
    assert session is not None and session.nai == b"mn1@example.net"
    assert (session.home_address, session.home_agent) == (address, LMA)
    assert (session.care_of_address, session.mac) == (scene.node.address, "02-00-00-00-00-01")
    assert session.multi_id == common_id(b"mn1@example.net", address)
    assert stop.session_id == session.id and len(session.id) == 16
    assert stop.usage == moved and stop.terminate_cause is TerminateCause.USER_REQUEST
    assert stop.session_time == 910
    assert scene.statuses() == [ON, START, INTERIM, STOP]
    assert scene.node.ledger.last == {}


@covers("AA20")
def test_a_handover_stops_at_the_old_mag_starts_at_the_new_one_and_both_have_a_name_for_it() -> None:
    scene = Scene()
    old, new = scene.world.mags
    address = scene.world.attach(scene.station, old)
    here = scene.move(address, up=1, down=1)
    scene.world.advance(2)
    there = scene.move(address, up=2, down=1, node=new)
    [stop] = [record for record in scene.told(old) if record.status is STOP]
    assert (stop.terminate_cause, stop.continues, stop.usage) == (TerminateCause.NAS_REQUEST, True, here)
    [start] = [record for record in scene.told(new) if record.status is START]
    assert start.session is not None and stop.session is not None
    assert start.session.multi_id == stop.session.multi_id and start.session_id != stop.session_id
    assert start.session.home_address == stop.session.home_address
    release(scene, address, new)
    assert scene.told(new)[-1].usage == there


@covers("AA20")
def test_interims_as_long_as_it_is_here() -> None:
    scene = Scene(profile={"interim_interval": 120, "classes": (b"\0gold", b"two")})
    address = scene.world.attach(scene.station, scene.node)
    for _ in range(6):
        scene.world.advance(60, step=5)
        scene.move(address, up=1, down=0)
    interims = [record for record in scene.told() if record.status is INTERIM]
    assert 2 <= len(interims) <= 4
    assert interims[0].usage.input_packets < interims[-1].usage.input_packets
    assert interims[0].session is not None and interims[0].session.classes == (b"\0gold", b"two")


class TestRestarts:
    @covers("AA20")
    @pytest.mark.parametrize("orderly", [True, False])
    def test_who_is_brought_back_has_the_same_session_and_its_counters_go_on(self, orderly: bool) -> None:
        scene = Scene()
        address = scene.world.attach(scene.station, scene.node)
        before = scene.move(address, up=3, down=2)
        if orderly:
            scene.node.agent.stop()
        else:
            scene.world.advance(120)  # what was moved is written down once a minute
        scene.node.kill()
        scene.node.start()
        assert scene.statuses() == [ON, START]  # and nothing more
        after = scene.move(address, up=1, down=1)
        release(scene, address)
        start, stop = scene.told()[-2:]
        assert (start.status, stop.status) == (START, STOP)
        assert start.session_id == stop.session_id and stop.usage == before + after

    @covers("AA20")
    def test_who_is_not_has_a_stop_with_what_was_last_known(self) -> None:
        scene = Scene()
        address = scene.world.attach(scene.station, scene.node)
        moved = scene.move(address, up=3, down=2)
        scene.world.advance(120)
        scene.node.kill()
        scene.node.disk.rows.clear()
        scene.node.start()
        *_, stop, on = scene.told()
        assert (stop.status, stop.terminate_cause, stop.usage) == (STOP, TerminateCause.NAS_REBOOT, moved)
        assert on.status is ON
        scene.world.attach(scene.station, scene.node)
        assert scene.told()[-1].status is START and scene.told()[-1].session_id != stop.session_id

    @covers("AA20")
    def test_a_session_whose_end_the_journal_has_not_heard_is_followed_by_another_one(self) -> None:
        """Killed when AAA had its Stop, and before the journal had it: no id begins, or ends, twice."""
        scene = Scene()
        address = scene.world.attach(scene.station, scene.node)
        rows = list(scene.node.disk.rows)
        moved = scene.move(address, up=3, down=2)
        release(scene, address)
        scene.node.kill()
        scene.node.disk.rows[:] = rows
        scene.world.advance(1)
        scene.node.start()
        assert scene.node.engine.visitors.with_nai("mn1@example.net") is not None
        release(scene, address)
        told = [record for record in scene.told() if record.session is not None]
        assert [record.status for record in told] == [START, STOP, START, STOP]
        first, second = told[0].session_id, told[2].session_id
        assert [record.session_id for record in told] == [first, first, second, second] and first != second
        assert [record.usage for record in told[1::2]] == [moved, Usage()]

    def test_a_session_that_ended_does_not_go_on(self) -> None:
        scene = Scene()
        address = scene.world.attach(scene.station, scene.node)
        release(scene, address)
        scene.node.kill()
        scene.node.start()
        assert scene.statuses() == [ON, START, STOP, ON]

    @covers("AA20")
    def test_without_a_journal_the_end_of_the_process_is_the_end_of_all(self) -> None:
        scene = Scene()
        scene.node.store.keeps = False
        scene.world.attach(scene.station, scene.node)
        scene.node.agent.stop()
        assert scene.statuses() == [ON, START, STOP, OFF]
        assert scene.told()[2].terminate_cause is TerminateCause.ADMIN_REBOOT

    def test_stopping_twice_tells_once(self) -> None:
        scene = Scene()
        scene.world.attach(scene.station, scene.node)
        scene.node.agent.stop()
        scene.node.agent.stop()
        assert scene.statuses() == [ON, START]


def test_a_node_that_waits_for_its_lma_has_one_session() -> None:
    scene = Scene(mag_settings={"lifetime": 60})
    address = scene.world.attach(scene.station, scene.node)
    first = scene.move(address, up=2, down=1)
    scene.world.lma_signalling.stop()
    scene.world.hear(scene.node, scene.station.data(address))
    for _ in range(8):
        scene.world.advance(10)
        scene.world.hear(scene.node, scene.station.arp(address, GATEWAY))
    assert scene.node.engine.visitors.with_nai("mn1@example.net") is not None
    assert [entry.upstream for entry in scene.node.plane.snapshot()] == [False]
    release(scene, address)
    scene.world.advance(400, step=5)
    stops = [record for record in scene.told() if record.status is STOP]
    assert len([record for record in scene.told() if record.status is START]) == 1 == len(stops)
    assert stops[0].usage.output_packets == first.output_packets


def test_whom_the_packet_plane_does_not_take_has_no_session() -> None:
    scene = Scene()
    scene.node.plane.fail_next_install()
    scene.world.hear(scene.node, scene.station.dhcp(MessageType.DISCOVER))
    scene.world.advance(5)
    assert START not in scene.statuses()


def test_nobody_is_told_if_nobody_wants_it() -> None:
    world = World()
    station: Station = world.stations[0]
    world.attach(station, world.mags[0])
    assert world.mags[0].ledger.told == []


class TestAtTheLma:
    def told(self, scene: Scene) -> list[AccountingRecord]:
        return scene.world.ledger.told

    @covers("AA20")
    def test_one_session_spans_handovers_and_has_the_name_that_mags_have_for_it(self) -> None:
        scene = Scene()
        old, new = scene.world.mags
        address = scene.world.attach(scene.station, old)
        moved = scene.move(address, up=2, down=3)
        scene.world.advance(2)
        moved += scene.move(address, up=1, down=2, node=new)
        scene.world.advance(2)
        release(scene, address, new)
        on, start, interim, stop = self.told(scene)
        assert [on.status, start.status, interim.status, stop.status] == [ON, START, INTERIM, STOP]
        assert start.session_id == interim.session_id == stop.session_id
        assert start.session is not None and interim.session is not None
        assert (start.session.care_of_address, interim.session.care_of_address) == (old.address, new.address)
        at_mag = scene.told(new)[-1].session
        assert at_mag is not None and at_mag.multi_id == start.session.multi_id
        assert at_mag.id != start.session.id
        assert (stop.usage, stop.terminate_cause) == (moved, TerminateCause.USER_REQUEST)

    @covers("AA20")
    @pytest.mark.parametrize(
        "end, cause",
        [
            (lambda world: world.lma.revoke("mn1@example.net"), TerminateCause.ADMIN_RESET),
            (lambda world: world.mags[0].kill() or world.advance(70), TerminateCause.LOST_SERVICE),
        ],
        ids=["operator", "lifetime"],
    )
    def test_every_end_has_its_cause(self, end, cause: TerminateCause) -> None:
        scene = Scene(lma_settings={"max_lifetime": 60})
        address = scene.world.attach(scene.station, scene.node)
        moved = scene.move(address, up=2, down=1)
        end(scene.world)
        stops = [record for record in self.told(scene) if record.status is STOP]
        assert [(stop.terminate_cause, stop.usage) for stop in stops] == [(cause, moved)]
        assert len(scene.world.lma_accounts.sessions) == 0

    @covers("AA20")
    def test_a_restart_goes_on_with_whom_it_brings_back(self) -> None:
        scene = Scene()
        address = scene.world.attach(scene.station, scene.node)
        before = scene.move(address, up=2, down=1)
        scene.world.lma.stop()
        scene.world.plane.remove(AnchorKey(address))
        scene.world.start_lma()
        assert [record.status for record in self.told(scene)] == [ON, START]
        after = scene.move(address, up=1, down=1)
        scene.world.lma.revoke("mn1@example.net")
        start, stop = self.told(scene)[1:]
        assert start.session_id == stop.session_id and stop.usage == before + after

    def test_who_had_none_begins_one_and_who_is_gone_has_a_stop(self) -> None:
        scene = Scene()
        scene.world.attach(scene.station, scene.node)
        scene.world.attach(scene.world.stations[1], scene.node)
        scene.world.lma.stop()
        ledger = scene.world.ledger
        gone, other = sorted(ledger.last)
        ledger.last["gone"] = ledger.last.pop(gone).replace(b"@example.net", b"@example.org")
        scene.world.start_lma()
        assert [record.status for record in self.told(scene)[3:]] == [STOP, START]
        assert other in {record.session_id for record in self.told(scene)}

    def test_renewals_say_nothing(self) -> None:
        scene = Scene()
        address = scene.world.attach(scene.station, scene.node)
        for _ in range(95):
            scene.world.advance(10)
            scene.world.hear(scene.node, scene.station.arp(address, GATEWAY))
        assert "registration-renewed" in [note.name for note in scene.node.notes.all]
        assert [record.status for record in self.told(scene)] == [ON, START, INTERIM]

    @covers("AA15")
    def test_aaa_may_name_it_by_what_it_was_told(self) -> None:
        scene = Scene()
        address = scene.world.attach(scene.station, scene.node)
        scene.world.attach(scene.world.stations[1], scene.node)
        session = self.told(scene)[1].session
        assert session is not None
        sessions = scene.world.lma_book.by_id(scene.world.lma.sessions)
        outcomes: list[Outcome] = []
        for wrong in (
            Selection(accounting_session="0" * 16),
            Selection(accounting_session=session.id, multi_session="another"),
            Selection(accounting_session=session.id, home_address=ipv4("10.1.0.200")),
            Selection(accounting_session=session.id, user_name="mn2@example.net"),
        ):
            sessions.disconnect(wrong).addCallback(outcomes.append)
        assert all(isinstance(outcome, Refused) for outcome in outcomes)
        causes = [outcome.cause for outcome in outcomes if isinstance(outcome, Refused)]
        assert causes == [ErrorCause.SESSION_CONTEXT_NOT_FOUND] * 4
        right = Selection(accounting_session=session.id, multi_session=session.multi_id)
        sessions.disconnect(right).addCallback(outcomes.append)
        assert outcomes[-1] == Done(1)
        assert [binding.home_address != address for binding in scene.world.lma_engine.bindings] == [True]
        assert self.told(scene)[-1].terminate_cause is TerminateCause.ADMIN_RESET
