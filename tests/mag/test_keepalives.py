"""Keepalives on UDP tunnels: when, in whose name, and what their silence means (N37-N43, N59)."""

from collections.abc import Iterable
from itertools import pairwise

import pytest

from pmip_tw.addresses import Endpoint, Ipv4, ipv4
from pmip_tw.mag.effects import Keepalive, MagEffect
from pmip_tw.mag.tunnels.keepalives import PathReport
from pmip_tw.mag.tunnels.mappings import Mapping
from pmip_tw.mobility.effects import Send
from pmip_tw.mobility.tunnels import AccessKey, Activity, Tunnel
from pmip_tw.wire.extension_values import UdpTunnelReply
from tests.agents.world import GATEWAY, LMA, PORT, Station
from tests.conformance import covers
from tests.mag.bench import ADDRESS, MAG, Bench, names, note, only, reply, requests

WAY = Tunnel(local=MAG, remote=LMA, remote_port=434)
SECOND = ipv4("192.0.2.2")
INTERVAL = 25


def key_of(number: int) -> AccessKey:
    return AccessKey(PORT, Station(number).mac)


class Natted(Bench):
    """Its LMA answers everything with a UDP tunnel and ``told`` as the keepalive interval."""

    def __init__(self, told: int = INTERVAL, nodes: int = 1, **policy: object) -> None:
        super().__init__(**({"attach_probe_max_age": 1e6} | policy))
        self.told = told
        for number in range(1, nodes + 1):
            self.come(number)
            if number % 30 == 0:
                self.wait(0.15)  # so many are authenticated at a time (P83)

    def come(self, number: int) -> list[MagEffect]:
        station = Station(number)
        return self.accepted([self.begin(station=station)])

    def accepted(self, asked: Iterable[object]) -> list[MagEffect]:
        """What follows when the LMA accepts these requests."""
        effects: list[MagEffect] = []
        for request in asked:
            station = Station(int(request.nai[2:].split(b"@")[0]))  # type: ignore[attr-defined]
            answer = reply(
                request,  # type: ignore[arg-type]
                home=Ipv4(ADDRESS + station.number),
                station=station,
                udp_tunnel=UdpTunnelReply(code=0, keepalive_interval=self.told),
            )
            effects += self.arrive(answer)
        return effects

    def renew(self, number: int) -> None:
        visitor = self.engine.visitors.with_nai(Station(number).nai)
        assert visitor is not None
        visitor.check_at = self.at
        self.engine._deadlines.schedule(visitor)
        self.hear(Station(number).arp(Ipv4(ADDRESS + number), GATEWAY))
        self.accepted(requests(self.wait(0.1)))

    def asked_after(self, seconds: float) -> list[tuple[float, AccessKey]]:
        """The keepalives of the next ``seconds``, none of which is answered: when, from now, and in whose name."""
        start = self.at
        found: list[tuple[float, AccessKey]] = []
        while (deadline := self.engine.next_deadline()) is not None and deadline <= start + seconds:
            effects = self.wait(max(0.0, deadline - self.at))
            found += [(round(self.at - start, 1), one.key) for one in only(Keepalive, effects)]
        self.at = start + seconds
        return found

    def answer(self, key: AccessKey) -> None:
        self.take(self.engine.keepalive_answered(key, self.now))

    def answering(self, seconds: float) -> list[AccessKey]:
        """In whose names there are keepalives meanwhile, each of which is answered at once."""
        end = self.at + seconds
        found: list[AccessKey] = []
        while (deadline := self.engine.next_deadline()) is not None and deadline <= end:
            for one in only(Keepalive, self.wait(max(0.0, deadline - self.at))):
                self.answer(one.key)
                found.append(one.key)
        self.at = end
        return found

    def talk(self, number: int, *, answered: bool = False) -> None:
        """The node sends; the packet plane knows."""
        self.hear(Station(number).arp(Ipv4(ADDRESS + number), GATEWAY))
        waiting = {} if answered else {"waiting": key_of(number), "waiting_since": self.at}
        self.activity = Activity(sent=self.at, heard=self.at if answered else self.activity.heard, **waiting)

    @property
    def report(self) -> PathReport:
        found = self.engine.path_report(WAY)
        assert found is not None
        return found


class TestWhen:
    @covers("N37", "N38")
    def test_after_the_interval_that_the_lma_asks_for(self) -> None:
        assert Natted().asked_after(26)[:1] == [(25.0, key_of(1))]

    @covers("N38")
    def test_0_leaves_it_to_us(self) -> None:
        assert Natted(told=0).asked_after(112)[:1] == [(110.0, key_of(1))]
        assert Natted(told=0, keepalive_interval=40.0).asked_after(41)[:1] == [(40.0, key_of(1))]

    @covers("N39")
    @pytest.mark.parametrize("told", [1, 9])
    def test_never_below_10_s_which_is_told_once(self, told: int) -> None:
        bench = Natted(told=told)
        raised = note("keepalive-interval-raised", bench.effects)
        assert raised.details["asked"] == told
        assert bench.asked_after(11)[:1] == [(10.0, key_of(1))]
        assert "keepalive-interval-raised" not in names(Natted(told=10).effects)

    @covers("N38", "N42")
    def test_data_puts_it_off(self) -> None:
        bench = Natted()
        bench.asked_after(20)
        bench.talk(1, answered=True)
        assert bench.asked_after(24) == []
        assert bench.asked_after(2)[:1] == [(1.0, key_of(1))]

    @covers("N38", "N42")
    def test_a_registration_of_another_node_puts_it_off(self) -> None:
        bench = Natted()
        bench.asked_after(20)
        bench.come(2)
        assert bench.asked_after(24) == []

    @covers("N38", "N42")
    def test_so_does_a_request_that_is_not_answered_yet(self) -> None:
        bench = Natted(nodes=2)
        bench.asked_after(20)
        bench.begin(station=Station(3))
        assert bench.asked_after(26) == []  # its tries are 0, 1, 3, 7 and 15 s after the first

    @covers("N38")
    def test_a_keepalive_is_a_packet_too(self) -> None:
        bench = Natted()
        assert len(bench.answering(4 * INTERVAL + 5)) == 4

    @covers("N42", "N43")
    def test_one_for_all_nodes_of_the_tunnel_in_turn(self) -> None:
        bench = Natted(nodes=3)
        found = bench.answering(4 * INTERVAL + 5)
        assert len(found) == 4 and set(found[:3]) == {key_of(1), key_of(2), key_of(3)}
        assert found[3] == found[0]

    @covers("N42")
    def test_or_one_for_each_binding(self) -> None:
        bench = Natted(nodes=3, keepalive_scope="binding")
        assert sorted(bench.answering(INTERVAL + 5)) == [key_of(1), key_of(2), key_of(3)]

    @covers("N42")
    def test_of_which_each_has_its_own_silence(self) -> None:
        bench = Natted(nodes=1, keepalive_scope="binding")
        bench.asked_after(15)
        bench.come(2)
        assert [key for _, key in bench.asked_after(11)][:1] == [key_of(1)]

    @covers("N42", "N43")
    def test_registrations_put_it_off_but_show_nothing_of_other_nodes_so_that_one_is_asked(self) -> None:
        """A NAT that was restarted shows only who registers: the others are not to wait for their own turn."""
        bench = Natted(nodes=3)
        found: list[tuple[int, AccessKey]] = []
        for number in range(4, 17):
            bench.come(number)
            found += [(number, key) for key in bench.answering(8)]
        assert [number for number, _ in found] == [8, 12, 16]  # 32, 64 and 96 s later: once in 25 at most
        assert len({key for _, key in found}) == 3
        assert all(key != key_of(number) for number, key in found)

    @covers("N43")
    @pytest.mark.parametrize("renewed", [1, 2, 3])
    def test_whose_registration_was_the_reason_is_not_asked_itself(self, renewed: int) -> None:
        bench = Natted(nodes=3)
        bench.activity = Activity(sent=bench.at + INTERVAL, heard=bench.at + INTERVAL)
        bench.wait(INTERVAL + 1)
        bench.renew(renewed)
        [key] = bench.answering(1)
        assert key != key_of(renewed)

    def test_only_in_udp_tunnels(self) -> None:
        bench = Bench()
        bench.register()
        bench.wait(700)
        assert only(Keepalive, bench.effects) == []

    def test_whatever_liveness_says(self) -> None:
        assert Natted(liveness=True, liveness_interval=12.0).asked_after(26)[:1] == [(25.0, key_of(1))]

    def test_who_left_is_not_kept_alive(self) -> None:
        for scope in ("tunnel", "binding"):
            bench = Natted(nodes=2, keepalive_scope=scope)
            for number in (1, 2):
                bench.take(bench.engine.detach(Station(number).nai, bench.now))
            assert bench.asked_after(100) == []
            assert bench.engine.path_report(WAY) is None

    @covers("N38")
    def test_the_lma_may_change_its_mind(self) -> None:
        bench = Natted()
        bench.told = 60
        bench.come(2)
        assert bench.asked_after(61)[:1] == [(60.0, key_of(1))]


class TestLoss:
    @covers("N40")
    def test_three_tries_2_s_apart_in_the_same_name(self) -> None:
        bench = Natted(nodes=2)
        found = bench.asked_after(30.9)
        assert [at for at, _ in found] == [25.0, 27.0, 29.0]
        assert len({key for _, key in found}) == 1
        assert "mapping-lost" not in names(bench.effects)

    @covers("N40", "P81")
    def test_then_every_node_is_registered_anew_once_within_5_s(self) -> None:
        bench = Natted(nodes=40)
        bench.wait(30.9)
        effects = bench.wait(0.2)
        assert note("mapping-lost", effects).details["nodes"] == 40
        asked = []
        for _ in range(51):
            now = requests(bench.wait(0.1))
            bench.accepted(now)
            assert len(now) < 5
            asked += [request.nai for request in now]
        assert len(asked) == 40 == len(set(asked))

    @covers("N40")
    def test_an_answer_to_any_of_them_is_enough(self) -> None:
        bench = Natted()
        assert len(bench.asked_after(29.5)) == 3
        bench.answer(key_of(1))
        bench.asked_after(10)
        assert "mapping-lost" not in names(bench.effects)

    @covers("N40")
    def test_in_the_name_of_another_it_is_none(self) -> None:
        bench = Natted(nodes=2)
        [(_, key)] = bench.asked_after(26)
        bench.answer(key_of(2) if key == key_of(1) else key_of(1))
        bench.asked_after(6)
        assert "mapping-lost" in names(bench.effects)

    @covers("N21", "N40")
    def test_who_was_registered_meanwhile_is_on_the_new_mapping_already(self) -> None:
        bench = Natted(nodes=3)
        [(_, key)] = bench.asked_after(26)
        fresh = next(number for number in (1, 2, 3) if key_of(number) != key)
        bench.renew(fresh)
        effects = bench.wait(6)
        assert note("mapping-lost", effects).details["nodes"] == 2
        assert Station(fresh).nai.encode() not in {request.nai for request in requests(bench.wait(5))}

    @covers("N41")
    def test_the_interval_is_halved_to_10_s_at_least(self) -> None:
        bench = Natted(told=60)
        intervals = []
        for _ in range(4):
            lost = names(bench.effects).count("mapping-lost")
            while names(bench.effects).count("mapping-lost") == lost:
                bench.wait(1)
            intervals.append(bench.report.interval)
            bench.accepted(requests(bench.wait(6)))
            bench.answering(200)  # it works again, and a while later it does not
        assert intervals == [30, 15, 10, 10] and bench.report.told == 60 and bench.report.lost == 4

    @covers("N41")
    def test_it_is_what_it_was_after_a_restart(self) -> None:
        bench = Natted(told=60)
        bench.wait(67)
        bench.accepted(requests(bench.wait(6)))
        assert bench.report.interval == 30
        bench.restart()
        assert (bench.report.told, bench.report.interval) == (60, 60)

    @covers("N41", "P82")
    def test_and_where_our_own_address_is_another_one(self) -> None:
        bench = Natted(told=60)
        bench.wait(67)
        bench.accepted(requests(bench.wait(6)))
        elsewhere = Ipv4(MAG + 1)
        bench.take(bench.engine.address_changed(elsewhere, bench.now))
        assert bench.engine.path_report(WAY) is None
        bench.accepted(requests(bench.wait(2)))
        report = bench.engine.path_report(Tunnel(local=elsewhere, remote=LMA, remote_port=434))
        assert report is not None and (report.told, report.interval) == (60, 60)

    @covers("N40")
    def test_an_lma_that_answers_no_echo_is_believed_to_be_lost_less_and_less(self) -> None:
        """Keepalives go on, because they keep the mapping."""
        bench = Natted()
        times, keepalives = [], 0
        for _ in range(1200):
            effects = bench.wait(1)
            times += [bench.at] * names(effects).count("mapping-lost")
            keepalives += len(only(Keepalive, effects))
            bench.accepted(requests(effects))
        assert 4 <= len(times) <= 8
        apart = [later - earlier for earlier, later in pairwise(times)]
        assert apart == sorted(apart) and apart[-1] > 100
        assert keepalives > 80

    @covers("N40", "N59")
    def test_one_that_does_is_not_whatever_happened_before(self) -> None:
        """The first node that is registered anew shows it: NATs may be restarted more often than keepalives are due."""
        bench = Natted(nodes=3)
        while names(bench.effects).count("mapping-lost") < 3:
            bench.accepted(requests(bench.wait(1)))
        shown: list[AccessKey] = []
        for _ in range(70):
            effects = bench.wait(0.1)
            fresh = requests(effects)
            bench.accepted(fresh)
            for one in only(Keepalive, effects):
                bench.answer(one.key)
                shown.append(one.key)
        assert shown
        bench.talk(1)
        bench.accepted(requests(bench.wait(10)))
        assert names(bench.effects).count("mapping-lost") == 4

    @covers("N40", "N59")
    def test_nor_does_it_help_that_its_other_nodes_are_answered(self) -> None:
        """One that only ever sends would have all of them registered anew again and again."""
        bench = Natted(nodes=20)
        lost, asked = 0, 0
        silent_since = bench.at
        for _ in range(600):
            bench.activity = Activity(
                sent=bench.at, heard=bench.at, waiting=key_of(1), waiting_since=silent_since
            )
            effects = bench.wait(1)
            lost += names(effects).count("mapping-lost")
            sent = requests(effects)
            asked += len(sent)
            bench.accepted(sent)
        assert 1 <= lost <= 6
        assert asked <= 20 * 6 + 20

    def test_after_a_restart_the_first_is_at_once(self) -> None:
        """Nobody knows what the NAT has forgotten meanwhile."""
        bench = Natted(nodes=2)
        bench.restart(downtime=20)
        assert [at for at, _ in bench.asked_after(1)] == [0.0]
        bench.wait(6)
        assert note("mapping-lost", bench.effects).details["nodes"] == 2

    def test_which_says_nothing_of_how_long_mappings_live(self) -> None:
        bench = Natted(nodes=2)
        bench.restart(downtime=20)
        assert len(bench.answering(1)) == 1
        assert bench.report.mapping == Mapping()

    def test_on_a_machine_that_has_just_been_started_too(self) -> None:
        bench = Natted(nodes=2)
        bench.restart(downtime=20, reboot=True)
        assert len(bench.answering(1)) == 1


class TestSilence:
    """N59: with traffic a NAT that was restarted is noticed within seconds."""

    @covers("N59")
    def test_sent_for_5_s_and_got_nothing(self) -> None:
        bench = Natted(nodes=3)
        bench.wait(7.3)
        bench.talk(2)
        found = bench.asked_after(7.9)
        assert [key for _, key in found] == [key_of(2)] * 3
        assert [round(at, 0) for at, _ in found] == [5, 6, 7]
        assert "mapping-lost" not in names(bench.effects)
        effects = bench.wait(0.2)
        assert note("mapping-lost", effects).details["nodes"] == 3
        assert len(requests(bench.wait(1.1))) == 3  # 10 s have not passed since it sent

    @covers("N59")
    def test_asked_and_answered_it_is_only_a_node_that_nobody_answers(self) -> None:
        bench = Natted()
        bench.talk(1)
        [(at, _)] = bench.asked_after(5.5)
        assert 5 <= at < 5.1
        bench.answer(key_of(1))
        bench.activity = Activity(sent=bench.at, heard=bench.at)
        assert bench.asked_after(20) == [] and "mapping-lost" not in names(bench.effects)

    @covers("N59")
    def test_who_is_answered_meanwhile_waits_for_nothing_whatever_was_lost(self) -> None:
        bench = Natted(nodes=3)
        bench.talk(1)
        assert len(bench.asked_after(6.5)) == 2
        bench.talk(1, answered=True)
        bench.talk(1)
        assert bench.asked_after(4.5) == []
        assert "mapping-lost" not in names(bench.effects)

    @covers("N59")
    def test_many_of_that_kind_cost_one_keepalive_a_second(self) -> None:
        bench = Natted(nodes=30)
        bench.talk(2)
        assert 50 <= len(bench.answering(60)) <= 60

    @covers("N59")
    def test_traffic_that_is_answered_asks_for_nothing(self) -> None:
        bench = Natted()
        for _ in range(100):
            bench.talk(1, answered=True)
            assert bench.asked_after(3) == []

    @covers("N59")
    def test_nobody_wonders_while_all_are_being_registered_anew(self) -> None:
        bench = Natted(nodes=400)
        bench.talk(2)
        bench.wait(8.1)
        assert names(bench.effects).count("mapping-lost") == 1
        bench.wait(4.5)
        assert names(bench.effects).count("mapping-lost") == 1

    @covers("N59")
    def test_without_a_nat_silence_means_nothing(self) -> None:
        bench = Bench()
        bench.register()
        bench.activity = Activity(sent=bench.at, waiting=key_of(1), waiting_since=bench.at)
        bench.wait(60)
        assert only(Keepalive, bench.effects) == []


class TestMapping:
    """What keepalives show of the NAT."""

    def test_the_longest_idle_time_that_it_survived(self) -> None:
        bench = Natted()
        assert bench.report.mapping == Mapping()
        bench.answering(30)
        survived = bench.report.mapping.survived
        assert survived is not None and 25 <= survived < 25.1 and bench.report.mapping.expired is None

    def test_the_shortest_that_it_did_not_once_the_lma_is_seen_to_be_there(self) -> None:
        bench = Natted(told=60)
        bench.wait(66.5)
        assert bench.report.mapping.expired is None
        bench.accepted(requests(bench.wait(6)))
        expired = bench.report.mapping.expired
        assert expired is not None and 60 <= expired < 60.1

    def test_a_nat_that_was_restarted_is_no_timeout(self) -> None:
        mapping = Mapping()
        mapping.lived(30.0)
        mapping.ended(20.0)
        assert mapping == Mapping(30.0, None)
        mapping.ended(60.0)
        mapping.ended(90.0)
        assert mapping == Mapping(30.0, 60.0)
        mapping.lived(70.0)
        assert mapping == Mapping(70.0, None)


@covers("N40", "P81")
def test_if_its_lma_is_silent_a_node_goes_on_to_the_next_one() -> None:
    bench = Natted(nodes=0)
    bench.profile = {"lmas": (LMA, SECOND)}
    bench.come(1)
    effects = bench.wait(39)
    assert "mapping-lost" in names(effects)
    assert [send.destination.address for send in only(Send, effects)] == [LMA] * 3 + [SECOND]
    bench.arrive(
        reply(
            requests(effects)[-1],
            agent=SECOND,
            home=Ipv4(ADDRESS + 1),
            udp_tunnel=UdpTunnelReply(code=0, keepalive_interval=40),
        ),
        Endpoint(SECOND, 434),
    )
    there = Tunnel(local=MAG, remote=SECOND, remote_port=434)
    assert bench.visitor.tunnel == there
    report = bench.engine.path_report(there)
    assert report is not None and (report.told, report.interval, report.lost) == (40, 40, 0)
