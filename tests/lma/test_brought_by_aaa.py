"""AAA comes with a registration of a node, which it has proven, and with keys for it (RFC 4004 5.3, 8)."""

import attrs
import pytest

from pmip_tw.aaa.node_keys import Brought, KeyQuestion
from pmip_tw.addresses import Ipv4, ipv4
from pmip_tw.lma.keys.policy import KeyPolicy
from pmip_tw.lma.keys.root_keys import RootKeys
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.mn_aaa import AaaAssociation
from pmip_tw.secret import Secret
from pmip_tw.wire.codes import Code
from pmip_tw.wire.registration import RegistrationReply, RegistrationRequest
from tests.conformance import covers
from tests.lma.anchor import LMA, MAG1, MAG2, Anchor, association, nai, places, reply_in

NODE = 5
AAA = AaaAssociation(0x3000, Secret(b"what node and AAA share"))
MN_HA = association(NODE)
FA_HA = SecurityAssociation(7000, Secret(b"a key for this agent"))
BROUGHT = Brought(association=MN_HA, lifetime=1800)


@pytest.fixture
def anchor() -> Anchor:
    return Anchor(nodes=1, home="10.1.0.0/24", keys=KeyPolicy())


def bring(
    anchor: Anchor, brought: Brought = BROUGHT, payload: bytes | None = None, mag: Ipv4 = MAG1
) -> RegistrationReply | None:
    """What is said to ``payload``, else to a new request by ``mag`` that has MN-AAA alone; None: nothing."""
    if payload is None:
        payload = anchor.request(NODE, mag).encode(mn_aaa=AAA.over(None))
    request = RegistrationRequest.decode(payload)
    question = KeyQuestion(
        nai=request.nai,
        spi=0 if request.mn_ha is None else request.mn_ha.spi,
        aaa_spi=AAA.spi,
        home_agent=LMA,
        care_of_address=request.care_of_address,
        request=payload,
    )
    sent = anchor.aaa_says(brought, question)
    if not sent:
        return None
    assert (sent[0].destination.address, sent[0].destination.port) == (request.care_of_address, 434)
    return RegistrationReply.decode(sent[0].datagram)


@covers("AA23")
def test_it_is_registered_as_if_its_agent_had_sent_it(anchor: Anchor) -> None:
    payload = anchor.request(NODE).encode(mn_aaa=AAA.over(None))
    sent = anchor.aaa_says(
        BROUGHT,
        KeyQuestion(nai=nai(NODE), spi=0, home_agent=LMA, care_of_address=MAG1, request=payload),
    )
    assert reply_in(sent[0], NODE).code == anchor.policy.accepting  # the node's key signs it
    assert places(anchor, NODE) == [MAG1]
    assert anchor.names() == ["registration-brought", "binding-created"]
    # From then on it has the key, for its time.
    anchor.clock.advance(100)
    anchor.accept(NODE)
    anchor.pass_time(1800)
    anchor.hear(anchor.datagram(NODE))
    assert [question.nai for question in anchor.questions] == [nai(NODE)]


@covers("AA23")
def test_nothing_but_what_was_brought_is_believed(anchor: Anchor) -> None:
    bring(anchor)
    anchor.ignore("no-association", anchor.request(NODE, MAG2).encode(mn_aaa=AAA.over(None)), source=MAG2)
    assert places(anchor, NODE) == [MAG1]


def is_not_believed(anchor: Anchor, fa_ha: SecurityAssociation) -> None:
    before = anchor.state()
    assert anchor.hear(anchor.request(NODE).encode(mn_ha=MN_HA, fa_ha=fa_ha)) == []
    assert anchor.state() == before


def test_the_agent_has_a_key_from_then_on(anchor: Anchor) -> None:
    """The reply that AAA takes back is signed with it already (RFC 4004 8.5)."""
    reply = bring(anchor, attrs.evolve(BROUGHT, agent=FA_HA))
    assert reply is not None and reply.fa_ha is not None and reply.fa_ha.spi == FA_HA.spi
    anchor.clock.advance(5)
    [answer] = anchor.hear(anchor.request(NODE).encode(mn_ha=MN_HA, fa_ha=FA_HA))
    again = RegistrationReply.decode(answer.datagram)
    assert again.code == anchor.policy.accepting and again.fa_ha is not None
    # Nobody else has it.
    elsewhere = anchor.request(NODE, MAG2).encode(mn_ha=MN_HA, fa_ha=FA_HA)
    anchor.hear(elsewhere, source=MAG2)
    assert places(anchor, NODE) == [MAG1]


def test_that_key_ends_in_its_time(anchor: Anchor) -> None:
    bring(anchor, attrs.evolve(BROUGHT, agent=FA_HA))
    anchor.pass_time(1801)
    bring(anchor)
    is_not_believed(anchor, FA_HA)


def test_one_without_end_does_not_end(anchor: Anchor) -> None:
    bring(anchor, attrs.evolve(BROUGHT, agent=FA_HA, lifetime=0))
    anchor.pass_time(50_000)
    assert anchor.engine.keys is not None
    assert anchor.engine.keys.root_keys.association(FA_HA.spi, MAG1) == FA_HA


def test_nor_does_one_that_had_an_end_before(anchor: Anchor) -> None:
    bring(anchor, attrs.evolve(BROUGHT, agent=FA_HA, lifetime=300))
    bring(anchor, attrs.evolve(BROUGHT, agent=FA_HA, lifetime=0))
    anchor.pass_time(50_000)
    assert anchor.engine.keys is not None
    assert anchor.engine.keys.root_keys.association(FA_HA.spi, MAG1) == FA_HA


def test_nobody_pays_for_the_keys_of_many_agents() -> None:
    """When to wake up is asked after each batch of renewals: it is known without a look at every key."""

    class Seen(float):
        looks = 0

        def __le__(self, other: float) -> bool:
            Seen.looks += 1
            return float(self) <= other

        def __ne__(self, other: object) -> bool:
            Seen.looks += 1
            return float(self) != other

        __hash__ = float.__hash__

    keys = RootKeys(LMA)
    for number in range(100):
        keys.bring(MAG1 + number, FA_HA, Seen(1000 + number))
    before = Seen.looks
    deadline = keys.next_deadline()
    keys.wake(500.0)
    assert Seen.looks == before
    assert deadline is not None and 1000 <= deadline <= 1001
    keys.wake(1050.0)
    assert keys.association(FA_HA.spi, MAG1 + 10) is None
    assert keys.association(FA_HA.spi, MAG1 + 90) == FA_HA


def test_another_key_under_the_same_spi_takes_its_place(anchor: Anchor) -> None:
    bring(anchor, attrs.evolve(BROUGHT, agent=FA_HA))
    new = SecurityAssociation(FA_HA.spi, Secret(b"another for this agent"))
    bring(anchor, attrs.evolve(BROUGHT, agent=new))
    bring(anchor, attrs.evolve(BROUGHT, agent=new))
    is_not_believed(anchor, FA_HA)
    [answer] = anchor.hear(anchor.request(NODE).encode(mn_ha=MN_HA, fa_ha=new))
    assert RegistrationReply.decode(answer.datagram).code == anchor.policy.accepting


@pytest.mark.parametrize(("longest", "lifetime"), [(60, 60), (0xFFFF, 600)])
def test_no_longer_than_aaa_allows(anchor: Anchor, longest: int, lifetime: int) -> None:
    reply = bring(anchor, attrs.evolve(BROUGHT, longest=longest))
    assert reply is not None and reply.lifetime == lifetime
    anchor.pass_time(lifetime + 1)
    assert anchor.binding(NODE) is None


def test_no_longer_than_aaa_allows_also_with_mn_ha_alone(anchor: Anchor) -> None:
    """In words in which other nodes ask, too, whom that does not concern."""
    payload = anchor.request(NODE).encode(mn_ha=MN_HA)
    reply = bring(anchor, attrs.evolve(BROUGHT, longest=60), payload)
    assert reply is not None and reply.lifetime == 60
    assert anchor.accept(1).lifetime == 600


def test_the_address_that_aaa_gives(anchor: Anchor) -> None:
    reply = bring(anchor, attrs.evolve(BROUGHT, home_address=ipv4("10.1.0.99")))
    assert reply is not None and reply.home_address == ipv4("10.1.0.99")


@covers("L5")
def test_the_same_once_more_has_the_same_answer(anchor: Anchor) -> None:
    """Another relay may bring it again (RFC 6733 5.5.4)."""
    payload = anchor.request(NODE).encode(mn_aaa=AAA.over(None))
    first = bring(anchor, payload=payload)
    anchor.clock.advance(2)
    again = bring(anchor, payload=payload)
    assert first is not None and again is not None
    assert (again.code, again.home_address) == (first.code, first.home_address)


@covers("I6")
def test_what_is_old_is_refused(anchor: Anchor) -> None:
    old = anchor.request(NODE).encode(mn_aaa=AAA.over(None))
    bring(anchor, mag=MAG2)
    reply = bring(anchor, payload=old)
    assert reply is not None and reply.code == Code.HA_ID_MISMATCH
    assert places(anchor, NODE) == [MAG2]


@covers("H4")
def test_aaa_does_not_make_a_wrong_mn_ha_right(anchor: Anchor) -> None:
    other = SecurityAssociation(MN_HA.spi, Secret(b"of somebody else entirely"))
    reply = bring(anchor, payload=anchor.request(NODE).encode(mn_ha=other, mn_aaa=AAA.over(None)))
    assert reply is not None and reply.code == Code.HA_MN_AUTH
    assert anchor.binding(NODE) is None


def test_without_a_key_for_the_answer_there_is_none(anchor: Anchor) -> None:
    assert bring(anchor, Brought(agent=FA_HA)) is None
    assert anchor.binding(NODE) is None
    # Whose key is configured needs none.
    payload = anchor.request(1).encode(mn_ha=association(1), mn_aaa=AAA.over(None))
    reply = bring(anchor, Brought(agent=FA_HA), payload)
    assert reply is not None and reply.code == anchor.policy.accepting


@covers("L2")
def test_it_ends_by_aaa_as_well(anchor: Anchor) -> None:
    bring(anchor)
    reply = bring(anchor, payload=anchor.request(NODE, lifetime=0).encode(mn_aaa=AAA.over(None)))
    assert reply is not None and reply.code == anchor.policy.accepting
    assert anchor.binding(NODE) is None
