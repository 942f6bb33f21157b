"""What AAA allows besides service (AA25): filters that are known, and so much silence."""

import pytest

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.mag.effects import AskTraffic, SessionOver
from pmip_tw.mobility.effects import Install
from pmip_tw.mobility.packet_filters import PacketFilter
from pmip_tw.mobility.silence import Silence
from pmip_tw.mobility.tunnels import AccessEntry
from pmip_tw.wire.dhcp import MessageType
from tests.agents.world import GATEWAY
from tests.conformance import covers
from tests.mag.bench import ADDRESS, Bench, accept, note, only, reply

GUESTS = PacketFilter("guests")


class TestFilters:
    """Filter-Id in an Accept."""

    @covers("AA25")
    def test_the_node_is_served_with_it(self) -> None:
        bench = Bench(filters={"guests": GUESTS})
        bench.profile = {"filter_ids": ("guests",)}
        request = bench.begin(bench.station.data(ADDRESS))
        entries = [install.entry for install in only(Install, bench.effects + bench.arrive(reply(request)))]
        assert entries, "provisional and final"
        assert all(isinstance(entry, AccessEntry) and entry.filters == (GUESTS,) for entry in entries)

    @covers("AA25")
    def test_an_unknown_one_is_a_reject(self) -> None:
        """Nobody is served without the limits that AAA wanted."""
        bench = Bench(filters={"guests": GUESTS})
        effects = bench.decide(bench.attach(), accept(bench.station, filter_ids=("guests", "unheard-of")))
        rejected = note("access-rejected", effects)
        assert rejected.cause == "there is no [[mag.filters]] of the name 'unheard-of'"
        assert len(bench.engine.visitors) == 0
        assert bench.hear(bench.station.dhcp(MessageType.DISCOVER)) == [], "it is held off"

    @covers("AA25")
    def test_an_unknown_one_may_be_ignored(self) -> None:
        bench = Bench(filters={"guests": GUESTS}, ignores_unknown_filters=True)
        bench.profile = {"filter_ids": ("unheard-of", "guests")}
        bench.register()
        assert bench.visitor.filters == (GUESTS,)

    @covers("AA25")
    def test_a_filter_that_is_gone_after_a_restart_is_not_done_without(self) -> None:
        bench = Bench(filters={"guests": GUESTS})
        bench.profile = {"filter_ids": ("guests",)}
        bench.register()
        effects = bench.restart(filters={})
        assert len(bench.engine.visitors) == 0
        assert "guests" in note("visitor-not-restored", effects).cause
        assert only(Install, effects) == []


class TestSilence:
    """Idle-Timeout (RFC 2865 5.28)."""

    @staticmethod
    def idle(timeout: int = 80) -> Bench:
        bench = Bench()
        bench.profile = {"idle_timeout": timeout}
        bench.register()
        return bench

    @covers("AA25")
    def test_who_moves_nothing_for_so_long_is_deregistered(self) -> None:
        bench = self.idle()
        assert only(SessionOver, bench.wait(79)) == []
        [over] = only(SessionOver, bench.wait(12))
        assert over.terminate_cause is TerminateCause.IDLE_TIMEOUT
        assert "idle for" in note("visitor-left", bench.effects).cause

    @covers("AA25")
    def test_whatever_moves_counts_from_when_it_was_seen(self) -> None:
        bench = self.idle()
        for _ in range(20):
            bench.moved += 1
            bench.wait(40)
        assert only(SessionOver, bench.effects) == []
        assert only(SessionOver, bench.wait(39)) == []
        assert len(only(SessionOver, bench.wait(21))) == 1

    @covers("AA25")
    def test_arp_and_dhcp_with_us_are_no_traffic(self) -> None:
        """Our own probes must not keep anybody alive."""
        bench = self.idle()
        for _ in range(10):
            bench.hear(bench.station.arp(ADDRESS, GATEWAY))
            bench.hear(bench.station.dhcp(MessageType.REQUEST, ciaddr=ADDRESS, server=GATEWAY))
            bench.wait(10)
        assert len(only(SessionOver, bench.effects)) == 1

    @covers("AA25")
    def test_who_cannot_send_is_not_idle(self) -> None:
        """Its LMA is silent; that is not its fault."""
        bench = Bench()
        bench.profile = {"idle_timeout": 10}
        bench.begin(bench.station.data(ADDRESS))
        for _ in range(15):
            bench.hear(bench.station.arp(ADDRESS, GATEWAY))
            bench.wait(2)
        assert only(SessionOver, bench.effects) == []

    @covers("AA25")
    def test_it_begins_anew_after_a_restart(self) -> None:
        bench = self.idle()
        bench.wait(70)
        bench.restart(downtime=60)
        assert only(SessionOver, bench.wait(75)) == []
        assert len(only(SessionOver, bench.wait(25))) == 1

    def test_without_a_timeout_nobody_is_asked(self) -> None:
        bench = Bench()
        bench.register()
        bench.wait(500)
        assert only(AskTraffic, bench.effects) == []

    def test_an_answer_that_comes_late_ends_nothing(self) -> None:
        bench = self.idle()
        visitor = bench.visitor
        bench.take(bench.engine.detach(bench.station.nai, bench.now))
        bench.at += 500
        assert bench.engine.traffic(visitor.key, 0, bench.now) == []

    @pytest.mark.parametrize("timeout", [1, 2, 7, 80, 86_400])
    def test_it_is_never_early_and_little_late(self, timeout: int) -> None:
        silence = Silence.begins(timeout, 0.0)
        assert silence is not None
        now = silence.check_at
        looks = 1
        silence.is_over(5, True, now)
        since = now
        while not silence.is_over(5, True, now := silence.check_at):
            looks += 1
        assert since + timeout <= now <= since + timeout * 9 / 8 + 1
        assert looks <= 9
