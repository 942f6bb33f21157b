"""What proves requests and replies: the node's key, the MAG's, IPsec, AAA (A1-A3, M3, P10-P13, P39, P72)."""

import pytest

from pmip_tw.addresses import Endpoint, ipv4
from pmip_tw.mag.registration.protection import LmaAssociation
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.mobility.effects import Install, Remove, Send
from pmip_tw.mobility.mn_aaa import CHAP_SPI, AaaAssociation
from pmip_tw.secret import Secret
from pmip_tw.wire.extension_fields import BY_FA_HA, BY_IPSEC
from pmip_tw.wire.extension_values import RevocationSupport, UdpTunnelReply
from pmip_tw.wire.extensions import (
    CHALLENGE,
    FA_HA,
    GENERALIZED_AUTHENTICATION,
    MN_HA,
    NAI,
    PROXY_NON_SKIPPABLE,
    REVOCATION_SUPPORT,
    simple,
    walk,
)
from pmip_tw.wire.registration import RegistrationRequest
from tests.agents.world import LMA, Station, association
from tests.conformance import covers
from tests.mag.bench import AGENT, Bench, accept, note, notes, only, order, reply, requests

STATION = Station(1)
SHARED = SecurityAssociation(5000, Secret(b"between this MAG and LMA"))
OTHER = SecurityAssociation(5000, Secret(b"between somebody and LMA"))
PER_NODE = (LmaAssociation(address=LMA, mode=AuthenticationMode.FA_HA, fa_ha=SHARED),)
BY_KERNEL = (LmaAssociation(address=LMA, mode=AuthenticationMode.IPSEC),)
BOTH = (LmaAssociation(address=LMA, fa_ha=SHARED),)


def datagrams(effects) -> list[bytes]:
    return [send.datagram for send in only(Send, effects)]


def kinds(datagram: bytes) -> list[int]:
    return [kind for kind, *_ in walk(datagram, 24)]


def proves(association: SecurityAssociation, datagram: bytes) -> bool:
    found = RegistrationRequest.decode(datagram).fa_ha
    return found is not None and association.verify(datagram[: found.covered], found.value)


class TestPerNode:
    """The MAG's own association: 47/1 with method 1, FA-HA, and nothing of the node's."""

    @covers("P2", "P10", "P11", "P13", "P72", "A1")
    def test_a_request_has_47_and_fa_ha_last_and_no_mn_ha(self) -> None:
        bench = Bench(associations=PER_NODE)
        [datagram] = datagrams(bench.decide(bench.attach(), accept(STATION, mn_ha=None)))
        found = kinds(datagram)
        assert found[0] == NAI and PROXY_NON_SKIPPABLE in found and found[-1] == FA_HA
        assert MN_HA not in found
        assert RegistrationRequest.decode(datagram).per_node == BY_FA_HA
        assert proves(SHARED, datagram)

    @covers("P39", "A2", "P2")
    def test_a_deregistration_keeps_its_only_proof(self) -> None:
        bench = Bench(associations=PER_NODE)
        bench.arrive(reply(bench.begin(), fa_ha=SHARED))
        [datagram] = datagrams(bench.take(bench.engine.detach(STATION.nai, bench.now)))
        request = RegistrationRequest.decode(datagram)
        assert request.lifetime == 0 and request.nai == STATION.nai.encode()
        assert request.per_node == BY_FA_HA and proves(SHARED, datagram)
        bench.arrive(reply(request, fa_ha=SHARED))
        assert len(bench.engine.visitors) == 0

    @covers("M3", "P11")
    @pytest.mark.parametrize(
        ("reason", "changes"),
        [
            ("bad-authenticator", {"fa_ha": OTHER}),
            ("bad-authenticator", {"fa_ha": SecurityAssociation(5001, Secret(b"between this MAG and LMA"))}),
            ("no-authenticator", {"fa_ha": None}),
            ("authentication-method", {"fa_ha": SHARED, "per_node": None}),
            ("authentication-method", {"fa_ha": SHARED, "per_node": BY_IPSEC}),
            ("no-association", {"fa_ha": SHARED, "agent": ipv4("192.0.2.9")}),
        ],
    )
    def test_a_reply_needs_one_valid_fa_ha_and_the_same_method(
        self, reason: str, changes: dict[str, object]
    ) -> None:
        bench = Bench(associations=PER_NODE)
        effects = bench.arrive(reply(bench.begin(), **changes))  # type: ignore[arg-type]
        assert note("message-discarded", effects).reason == reason
        assert order(effects, Install, Remove, Send) == []
        assert bench.visitor.state.value == "registering"

    @covers("M3", "E5")
    def test_two_fa_ha_are_one_too_many(self) -> None:
        bench = Bench(associations=PER_NODE)
        request = bench.begin()
        doubled = reply(request, fa_ha=SHARED)
        effects = bench.arrive(doubled + doubled[-22:])
        assert note("message-discarded", effects).reason == "no-authenticator"

    @covers("M3")
    def test_the_key_is_found_by_the_home_agent_that_the_reply_names(self) -> None:
        second = ipv4("192.0.2.9")
        known = LmaAssociation(address=second, mode=AuthenticationMode.FA_HA, fa_ha=OTHER)
        bench = Bench(associations=(*PER_NODE, known))
        bench.arrive(reply(bench.begin(), agent=second, fa_ha=OTHER))
        assert bench.visitor.state.value == "registered"

    @covers("RV4", "P10")
    def test_what_stands_behind_the_authenticator_does_not_exist(self) -> None:
        bench = Bench(associations=PER_NODE)
        appended = RevocationSupport(77).encode()
        bench.arrive(reply(bench.begin(), fa_ha=SHARED, timestamp=None) + appended)
        grant = bench.visitor.grant
        assert grant is not None and grant.lma_timestamp is None

    @covers("P3")
    def test_a_node_without_key_at_an_lma_without_association_is_refused_with_the_cause(self) -> None:
        bench = Bench()
        effects = bench.decide(bench.attach(), accept(STATION, mn_ha=None))
        removed = note("visitor-removed", effects)
        assert removed.reason == "no-association" and "[[mag.lmas]]" in removed.cause
        assert requests(effects) == [] and len(bench.engine.visitors) == 0


class TestIpsec:
    """Method 2: the kernel protects, and the address is all that is left to check."""

    @covers("P11", "P13")
    def test_a_request_has_method_2_and_no_authenticator(self) -> None:
        bench = Bench(associations=BY_KERNEL)
        [datagram] = datagrams(bench.decide(bench.attach(), accept(STATION, mn_ha=None)))
        assert not {MN_HA, FA_HA, GENERALIZED_AUTHENTICATION} & set(kinds(datagram))
        assert RegistrationRequest.decode(datagram).per_node == BY_IPSEC

    @covers("M3")
    def test_only_the_lmas_own_address_may_answer(self) -> None:
        bench = Bench(associations=BY_KERNEL)
        request = bench.begin()
        answer = reply(request)[:-22]
        stranger = Endpoint(ipv4("192.0.2.66"), 434)
        assert note("message-discarded", bench.arrive(answer, stranger)).reason == "not-the-lma"
        assert bench.visitor.state.value == "registering"
        bench.arrive(answer, AGENT)
        assert bench.visitor.state.value == "registered"


class TestBoth:
    """The node's key, and the MAG's for what a foreign agent adds (D = 0)."""

    @covers("N3", "RV2", "A2")
    def test_behind_mn_ha_stands_what_fa_ha_protects(self) -> None:
        bench = Bench(associations=BOTH, colocated=False)
        [datagram] = datagrams(bench.decide(bench.attach(), accept(STATION)))
        found = kinds(datagram)
        assert found[-1] == FA_HA and found.index(REVOCATION_SUPPORT) > found.index(MN_HA)
        assert PROXY_NON_SKIPPABLE not in found

    @covers("A2")
    def test_a_deregistration_is_the_nodes_alone(self) -> None:
        bench = Bench(associations=BOTH, colocated=False)
        bench.arrive(reply(bench.begin(), fa_ha=SHARED))
        [datagram] = datagrams(bench.take(bench.engine.detach(STATION.nai, bench.now)))
        assert FA_HA not in kinds(datagram) and MN_HA in kinds(datagram)
        bench.arrive(reply(RegistrationRequest.decode(datagram)))
        assert len(bench.engine.visitors) == 0

    @covers("M3")
    def test_both_proofs_are_needed(self) -> None:
        bench = Bench(associations=BOTH)
        request = bench.begin()
        for lacking in (reply(request), reply(request, fa_ha=OTHER)):
            assert only(Install, bench.arrive(lacking)) == []
        bench.arrive(reply(request, fa_ha=SHARED))
        assert bench.visitor.state.value == "registered"


@covers("RV2", "RV4", "N3")
def test_without_fa_ha_a_foreign_agent_adds_nothing_that_would_go_unprotected() -> None:
    bench = Bench(colocated=False)
    request = bench.begin()
    assert request.revocation is None and request.udp_tunnel is None


@covers("RV4")
def test_what_mn_ha_does_not_cover_changes_nothing() -> None:
    bench = Bench()
    answer = UdpTunnelReply(code=0)
    bench.arrive(reply(bench.begin(), udp_tunnel=answer, agent_part=frozenset({answer.encode()[0]})))
    tunnel = bench.visitor.tunnel
    assert tunnel is not None and not tunnel.over_udp


class TestMnAaa:
    """36/1 beside MN-HA (RFC 4721 5)."""

    @covers("A1")
    def test_hmac_form_with_a_challenge_where_the_mag_is_a_foreign_agent(self) -> None:
        aaa = AaaAssociation(4097, Secret(b"between node and AAA"))
        bench = Bench(colocated=False)
        [datagram] = datagrams(bench.decide(bench.attach(), accept(STATION, mn_aaa=aaa)))
        found = [kind for kind in kinds(datagram) if kind in (MN_HA, CHALLENGE, GENERALIZED_AUTHENTICATION)]
        assert found == [MN_HA, CHALLENGE, GENERALIZED_AUTHENTICATION]
        request = RegistrationRequest.decode(datagram)
        assert request.mn_aaa is not None and request.challenge
        assert aaa.verify(datagram[: request.mn_aaa.covered], request.mn_aaa.value, request.challenge)

    @covers("A1")
    def test_chap_form_without_one_where_the_address_is_its_own(self) -> None:
        aaa = AaaAssociation(CHAP_SPI, Secret(b"between node and AAA"))
        bench = Bench()
        [datagram] = datagrams(bench.decide(bench.attach(), accept(STATION, mn_aaa=aaa)))
        request = RegistrationRequest.decode(datagram)
        assert request.challenge is None and request.mn_aaa is not None
        assert aaa.verify(datagram[: request.mn_aaa.covered], request.mn_aaa.value, None)


@covers("M3")
def test_what_was_asked_under_an_old_key_is_judged_by_it() -> None:
    """Keys may be changed while an answer is under way."""
    bench = Bench()
    old = bench.begin()
    visitor = bench.visitor
    assert visitor.profile is not None and visitor.exchange is not None
    visitor.profile = accept(STATION, mn_ha=association(1, b"the key that came after it")).profile
    bench.arrive(reply(old))
    assert bench.visitor.state.value == "registered"
    [end] = requests(bench.take(bench.engine.detach(STATION.nai, bench.now)))
    assert bench.engine.visitors.with_nai(STATION.nai) is visitor
    assert end.mn_ha is not None
    bench.arrive(reply(end))
    assert notes(bench.effects)[-1].reason == "bad-authenticator"


@covers("E2")
def test_an_unknown_skippable_extension_in_a_reply_is_skipped() -> None:
    bench = Bench()
    bench.arrive(reply(bench.begin(), unknown=(simple(250, b"news"),)))
    assert bench.visitor.state.value == "registered"
