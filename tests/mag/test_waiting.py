"""Nodes that stay although their LMA does not serve them: an idle one must not be lost (P15, P16, P81)."""

import pytest

from pmip_tw.addresses import UNSPECIFIED, Ipv4
from pmip_tw.mag.effects import Authenticate, MagEffect, Transmit
from pmip_tw.mobility.effects import Install, Remove, Send
from pmip_tw.mobility.tunnels import Encapsulation
from pmip_tw.wire.arp import REPLY, REQUEST, Arp
from pmip_tw.wire.dhcp import MessageType
from pmip_tw.wire.ethernet import ETHERTYPE_ARP, EthernetFrame, ethernet_frame
from pmip_tw.wire.registration import RegistrationRequest
from tests.agents.world import GATEWAY, GATEWAY_MAC, LMA, Station
from tests.conformance import covers
from tests.mag.bench import ADDRESS, Bench, names, note, only, order, reply, requests
from tests.mag.test_several_lmas import SECOND, two_lmas

STATION = Station(1)
OTHER_PORT = "acc1"


def probes(effects: list[MagEffect]) -> list[Arp]:
    found = []
    for transmit in only(Transmit, effects):
        frame = EthernetFrame.decode(transmit.frame)
        if frame.ethertype == ETHERTYPE_ARP:
            found.append(Arp.decode(frame.payload))
    return [arp for arp in found if arp.operation == REQUEST]


def answer(probe: Arp) -> bytes:
    said = Arp(
        operation=REPLY,
        sender_mac=STATION.mac,
        sender_address=probe.target_address,
        target_mac=probe.sender_mac,
        target_address=probe.sender_address,
    )
    return ethernet_frame(GATEWAY_MAC, STATION.mac, ETHERTYPE_ARP, said.encode())


def step(bench: Bench) -> list[MagEffect]:
    effects = bench.wait(0.25)
    for probe in probes(effects):
        effects += bench.hear(answer(probe))
    return effects


def idle(bench: Bench, seconds: float) -> list[MagEffect]:
    """Time passes for a node that says nothing of its own accord, and answers every probe."""
    effects: list[MagEffect] = []
    for _ in range(round(seconds * 4)):
        effects += step(bench)
    return effects


def asked_next(bench: Bench, lma: Ipv4 = LMA) -> RegistrationRequest:
    """The next request to ``lma``; the node is idle."""
    for _ in range(4000):
        for send in only(Send, step(bench)):
            if send.destination.address == lma:
                return RegistrationRequest.decode(send.datagram)
    raise AssertionError("nothing is asked")


def outlasted(lifetime: int = 60, **policy: object) -> Bench:
    """A registration has ended while its LMA was silent, and the node is idle."""
    bench = Bench(lifetime=lifetime, **policy)
    bench.register(STATION.data(ADDRESS), lifetime=lifetime)
    idle(bench, lifetime + 1)
    return bench


class TestSilentLma:
    """An outage that is longer than the lifetime."""

    @covers("P15", "P81")
    def test_an_idle_node_is_registered_again_when_its_lma_is_back(self) -> None:
        bench = outlasted()
        idle(bench, 300)
        request = asked_next(bench)
        assert request.home_address == ADDRESS
        effects = bench.arrive(reply(request, lifetime=60))
        [install] = only(Install, effects)
        assert install.entry.upstream and install.entry.home_address == ADDRESS
        assert bench.visitor.state.value == "registered" and bench.visitor.home_address == ADDRESS
        assert len(only(Authenticate, bench.effects)) == 1

    @covers("P15")
    def test_its_entry_goes_with_the_lifetime(self) -> None:
        bench = Bench(lifetime=60)
        bench.register(STATION.data(ADDRESS), lifetime=60)
        effects = idle(bench, 61)
        assert order(effects, Install, Remove)[0] == "Remove"
        assert note("registration-expired", effects).nai == STATION.nai

    @covers("P15", "M8")
    def test_the_pace_is_bounded(self) -> None:
        bench = outlasted()
        effects = idle(bench, 350)  # ten rounds of a bit more than 32 s
        assert 18 <= len(requests(effects)) <= 22
        assert len(probes(effects)) <= 44

    @covers("P15")
    def test_who_does_not_answer_any_more_is_forgotten_and_not_asked_for(self) -> None:
        bench = outlasted()
        idle(bench, 100)
        bench.wait(10)  # a round that was on its way
        effects = bench.wait(40)
        assert len(bench.engine.visitors) == 0 and bench.engine.next_deadline() is None
        assert requests(effects) == [] and len(probes(bench.effects[-20:])) >= 3
        assert "visitor-vanished" in names(bench.effects)

    @covers("P15")
    def test_nothing_is_asked_for_a_node_that_is_gone_when_its_lifetime_ends(self) -> None:
        bench = Bench(lifetime=60, attach_probe_max_age=1e6)
        bench.register(STATION.data(ADDRESS), lifetime=60)
        bench.wait(60.1)
        effects = bench.wait(10)
        assert requests(effects) == [] and len(probes(effects)) == 2  # of three: one was before
        assert note("visitor-vanished", effects).nai == STATION.nai

    @covers("P81")
    def test_the_next_lma_of_its_profile_will_do(self) -> None:
        bench = two_lmas(lifetime=60)
        bench.register(STATION.data(ADDRESS), lifetime=60)
        idle(bench, 120)
        request = asked_next(bench, SECOND)
        bench.arrive(reply(request, agent=SECOND, lifetime=60))
        assert bench.visitor.lma == SECOND and bench.visitor.state.value == "registered"

    @covers("P15", "P81")
    def test_a_first_registration_waits_as_well_for_who_has_an_address(self) -> None:
        bench = Bench()
        bench.begin(STATION.data(ADDRESS))
        idle(bench, 70)
        assert bench.visitor.state.value == "waiting"
        assert asked_next(bench).home_address == ADDRESS

    def test_who_has_no_address_is_forgotten_because_it_asks_again(self) -> None:
        bench = Bench(attach_probe_max_age=1e6)
        bench.begin(STATION.dhcp(MessageType.DISCOVER))
        bench.wait(70)
        assert len(bench.engine.visitors) == 0

    @covers("D22")
    def test_the_lease_ends_while_it_waits(self) -> None:
        bench = Bench(lifetime=60)
        visitor = bench.register(STATION.dhcp(MessageType.DISCOVER), lifetime=60)
        bench.hear(STATION.dhcp(MessageType.REQUEST, requested=ADDRESS, server=GATEWAY))
        assert visitor.lease_ends is not None
        idle(bench, visitor.lease_ends - bench.at + 1)
        assert note("visitor-left", bench.effects).cause == "DHCP lease expired"
        assert len(bench.engine.visitors) == 0

    @covers("P65")
    def test_a_client_that_extends_its_lease_is_not_taken_for_one_without_address(self) -> None:
        bench = outlasted()
        bench.hear(STATION.dhcp(MessageType.REQUEST, ciaddr=ADDRESS, server=GATEWAY))
        idle(bench, 100)
        assert bench.visitor.hint == ADDRESS and bench.visitor.answers_arp

    @covers("AA24")
    def test_its_mac_elsewhere_has_it_looked_for_at_once(self) -> None:
        bench = outlasted()
        idle(bench, 40)
        while bench.visitor.state.value != "waiting":
            idle(bench, 1)
        bench.hear(STATION.data(ADDRESS), OTHER_PORT)
        bench.wait(4)
        assert len(bench.engine.visitors) == 0
        assert only(Authenticate, bench.hear(STATION.data(ADDRESS), OTHER_PORT))

    @covers("P78")
    def test_no_frames_are_kept_for_as_long_as_that(self) -> None:
        bench = outlasted()
        while bench.visitor.state.value != "waiting" or bench.visitor.retry_at < bench.at + 5:
            idle(bench, 0.25)
        assert note("frame-dropped", bench.hear(STATION.data(ADDRESS))).reason == "held-too-long"
        assert len(bench.visitor.frames) == 0

    @covers("T5")
    def test_an_lma_that_gives_keys_is_asked_for_one_after_its_outage(self) -> None:
        keyed = {"encapsulation": Encapsulation.GRE, "gre_key": "lma", "gre_key_with_d": True}
        bench = Bench(lifetime=60, **keyed)
        bench.arrive(reply(bench.begin(STATION.data(ADDRESS)), lifetime=60, gre_key=7))
        effects = idle(bench, 400)
        assert requests(effects) and None not in {request.gre_key for request in requests(effects)}


class TestRefusing:
    """An LMA that answers, but does not serve for now."""

    @covers("P16")
    @pytest.mark.parametrize("code", [149, 150])
    def test_after_the_back_off_it_is_registered_again(self, code: int) -> None:
        bench = Bench(lifetime=60, pmip_backoff=600.0)
        bench.register(STATION.data(ADDRESS), lifetime=60)
        effects = bench.arrive(reply(asked_next(bench), code))
        assert order(effects, Remove) == [] and note("registration-postponed", effects).reason == str(code)
        assert requests(idle(bench, 598)) == []
        assert bench.visitor.state.value == "waiting"
        bench.arrive(reply(asked_next(bench), lifetime=60))
        assert bench.at < 1640
        assert bench.visitor.state.value == "registered"

    @covers("P16", "P15")
    def test_during_the_back_off_it_is_still_looked_for(self) -> None:
        bench = Bench(lifetime=60, pmip_backoff=600.0)
        bench.register(STATION.data(ADDRESS), lifetime=60)
        bench.arrive(reply(asked_next(bench), 149))
        idle(bench, 100)
        bench.wait(40)
        assert len(bench.engine.visitors) == 0

    @covers("P15")
    @pytest.mark.parametrize("code", [130, 133])
    def test_refusals_that_last_past_the_lifetime(self, code: int) -> None:
        bench = Bench(lifetime=60)
        bench.register(STATION.data(ADDRESS), lifetime=60)
        until = bench.at + 200
        while bench.at < until:
            for request in requests(idle(bench, 0.25)):
                bench.arrive(reply(request, code))
        assert "registration-expired" in names(bench.effects)
        bench.arrive(reply(asked_next(bench), lifetime=60))
        assert bench.visitor.state.value == "registered"


class TestAddressLess:
    """P15 asks by ARP only for addresses that somebody can have."""

    @covers("P15", "P19")
    def test_after_129_nobody_is_asked_for_0_0_0_0(self) -> None:
        bench = Bench()
        [again] = requests(bench.arrive(reply(bench.begin(STATION.data(ADDRESS)), 129)))
        assert again.home_address == UNSPECIFIED
        assert probes(bench.wait(10)) == []


@covers("P82", "AA24")
def test_a_contest_does_not_delay_the_registration_with_our_new_address() -> None:
    bench = Bench()
    bench.register(STATION.data(ADDRESS))
    bench.take(bench.engine.address_changed(SECOND, bench.now))
    bench.hear(STATION.data(ADDRESS), OTHER_PORT)
    assert asked_next(bench).care_of_address == SECOND
    assert bench.at < 1005
