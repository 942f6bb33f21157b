"""Requests that have MN-AAA and no MN-HA, and whose key only AAA has (RFC 4004 5.3).

It is asked whether the request is the node's, and says with which key the answer is signed.
"""

import attrs
import pytest

from pmip_tw.aaa.node_keys import KeyGiven, KeyRefused, KeyUnavailable
from pmip_tw.addresses import ipv4
from pmip_tw.lma.keys.policy import KeyPolicy
from pmip_tw.lma.mags import KnownMag
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.mobility.mn_aaa import CHAP_SPI, AaaAssociation
from pmip_tw.secret import Secret
from pmip_tw.wire.codes import Code
from pmip_tw.wire.extension_values import RevocationSupport
from pmip_tw.wire.registration import RegistrationReply, RegistrationRequest
from tests.conformance import covers
from tests.lma.anchor import LMA, MAG1, MAG2, Anchor, association, nai, places, reply_in, revocations

POLICY = KeyPolicy(lifetime=3600, grace=600, overlap=60, refused=30, again=10, proofs=True)
NODE = 5
"""Nobody has configured it."""

AAA = AaaAssociation(0x3000, Secret(b"what node and AAA share"))
GIVEN = KeyGiven(association=association(NODE), proven=True)
MAG_KEY = SecurityAssociation(700, Secret(b"the key of the first MAG"))


@pytest.fixture
def anchor() -> Anchor:
    return Anchor(nodes=NODE - 1, home="10.1.0.0/24", keys=POLICY)


def ask(anchor: Anchor, aaa: AaaAssociation = AAA, **fields: object) -> bytes:
    return anchor.request(NODE, **fields).encode(mn_aaa=aaa.over(None))


def register(anchor: Anchor, **fields: object) -> RegistrationReply:
    payload = ask(anchor, **fields)
    mag = fields.get("mag", MAG1)
    assert anchor.hear(payload, source=mag) == []  # type: ignore[arg-type]
    answer, *_ = anchor.aaa_says(GIVEN)
    return reply_in(answer, NODE)


@covers("AA23")
@pytest.mark.parametrize("aaa", [AAA, AaaAssociation(CHAP_SPI, Secret(b"what node and AAA share"))])
def test_aaa_proves_it_and_has_the_key_of_the_answer(anchor: Anchor, aaa: AaaAssociation) -> None:
    """MAG - request, MN-AAA -> LMA - the request -> AAA - it is right; key -> LMA - reply, MN-HA -> MAG."""
    payload = ask(anchor, aaa)
    assert anchor.hear(payload) == []
    [question] = anchor.questions
    assert (question.nai, question.spi, question.aaa_spi, question.request) == (
        nai(NODE),
        0,
        aaa.spi,
        payload,
    )
    assert anchor.binding(NODE) is None
    [answer] = anchor.aaa_says(GIVEN)
    assert reply_in(answer, NODE).code == anchor.policy.accepting  # it verifies with the node's key
    assert places(anchor, NODE) == [MAG1]
    assert anchor.names() == ["key-requested", "key-received", "binding-created"]


@covers("AA23")
def test_only_what_aaa_has_seen_is_proven(anchor: Anchor) -> None:
    """Another request of the node waited with it: AAA is asked about that as well."""
    first, second = ask(anchor), ask(anchor, AaaAssociation(0x3000, Secret(b"somebody else's")))
    anchor.hear(first)
    anchor.hear(second)
    assert len(anchor.questions) == 1
    assert len(anchor.aaa_says(GIVEN)) == 1
    [question] = anchor.questions
    assert question.request == second
    assert anchor.aaa_says(KeyRefused("MN-AAA is wrong", about_request=True)) == []
    bound = anchor.binding(NODE)
    assert bound is not None and bound.request == first
    # The true node is not kept waiting for what somebody has forged.
    anchor.hear(ask(anchor))
    assert anchor.questions


def test_with_the_key_the_node_may_use_mn_ha(anchor: Anchor) -> None:
    register(anchor)
    anchor.clock.advance(100)
    anchor.accept(NODE)
    assert anchor.questions == []


@covers("L5")
def test_the_same_request_again_is_answered_without_aaa(anchor: Anchor) -> None:
    payload = ask(anchor)
    anchor.hear(payload)
    anchor.aaa_says(GIVEN)
    anchor.clock.advance(2)
    [again] = anchor.hear(payload)
    assert reply_in(again, NODE).code == anchor.policy.accepting
    assert anchor.questions == []


def test_a_renewal_is_proven_as_the_first_request_was(anchor: Anchor) -> None:
    register(anchor)
    anchor.clock.advance(100)
    assert register(anchor).code == anchor.policy.accepting
    assert register(anchor, mag=MAG2).code == anchor.policy.accepting
    assert register(anchor, mag=MAG2, lifetime=0).code == anchor.policy.accepting
    assert anchor.binding(NODE) is None


@covers("I6")
def test_a_replay_is_one_whatever_aaa_says(anchor: Anchor) -> None:
    old = ask(anchor)
    register(anchor)
    register(anchor, mag=MAG2)
    anchor.hear(old)
    [answer] = anchor.aaa_says(GIVEN)
    assert reply_in(answer, NODE).code == Code.HA_ID_MISMATCH
    assert places(anchor, NODE) == [MAG2]


@covers("A1")
def test_wrong_is_144_if_the_mag_can_be_told_so() -> None:
    """Nothing else could sign the answer."""
    mag = KnownMag(address=MAG1, mode=AuthenticationMode.FA_HA, associations=(MAG_KEY,))
    anchor = Anchor(nodes=0, home="10.1.0.0/24", keys=POLICY, mags=[mag])
    request = anchor.request(NODE)
    anchor.hear(request.encode(mn_aaa=AAA.over(None), fa_ha=MAG_KEY))
    [answer] = anchor.aaa_says(KeyRefused("no", about_request=True))
    reply = RegistrationReply.decode(answer.datagram)
    assert reply.code == Code.HA_BAD_AAA_AUTH and reply.fa_ha is not None and reply.mn_ha is None
    anchor.hear(anchor.request(NODE).encode(mn_aaa=AAA.over(None)))
    assert anchor.aaa_says(KeyRefused("no", about_request=True)) == []


def test_aaa_that_cannot_be_asked_is_not_asked_at_once_again(anchor: Anchor) -> None:
    anchor.hear(ask(anchor))
    assert anchor.aaa_says(KeyUnavailable("nobody there")) == []
    anchor.ignore("aaa-unavailable", ask(anchor))
    anchor.clock.advance(2)
    anchor.hear(ask(anchor))
    assert anchor.questions


@pytest.mark.parametrize("policy", [None, attrs.evolve(POLICY, proofs=False)])
def test_where_aaa_proves_no_requests_it_is_not_asked(policy: KeyPolicy | None) -> None:
    anchor = Anchor(nodes=0, home="10.1.0.0/24", keys=policy)
    anchor.ignore("no-association", ask(anchor))
    assert anchor.questions == []


def test_a_wrong_mn_ha_is_not_made_right_by_mn_aaa(anchor: Anchor) -> None:
    other = SecurityAssociation(association(NODE).spi, Secret(b"another key altogether"))
    anchor.hear(anchor.request(NODE).encode(mn_ha=other, mn_aaa=AAA.over(None)))
    [answer] = anchor.aaa_says(GIVEN)
    assert reply_in(answer, NODE).code == Code.HA_MN_AUTH
    assert anchor.binding(NODE) is None


@covers("P80")
def test_after_a_restart_its_binding_is_there_and_its_key_is_asked_for_when_it_is_needed(
    anchor: Anchor,
) -> None:
    mn_ha = SecurityAssociation(AAA.spi, Secret(b"0123456789abcdef"))
    anchor.hear(ask(anchor, revocation=RevocationSupport(1_000)))
    anchor.aaa_says(KeyGiven(association=mn_ha, proven=True))
    anchor.restart(downtime=5)
    assert places(anchor, NODE) == [MAG1]
    anchor.clock.advance(5)
    anchor.revoke(NODE)
    anchor.pass_time(2)
    [question] = anchor.questions
    assert (question.nai, question.spi) == (nai(NODE), AAA.spi)
    anchor.aaa_says(KeyGiven(association=mn_ha))
    anchor.pass_time(4)
    told = revocations(anchor.sent)
    assert told and told[-1].nai == nai(NODE)


def test_the_address_that_aaa_assigns_with_it(anchor: Anchor) -> None:
    anchor.hear(ask(anchor))
    [answer] = anchor.aaa_says(attrs.evolve(GIVEN, home_address=ipv4("10.1.0.77")))
    assert reply_in(answer, NODE).home_address == ipv4("10.1.0.77")
    assert RegistrationReply.decode(answer.datagram).home_agent == LMA


@covers("AA10")
def test_a_forger_does_not_keep_the_node_out(anchor: Anchor) -> None:
    """Each request is a question of its own, and a forger may send as many as AAA answers: they take turns."""
    forged = AaaAssociation(0x3000, Secret(b"a forger's"))
    for _ in range(8):
        for _ in range(4):
            anchor.hear(ask(anchor, forged), source=ipv4("203.0.113.9"))
        anchor.hear(ask(anchor))
        octets = anchor.questions[0].request
        proof = RegistrationRequest.decode(octets).mn_aaa
        assert proof is not None
        right = AAA.verify(octets[: proof.covered], proof.value, None)
        anchor.aaa_says(GIVEN if right else KeyRefused("it is not the node's", about_request=True))
        if right:
            break
    assert places(anchor, NODE) == [MAG1]


@covers("AA23")
def test_it_registers_no_longer_than_aaa_has_said(anchor: Anchor) -> None:
    anchor.hear(ask(anchor))
    answer, *_ = anchor.aaa_says(attrs.evolve(GIVEN, longest=60))
    assert reply_in(answer, NODE).lifetime == 60
