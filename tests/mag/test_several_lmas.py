"""Which LMA is asked, which is left, and which must not be asked (P16, P81)."""

import pytest

from pmip_tw.addresses import Endpoint, Ipv4, ipv4
from pmip_tw.mag.effects import Keepalive
from pmip_tw.mag.tunnels.liveness import Liveness
from pmip_tw.mobility.effects import Install, Remove, Send
from pmip_tw.mobility.tunnels import AccessKey, Tunnel
from pmip_tw.wire.dhcp import MessageType
from tests.agents.world import GATEWAY, LMA, PORT, Station
from tests.conformance import covers
from tests.mag.bench import (
    ADDRESS,
    LMA_CLOCK,
    MAG,
    Bench,
    accept,
    names,
    note,
    notes,
    only,
    order,
    reply,
    requests,
    revocation,
    told,
)

STATION = Station(1)
SECOND = ipv4("192.0.2.2")
THERE = ipv4("10.1.0.77")
STAYS: dict[str, object] = {"attach_probe_max_age": 1e6}


def two_lmas(**settings: object) -> Bench:
    bench = Bench(**(STAYS | settings))
    bench.profile = {"lmas": (LMA, SECOND)}
    return bench


def asked(effects) -> list[Ipv4]:
    """Where requests were sent."""
    return [send.destination.address for send in only(Send, effects)]


class TestNextLma:
    """The first one is silent."""

    @covers("P81", "M8")
    def test_a_first_registration_goes_on_after_three_tries(self) -> None:
        bench = two_lmas()
        bench.begin(STATION.dhcp(MessageType.DISCOVER))
        bench.hear(STATION.dhcp(MessageType.DISCOVER))
        effects = bench.wait(7.1)
        assert asked(bench.effects) == [LMA, LMA, LMA, SECOND]
        bench.arrive(reply(requests(effects)[-1], agent=SECOND), Endpoint(SECOND, 434))
        assert bench.visitor.tunnel == Tunnel(local=MAG, remote=SECOND)
        assert bench.visitor.lma == SECOND

    @covers("P81")
    def test_the_next_node_does_not_wait_for_the_silent_one(self) -> None:
        bench = two_lmas()
        bench.begin()
        bench.wait(7.1)
        second = Station(2)
        assert bench.begin(station=second).home_agent == SECOND
        bench.wait(60)
        assert bench.begin(station=Station(3)).home_agent == LMA

    @covers("P81")
    def test_all_silent_ends_with_the_cause(self) -> None:
        bench = two_lmas()
        bench.begin()
        effects = bench.wait(200)
        assert note("visitor-removed", effects).reason == "lma-silent"
        assert set(asked(effects)) == {LMA, SECOND}

    @covers("P81")
    def test_a_renewal_keeps_its_service_and_its_address_while_it_looks_elsewhere(self) -> None:
        bench = two_lmas()
        visitor = bench.register()
        tunnel = visitor.tunnel
        bench.renew()
        effects = bench.wait(64)
        assert asked(effects)[-1] == SECOND and order(effects, Install, Remove) == []
        assert (visitor.state.value, visitor.tunnel) == ("registered", tunnel)
        request = requests(effects)[-1]
        assert request.home_address == ADDRESS
        effects = bench.arrive(reply(request, agent=SECOND))
        [install] = only(Install, effects)
        assert install.entry.tunnel == Tunnel(local=MAG, remote=SECOND)
        assert "registration-accepted" in names(effects)

    @covers("RV37", "P81")
    def test_the_lma_that_was_left_may_revoke_what_it_still_has(self) -> None:
        """It was cut off, and hears that the node is elsewhere when it is back."""
        bench = two_lmas()
        visitor = bench.register()
        bench.renew()
        request = requests(bench.wait(64))[-1]
        bench.arrive(reply(request, agent=SECOND))
        effects = bench.arrive(revocation(LMA_CLOCK + 1000))
        assert order(effects, Send, Remove) == ["Send"]
        assert bench.visitor is visitor and visitor.state.value == "registered"

    @covers("P81", "P19")
    def test_another_address_there_is_told_at_the_next_dhcp_renewal(self) -> None:
        bench = two_lmas()
        visitor = bench.register(STATION.dhcp(MessageType.DISCOVER))
        bench.hear(STATION.dhcp(MessageType.REQUEST, requested=ADDRESS, server=GATEWAY))
        bench.renew()
        request = requests(bench.wait(64))[-1]
        effects = bench.arrive(reply(request, 129, agent=SECOND))
        assert order(effects, Remove) == [] and visitor.state.value == "registered"
        [any_address] = requests(effects)
        assert not any_address.home_address
        bench.arrive(reply(any_address, agent=SECOND, home=THERE))
        assert visitor.home_address == THERE
        [nak] = told(bench.hear(STATION.dhcp(MessageType.REQUEST, ciaddr=ADDRESS, server=GATEWAY)))
        assert nak.message_type is MessageType.NAK

    @covers("P81")
    def test_refused_there_it_stays_where_it_is(self) -> None:
        bench = two_lmas()
        visitor = bench.register()
        bench.renew()
        request = requests(bench.wait(64))[-1]
        effects = bench.arrive(reply(request, 128, agent=SECOND))
        assert order(effects, Remove) == [] and visitor.state.value == "registered"
        assert asked(bench.wait(40)) == [LMA] * 4


class TestBlocked:
    """P16: 149 is about the LMA, 150 about a node."""

    @covers("P16")
    def test_after_149_the_nodes_do_not_all_ask_at_the_same_moment(self) -> None:
        bench = Bench(**STAYS, pmip_backoff=600.0)
        visitor = bench.register()
        bench.random = b"\xff"
        bench.arrive(reply(bench.renew(), 149))
        assert visitor.check_at is not None and 655 < visitor.check_at - bench.at <= 660

    @covers("P16")
    def test_149_stops_running_renewals_too_until_one_trial_succeeds(self) -> None:
        bench = Bench(**STAYS, pmip_backoff=600.0)
        first = bench.register()
        other = Station(2)
        second = bench.register(station=other, home=THERE)
        assert first.grant is not None
        bench.wait(899)
        [mine, _] = sorted(requests(bench.wait(2)), key=lambda request: request.home_address)
        effects = bench.arrive(reply(mine, 149))
        assert order(effects, Remove) == [] and note("registration-postponed", effects).reason == "149"
        assert requests(bench.wait(300)) == []
        assert (first.state.value, second.state.value) == ("registered", "registered")
        assert requests(bench.decide(bench.attach(station=Station(3)), accept(Station(3)))) == []
        [trial] = requests(bench.wait(300.1))
        mine_again = trial.nai == STATION.nai.encode()
        bench.arrive(
            reply(trial, station=STATION if mine_again else other, home=ADDRESS if mine_again else THERE)
        )
        others = {STATION.nai.encode(), other.nai.encode()} - {trial.nai}
        assert {request.nai for request in requests(bench.wait(6))} == others

    @covers("P16")
    def test_a_trial_refused_blocks_again(self) -> None:
        bench = Bench(**STAYS, pmip_backoff=100.0)
        bench.register()
        request = bench.renew()
        for _ in range(3):
            bench.arrive(reply(request, 149))
            assert requests(bench.wait(99)) == []
            [request] = requests(bench.wait(2))

    @covers("P16", "P81")
    def test_with_another_lma_nobody_waits(self) -> None:
        bench = two_lmas()
        effects = bench.arrive(reply(bench.begin(), 149))
        assert asked(effects) == [SECOND]
        assert bench.begin(station=Station(2)).home_agent == SECOND

    @covers("P16", "P81")
    def test_a_block_elsewhere_does_not_keep_a_node_from_its_silent_lma(self) -> None:
        bench = two_lmas()
        visitor = bench.register()
        bench.renew()
        effects = bench.arrive(reply(requests(bench.wait(64))[-1], 149, agent=SECOND))
        assert note("registration-postponed", effects).reason == "149" and "600 s" in notes(effects)[-1].cause
        assert asked(bench.wait(31)) == [] and asked(bench.wait(2)) == [LMA]
        assert visitor.state.value == "registered"

    @covers("P16", "P81")
    def test_nor_one_that_is_not_registered_yet(self) -> None:
        bench = two_lmas()
        bench.begin(STATION.data(ADDRESS))

        def talk(seconds: int) -> None:
            for _ in range(seconds):
                bench.hear(STATION.data(ADDRESS))
                bench.wait(1)

        talk(8)
        assert asked(bench.effects)[-1] == SECOND
        bench.arrive(reply(requests(bench.effects)[-1], 149, agent=SECOND))
        assert bench.visitor.state.value == "waiting"
        talk(33)
        assert asked(bench.effects)[-1] == LMA
        bench.arrive(reply(requests(bench.effects)[-1]))
        assert bench.visitor.state.value == "registered"

    @covers("P16")
    def test_who_leaves_meanwhile_leaves_without_a_word(self) -> None:
        bench = Bench(**STAYS)
        bench.register()
        bench.arrive(reply(bench.renew(), 149))
        effects = bench.take(bench.engine.detach(STATION.nai, bench.now))
        assert requests(effects) == [] and len(bench.engine.visitors) == 0

    @covers("P16")
    def test_an_unanswered_trial_does_not_block_for_ever(self) -> None:
        bench = Bench(**STAYS, pmip_backoff=10.0)
        bench.arrive(reply(bench.begin(), 149))
        bench.wait(31)
        bench.begin()
        bench.wait(70)
        assert bench.begin(station=Station(2)).home_agent == LMA


class TestLiveness:
    """P81, N42, N43: one keepalive for all nodes of a tunnel, in turn."""

    def fleet(self, count: int = 3, **settings: object) -> Bench:
        bench = two_lmas(liveness=True, liveness_interval=30.0, **settings)
        for number in range(1, count + 1):
            bench.register(station=Station(number), home=Ipv4(ADDRESS + number))
            bench.at += 0.01
        return bench

    def answer(self, bench: Bench, keepalive: Keepalive) -> None:
        bench.take(bench.engine.keepalive_answered(keepalive.key, bench.now))

    @covers("P81", "N42", "N43")
    def test_one_at_a_time_from_another_node_each_time(self) -> None:
        bench = self.fleet()
        seen: list[AccessKey] = []
        for _ in range(4):
            [keepalive] = only(Keepalive, bench.wait(31))
            seen.append(keepalive.key)
            self.answer(bench, keepalive)
        assert len(set(seen[:3])) == 3 and seen[3] == seen[0]
        assert "tunnel-silent" not in names(bench.effects)

    @covers("P81")
    def test_three_without_answer_and_all_its_nodes_are_registered_anew_spread_over_time(self) -> None:
        bench = self.fleet()
        effects = bench.wait(36.2)
        assert len(only(Keepalive, effects)) == 3
        lost = note("tunnel-silent", effects)
        assert lost.details["nodes"] == 3
        effects += bench.wait(1.2)
        assert {request.nai for request in requests(effects)} == {
            Station(number).nai.encode() for number in (1, 2, 3)
        }
        assert set(asked(effects)) == {LMA}

    @covers("P81")
    def test_and_go_on_to_the_next_lma_if_theirs_is_silent(self) -> None:
        bench = self.fleet(1)
        effects = bench.wait(46)
        assert asked(effects)[:4] == [LMA, LMA, LMA, SECOND]
        bench.arrive(reply(requests(effects)[-1], agent=SECOND, home=ADDRESS))
        [keepalive] = only(Keepalive, bench.wait(31))
        assert keepalive.key == AccessKey(PORT, STATION.mac)
        assert bench.visitor.tunnel == Tunnel(local=MAG, remote=SECOND)

    @covers("P81")
    def test_an_lma_that_never_answers_echoes_is_asked_less_and_less(self) -> None:
        bench = self.fleet(1)
        lost = 0
        for _ in range(1200):
            effects = bench.wait(1)
            lost += names(effects).count("tunnel-silent")
            for request in requests(effects):
                bench.arrive(reply(request, home=request.home_address))
        assert 3 <= lost <= 5

    @covers("P81")
    def test_who_left_is_not_kept_alive(self) -> None:
        bench = self.fleet(1)
        bench.take(bench.engine.detach(STATION.nai, bench.now))
        assert only(Keepalive, bench.wait(200)) == []

    def test_off_by_default(self) -> None:
        bench = two_lmas()
        bench.register()
        assert only(Keepalive, bench.wait(600)) == []


@covers("P15")
@pytest.mark.parametrize("silent", [True, False])
def test_a_renewal_repeated_after_a_pause_needs_a_node_that_is_there(silent: bool) -> None:
    bench = Bench(attach_probe_max_age=10.0)
    bench.register()
    bench.renew()
    for _ in range(40):
        bench.wait(1)
        if not silent:
            bench.hear(STATION.arp(ADDRESS, GATEWAY))
    left = [found for found in notes(bench.effects) if found.name == "visitor-left"]
    assert len(left) == (1 if silent else 0)


@covers("P16", "P81")
def test_150_sends_a_node_to_its_next_lma_and_the_others_stay() -> None:
    bench = two_lmas(pmip_backoff=600.0)
    effects = bench.arrive(reply(bench.begin(), 150))
    assert asked(effects) == [SECOND]
    bench.arrive(reply(requests(effects)[0], agent=SECOND))
    assert bench.begin(station=Station(2)).home_agent == LMA
    visitor = bench.engine.visitors.with_nai(STATION.nai)
    assert visitor is not None and visitor.lma == SECOND
    bench.take(bench.engine.detach(STATION.nai, bench.now))
    bench.wait(100)
    assert bench.begin().home_agent == SECOND  # it is not asked again for this node so soon


@covers("P81")
def test_nodes_that_left_do_not_pile_up_in_a_tunnel_that_is_watched() -> None:
    tunnel, here = Tunnel(local=MAG, remote=LMA), AccessKey(PORT, Station(1).mac)
    present = {here}
    watching = Liveness(30.0, lambda key: tunnel if key in present else None)
    watching.watch(here, tunnel, 0.0)
    for number in range(2, 200):
        key = AccessKey(PORT, Station(number).mac)
        present.add(key)
        watching.watch(key, tunnel, 0.0)
        present.discard(key)
    [watched] = watching._watched.values()
    assert len(watched.turns) <= 20 and watched.turns.has(here)
