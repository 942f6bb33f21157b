"""What an LMA's refusal leads to, and code 133 (P16, P17, P19, P33, P79)."""

import pytest

from pmip_tw.addresses import UNSPECIFIED, ipv4
from pmip_tw.mag.effects import Authenticate
from pmip_tw.mobility.effects import Remove, Send
from pmip_tw.wire.dhcp import MessageType
from tests.agents.world import GATEWAY, LMA, Station, association
from tests.conformance import covers
from tests.mag.bench import (
    ADDRESS,
    Bench,
    accept,
    note,
    only,
    order,
    reply,
    requests,
    told,
)

STATION = Station(1)
OTHER = ipv4("10.1.0.44")


class TestRefusal:
    """What each code leads to."""

    @covers("P19")
    def test_129_with_a_hint_is_tried_with_none(self) -> None:
        bench = Bench()
        frame = STATION.dhcp(MessageType.DISCOVER, requested=OTHER)
        effects = bench.arrive(reply(bench.begin(frame), 129))
        [again] = requests(effects)
        assert again.home_address == UNSPECIFIED
        assert told(effects) == []
        [offer] = told(bench.arrive(reply(again)))
        assert (offer.message_type, offer.yiaddr) == (MessageType.OFFER, ADDRESS)

    @covers("P19", "P28")
    @pytest.mark.parametrize("code", [129, 65])
    def test_129_for_a_request_is_a_nak(self, code: int) -> None:
        bench = Bench()
        effects = bench.arrive(reply(bench.begin(STATION.dhcp(MessageType.REQUEST, requested=OTHER)), code))
        assert [message.message_type for message in told(effects)] == [MessageType.NAK]
        assert [again.home_address for again in requests(effects)] == [UNSPECIFIED]

    def test_another_servers_client_gets_no_nak_from_us(self) -> None:
        bench = Bench()
        foreign = STATION.dhcp(MessageType.REQUEST, requested=OTHER, server=ipv4("10.9.9.1"))
        assert told(bench.arrive(reply(bench.begin(foreign), 128))) == []

    @pytest.mark.parametrize("code", [129, 128, 134, 136, 139, 255])
    def test_terminal_codes_hold_off_and_name_the_cause(self, code: int) -> None:
        bench = Bench(reject_hold=30.0)
        effects = bench.arrive(reply(bench.begin(), code))
        refused = note("registration-refused", effects)
        assert refused.reason == str(code) and f"LMA 192.0.2.1: {code} " in refused.cause
        assert len(bench.engine.visitors) == 0
        bench.wait(29)
        assert bench.hear(STATION.dhcp(MessageType.DISCOVER)) == []
        bench.wait(1.1)
        assert only(Authenticate, bench.hear(STATION.dhcp(MessageType.DISCOVER)))

    @covers("M4")
    @pytest.mark.parametrize("code", [131, 132, 144])
    def test_a_request_that_somebody_falsified_ends_nothing(self, code: int) -> None:
        """The LMA's refusal is authentic, and about a request that was not ours."""
        bench = Bench()
        request = bench.begin(STATION.data(ADDRESS))
        effects = bench.arrive(reply(request, code))
        assert note("message-discarded", effects).reason == "unproven-request"
        assert order(effects, Remove, Send) == [] and bench.visitor.state.value == "registering"
        bench.arrive(reply(request))
        assert bench.visitor.state.value == "registered"
        bench.arrive(reply(bench.renew(), code))
        assert bench.visitor.state.value == "registered"
        bench.wait(0.5)
        bench.hear(STATION.arp(ADDRESS, GATEWAY))
        [again] = requests(bench.wait(0.6))
        bench.arrive(reply(again))
        assert bench.visitor.exchange is None

    @covers("M4")
    def test_if_it_says_so_to_every_try_that_is_the_cause(self) -> None:
        bench = Bench(attach_probe_max_age=1e6)
        bench.begin()
        for _ in range(700):
            for request in requests(bench.effects[-5:]):
                bench.arrive(reply(request, 131))
            bench.wait(0.1)
        assert "131 mobile node failed authentication" in note("visitor-removed", bench.effects).cause

    @covers("P16")
    def test_150_stops_requests_for_this_node_and_149_for_all_of_that_lma(self) -> None:
        """P16."""
        second = Station(2)
        bench = Bench(pmip_backoff=600.0)
        bench.arrive(reply(bench.begin(), 150))
        bench.wait(599)
        assert bench.hear(STATION.dhcp(MessageType.DISCOVER)) == []
        bench.arrive(reply(bench.begin(station=second), 149, station=second))
        third = Station(3)
        effects = bench.decide(bench.attach(station=third), accept(third))
        assert requests(effects) == []
        assert "takes no proxy registrations" in note("visitor-removed", effects).cause
        bench.wait(600)
        assert bench.begin().nai == STATION.nai.encode()

    @covers("P15", "P79")
    def test_130_waits_and_tries_again_only_for_who_was_heard_since(self) -> None:
        bench = Bench()
        bench.arrive(reply(bench.begin(STATION.data(ADDRESS)), 130))
        assert bench.visitor.state.value == "waiting"
        effects = bench.wait(4.1)  # three probes, a second apart
        assert requests(effects) == []
        assert note("visitor-vanished", effects).nai == STATION.nai
        bench.arrive(reply(bench.begin(STATION.data(ADDRESS)), 130))
        bench.wait(0.5)
        bench.hear(STATION.data(ADDRESS))
        [again] = requests(bench.wait(0.6))
        assert again.home_address == ADDRESS
        bench.arrive(reply(again))
        assert bench.visitor.state.value == "registered"

    def test_130_again_and_again_waits_longer_but_not_for_who_asks_by_dhcp(self) -> None:
        bench = Bench()
        request = bench.begin(STATION.data(ADDRESS))
        waits = []
        for _ in range(4):
            bench.arrive(reply(request, 130))
            waits.append(round(bench.visitor.retry_at - bench.at))
            bench.wait(0.1)
            bench.hear(STATION.data(ADDRESS))
            [request] = requests(bench.wait(waits[-1]))
        assert waits == [1, 2, 4, 8]
        bench.arrive(reply(request, 130))
        bench.wait(1)
        bench.hear(STATION.dhcp(MessageType.DISCOVER))
        assert requests(bench.wait(0.1))

    def test_a_renewal_refused_for_lack_of_resources_is_tried_again(self) -> None:
        bench = Bench()
        visitor = bench.register()
        request = bench.renew()
        bench.arrive(reply(request, 130))
        assert visitor.state.value == "registered"
        [again] = requests(bench.wait(1.1))
        bench.arrive(reply(again))
        assert visitor.grant is not None and visitor.grant.ends_at > bench.at + 1790

    def test_a_renewal_refused_for_good_ends_the_service(self) -> None:
        bench = Bench()
        bench.register()
        effects = bench.arrive(reply(bench.renew(), 129))
        assert only(Remove, effects) and len(bench.engine.visitors) == 0


class TestResynchronization:
    """Code 133: I9, P17, P33."""

    def refusal(self, bench: Bench, request, ahead: int) -> bytes:
        seconds = (int(bench.now.wall) + ahead + 2_208_988_800) & 0xFFFFFFFF
        identification = seconds << 32 | request.identification & 0xFFFFFFFF
        return reply(request, 133, identification=identification)

    @covers("I9", "P17", "P33")
    def test_beyond_the_window_the_lmas_clock_is_followed_for_all_nodes(self) -> None:
        bench = Bench()
        request = bench.begin()
        effects = bench.arrive(self.refusal(bench, request, 100))
        [again] = requests(effects)
        assert (again.identification - request.identification) >> 32 == 100
        assert "+100 s" in note("clock-resynchronized", effects).cause
        assert bench.engine.clock_offset(LMA) == 100
        second = bench.begin(station=Station(2))
        assert (second.identification - request.identification) >> 32 == 100

    @covers("P33")
    def test_within_the_window_only_this_node_is_raised(self) -> None:
        bench = Bench()
        request = bench.begin()
        [again] = requests(bench.arrive(self.refusal(bench, request, 3)))
        assert (again.identification - request.identification) >> 32 == 3
        assert bench.engine.clock_offset(LMA) == 0
        second = bench.begin(station=Station(2))
        assert (second.identification - request.identification) >> 32 == 0

    @covers("I9", "P17")
    def test_once_and_then_like_any_refusal(self) -> None:
        bench = Bench()
        [again] = requests(bench.arrive(self.refusal(bench, bench.begin(), 100)))
        effects = bench.arrive(self.refusal(bench, again, 100))
        assert requests(effects) == []
        assert bench.visitor.state.value == "waiting"
        assert "again" in note("registration-refused", effects).cause

    @covers("I9", "P17")
    def test_with_a_wrong_key_nothing_is_followed(self) -> None:
        bench = Bench()
        request = bench.begin()
        forged = reply(
            request,
            133,
            identification=1 << 63 | request.identification & 0xFFFFFFFF,
            key=association(1, b"guess"),
        )
        assert requests(bench.arrive(forged)) == []
        assert bench.engine.clock_offset(LMA) == 0
