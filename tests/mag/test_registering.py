"""Requests, their repetition, and what each answer means (P4-P19, M2-M8, I4-I9)."""

from itertools import pairwise

import pytest

from pmip_tw.addresses import UNSPECIFIED, Endpoint, Ipv4, ipv4
from pmip_tw.mobility.effects import Install, Observe, Remove, Send
from pmip_tw.mobility.tunnels import Encapsulation, Tunnel
from pmip_tw.wire.dhcp import MessageType
from pmip_tw.wire.extension_values import UdpTunnelReply, UdpTunnelRequest
from pmip_tw.wire.extensions import MN_HA, NAI, PROXY_SKIPPABLE, REVOCATION_SUPPORT, UDP_TUNNEL_REQUEST, walk
from pmip_tw.wire.registration import COLOCATED, REVERSE_TUNNEL
from tests.agents.world import LMA, Station, association
from tests.conformance import covers
from tests.mag.bench import (
    ADDRESS,
    AGENT,
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
    told,
)

STATION = Station(1)
OTHER = ipv4("10.1.0.44")


class TestRequest:
    """What a request carries."""

    @covers("P2", "P4", "P5", "P7", "P8", "P9", "N7")
    def test_fields(self) -> None:
        request = Bench().begin()
        assert request.flags == COLOCATED | REVERSE_TUNNEL  # P8, P9
        assert (request.home_address, request.home_agent, request.care_of_address) == (UNSPECIFIED, LMA, MAG)
        assert request.nai == STATION.nai.encode()
        assert request.access_technology == 1
        assert request.revocation is not None
        assert request.lifetime == 1800
        assert request.udp_tunnel == UdpTunnelRequest(forced=False)

    @covers("N2", "P10", "P13", "RV2", "N6")
    def test_everything_lies_before_the_authenticator_that_protects_it(self) -> None:
        bench = Bench()
        [send] = only(Send, bench.decide(bench.attach(), accept(STATION)))
        kinds = [kind for kind, *_ in walk(send.datagram, 24)]
        assert kinds[-1] == MN_HA
        assert {NAI, PROXY_SKIPPABLE, REVOCATION_SUPPORT, UDP_TUNNEL_REQUEST} <= set(kinds)
        assert (send.destination, send.source) == (AGENT, MAG)

    @covers("N1", "N16")
    @pytest.mark.parametrize(
        ("mode", "expected"),
        [("auto", UdpTunnelRequest(forced=False)), ("force", UdpTunnelRequest(forced=True)), ("off", None)],
    )
    def test_nat_traversal(self, mode: str, expected: UdpTunnelRequest | None) -> None:
        assert Bench(nat_traversal=mode).begin().udp_tunnel == expected

    @covers("P5")
    def test_the_profile_knows_the_address_better_than_the_node(self) -> None:
        bench = Bench()
        asked = bench.attach(STATION.data(OTHER))
        [request] = requests(bench.decide(asked, accept(STATION, ADDRESS)))
        assert request.home_address == ADDRESS

    @covers("DY2", "P6")
    def test_renewal_and_deregistration_name_the_assigned_address(self) -> None:
        """P6."""
        bench = Bench()
        bench.register()
        renewal = bench.renew()
        assert (renewal.home_address, renewal.lifetime) == (ADDRESS, 1800)
        bench.arrive(reply(renewal))
        [end] = requests(bench.take(bench.engine.detach(STATION.nai, bench.now)))
        assert (end.home_address, end.care_of_address, end.lifetime) == (ADDRESS, MAG, 0)
        assert end.udp_tunnel is None and end.revocation is None


class TestRetransmission:
    """M8, I5."""

    @covers("I4", "I5", "M8")
    def test_schedule_and_fresh_identifications(self) -> None:
        bench = Bench(attach_probe_max_age=1000.0)
        requests_seen = [bench.begin()]
        at = [bench.at]
        for _ in range(6400):
            for request in requests(bench.wait(0.01)):
                requests_seen.append(request)
                at.append(bench.at)
        gaps = [round(later - earlier, 1) for earlier, later in pairwise(at)]
        assert gaps == [1.0, 2.0, 4.0, 8.0, 16.0]
        identifications = [request.identification for request in requests_seen]
        assert identifications == sorted(set(identifications))
        assert len(bench.engine.visitors) == 0  # 63 s: given up
        removed = note("visitor-removed", bench.effects)
        assert removed.reason == "lma-silent" and "192.0.2.1 does not answer" in removed.cause

    @covers("P15")
    def test_a_node_not_heard_any_more_is_not_registered(self) -> None:
        """P15: a retransmission after a pause needs a node that is there."""
        bench = Bench(attach_probe_max_age=5.0)
        bench.begin()
        effects = bench.wait(63)
        assert len(requests(effects)) == 2
        assert note("visitor-vanished", effects).nai == STATION.nai

    @covers("M8")
    def test_never_less_often_than_the_lifetime(self) -> None:
        bench = Bench(lifetime=3, attach_probe_max_age=1000.0)
        bench.begin()
        assert len(requests(bench.wait(13))) == 5

    def test_icmp_explains_the_silence(self) -> None:
        bench = Bench()
        bench.begin()
        bench.take(bench.engine.unreachable(AGENT, 3, bench.now))
        unanswered = note("registration-unanswered", bench.wait(1.1))
        assert "nothing listens on UDP port 434" in unanswered.cause
        assert (unanswered.nai, unanswered.session) == (STATION.nai, "02:00:00:00:00:01 on acc0")

    def test_icmp_about_countless_peers_is_forgotten(self) -> None:
        bench = Bench()
        for number in range(2000):
            bench.engine.unreachable(Endpoint(Ipv4(number), 434), 3, bench.now)
        assert len(bench.engine._lmas._unreachable) <= 256

    @covers("M8")
    def test_a_discover_does_not_wait_for_the_back_off(self) -> None:
        bench = Bench()
        bench.begin()
        bench.wait(9)  # tries at 0, 1, 3, 7; the next at 15
        effects = bench.hear(STATION.dhcp(MessageType.DISCOVER))
        assert requests(effects) == []
        [request] = requests(bench.wait(0.1))
        assert [message.message_type for message in told(bench.arrive(reply(request)))] == [MessageType.OFFER]

    @covers("M8")
    def test_impatient_clients_get_one_request_per_second(self) -> None:
        bench = Bench()
        bench.begin()
        sent = []
        for _ in range(50):
            sent += requests(bench.hear(STATION.dhcp(MessageType.DISCOVER)))
            sent += requests(bench.wait(0.1))
        assert 3 <= len(sent) <= 5


class TestReply:
    """Which replies count, M2-M6."""

    @covers("M2", "M3", "M6")
    @pytest.mark.parametrize(
        ("reason", "changes"),
        [
            ("bad-authenticator", {"key": association(1, b"another key altogether")}),
            ("bad-authenticator", {"key": association(2, b"key of mobile node 01")}),
            ("identification", {"identification": 77}),
            ("unexpected-reply", {"nai": b""}),
            ("unexpected-reply", {"nai": b"someone@else.example"}),
            ("incomplete-reply", {"home": UNSPECIFIED}),
            ("incomplete-reply", {"agent": UNSPECIFIED}),
            ("incomplete-reply", {"lifetime": 0}),
        ],
    )
    def test_discarded(self, reason: str, changes: dict[str, object]) -> None:
        bench = Bench()
        request = bench.begin()
        effects = bench.arrive(reply(request, **changes))  # type: ignore[arg-type]
        assert note("message-discarded", effects).reason == reason
        assert order(effects, Install, Remove, Send) == []
        assert bench.visitor.state.value == "registering"

    @covers("M3")
    def test_without_authenticator(self) -> None:
        bench = Bench()
        request = bench.begin()
        effects = bench.arrive(reply(request)[:-22])
        discarded = note("message-discarded", effects)
        assert (discarded.reason, discarded.nai) == ("no-authenticator", STATION.nai)
        assert discarded.session == "02:00:00:00:00:01 on acc0"

    @covers("M2")
    def test_late_one_is_logged_and_the_newest_counts(self) -> None:
        bench = Bench()
        first = bench.begin()
        [second] = requests(bench.wait(1.1))
        assert note("message-discarded", bench.arrive(reply(first))).reason == "late-reply"
        bench.arrive(reply(second))
        assert bench.visitor.state.value == "registered"

    @covers("M5")
    def test_what_it_grants_may_be_over_already(self) -> None:
        """Nothing is served for an instant; the request is repeated."""
        bench = Bench()
        request = bench.begin()
        late = reply(request, lifetime=1)
        bench.at += 1.0
        effects = bench.arrive(late)
        assert note("message-discarded", effects).reason == "late-reply"
        assert order(effects, Install) == []
        assert len(requests(bench.wait(0.1))) == 1

    @covers("M2")
    def test_a_doubled_one_changes_nothing(self) -> None:
        bench = Bench()
        request = bench.begin()
        bench.arrive(reply(request))
        grant = bench.visitor.grant
        bench.wait(1)
        assert note("message-discarded", bench.arrive(reply(request))).reason == "unexpected-reply"
        assert bench.visitor.grant is grant

    def test_a_wrong_key_is_named_when_all_tries_are_over(self) -> None:
        bench = Bench(attach_probe_max_age=1000.0)
        request = bench.begin()
        bench.arrive(reply(request, 131, key=association(1, b"the LMA's idea")))
        removed = note("visitor-removed", bench.wait(64))
        assert "the MN-HA key from AAA is not the LMA's" in removed.cause
        assert "131" in removed.cause

    @covers("M4")
    def test_foreign_agent_code_without_authentication_tears_nothing_down(self) -> None:
        """M4."""
        bench = Bench()
        visitor = bench.register()
        request = bench.renew()
        bench.arrive(reply(request, 65)[:-22])
        assert visitor.state.value == "registered" and visitor.grant is not None

    @covers("M5")
    @pytest.mark.parametrize(("granted", "lifetime"), [(600, 600), (3600, 1800)])
    def test_lifetime_is_the_lesser_and_starts_when_the_request_was_sent(
        self, granted: int, lifetime: int
    ) -> None:
        bench = Bench()
        request = bench.begin()
        sent_at = bench.at
        bench.at += 0.7
        bench.arrive(reply(request, lifetime=granted))
        grant = bench.visitor.grant
        assert grant is not None
        assert (grant.lifetime, grant.ends_at) == (lifetime, sent_at + lifetime)

    @covers("P41", "N9")
    def test_tunnel_ends_at_the_home_agent_of_the_reply(self) -> None:
        bench = Bench()
        tunnel_end = ipv4("192.0.2.77")
        bench.arrive(reply(bench.begin(), agent=tunnel_end))
        assert bench.visitor.tunnel == Tunnel(local=MAG, remote=tunnel_end)

    @covers("N10")
    def test_udp_tunnel_as_the_reply_says_and_expected_the_next_time(self) -> None:
        bench = Bench()
        answer = UdpTunnelReply(forced=False, code=0, keepalive_interval=110)
        bench.arrive(reply(bench.begin(), udp_tunnel=answer))
        tunnel = bench.visitor.tunnel
        assert tunnel == Tunnel(local=MAG, remote=LMA, remote_port=434)
        assert tunnel is not None and tunnel.encapsulation is Encapsulation.IP_IN_IP
        second = Station(2)
        effects = bench.decide(bench.attach(second.data(OTHER), second), accept(second))
        assert only(Install, effects)[0].entry.tunnel == tunnel


class TestProvisional:
    """P77."""

    @covers("P77")
    def test_downstream_is_ready_before_the_request_leaves(self) -> None:
        bench = Bench()
        effects = bench.decide(bench.attach(STATION.data(ADDRESS)), accept(STATION))
        assert order(effects, Install, Send) == ["Install", "Send"]
        [install] = only(Install, effects)
        assert (install.entry.home_address, install.entry.upstream) == (ADDRESS, False)  # type: ignore[union-attr]

    @covers("P77")
    def test_the_address_of_another_visitor_is_not_taken(self) -> None:
        bench = Bench()
        bench.register()
        thief = Station(2)
        effects = bench.decide(bench.attach(thief.data(ADDRESS), thief), accept(thief))
        assert only(Install, effects) == []
        assert len(requests(effects)) == 1

    @covers("P77")
    def test_who_claimed_first_does_not_keep_it_from_its_owner(self) -> None:
        bench = Bench()
        thief = Station(2)
        bench.begin(thief.data(ADDRESS), thief)
        effects = bench.decide(bench.attach(STATION.data(ADDRESS)), accept(STATION))
        assert only(Install, effects) == []
        effects = bench.arrive(reply(requests(effects)[0]))
        assert order(effects, Remove, Install) == ["Remove", "Install"]
        assert only(Remove, effects)[0].key.mac == thief.mac  # type: ignore[union-attr]

    @covers("P77")
    @pytest.mark.parametrize("code", [129, 130, 128, 133])
    def test_it_goes_with_a_refusal(self, code: int) -> None:
        bench = Bench()
        effects = bench.arrive(reply(bench.begin(STATION.data(ADDRESS)), code))
        if code == 133:  # no refusal yet: tried once more with the LMA's clock
            effects = bench.arrive(reply(requests(effects)[0], code))
        assert only(Remove, effects)

    def test_who_the_lma_forgot_loses_its_address_to_whom_it_gives_it(self) -> None:
        """An LMA that lost its bindings may give an address again; two entries for it cannot be."""
        bench = Bench()
        bench.register()
        second = Station(2)
        effects = bench.arrive(reply(bench.begin(station=second), station=second))
        removed = note("visitor-removed", effects)
        assert (removed.nai, removed.reason) == (STATION.nai, "address-moved")
        assert order(effects, Remove, Install) == ["Remove", "Install"]
        assert [visitor.nai for visitor in bench.engine.visitors] == [second.nai]


def test_every_note_about_a_visitor_says_who_and_where() -> None:
    bench = Bench()
    bench.register(STATION.dhcp(MessageType.REQUEST, requested=ADDRESS))
    bench.wait(2000)
    about_visitors = [found for found in notes(bench.effects) if found.name != "message-discarded"]
    assert len(about_visitors) > 5
    seen_nai = False
    for found in about_visitors:
        assert found.session == "02:00:00:00:00:01 on acc0"
        seen_nai = seen_nai or bool(found.nai)
        assert not seen_nai or found.nai == STATION.nai
    registered = note("registration-accepted", bench.effects)
    assert registered.details["home_address"] == "10.1.0.9"
    assert only(Observe, bench.effects) and "attached" in names(bench.effects)


class TestBehindNat:
    """The operator knows that there is a NAT, whatever the LMA finds out."""

    @covers("N9")
    def test_without_44_nothing_can_work_and_the_binding_must_not_stay(self) -> None:
        bench = Bench(behind_nat=True)
        effects = bench.arrive(reply(bench.begin()))
        refused = note("registration-refused", effects)
        assert refused.reason == "no-udp-tunnel" and "behind_nat" in refused.cause
        [end] = requests(effects)
        assert end.lifetime == 0
        assert [install for install in only(Install, effects) if install.entry.upstream] == []

    @covers("N9")
    def test_with_44_everything_is_well(self) -> None:
        bench = Bench(behind_nat=True)
        bench.arrive(reply(bench.begin(), udp_tunnel=UdpTunnelReply(0, False, 25)))
        assert bench.visitor.state.value == "registered"

    @covers("N10")
    def test_44_may_say_that_there_is_none(self) -> None:
        """It has seen our own address as the source."""
        bench = Bench(behind_nat=True)
        bench.arrive(reply(bench.begin(), udp_tunnel=UdpTunnelReply(64)))
        assert bench.visitor.state.value == "registered" and not bench.visitor.tunnel.over_udp
