"""How a visit ends, and what waited for its registration meanwhile (P15, P21, P78)."""

import pytest

from pmip_tw.addresses import ipv4
from pmip_tw.mag.effects import Forward, Transmit
from pmip_tw.mag.uplink import MAX_FRAMES, HeldFrames
from pmip_tw.mobility.effects import Install, Remove, Send
from tests.agents.world import GATEWAY, Station
from tests.conformance import covers
from tests.mag.bench import ADDRESS, Bench, names, note, notes, only, order, reply, requests

STATION = Station(1)
OTHER = ipv4("10.1.0.44")
FOREIGN_SERVER = ipv4("10.1.0.200")


class TestDeregistration:
    """Flow D."""

    @covers("P21")
    def test_packets_stop_before_the_request_leaves_and_the_last_retry_ends_it(self) -> None:
        bench = Bench()
        bench.register()
        effects = bench.take(bench.engine.detach(STATION.nai, bench.now))
        assert order(effects, Remove, Send) == ["Remove", "Send"]
        assert len(requests(bench.wait(62))) == 5
        bench.wait(2)
        assert len(bench.engine.visitors) == 0

    @covers("P21")
    @pytest.mark.parametrize("code", [130, 133])
    def test_refused_for_now_is_repeated(self, code: int) -> None:
        bench = Bench()
        bench.register()
        [request] = requests(bench.take(bench.engine.detach(STATION.nai, bench.now)))
        effects = bench.arrive(reply(request, code))
        again = requests(effects) or requests(bench.wait(1.1))
        bench.arrive(reply(again[0]))
        assert len(bench.engine.visitors) == 0
        assert "deregistered" in names(bench.effects)

    def test_refused_for_good_is_said_so(self) -> None:
        bench = Bench()
        bench.register()
        [request] = requests(bench.take(bench.engine.detach(STATION.nai, bench.now)))
        refused = note("deregistration-refused", bench.arrive(reply(request, 128)))
        assert refused.reason == "128"
        assert len(bench.engine.visitors) == 0

    @covers("P21")
    def test_while_the_request_is_out_its_possible_binding_is_given_up_too(self) -> None:
        bench = Bench()
        first = bench.begin(STATION.data(ADDRESS))
        [end] = requests(bench.take(bench.engine.detach(STATION.nai, bench.now)))
        assert (end.lifetime, end.home_address) == (0, ADDRESS)
        assert [found.reason for found in notes(bench.effects) if found.name == "frame-dropped"] == [
            "never-registered"
        ]
        assert order(bench.arrive(reply(first)), Install) == []

    def test_who_comes_back_is_a_new_attachment(self) -> None:
        bench = Bench()
        bench.register()
        bench.engine.detach(STATION.nai, bench.now)
        bench.register(STATION.data(ADDRESS))


class TestPresence:
    """P15, P20."""

    @covers("P15")
    def test_traffic_in_the_packet_plane_counts(self) -> None:
        bench = Bench()
        visitor = bench.register()
        assert visitor.grant is not None
        bench.at = visitor.grant.renew_at + 0.1
        assert len(requests(bench.present(last_heard=bench.at - 5))) == 1

    @covers("P15")
    def test_three_probes_a_second_apart_then_deregistration(self) -> None:
        bench = Bench()
        visitor = bench.register()
        assert visitor.grant is not None
        bench.wait(visitor.grant.renew_at - bench.at - 1)
        probed_at, left_at = [], 0.0
        for _ in range(100):
            effects = bench.wait(0.1)
            probed_at += [bench.at] * len(only(Transmit, effects))
            if requests(effects):
                left_at = bench.at
                break
        assert [round(later - probed_at[0]) for later in probed_at] == [0, 1, 2]
        assert round(left_at - probed_at[0]) == 3
        assert "3 ARP probes" in note("visitor-left", bench.effects).cause

    @covers("M7", "P20")
    def test_jitter_is_early_and_no_more_than_a_tenth(self) -> None:
        for octet, expected in ((b"\0", 900.0), (b"\xff", 810.0)):
            bench = Bench()
            bench.random = octet
            visitor = bench.register()
            assert visitor.grant is not None
            assert visitor.grant.renew_at - 1000.0 == pytest.approx(expected, abs=0.1)

    def test_an_lma_silent_through_the_lifetime_ends_the_visit_of_who_is_silent_too(self) -> None:
        bench = Bench(attach_probe_max_age=1e6)
        bench.register()
        bench.wait(1800)
        assert len(bench.engine.visitors) == 1
        bench.wait(5)
        assert len(bench.engine.visitors) == 0
        assert note("registration-expired", bench.effects).nai == STATION.nai
        assert len(requests(bench.effects)) > 20


@covers("P78")
class TestHeldFrames:
    """P78."""

    def test_all_nodes_together_have_no_more_than_a_store(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("pmip_tw.mag.uplink.MAX_TOTAL", 100)
        bench, second = Bench(), Station(2)
        request = bench.begin(STATION.data(ADDRESS))
        bench.attach(second.data(ADDRESS), second)
        assert len(bench.hear(second.data(ADDRESS))) == 1
        assert note("frame-dropped", bench.effects[-1:]).reason == "held-too-many"
        bench.arrive(reply(request))
        assert "frame-dropped" not in names(bench.hear(second.data(ADDRESS)))

    def test_in_order_behind_the_dhcp_answer(self) -> None:
        bench = Bench()
        frames = [STATION.data(ADDRESS, b"%d" % number) for number in range(3)]
        request = bench.begin(frames[0])
        for frame in frames[1:]:
            bench.hear(frame)
        effects = bench.arrive(reply(request))
        assert [forward.frame for forward in only(Forward, effects)] == frames
        assert order(effects, Install, Forward)[0] == "Install"

    def test_limits(self) -> None:
        held = HeldFrames()
        assert [held.hold(b"x", 0.0) for _ in range(MAX_FRAMES + 2)] == [True] * MAX_FRAMES + [False] * 2
        held = HeldFrames()
        assert [held.hold(bytes(1024), 0.0) for _ in range(65)] == [True] * 64 + [False]
        held = HeldFrames()
        assert sum(held.hold(bytes(1500), 0.0) for _ in range(44)) == 43  # 43 of them are 64,500 octets
        assert held.forget_old(1.1) == 43
        assert held.hold(b"y", 1.1)
        assert held.take(1.2) == ([b"y"], 0)
        assert held.take(1.2) == ([], 0)

    def test_what_makes_room_because_it_is_old_is_not_counted_as_too_many(self) -> None:
        bench = Bench()
        bench.begin(STATION.data(ADDRESS))
        bench.wait(1.5)
        lost = [found for found in notes(bench.hear(STATION.data(ADDRESS))) if found.name == "frame-dropped"]
        assert [found.reason for found in lost] == ["held-too-long"]

    def test_what_waited_too_long_is_dropped_and_counted(self) -> None:
        bench = Bench()
        bench.begin(STATION.data(ADDRESS))
        bench.wait(1.1)
        answered = STATION.arp(ADDRESS, GATEWAY)
        bench.hear(answered)
        [again] = requests(bench.wait(0.1))
        effects = bench.arrive(reply(again))
        assert [forward.frame for forward in only(Forward, effects)] == [answered]
        assert "frame-dropped" in names(bench.effects)
