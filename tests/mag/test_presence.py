"""Who is asked for only while it is there: repeated requests, stray frames, departures in every state (P15, P79)."""

import pytest

from pmip_tw.mag.effects import Authenticate, Transmit
from pmip_tw.mobility.effects import Remove, Send
from pmip_tw.wire.dhcp import MessageType
from pmip_tw.wire.ethernet import ETHERTYPE_ARP, EthernetFrame
from tests.agents.world import GATEWAY, LMA, PORT, Station, World
from tests.conformance import covers
from tests.mag.bench import ADDRESS, Bench, accept, names, note, only, order, reply, requests

STATION = Station(1)


def probes(effects) -> int:
    frames = [EthernetFrame.decode(sent.frame) for sent in only(Transmit, effects)]
    return len([frame for frame in frames if frame.ethertype == ETHERTYPE_ARP])


class TestStrayFrame:
    """A node has moved away; one of its frames still arrives here, and the LMA's 130 is lost (P79)."""

    @covers("P79", "P15")
    def test_it_is_asked_for_once_and_then_looked_for(self) -> None:
        bench = Bench()
        bench.begin(STATION.data(ADDRESS))
        effects = bench.wait(10)
        assert requests(effects) == []
        assert probes(effects) == 3
        assert note("visitor-vanished", effects).nai == STATION.nai
        assert len(bench.engine.visitors) == 0

    @covers("P79")
    def test_who_answers_the_probe_is_registered_at_once(self) -> None:
        bench = Bench()
        bench.begin(STATION.data(ADDRESS))
        bench.wait(1.1)
        bench.hear(STATION.arp(ADDRESS, GATEWAY))
        [again] = requests(bench.wait(0.05))
        bench.arrive(reply(again))
        assert bench.visitor.state.value == "registered"

    @covers("M8")
    def test_who_is_heard_all_the_time_is_asked_for_at_the_usual_pace(self) -> None:
        bench = Bench()
        bench.begin(STATION.data(ADDRESS))
        sent_at = []
        for _ in range(715):
            bench.hear(STATION.data(ADDRESS))
            sent_at += [round(bench.at - 1000)] * len(requests(bench.wait(0.01)))
        assert sent_at == [1, 3, 7]

    @covers("P15", "M8")
    def test_a_node_without_an_address_cannot_be_probed_and_is_believed(self) -> None:
        bench = Bench()
        bench.begin(STATION.dhcp(MessageType.DISCOVER))
        effects = bench.wait(4)
        assert len(requests(effects)) == 2 and probes(effects) == 0

    @covers("P79", "P35", "P15")
    def test_the_session_stays_where_the_node_is(self) -> None:
        """The whole story: a move, a stray frame at the old MAG, and the network loses what that asks the LMA.

        A second later nothing at the LMA would keep the session from going back.
        """
        world = World()
        station, (old, new) = world.stations[0], world.mags
        address = world.attach(station, old)
        world.advance(5)
        world.hear(new, station.data(address))
        world.network.partition({old.address}, {LMA, new.address})
        world.hear(old, station.data(address))
        world.network.heal()
        for _ in range(20):
            world.hear(new, station.data(address))
            world.advance(1)
        assert (old.states, new.states) == ({}, {station.nai: "registered"})
        moves = [noted for noted in world.notes.all if noted.name == "binding-moved"]
        assert len(moves) == 1


class TestDetach:
    """``pmipctl detach`` in every state (P21)."""

    def detach(self, bench: Bench) -> list:
        return bench.take(bench.engine.detach(STATION.nai, bench.now))

    def test_nobody_is_known_by_name_before_aaa_has_answered(self) -> None:
        bench = Bench()
        asked = bench.attach()
        assert self.detach(bench) == []
        assert requests(bench.decide(asked, accept(STATION)))

    @covers("P21")
    def test_while_a_request_is_out(self) -> None:
        bench = Bench()
        bench.begin()
        effects = self.detach(bench)
        assert order(effects, Remove, Send) == ["Remove", "Send"]
        assert [request.lifetime for request in requests(effects)] == [0]

    def test_while_waiting_nothing_is_registered_that_could_be_given_up(self) -> None:
        bench = Bench()
        bench.arrive(reply(bench.begin(STATION.data(ADDRESS)), 130))
        effects = self.detach(bench)
        assert requests(effects) == [] and "visitor-left" in names(effects)
        assert len(bench.engine.visitors) == 0

    @covers("P21")
    def test_while_a_renewal_is_out(self) -> None:
        bench = Bench()
        bench.register()
        renewal = bench.renew()
        effects = self.detach(bench)
        [end] = requests(effects)
        assert end.lifetime == 0 and end.identification > renewal.identification
        assert note("message-discarded", bench.arrive(reply(renewal))).reason == "identification"
        bench.arrive(reply(end))
        assert len(bench.engine.visitors) == 0

    def test_twice_is_once(self) -> None:
        bench = Bench()
        bench.register()
        assert self.detach(bench) and self.detach(bench) == []

    @covers("P21")
    def test_who_returns_while_it_leaves_is_served_and_the_late_answer_harms_nobody(self) -> None:
        bench = Bench()
        bench.register()
        [end] = requests(self.detach(bench))
        [asked] = only(Authenticate, bench.hear(STATION.data(ADDRESS)))
        [request] = requests(bench.decide(asked, accept(STATION)))
        assert request.identification > end.identification
        bench.arrive(reply(end))
        bench.arrive(reply(request))
        assert bench.visitor.state.value == "registered" and bench.visitor.key.port == PORT


@covers("P15")
@pytest.mark.parametrize("heard", [True, False])
def test_the_port_of_a_contested_node_is_looked_at_without_a_renewal(heard: bool) -> None:
    bench = Bench()
    bench.register()
    bench.wait(5)
    bench.hear(STATION.data(ADDRESS), "acc1")
    if heard:
        bench.hear(STATION.arp(ADDRESS, GATEWAY))
    effects = bench.wait(5)
    assert [request.lifetime for request in requests(effects)] == ([] if heard else [0, 0])


@covers("P17", "I9")
def test_an_lma_whose_clock_is_off_is_followed_and_another_is_not() -> None:
    bench = Bench()
    request = bench.begin()
    seconds = (int(bench.now.wall) + 100 + 2_208_988_800) & 0xFFFFFFFF
    ahead = seconds << 32 | request.identification & 0xFFFFFFFF
    effects = bench.arrive(reply(request, 133, identification=ahead))
    assert "NTP" in note("clock-resynchronized", effects).cause
    bench.profile = {"lmas": (0xC0000209,)}
    second = bench.begin(station=Station(2))
    assert abs((second.identification >> 32) - (request.identification >> 32)) <= 1
