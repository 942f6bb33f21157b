"""Refusals that another request cures, once; and LMAs that are asked for (DY5-DY10, P7, T5)."""

import pytest

from pmip_tw.addresses import ALL_ONES, UNSPECIFIED, ipv4
from pmip_tw.mobility.effects import Install, Send
from pmip_tw.mobility.tunnels import Encapsulation, Tunnel
from pmip_tw.wire.extension_values import DynamicHomeAgent, MessageString
from pmip_tw.wire.registration import GRE, RegistrationRequest
from tests.agents.world import LMA, Station
from tests.conformance import covers
from tests.mag.bench import ADDRESS, MAG, Bench, accept, note, only, order, reply, requests

STATION = Station(1)
SECOND, THIRD = ipv4("192.0.2.2"), ipv4("192.0.2.3")
KEYED: dict[str, object] = {"encapsulation": Encapsulation.GRE, "gre_key": "lma", "gre_key_with_d": True}
DISCOVERING: dict[str, object] = {"default_lmas": (LMA,), "dynamic_home_agent": True}


def one(effects) -> RegistrationRequest:
    [request] = requests(effects)
    return request


class TestEncapsulation:
    """139, 72 and 137: what everybody has is IP-in-IP."""

    @covers("T5")
    @pytest.mark.parametrize("code", [139, 72, 137])
    def test_refused_means_ip_in_ip_and_the_next_node_begins_with_that(self, code: int) -> None:
        bench = Bench(**KEYED)
        again = one(bench.arrive(reply(bench.begin(), code)))
        assert not again.flags & GRE and again.gre_key is None
        bench.arrive(reply(again))
        assert bench.visitor.tunnel == Tunnel(local=MAG, remote=LMA)
        second = bench.begin(station=Station(2))
        assert not second.flags & GRE

    @covers("T5")
    def test_once_and_then_it_is_final(self) -> None:
        bench = Bench(**KEYED)
        again = one(bench.arrive(reply(bench.begin(), 139)))
        assert requests(bench.arrive(reply(again, 139))) == []
        assert len(bench.engine.visitors) == 0

    @covers("T5")
    def test_silence_about_a_key_means_a_tunnel_without(self) -> None:
        """An LMA that does not know 48 discards the request without a word."""
        bench = Bench(**KEYED, attach_probe_max_age=1000.0)
        bench.begin()
        tried = requests(bench.wait(64))
        assert [request.gre_key for request in tried[:6]] == [0] * 5 + [None]
        assert tried[-1].flags & GRE
        bench.arrive(reply(tried[-1]))
        assert bench.visitor.tunnel == Tunnel(local=MAG, remote=LMA, encapsulation=Encapsulation.GRE)
        assert bench.begin(station=Station(2)).gre_key is None

    @covers("N11")
    def test_142_means_no_udp_unless_it_is_insisted_upon(self) -> None:
        bench = Bench()
        again = one(bench.arrive(reply(bench.begin(), 142)))
        assert again.udp_tunnel is None
        bench = Bench(nat_traversal="force")
        assert requests(bench.arrive(reply(bench.begin(), 142))) == []

    @covers("N11")
    def test_142_again_means_no_udp_once_nothing_else_is_inside(self) -> None:
        bench = Bench(encapsulation=Encapsulation.GRE)
        plain = one(bench.arrive(reply(bench.begin(), 142)))
        assert not plain.flags & GRE and plain.udp_tunnel is not None
        bare = one(bench.arrive(reply(plain, 142)))
        assert bare.udp_tunnel is None
        assert requests(bench.arrive(reply(bare, 142))) == []

    @covers("T5")
    def test_a_renewal_is_repaired_too_and_keeps_the_service_meanwhile(self) -> None:
        bench = Bench(encapsulation=Encapsulation.GRE)
        bench.register()
        effects = bench.arrive(reply(bench.renew(), 139))
        assert order(effects, Install) == [] and bench.visitor.state.value == "registered"
        bench.arrive(reply(one(effects)))
        assert bench.visitor.tunnel == Tunnel(local=MAG, remote=LMA)


class TestLifetime:
    """69: the Lifetime of the reply is the most that there is."""

    def test_it_is_asked_for(self) -> None:
        bench = Bench()
        assert one(bench.arrive(reply(bench.begin(), 69, lifetime=300))).lifetime == 300

    def test_it_is_not_bargained_down(self) -> None:
        bench = Bench()
        again = one(bench.arrive(reply(bench.begin(), 69, lifetime=300)))
        assert requests(bench.arrive(reply(again, 69, lifetime=200))) == []

    @pytest.mark.parametrize("offered", [0, 1800, 3600])
    def test_one_that_is_no_shorter_cures_nothing(self, offered: int) -> None:
        bench = Bench()
        assert requests(bench.arrive(reply(bench.begin(), 69, lifetime=offered))) == []

    @covers("M4")
    def test_not_of_who_proves_nothing(self) -> None:
        bench = Bench()
        effects = bench.arrive(reply(bench.begin(), 69, lifetime=1)[:-22])
        assert order(effects, Send, Install) == []
        assert note("message-discarded", effects).reason == "unproven-refusal"
        assert "69" in note("registration-unanswered", bench.wait(1.1)).cause


class TestDiscovery:
    """RFC 4433: an LMA that says which one to use."""

    def begun(self, **settings: object) -> tuple[Bench, RegistrationRequest]:
        bench = Bench(**(DISCOVERING | settings))
        bench.profile = {"lmas": ()}
        return bench, bench.begin()

    @covers("P7", "DY5", "DY6", "DY9")
    def test_the_question_names_whom_it_is_sent_to_and_lasts_seconds(self) -> None:
        bench, asked = self.begun()
        assert asked.home_agent == UNSPECIFIED and asked.nai == STATION.nai.encode()
        assert asked.dynamic_home_agent == DynamicHomeAgent(1, LMA)
        assert asked.lifetime == 5
        [send] = only(Send, bench.effects)
        assert send.destination.address == LMA

    @covers("DY8", "DY9", "DY2", "P7")
    def test_what_is_assigned_is_registered_with_properly(self) -> None:
        bench, asked = self.begun()
        effects = bench.arrive(reply(asked, lifetime=5, agent=SECOND))
        assert order(effects, Install) == [] and note("lma-assigned", effects).details["lma"] == "192.0.2.2"
        [send] = only(Send, effects)
        assert send.destination.address == SECOND
        proper = one(effects)
        assert (proper.home_agent, proper.lifetime, proper.home_address) == (SECOND, 1800, ADDRESS)
        assert proper.dynamic_home_agent is None
        bench.arrive(reply(proper, agent=SECOND))
        assert bench.visitor.tunnel == Tunnel(local=MAG, remote=SECOND)
        assert bench.renew().home_agent == SECOND

    @covers("DY7")
    def test_a_redirection_is_followed_with_the_new_one_named(self) -> None:
        bench, asked = self.begun()
        effects = bench.arrive(reply(asked, 143, dynamic_home_agent=DynamicHomeAgent(2, SECOND)))
        [send] = only(Send, effects)
        assert send.destination.address == SECOND
        assert one(effects).dynamic_home_agent == DynamicHomeAgent(1, SECOND)

    @covers("DY7")
    def test_a_loop_is_noticed(self) -> None:
        bench, asked = self.begun()
        for target in (SECOND, THIRD):
            asked = one(bench.arrive(reply(asked, 143, dynamic_home_agent=DynamicHomeAgent(2, target))))
        effects = bench.arrive(reply(asked, 143, dynamic_home_agent=DynamicHomeAgent(2, SECOND)))
        assert requests(effects) == [] and note("visitor-removed", effects).reason == "143"

    @covers("DY7")
    def test_a_chain_of_them_ends(self) -> None:
        bench, asked = self.begun()
        for number in range(4):
            target = DynamicHomeAgent(2, ipv4(f"192.0.2.{50 + number}"))
            asked = one(bench.arrive(reply(asked, 143, dynamic_home_agent=target)))
        effects = bench.arrive(reply(asked, 143, dynamic_home_agent=DynamicHomeAgent(2, SECOND)))
        assert requests(effects) == [] and note("visitor-removed", effects).reason == "143"

    @covers("DY7")
    @pytest.mark.parametrize("named", [None, DynamicHomeAgent(1, SECOND), DynamicHomeAgent(2, ALL_ONES)])
    def test_one_that_names_nobody_is_a_refusal(self, named: DynamicHomeAgent | None) -> None:
        bench, asked = self.begun()
        effects = bench.arrive(reply(asked, 143, dynamic_home_agent=named))
        assert requests(effects) == [] and note("visitor-removed", effects).reason == "143"

    @covers("DY7")
    def test_only_an_authentic_one(self) -> None:
        bench, asked = self.begun()
        forged = reply(asked, 143, dynamic_home_agent=DynamicHomeAgent(2, SECOND))[:-1] + b"\0"
        assert requests(bench.arrive(forged)) == []
        plain = reply(asked, 143)
        appended = plain + DynamicHomeAgent(2, SECOND, drawn_form=False).encode()
        assert requests(bench.arrive(appended)) == []

    @covers("DY10", "DY9")
    def test_one_that_knows_nothing_of_it_is_named(self) -> None:
        """And asked for a usual lifetime, or the node's first lease would be as short as a search."""
        bench, asked = self.begun()
        assert asked.lifetime == 5
        again = one(bench.arrive(reply(asked, 136)))
        assert (again.home_agent, again.lifetime) == (LMA, 1800)
        bench.arrive(reply(again))
        assert bench.visitor.state.value == "registered"

    @covers("DY8", "P21")
    def test_who_leaves_meanwhile_ends_it_where_it_was_asked(self) -> None:
        bench, _ = self.begun()
        farewell = one(bench.take(bench.engine.detach(STATION.nai, bench.now)))
        assert (farewell.lifetime, farewell.home_agent, farewell.dynamic_home_agent) == (0, LMA, None)

    @covers("P7")
    def test_a_profile_that_names_an_lma_needs_no_discovery(self) -> None:
        assert Bench(**DISCOVERING).begin().home_agent == LMA


@covers("P7")
def test_136_names_the_address_to_use() -> None:
    bench = Bench()
    effects = bench.arrive(reply(bench.begin(), 136, agent=SECOND))
    [send] = only(Send, effects)
    assert (send.destination.address, one(effects).home_agent) == (SECOND, SECOND)
    assert requests(bench.arrive(reply(one(effects), 136, agent=LMA))) == []


@covers("P7", "P3")
def test_nodes_without_an_lma_get_the_default_one_or_a_clear_refusal() -> None:
    bench = Bench(default_lmas=(SECOND,))
    bench.profile = {"lmas": ()}
    assert bench.begin().home_agent == SECOND
    bench = Bench()
    bench.profile = {"lmas": ()}
    asked = bench.attach()
    removed = note("visitor-removed", bench.decide(asked, accept(STATION, lmas=())))
    assert removed.reason == "no-lma" and "default_lmas" in removed.cause


def test_what_the_lma_says_in_words_is_told_without_control_characters() -> None:
    bench = Bench()
    effects = bench.arrive(reply(bench.begin(), 128, message=MessageString(b"ask\x1b Bob\n")))
    assert '128 reason unspecified: "ask Bob"' in note("registration-refused", effects).cause
    bench = Bench()
    effects = bench.arrive(reply(bench.begin(), 128))
    assert note("registration-refused", effects).cause.endswith("128 reason unspecified")
