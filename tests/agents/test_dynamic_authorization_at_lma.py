"""AAA acts on the bindings of an LMA (AA17, AA25, AA26, RV27): also where it cannot reach the MAG.

AAA             LMA               NAT            MAG
 | Disconnect --> |                 |              |
 |                | tombstone       |              |
 | <------- ACK --|                 |              |
 |                | -- revocation ->| -----------> | no visitor any more
"""

import pytest

from pmip_tw.aaa.accounting.records import common_id
from pmip_tw.aaa.dynamic_authorization import Change, Done, ErrorCause, Refused, Selection
from pmip_tw.addresses import Ipv4
from pmip_tw.mobility.filter_grammar import filter_rule
from pmip_tw.mobility.packet_filters import PacketFilter
from pmip_tw.mobility.tunnels import AnchorEntry
from pmip_tw.wire.dhcp import MessageType
from tests.agents.test_behind_nat import Operator
from tests.agents.test_dynamic_authorization import heard
from tests.agents.world import Station, World
from tests.conformance import covers

WHO = Selection(user_name="mn1@example.net")
NO_MAIL = PacketFilter("no-mail", (filter_rule("deny both udp any port 25"),), permits_others=True)
QUIET = PacketFilter("quiet")
FILTERS = {"filters": {one.name: one for one in (NO_MAIL, QUIET)}}


def entries(world: World) -> dict[Ipv4, AnchorEntry]:
    return {entry.home_address: entry for entry in world.plane.snapshot() if isinstance(entry, AnchorEntry)}


class TestDisconnect:
    """AA17."""

    @covers("AA17", "RV27")
    def test_the_binding_is_over_and_its_mag_hears_of_it(self) -> None:
        world = World()
        [station, other], [node, _] = world.stations, world.mags
        world.attach(station, node)
        world.attach(other, node)
        assert heard(world.lma.sessions.disconnect(WHO)) == [Done(1)]
        assert [binding.nai for binding in world.lma_engine.bindings] == [other.nai.encode()]
        world.network.deliver()
        assert set(node.states) == {other.nai}
        assert len(node.plane.snapshot()) == len(world.plane.snapshot()) == 1
        assert world.lma_engine.revoking == 0, "acknowledged"
        assert world.notes.named("binding-revoked")

    @covers("AA26")
    def test_a_mag_behind_a_nat_is_reached_through_its_lma(self) -> None:
        """Nobody can send it a Disconnect-Request: the NAT has no mapping for AAA."""
        world = Operator()
        [station], [node] = world.stations, world.mags
        home = world.attach(station, node)
        assert node.address != world.seen(world.nats[0]).address
        assert world.up(node, station, home)
        assert heard(world.lma.sessions.disconnect(Selection(home_address=home))) == [Done(1)]
        world.network.deliver()
        assert node.states == {}
        assert node.notes.named("revocation-received")
        assert node.plane.snapshot() == world.plane.snapshot() == ()
        assert world.lma_engine.revoking == 0
        asked = len(node.aaa.asked)
        world.hear(node, station.data(home))
        assert len(node.aaa.asked) == asked + 1, "AAA decides whether it comes back"

    @covers("AA17")
    def test_it_stays_so_over_a_restart(self) -> None:
        world = World()
        [station, _], [node, _] = world.stations, world.mags
        world.attach(station, node)
        heard(world.lma.sessions.disconnect(WHO))
        world.lma_signalling.stop()
        world.start_lma()
        assert len(world.lma_engine.bindings) == 0

    @covers("AA17")
    def test_it_may_register_again(self) -> None:
        """AAA at the MAG decides whether it is let in; the LMA does what the MAG asks."""
        world = World()
        [station, _], [node, _] = world.stations, world.mags
        world.attach(station, node)
        heard(world.lma.sessions.disconnect(WHO))
        world.network.deliver()
        world.hear(node, station.dhcp(MessageType.DISCOVER))
        assert len(world.lma_engine.bindings) == 1

    @covers("AA15")
    @pytest.mark.parametrize(
        ("selection", "found"),
        [
            (Selection(user_name="MN1@example.net"), 1),
            (Selection(user_name="mn1@example.net", multi_session="?"), 0),
            (Selection(user_name="mn1@example.net", port="acc0"), 0),
            (Selection(user_name="nobody"), 0),
        ],
    )
    def test_everything_that_is_said_must_apply(self, selection: Selection, found: int) -> None:
        world = World()
        [station, _], [node, _] = world.stations, world.mags
        world.attach(station, node)
        [outcome] = heard(world.lma.sessions.disconnect(selection))
        if found:
            assert outcome == Done(found)
        else:
            assert isinstance(outcome, Refused) and outcome.cause is ErrorCause.SESSION_CONTEXT_NOT_FOUND
            assert len(world.lma_engine.bindings) == 1

    @covers("AA15")
    def test_nai_and_address_together(self) -> None:
        world = World()
        [station, other], [node, _] = world.stations, world.mags
        home, others = world.attach(station, node), world.attach(other, node)
        wrong = Selection(user_name=station.nai, home_address=others)
        assert isinstance(heard(world.lma.sessions.disconnect(wrong))[0], Refused)
        right = Selection(
            user_name=station.nai, home_address=home, multi_session=common_id(station.nai.encode(), home)
        )
        assert heard(world.lma.sessions.disconnect(right)) == [Done(1)]

    @covers("AA15")
    def test_nobody_looks_through_a_million(self) -> None:
        [outcome] = heard(World().lma.sessions.disconnect(Selection(accounting_session="5f01")))
        assert isinstance(outcome, Refused) and outcome.cause is ErrorCause.MISSING_ATTRIBUTE

    @covers("P23", "AA17")
    def test_all_technologies_of_a_nai(self) -> None:
        world = World(lma_settings={"by_technology": True})
        [station, _], [node, _] = world.stations, world.mags
        world.attach(station, node)
        assert heard(world.lma.sessions.disconnect(WHO)) == [Done(1)]
        assert len(world.lma_engine.bindings) == 0


class TestFilters:
    """AA25, by CoA."""

    @staticmethod
    def delivered(world: World, station: Station, home: Ipv4, port: int, node: int = 0) -> bool:
        before = len(world.plane.delivered)
        world.hear(world.mags[node], station.data(home, port=port))
        return len(world.plane.delivered) > before

    @covers("AA18", "AA25")
    def test_it_applies_at_once_and_to_nobody_else(self) -> None:
        world = World(lma_settings=FILTERS)
        [station, other], [node, _] = world.stations, world.mags
        home, others = world.attach(station, node), world.attach(other, node)
        assert heard(world.lma.sessions.change(WHO, Change(filter_ids=("no-mail",)))) == [Done(1)]
        assert not self.delivered(world, station, home, 25)
        assert self.delivered(world, station, home, 80)
        assert self.delivered(world, other, others, 25)
        [row] = [row for row in world.lma.tables()["bindings"]() if row["nai"] == station.nai]
        assert (row["filters"], row["filtered"]) == ("no-mail", 1)
        assert [note.details["filter_ids"] for note in world.notes.named("authorization-changed")] == [
            "no-mail"
        ]

    @covers("AA25")
    def test_it_stays_over_renewals_and_handovers(self) -> None:
        world = World(lma_settings=FILTERS, mag_settings={"lifetime": 60, "attach_probe_max_age": 1e6})
        [station, _], [_, new] = world.stations, world.mags
        home = world.attach(station, world.mags[0])
        heard(world.lma.sessions.change(WHO, Change(filter_ids=("no-mail",))))
        world.advance(50)
        assert world.notes.named("binding-renewed")
        assert not self.delivered(world, station, home, 25)
        world.hear(new, station.data(home))
        assert world.notes.named("binding-moved")
        assert entries(world)[home].tunnel.remote == new.address
        assert entries(world)[home].filters == (NO_MAIL,)
        assert not self.delivered(world, station, home, 25, node=1)
        assert self.delivered(world, station, home, 80, node=1)

    @covers("AA25")
    def test_it_stays_over_a_restart(self) -> None:
        world = World(lma_settings=FILTERS)
        [station, other], [node, _] = world.stations, world.mags
        home = world.attach(station, node)
        world.attach(other, node)
        heard(world.lma.sessions.change(WHO, Change(filter_ids=("no-mail", "quiet"))))
        world.plane.remove(entries(world)[home].key)
        world.lma_signalling.stop()
        world.start_lma()
        assert entries(world)[home].filters == (NO_MAIL, QUIET)
        assert len(world.lma_engine.bindings) == 2

    @covers("AA25")
    def test_one_that_is_gone_after_a_restart_is_not_done_without(self) -> None:
        world = World(lma_settings=FILTERS)
        [station, _], [node, _] = world.stations, world.mags
        world.attach(station, node)
        heard(world.lma.sessions.change(WHO, Change(filter_ids=("quiet",))))
        world.lma_signalling.stop()
        world.lma_policy = type(world.lma_policy)(address=world.lma_policy.address)
        world.start_lma()
        assert len(world.lma_engine.bindings) == 0
        assert world.notes.named("binding-not-restored")

    @covers("AA25")
    def test_it_goes_with_the_binding(self) -> None:
        """Who registers anew begins without it."""
        world = World(lma_settings=FILTERS)
        [station, _], [node, _] = world.stations, world.mags
        home = world.attach(station, node)
        heard(world.lma.sessions.change(WHO, Change(filter_ids=("quiet",))))
        node.agent.detach(station.nai)
        world.network.deliver()
        assert world.attach(station, node) == home
        assert entries(world)[home].filters == ()

    @covers("AA16", "AA25")
    @pytest.mark.parametrize(
        ("change", "cause"),
        [
            (Change(filter_ids=("unheard-of",)), ErrorCause.INVALID_ATTRIBUTE_VALUE),
            (Change(filter_ids=("unheard-of",), session_timeout=60), ErrorCause.INVALID_ATTRIBUTE_VALUE),
            (Change(filter_ids=("quiet", "unheard-of")), ErrorCause.INVALID_ATTRIBUTE_VALUE),
        ],
    )
    def test_what_cannot_be_done_changes_nothing(self, change: Change, cause: ErrorCause) -> None:
        world = World(lma_settings=FILTERS)
        [station, _], [node, _] = world.stations, world.mags
        home = world.attach(station, node)
        [outcome] = heard(world.lma.sessions.change(WHO, change))
        assert isinstance(outcome, Refused) and outcome.cause is cause
        assert entries(world)[home].filters == ()
        assert world.lma_engine.bindings.limited.next_deadline() is None

    @covers("AA16")
    def test_authorize_only_is_for_mags(self) -> None:
        world = World()
        [station, _], [node, _] = world.stations, world.mags
        world.attach(station, node)
        [outcome] = heard(world.lma.sessions.reauthorize(WHO, b"state"))
        assert isinstance(outcome, Refused) and outcome.cause is ErrorCause.UNSUPPORTED_SERVICE


class TestTimes:
    """AA18: Session-Timeout, Idle-Timeout, Acct-Interim-Interval."""

    @covers("AA18", "AA25")
    def test_the_session_ends_in_time_and_its_mag_hears_of_it(self) -> None:
        world = World()
        [station, other], [node, _] = world.stations, world.mags
        world.attach(station, node)
        world.attach(other, node)
        assert heard(world.lma.sessions.change(WHO, Change(session_timeout=90))) == [Done(1)]
        world.advance(88)
        [row] = [row for row in world.lma.tables()["bindings"]() if row["nai"] == station.nai]
        assert row["session_remaining"] == 2
        assert len(world.lma_engine.bindings) == 2
        world.advance(4)
        world.network.deliver()
        assert [binding.nai for binding in world.lma_engine.bindings] == [other.nai.encode()]
        assert set(node.states) == {other.nai}
        [note] = world.notes.named("binding-revoked")
        assert "time" in note.cause

    @covers("AA18")
    def test_the_last_word_counts_and_what_is_not_said_stays(self) -> None:
        world = World(lma_settings=FILTERS)
        [station, _], [node, _] = world.stations, world.mags
        home = world.attach(station, node)
        heard(world.lma.sessions.change(WHO, Change(session_timeout=90, filter_ids=("quiet",))))
        heard(world.lma.sessions.change(WHO, Change(session_timeout=0)))
        world.advance(120)
        [bound] = world.lma_engine.bindings
        assert bound.filters == entries(world)[home].filters == (QUIET,)

    @covers("AA18", "AA25")
    def test_idleness_is_seen_by_what_the_packet_plane_carries(self) -> None:
        world = World()
        [station, _], [node, _] = world.stations, world.mags
        home = world.attach(station, node)
        heard(world.lma.sessions.change(WHO, Change(idle_timeout=40)))
        for _ in range(4):
            world.advance(30)
            world.hear(node, station.data(home))
            assert len(world.lma_engine.bindings) == 1
        world.advance(60)
        assert len(world.lma_engine.bindings) == 0
        [note] = world.notes.named("binding-revoked")
        assert note.cause.startswith("idle for 4")

    @covers("AA18")
    def test_they_stay_over_handovers_and_a_restart(self) -> None:
        world = World(mag_settings={"attach_probe_max_age": 1e6})
        [station, _], [old, new] = world.stations, world.mags
        home = world.attach(station, old)
        change = Change(session_timeout=90, idle_timeout=1000, interim_interval=300)
        heard(world.lma.sessions.change(WHO, change))
        world.advance(5)
        world.hear(new, station.data(home))
        assert world.notes.named("binding-moved")
        world.lma_signalling.stop()
        world.start_lma()
        [bound] = world.lma_engine.bindings
        limits = bound.terms.limits
        assert limits is not None
        assert (limits.idle_timeout, limits.interim_interval) == (1000, 300)
        world.advance(88)
        assert len(world.lma_engine.bindings) == 0

    @covers("AA16")
    def test_who_cannot_see_traffic_does_not_promise_to(self) -> None:
        """An LMA of several processes."""
        world = World(lma_settings={"sees_traffic": False})
        [station, _], [node, _] = world.stations, world.mags
        world.attach(station, node)
        [outcome] = heard(world.lma.sessions.change(WHO, Change(idle_timeout=60, session_timeout=10)))
        assert isinstance(outcome, Refused) and outcome.cause is ErrorCause.UNSUPPORTED_ATTRIBUTE
        world.advance(20)
        assert len(world.lma_engine.bindings) == 1
        assert heard(world.lma.sessions.change(WHO, Change(idle_timeout=0))) == [Done(1)]

    @covers("AA18")
    def test_what_cannot_be_written_down_is_as_before(self) -> None:
        world = World()
        [station, _], [node, _] = world.stations, world.mags
        world.attach(station, node)
        world.disk.trouble = "no space left"
        [outcome] = heard(world.lma.sessions.change(WHO, Change(session_timeout=10, idle_timeout=10)))
        assert isinstance(outcome, Refused) and outcome.cause is ErrorCause.RESOURCES_UNAVAILABLE
        world.disk.trouble = ""
        world.advance(30)
        assert len(world.lma_engine.bindings) == 1


class TestDisk:
    """What is answered is written down."""

    @covers("AA17", "AA25")
    def test_a_full_one(self) -> None:
        """An end is an end; a change that cannot be kept is none."""
        world = World(lma_settings=FILTERS)
        [station, _], [node, _] = world.stations, world.mags
        home = world.attach(station, node)
        world.disk.trouble = "no space left"
        [outcome] = heard(world.lma.sessions.change(WHO, Change(filter_ids=("quiet",))))
        assert isinstance(outcome, Refused) and outcome.cause is ErrorCause.RESOURCES_UNAVAILABLE
        assert entries(world)[home].filters == ()
        [bound] = world.lma_engine.bindings
        assert bound.filters == ()
        assert heard(world.lma.sessions.disconnect(WHO)) == [Done(1)]
        assert len(world.lma_engine.bindings) == 0
