"""Keys that AAA has: a request waits for its key, and is then as any other; what keys do in time."""

import attrs
import pytest

from pmip_tw.aaa.dynamic_authorization import Done, Refused, Selection
from pmip_tw.aaa.key_hierarchy import fa_ha
from pmip_tw.aaa.node_keys import HaRootKey, KeyAnswer, KeyGiven, KeyQuestion, KeyRefused, KeyUnavailable
from pmip_tw.addresses import Ipv4, ipv4
from pmip_tw.lma.keys import questions as key_questions
from pmip_tw.lma.keys.fetched import AFTERWARDS, MOST_SPIS, RETRY
from pmip_tw.lma.keys.policy import KeyPolicy
from pmip_tw.lma.mags import KnownMag
from pmip_tw.lma.revocation.revoking import RETRANSMIT_AFTER
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authentication_mode import AuthenticationMode
from pmip_tw.mobility.effects import Send
from pmip_tw.secret import Secret
from pmip_tw.wire.extension_values import RevocationSupport
from pmip_tw.wire.registration import RegistrationReply
from pmip_tw.wire.revocation import Revocation, RevocationAck
from tests.conformance import covers
from tests.lma.anchor import (
    LMA,
    MAG1,
    MAG2,
    Anchor,
    association,
    nai,
    places,
    reply_in,
    revocations,
)

POLICY = KeyPolicy(lifetime=3600, grace=600, overlap=60, refused=30, again=10)
OF_AAA = 5
"""The first node whose key is not configured."""


@pytest.fixture
def anchor() -> Anchor:
    return Anchor(nodes=OF_AAA - 1, home="10.1.0.0/24", keys=POLICY)


def given(node: int = OF_AAA, **fields: object) -> KeyGiven:
    return KeyGiven(**({"association": association(node)} | fields))


def register(anchor: Anchor, node: int = OF_AAA, **fields: object) -> RegistrationReply:
    """A node whose key has to be asked for; what it is answered."""
    assert anchor.hear(anchor.datagram(node, **fields)) == []
    [answer] = anchor.aaa_says(given(node))
    return reply_in(answer, node)


@covers("AA10", "P29")
def test_a_request_waits_for_its_key_and_is_registered_with_it(anchor: Anchor) -> None:
    """MAG - request -> LMA - (NAI, SPI), MAG -> AAA; AAA - key -> LMA - reply -> MAG."""
    assert anchor.hear(anchor.datagram(OF_AAA, MAG2), source=MAG2) == []
    assert anchor.binding(OF_AAA) is None
    assert anchor.questions == [
        KeyQuestion(
            nai=nai(OF_AAA),
            spi=association(OF_AAA).spi,
            home_agent=LMA,
            care_of_address=MAG2,
            root_key=True,
        )
    ]
    [answer] = anchor.aaa_says(given())
    assert reply_in(answer, OF_AAA).code == anchor.policy.accepting
    assert places(anchor, OF_AAA) == [MAG2]
    assert anchor.names() == ["key-requested", "key-received", "binding-created"]


@covers("AA10")
def test_from_then_on_the_key_is_as_one_that_is_configured(anchor: Anchor) -> None:
    register(anchor)
    anchor.clock.advance(100)
    anchor.accept(OF_AAA)
    anchor.accept(OF_AAA, lifetime=300)
    anchor.release(OF_AAA)
    assert anchor.questions == []


def moves(anchor: Anchor, mag: Ipv4 = MAG2, node: int = OF_AAA) -> list[Send]:
    """It asks through ``mag``; what is sent at once."""
    return anchor.hear(anchor.datagram(node, mag), source=mag)


@covers("P29")
class TestAFurtherMag:
    """Its key is known; whether this MAG may register it, AAA has not said."""

    @pytest.fixture
    def anchor(self) -> Anchor:
        anchor = Anchor(nodes=OF_AAA - 1, home="10.1.0.0/24", keys=POLICY)
        register(anchor)
        return anchor

    def test_is_asked_about_before_anything_changes(self, anchor: Anchor) -> None:
        """MAG2 - request -> LMA - (NAI, SPI), MAG2 -> AAA - key -> LMA - reply -> MAG2, and MAG1 is told."""
        before = anchor.state()
        assert moves(anchor) == []
        assert [(one.nai, one.care_of_address) for one in anchor.questions] == [(nai(OF_AAA), MAG2)]
        assert anchor.state() == before
        sent = anchor.aaa_says(given())
        assert reply_in(sent[0], OF_AAA).code == 1
        assert places(anchor, OF_AAA) == [MAG2]

    def test_is_asked_about_once(self, anchor: Anchor) -> None:
        moves(anchor)
        anchor.aaa_says(given())
        for mag in (MAG1, MAG2, MAG1):
            anchor.clock.advance(5)
            anchor.accept(OF_AAA, mag)
        assert anchor.questions == []

    def test_that_others_have_asked_for_in_the_same_words_is_asked_about_all_the_same(
        self, anchor: Anchor
    ) -> None:
        """What a MAG's words get is known from its other nodes; whether it may have this one is not."""
        anchor.accept(1, MAG2)
        assert moves(anchor) == []
        assert [question.care_of_address for question in anchor.questions] == [MAG2]

    def test_that_may_not_is_refused_and_the_other_one_serves_on(self, anchor: Anchor) -> None:
        moves(anchor)
        [answer] = anchor.aaa_says(KeyRefused("not from there"))
        assert reply_in(answer, OF_AAA).code == 129
        assert "not from there" in anchor.notes[-1].cause
        assert places(anchor, OF_AAA) == [MAG1]
        note = anchor.deny(129, OF_AAA, MAG2)
        assert "not from there" in note.cause
        anchor.accept(OF_AAA)
        assert anchor.questions == []
        anchor.clock.advance(POLICY.refused + 1)
        assert moves(anchor) == []
        assert len(anchor.questions) == 1, "AAA may have changed its mind"

    def test_that_may_not_is_no_reason_against_others(self, anchor: Anchor) -> None:
        """Nor does it keep the node's key from being fetched for a MAG that may."""
        stranger = OF_AAA + 1
        moves(anchor, MAG2, stranger)
        assert anchor.aaa_says(KeyRefused("not from there")) == []
        assert register(anchor, stranger).code == 1

    def test_does_for_a_while_if_aaa_is_away(self, anchor: Anchor) -> None:
        moves(anchor)
        answer, *_ = anchor.aaa_says(KeyUnavailable("nobody answers"))
        assert reply_in(answer, OF_AAA).code == 1
        anchor.accept(OF_AAA, MAG2)
        anchor.pass_time(RETRY + 2)
        assert moves(anchor) == [], "asked again"
        assert anchor.aaa_says(KeyRefused("not from there")) == []
        anchor.ignore("aaa-rejected", anchor.datagram(OF_AAA, MAG2), MAG2)

    def test_does_not_if_there_is_no_grace(self) -> None:
        anchor = Anchor(nodes=1, home="10.1.0.0/24", keys=attrs.evolve(POLICY, grace=0))
        register(anchor)
        moves(anchor)
        [answer] = anchor.aaa_says(KeyUnavailable("nobody answers"))
        assert reply_in(answer, OF_AAA).code == 130
        assert places(anchor, OF_AAA) == [MAG1]

    def test_is_asked_about_anew_when_the_time_of_the_key_is_over(self, anchor: Anchor) -> None:
        moves(anchor)
        anchor.aaa_says(given())
        anchor.pass_time(POLICY.lifetime - 10)
        anchor.accept(OF_AAA, MAG2)
        anchor.pass_time(20)
        moves(anchor)
        anchor.aaa_says(given())
        assert moves(anchor, MAG1) == []
        assert [question.care_of_address for question in anchor.questions] == [MAG1]

    def test_need_not_be_asked_about_to_release_the_node(self, anchor: Anchor) -> None:
        anchor.release(OF_AAA, MAG2)
        assert anchor.questions == []
        assert places(anchor, OF_AAA) == [MAG1]

    def test_that_forgeries_name_as_well_is_asked_about_first(self, anchor: Anchor) -> None:
        """Four that nobody has proven wait for the same, and four others of the same node."""
        anchor.clock.advance(POLICY.again)
        wrong = SecurityAssociation(association(OF_AAA).spi, Secret(b"what somebody else has"))
        for number in range(4):
            anchor.hear(anchor.request(OF_AAA, MAG2, lifetime=60 + number).encode(mn_ha=wrong))
        moves(anchor)
        sent = anchor.aaa_says(given())
        assert 1 in [reply_in(answer, OF_AAA).code for answer in sent if answer.datagram[0] == 3]
        assert places(anchor, OF_AAA) == [MAG2]


@covers("AA17", "P29")
class TestWhoIsLockedOut:
    """AAA lets the node in no more, and an operator, or AAA itself, has told the LMA to end what it has."""

    @pytest.fixture(params=["disconnect", "disconnect by address", "revoke"])
    def anchor(self, request: pytest.FixtureRequest) -> Anchor:
        anchor = Anchor(nodes=OF_AAA - 1, home="10.1.0.0/24", keys=POLICY)
        bound = register(anchor, revocation=RevocationSupport(timestamp=int(anchor.clock.wall)))
        anchor.clock.advance(60)
        before = len(anchor.sent)
        if request.param == "revoke":
            anchor.revoke(OF_AAA)
        else:
            by_address = Selection(home_address=bound.home_address)
            by_name = Selection(user_name=nai(OF_AAA).decode().upper())
            selection = by_name if request.param == "disconnect" else by_address
            outcome, effects = anchor.engine.sessions.disconnect(selection, anchor.clock.now())
            assert outcome == Done(1)
            anchor._run(effects)
        assert len(revocations(anchor.sent[before:])) == 1
        return anchor

    def test_is_asked_about_when_it_comes_again(self, anchor: Anchor) -> None:
        """Its key is good for another day, and its MAG has it, too."""
        assert anchor.hear(anchor.datagram(OF_AAA)) == []
        [answer] = anchor.aaa_says(KeyRefused("locked out"))
        assert reply_in(answer, OF_AAA).code == 129
        anchor.pass_time(AFTERWARDS + 2)
        assert anchor.hear(anchor.datagram(OF_AAA)) == []
        assert anchor.aaa_says(KeyRefused("locked out")) == []  # no key could sign it any more
        assert anchor.binding(OF_AAA) is None

    def test_is_not_let_in_because_aaa_is_away(self, anchor: Anchor) -> None:
        anchor.hear(anchor.datagram(OF_AAA))
        [answer] = anchor.aaa_says(KeyUnavailable("nobody answers"))
        assert reply_in(answer, OF_AAA).code == 130
        anchor.pass_time(AFTERWARDS + 2)
        anchor.hear(anchor.datagram(OF_AAA))
        assert anchor.aaa_says(KeyUnavailable("nobody answers")) == []
        assert anchor.binding(OF_AAA) is None

    def test_ends_also_if_its_mag_hears_the_last_of_the_revocations_only(self, anchor: Anchor) -> None:
        """The MAG was away; its acknowledgment is proven by the key that ends."""
        told = revocations(anchor.pass_time(sum(RETRANSMIT_AFTER)))[-1]
        anchor.pass_time(RETRANSMIT_AFTER[-1] - 1)
        acknowledgment = RevocationAck(
            inform=told.inform, home_address=told.home_address, identifier=told.identifier, nai=told.nai
        )
        anchor.hear(acknowledgment.encode(mn_ha=association(OF_AAA)))
        assert (anchor.engine.revoking, anchor.notes[-1].name) == (0, "revocation-acknowledged")

    def test_may_be_let_in_again(self, anchor: Anchor) -> None:
        anchor.hear(anchor.datagram(OF_AAA))
        [answer] = anchor.aaa_says(given())
        assert reply_in(answer, OF_AAA).code == 1
        anchor.pass_time(AFTERWARDS + 2)
        anchor.accept(OF_AAA)
        assert anchor.questions == []


@covers("AA17", "P29")
@pytest.mark.parametrize("says", [given(), KeyRefused("locked out"), KeyUnavailable("nobody answers")])
def test_what_aaa_has_said_before_it_ended_a_node_lets_it_in_no_more(anchor: Anchor, says: KeyAnswer) -> None:
    """LMA - may MAG2? -> AAA; AAA - Disconnect -> LMA; AAA - yes, as of before -> LMA - may MAG2? -> AAA."""
    register(anchor)
    anchor.clock.advance(60)
    assert anchor.hear(anchor.datagram(OF_AAA, MAG2), source=MAG2) == []
    who = Selection(user_name=nai(OF_AAA).decode())
    outcome, effects = anchor.engine.sessions.disconnect(who, anchor.clock.now())
    assert outcome == Done(1)
    anchor._run(effects)
    anchor.clock.advance(1)
    assert anchor.aaa_says(given()) == []
    assert anchor.binding(OF_AAA) is None
    [answer] = anchor.aaa_says(says)
    assert reply_in(answer, OF_AAA).code == {KeyGiven: 1, KeyRefused: 129, KeyUnavailable: 130}[type(says)]
    assert anchor.questions == []


@covers("AA17")
def test_who_is_not_registered_just_now_can_be_locked_out(anchor: Anchor) -> None:
    """503, and its key is not good for a registration without AAA any more all the same."""
    register(anchor)
    anchor.release(OF_AAA)
    who = Selection(user_name=nai(OF_AAA).decode())
    outcome, effects = anchor.engine.sessions.disconnect(who, anchor.clock.now())
    assert isinstance(outcome, Refused) and effects == []
    assert anchor.hear(anchor.datagram(OF_AAA)) == []
    assert len(anchor.questions) == 1


@covers("AA1")
def test_whose_key_is_configured_is_never_asked_about(anchor: Anchor) -> None:
    anchor.accept(1)
    forged = anchor.request(1).encode(mn_ha=SecurityAssociation(association(1).spi, Secret(bytes(16))))
    anchor.clock.advance(100)
    [answer] = anchor.hear(forged)
    assert reply_in(answer, 1).code == 131
    assert anchor.questions == []


def with_spi(payload: bytes, spi: int) -> bytes:
    """``payload`` with another SPI in its MN-HA."""
    return payload[:-20] + spi.to_bytes(4, "big") + payload[-16:]


@covers("AA10")
@pytest.mark.parametrize("spi", [1, 255])
def test_nobody_has_a_key_with_a_reserved_spi(anchor: Anchor, spi: int) -> None:
    """RFC 5944 3.5.1; a server that does not look at the SPI would give one all the same."""
    anchor.ignore("no-association", with_spi(anchor.datagram(OF_AAA), spi))
    assert anchor.questions == []
    assert anchor.hear(with_spi(anchor.datagram(OF_AAA), 256)) == []
    assert [question.spi for question in anchor.questions] == [256]


def test_one_question_for_all_requests_that_wait_and_the_newest_is_answered(anchor: Anchor) -> None:
    """L5: what a newer request of the node has made void is not answered, as ever."""
    first, second = anchor.request(OF_AAA), anchor.request(OF_AAA)
    for request in (first, first, second):
        anchor.hear(request.encode(mn_ha=association(OF_AAA)))
    assert len(anchor.questions) == 1
    [answer] = anchor.aaa_says(given())
    assert reply_in(answer, OF_AAA).identification == second.identification


def test_a_forgery_that_waits_beside_the_true_request_is_told_so_and_nothing_else(anchor: Anchor) -> None:
    forged = anchor.request(OF_AAA).encode(
        mn_ha=SecurityAssociation(association(OF_AAA).spi, Secret(b"what somebody else has"))
    )
    anchor.hear(forged, source=MAG2)
    anchor.hear(anchor.datagram(OF_AAA))
    answers = anchor.aaa_says(given())
    assert [(answer.destination.address, reply_in(answer, OF_AAA).code) for answer in answers] == [
        (MAG2, 131),
        (MAG1, 1),
    ]


@covers("P29", "AA10")
def test_whom_aaa_refuses_is_silent_and_not_asked_about_for_a_while(anchor: Anchor) -> None:
    anchor.hear(anchor.datagram(OF_AAA))
    assert anchor.aaa_says(KeyRefused("no such node")) == []
    note = anchor.ignore("aaa-rejected", anchor.datagram(OF_AAA))
    assert "no such node" in note.cause
    anchor.clock.advance(29)
    anchor.ignore("aaa-rejected", anchor.datagram(OF_AAA))
    assert anchor.questions == []
    anchor.clock.advance(1.5)
    assert register(anchor).code == 1


def test_what_waited_is_not_asked_about_once_more_even_if_refusals_are_not_remembered() -> None:
    """``reject_hold`` = 0: the next request asks again, and not the refused one for ever."""
    anchor = Anchor(nodes=1, home="10.1.0.0/24", keys=attrs.evolve(POLICY, refused=0.0))
    for _ in range(2):
        anchor.hear(anchor.datagram(OF_AAA))
        assert anchor.aaa_says(KeyRefused("no such node")) == []
        assert anchor.questions == []
        assert anchor.notes[-1].reason == "aaa-rejected"
        anchor.clock.advance(1)


@covers("P29")
def test_a_mag_with_a_key_of_its_own_is_told_why_there_is_none() -> None:
    """131 if AAA gives no key, 130 if AAA is not there, both signed with FA-HA: nothing else can be."""
    key = SecurityAssociation(0x2000, Secret(b"key of the first MAG"))
    mag = KnownMag(address=MAG1, mode=AuthenticationMode.FA_HA, associations=(key,))
    anchor = Anchor(nodes=1, keys=POLICY, mags=[mag])

    def told() -> int:
        payload = anchor.request(OF_AAA).encode(mn_ha=association(OF_AAA), fa_ha=key)
        sent = anchor.hear(payload)
        [answer] = sent or anchor.aaa_says(outcome)
        reply = RegistrationReply.decode(answer.datagram)
        assert reply.mn_ha is None and reply.fa_ha is not None
        assert key.verify(answer.datagram[: reply.fa_ha.covered], reply.fa_ha.value)
        return reply.code

    outcome: KeyUnavailable | KeyRefused = KeyUnavailable("nobody answers")
    assert told() == 130
    anchor.clock.advance(2)
    outcome = KeyRefused("no such node")
    assert told() == 131
    anchor.clock.advance(2)
    assert told() == 131
    unvouched = anchor.request(OF_AAA).encode(mn_ha=association(OF_AAA))
    assert anchor.hear(unvouched) == []


def test_an_answer_that_nobody_waits_for_any_more_is_a_key_all_the_same(anchor: Anchor) -> None:
    spi = association(OF_AAA).spi
    question = KeyQuestion(nai=nai(OF_AAA), spi=spi, home_agent=LMA, care_of_address=MAG1)
    assert anchor.aaa_says(given(), question) == []
    anchor.accept(OF_AAA)


@covers("AA10")
def test_a_new_spi_is_asked_for_and_the_old_one_ends_soon_after_it_was_used(anchor: Anchor) -> None:
    register(anchor)
    new = SecurityAssociation(9999, Secret(b"the next key of this node"))
    old = association(OF_AAA)

    def code(signed_with: SecurityAssociation) -> int | None:
        sent = anchor.hear(anchor.request(OF_AAA).encode(mn_ha=signed_with))
        if not sent and anchor.questions and signed_with is new:
            sent = anchor.aaa_says(given(association=new))
        return RegistrationReply.decode(sent[0].datagram).code if sent else None

    assert code(new) == 1
    assert code(old) == 1, "both are valid for a while"
    anchor.pass_time(POLICY.overlap + 2)
    assert code(new) == 1
    assert anchor.questions == []
    assert code(old) is None
    assert [question.spi for question in anchor.questions] == [old.spi], "AAA may say that it is valid"
    assert anchor.aaa_says(KeyRefused("it was replaced")) == []


@covers("AA10")
def test_another_key_under_the_same_spi_is_fetched_when_it_is_used(anchor: Anchor) -> None:
    register(anchor)
    old = association(OF_AAA)
    new = SecurityAssociation(old.spi, Secret(b"the next key of this node"))

    def send(signed_with: SecurityAssociation) -> list[Send]:
        return anchor.hear(anchor.request(OF_AAA).encode(mn_ha=signed_with))

    def is_proven_by(signed_with: SecurityAssociation, sent: list[Send]) -> bool:
        [answer] = sent
        reply = RegistrationReply.decode(answer.datagram)
        found = reply.mn_ha
        assert found is not None
        return reply.code == 1 and signed_with.verify(answer.datagram[: found.covered], found.value)

    anchor.pass_time(POLICY.again)
    assert send(new) == [], "it waits: it may be the next key"
    assert is_proven_by(new, anchor.aaa_says(given(association=new)))
    assert is_proven_by(old, send(old)), "both are valid for a while"
    assert is_proven_by(new, send(new))
    anchor.pass_time(POLICY.overlap + 2)
    assert is_proven_by(new, send(new))
    assert send(old) == [], "it may be the next key but one"
    [answer] = anchor.aaa_says(given(association=new))
    assert RegistrationReply.decode(answer.datagram).code == 131


def test_what_does_not_verify_just_after_aaa_was_asked_is_forged(anchor: Anchor) -> None:
    register(anchor)
    forged = SecurityAssociation(association(OF_AAA).spi, Secret(b"what somebody else has"))
    [answer] = anchor.hear(anchor.request(OF_AAA).encode(mn_ha=forged))
    assert reply_in(answer, OF_AAA).code == 131
    assert anchor.questions == []
    anchor.clock.advance(POLICY.again)
    assert anchor.hear(anchor.request(OF_AAA).encode(mn_ha=forged)) == []
    [answer] = anchor.aaa_says(given())
    assert reply_in(answer, OF_AAA).code == 131
    anchor.accept(OF_AAA)


def test_a_forgery_that_aaa_refuses_ends_nobodys_key(anchor: Anchor) -> None:
    """AAA is asked about what somebody has invented, such as a MAG that may not register the node."""
    register(anchor)
    anchor.clock.advance(POLICY.again)
    forged = SecurityAssociation(association(OF_AAA).spi, Secret(b"what somebody else has"))
    assert anchor.hear(anchor.request(OF_AAA, MAG2).encode(mn_ha=forged), source=MAG2) == []
    anchor.aaa_says(KeyRefused("not from there"))
    anchor.accept(OF_AAA)
    assert anchor.questions == []


@covers("P29")
def test_a_refused_request_does_not_speak_for_others(anchor: Anchor) -> None:
    """AAA has proven its MN-AAA wrong (RFC 4004): the true one, before or after, is asked about by itself."""
    forged, true = anchor.datagram(OF_AAA), anchor.datagram(OF_AAA)
    anchor.hear(forged, source=MAG2)
    anchor.hear(true)
    [question] = anchor.questions
    assert question.request == forged
    assert anchor.aaa_says(KeyRefused("MN-AAA is wrong", about_request=True)) == []
    assert [question.request for question in anchor.questions] == [true]
    [answer] = anchor.aaa_says(given())
    assert reply_in(answer, OF_AAA).code == 1


def test_a_refused_request_is_not_asked_about_for_ever(anchor: Anchor) -> None:
    anchor.hear(anchor.datagram(OF_AAA))
    assert anchor.aaa_says(KeyRefused("MN-AAA is wrong", about_request=True)) == []
    assert anchor.questions == [] and anchor.notes[-1].reason == "aaa-rejected"


@covers("AA10")
def test_a_key_is_asked_for_again_when_its_time_is_over(anchor: Anchor) -> None:
    anchor.hear(anchor.datagram(OF_AAA))
    anchor.aaa_says(given(lifetime=300))
    anchor.pass_time(200)
    anchor.accept(OF_AAA)
    anchor.pass_time(102)
    assert anchor.hear(anchor.datagram(OF_AAA)) == [], "its binding is there, its key is not"
    assert anchor.binding(OF_AAA) is not None
    [answer] = anchor.aaa_says(given(lifetime=300))
    assert reply_in(answer, OF_AAA).code == 1


def test_nobody_is_renewed_past_the_end_of_his_key_by_being_known(anchor: Anchor) -> None:
    """A renewal is decided by its octets and the binding, which holds the key: it holds a retired one."""
    anchor.hear(anchor.datagram(OF_AAA))
    anchor.aaa_says(given(lifetime=300))
    anchor.accept(OF_AAA)
    anchor.pass_time(302)
    assert anchor.hear(anchor.datagram(OF_AAA)) == []
    anchor.aaa_says(KeyRefused("its time is over"))
    anchor.ignore("aaa-rejected", anchor.datagram(OF_AAA))


def test_a_key_that_aaa_has_not_limited_is_kept_while_aaa_is_away_for_a_while(anchor: Anchor) -> None:
    register(anchor, lifetime=3600)
    anchor.pass_time(POLICY.lifetime - 10)
    anchor.accept(OF_AAA)
    anchor.pass_time(20)
    assert anchor.hear(anchor.datagram(OF_AAA)) == []
    [answer] = anchor.aaa_says(KeyUnavailable("nobody answers"))
    assert reply_in(answer, OF_AAA).code == 1
    anchor.accept(OF_AAA)
    assert "key-unavailable" in anchor.names()
    anchor.pass_time(POLICY.grace)
    assert anchor.hear(anchor.datagram(OF_AAA)) == []
    assert anchor.aaa_says(KeyUnavailable("nobody answers")) == [], "not for ever"
    anchor.pass_time(2)
    anchor.hear(anchor.datagram(OF_AAA))
    [answer] = anchor.aaa_says(given())
    assert reply_in(answer, OF_AAA).code == 1


def test_a_key_that_aaa_has_limited_is_not_kept(anchor: Anchor) -> None:
    anchor.hear(anchor.datagram(OF_AAA))
    anchor.aaa_says(given(lifetime=300))
    anchor.pass_time(302)
    anchor.hear(anchor.datagram(OF_AAA))
    assert anchor.aaa_says(KeyUnavailable("nobody answers")) == []
    anchor.ignore("aaa-unavailable", anchor.datagram(OF_AAA))


def test_a_clock_that_was_set_back_is_told_once_however_many_answers_come(anchor: Anchor) -> None:
    anchor.accept(1)
    anchor.clock.wall -= 60
    for node in (OF_AAA, OF_AAA + 1):
        anchor.hear(anchor.datagram(node, skew=60))
        [answer] = anchor.aaa_says(given(node))
        assert reply_in(answer, node).code == 1
        anchor.pass_time(1)
    assert anchor.names().count("clock-set-back") == 1


class TestARestart:
    """The journal has requests, and never a key."""

    SUPPORT = RevocationSupport(timestamp=0)

    @pytest.fixture
    def anchor(self) -> Anchor:
        anchor = Anchor(nodes=OF_AAA - 1, home="10.1.0.0/24", keys=POLICY)
        timestamp = int(anchor.clock.wall) & 0xFFFFFFFF
        register(anchor, revocation=RevocationSupport(timestamp))
        return anchor

    @covers("AA10")
    def test_the_binding_is_there_and_its_node_renews_when_the_key_was_fetched(self, anchor: Anchor) -> None:
        before = anchor.binding(OF_AAA)
        assert before is not None
        anchor.restart(downtime=5)
        anchor.questions.clear()
        after = anchor.binding(OF_AAA)
        assert after is not None
        assert (after.home_address, after.deadline) == (before.home_address, before.deadline)
        assert anchor.hear(anchor.datagram(OF_AAA)) == []
        [answer] = anchor.aaa_says(given())
        assert reply_in(answer, OF_AAA).code == 1
        anchor.accept(OF_AAA)

    def test_no_key_is_in_the_journal(self, anchor: Anchor) -> None:
        assert anchor.journal
        assert not any(association(OF_AAA).key.reveal() in row for row in anchor.journal)

    def test_what_is_missing_proves_nothing(self, anchor: Anchor) -> None:
        anchor.restart()
        nothing = SecurityAssociation(association(OF_AAA).spi, Secret(b""))
        assert anchor.hear(anchor.request(OF_AAA).encode(mn_ha=nothing)) == []
        [answer] = anchor.aaa_says(given())
        assert reply_in(answer, OF_AAA).code == 131

    def test_of_all_kinds_of_bindings_that_must_be_looked_at(self) -> None:
        """A GRE key makes a binding one whose record is not enough."""
        from pmip_tw.wire.registration import COLOCATED, GRE, REVERSE_TUNNEL

        anchor = Anchor(nodes=OF_AAA - 1, home="10.1.0.0/24", keys=POLICY)
        register(anchor, flags=REVERSE_TUNNEL | COLOCATED | GRE, gre_key=77)
        anchor.restart()
        assert "binding-not-restored" not in anchor.names()
        assert places(anchor, OF_AAA) == [MAG1]
        anchor.hear(anchor.datagram(OF_AAA))
        [answer] = anchor.aaa_says(given())
        assert reply_in(answer, OF_AAA).code == 1

    def test_the_operator_revokes_and_the_revocation_leaves_when_the_key_is_there(
        self, anchor: Anchor
    ) -> None:
        anchor.restart()
        assert revocations(anchor.revoke(OF_AAA)) == []
        assert places(anchor, OF_AAA) == []
        anchor.aaa_says(given())
        [revocation] = revocations(anchor.pass_time(3))
        assert revocation.foreign_domain == MAG1
        [sent] = [send for send in anchor.sent if send.datagram[0] == 7]
        found = Revocation.decode(sent.datagram).mn_ha
        assert found is not None
        assert association(OF_AAA).verify(sent.datagram[: found.covered], found.value)

    def test_revocations_without_a_key_end_as_any_that_nobody_answers(self, anchor: Anchor) -> None:
        anchor.restart()
        anchor.revoke(OF_AAA)
        anchor.aaa_says(KeyRefused("gone"))
        assert revocations(anchor.pass_time(100)) == []
        assert "revocation-unanswered" in anchor.names()

    def test_nobody_makes_us_ask_again_and_again_for_a_key_that_aaa_refuses(self, anchor: Anchor) -> None:
        """A forged revocation for a node whose key is missing."""
        before = anchor.binding(OF_AAA)
        assert before is not None
        anchor.restart()
        forged = Revocation(
            home_address=before.home_address,
            foreign_domain=MAG1,
            home_domain=LMA,
            from_home_agent=False,
            inform=False,
            identifier=int(anchor.clock.wall) & 0xFFFFFFFF,
            nai=nai(OF_AAA),
        ).encode(mn_ha=SecurityAssociation(association(OF_AAA).spi, Secret(b"what somebody else has")))
        anchor.hear(forged)
        anchor.aaa_says(KeyRefused("gone"))
        for _ in range(10):
            anchor.hear(forged)
        assert anchor.questions == []

    def test_a_mag_that_revokes_is_heard_when_the_key_is_there(self, anchor: Anchor) -> None:
        before = anchor.binding(OF_AAA)
        assert before is not None
        anchor.restart()
        anchor.clock.advance(10)
        message = Revocation(
            home_address=before.home_address,
            foreign_domain=MAG1,
            home_domain=LMA,
            from_home_agent=False,
            inform=False,
            identifier=int(anchor.clock.wall) & 0xFFFFFFFF,
            nai=nai(OF_AAA),
        ).encode(mn_ha=association(OF_AAA))
        assert anchor.hear(message) == []
        assert anchor.binding(OF_AAA) is not None
        anchor.aaa_says(given())
        [answer] = anchor.hear(message)
        assert answer.datagram[0] == 15
        assert anchor.binding(OF_AAA) is None

    def test_without_aaa_it_is_not_brought_back(self, anchor: Anchor) -> None:
        anchor.restart(keys=None)
        assert anchor.binding(OF_AAA) is None
        assert "binding-not-restored" in anchor.names()


@covers("AA10")
class TestAFlood:
    """Anybody can name a NAI."""

    POLICY = KeyPolicy(rate=100, outstanding=10, again=10)

    @pytest.fixture
    def anchor(self) -> Anchor:
        anchor = Anchor(nodes=OF_AAA - 1, home="10.1.0.0/24", keys=self.POLICY)
        anchor.clock.advance(100)
        return anchor

    def strange(self, anchor: Anchor, number: int, source: int = 0) -> list[Send]:
        request = anchor.request(nai=b"stranger%d@example.net" % number)
        signed = request.encode(mn_ha=SecurityAssociation(5000, Secret(b"invented by somebody")))
        return anchor.hear(signed, source=ipv4(f"203.0.113.{1 + source}"))

    def test_costs_aaa_no_more_than_half_of_the_questions_at_a_time(self, anchor: Anchor) -> None:
        for number in range(1000):
            assert self.strange(anchor, number) == []
        assert len(anchor.questions) == 5

    def test_does_not_delay_whom_we_know(self, anchor: Anchor) -> None:
        register(anchor)
        for number in range(1000):
            self.strange(anchor, number)
        anchor.questions.clear()
        anchor.clock.advance(10)
        new = SecurityAssociation(9999, Secret(b"the next key of this node"))
        anchor.hear(anchor.request(OF_AAA).encode(mn_ha=new), source=MAG2)
        assert [question.nai for question in anchor.questions] == [nai(OF_AAA)]
        anchor.hear(anchor.datagram(OF_AAA + 1))  # its MAG is known by the other node
        assert [question.nai for question in anchor.questions] == [nai(OF_AAA), nai(OF_AAA + 1)]

    def test_spis_that_are_invented_for_one_whom_we_know_delay_nobody(self, anchor: Anchor) -> None:
        register(anchor)
        for spi in range(10_000, 10_100):
            invented = SecurityAssociation(spi, Secret(b"invented by somebody"))
            anchor.hear(anchor.request(OF_AAA).encode(mn_ha=invented), source=ipv4("203.0.113.1"))
        assert len(anchor.questions) == 5, "as many as of strangers"
        anchor.questions.clear()
        anchor.hear(anchor.datagram(OF_AAA + 1))
        assert [question.nai for question in anchor.questions] == [nai(OF_AAA + 1)]

    def test_mags_that_a_node_invents_for_itself_delay_nobody(self, anchor: Anchor) -> None:
        """It has its key, and proves whatever it sends, from wherever it says that it is."""
        register(anchor)
        for number in range(100):
            mag = ipv4(f"203.0.113.{number}")
            anchor.hear(anchor.datagram(OF_AAA, mag), source=mag)
        assert len(anchor.questions) == 8
        anchor.questions.clear()
        anchor.hear(anchor.datagram(OF_AAA + 1))
        assert [question.nai for question in anchor.questions] == [nai(OF_AAA + 1)]

    def test_who_is_known_does_not_wait_behind_strangers_that_have_named_it_first(
        self, anchor: Anchor
    ) -> None:
        register(anchor)
        for number in range(100):
            self.strange(anchor, number)
        payload = anchor.datagram(OF_AAA + 1)
        anchor.hear(payload, source=ipv4("203.0.113.1"))
        asked, anchor.questions = anchor.questions, []
        anchor.hear(anchor.datagram(OF_AAA + 1))
        assert [question.nai for question in anchor.questions] == [nai(OF_AAA + 1)]
        [answer] = [one for one in anchor.aaa_says(given(OF_AAA + 1)) if one.destination.address == MAG1]
        assert reply_in(answer, OF_AAA + 1).code == 1
        for question in asked:
            anchor.aaa_says(KeyRefused("unknown"), question)
        while anchor.questions:
            assert anchor.questions[0].nai != nai(OF_AAA + 1), "once is enough"
            anchor.aaa_says(KeyRefused("unknown"))
            anchor.clock.advance(0.1)

    def test_a_server_that_gives_a_key_for_every_spi_fills_no_table(self, anchor: Anchor) -> None:
        register(anchor)
        for spi in range(10_000, 10_050):
            signed = anchor.request(OF_AAA).encode(mn_ha=SecurityAssociation(spi, Secret(bytes(16))))
            anchor.hear(signed, source=ipv4("203.0.113.1"))
            key = SecurityAssociation(spi, Secret(b"key of mobile node 05"))
            anchor.aaa_says(given(association=key))
            anchor.clock.advance(1)
        assert anchor.engine.keys is not None
        assert len(anchor.engine.keys.fetched) == MOST_SPIS
        assert anchor.hear(anchor.datagram(OF_AAA)) == []
        [answer] = anchor.aaa_says(given())
        assert reply_in(answer, OF_AAA).code == 1

    def test_a_mag_with_very_many_nodes_keeps_no_other_out(
        self, anchor: Anchor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        register(anchor)
        anchor.hear(anchor.datagram(OF_AAA + 1, MAG2), source=MAG2)
        anchor.aaa_says(given(OF_AAA + 1))
        monkeypatch.setattr(key_questions, "MOST_WAITING", 20)
        for node in range(OF_AAA + 2, OF_AAA + 42):
            anchor.hear(anchor.datagram(node))
        assert anchor.notes[-1].reason == "too-many-unknown"
        anchor.names()
        anchor.hear(anchor.datagram(OF_AAA + 43, MAG2), source=MAG2)
        assert anchor.names() == []
        asked, anchor.questions = anchor.questions, []
        for question in asked[:2]:
            anchor.aaa_says(KeyRefused("unknown"), question)
        assert nai(OF_AAA + 43) in [question.nai for question in anchor.questions]

    def test_forged_addresses_of_those_whom_we_know_keep_no_other_out(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever has most makes room, so that all have as many in the end."""
        forged = ipv4("198.51.100.77")
        anchor = Anchor(nodes=1, home="10.1.0.0/24", keys=attrs.evolve(POLICY, outstanding=3))
        for number, mag in enumerate((MAG2, forged, MAG1)):
            anchor.hear(anchor.datagram(OF_AAA + number, mag), source=mag)
            anchor.aaa_says(given(OF_AAA + number))
        monkeypatch.setattr(key_questions, "MOST_WAITING", 20)
        for node in range(100, 160):
            anchor.hear(anchor.datagram(node, MAG2), source=(MAG2, forged)[node % 2])
        anchor.names()
        for node in range(200, 206):
            anchor.hear(anchor.datagram(node))
        assert anchor.names() == [], "nothing is said of them: they wait"
        anchor.hear(anchor.datagram(206))
        anchor.hear(anchor.datagram(207))
        assert anchor.notes[-1].reason == "too-many-unknown"
        asked: list[bytes] = []
        while anchor.questions:
            asked.append(anchor.questions[0].nai)
            anchor.aaa_says(KeyRefused("unknown"))
        assert {nai(node) for node in range(200, 206)} <= set(asked)

    def test_requests_of_strangers_make_room_for_that_of_whom_we_know(self, anchor: Anchor) -> None:
        register(anchor)
        for number in range(10):
            forged = anchor.request(OF_AAA + 1).encode(
                mn_ha=SecurityAssociation(association(OF_AAA + 1).spi, Secret(b"invented by somebody"))
            )
            anchor.hear(forged, source=ipv4(f"203.0.113.{1 + number}"))
        anchor.hear(anchor.datagram(OF_AAA + 1))
        [answer] = [one for one in anchor.aaa_says(given(OF_AAA + 1)) if one.destination.address == MAG1]
        assert reply_in(answer, OF_AAA + 1).code == 1

    def test_sources_take_turns(self, anchor: Anchor) -> None:
        for number in range(100):
            self.strange(anchor, number)
        self.strange(anchor, 1000, source=1)
        asked = anchor.questions
        anchor.questions = []
        for question in asked[:2]:
            anchor.aaa_says(KeyRefused("unknown"), question)
        assert b"stranger1000@example.net" in [question.nai for question in anchor.questions]

    def test_is_asked_at_no_more_than_the_rate(self, anchor: Anchor) -> None:
        put, start = 0, anchor.clock.monotonic
        for number in range(5000):
            self.strange(anchor, number, source=number % 50)
            if number % 5 == 0:
                anchor.clock.advance(0.001)
            while anchor.questions:
                put += 1
                anchor.aaa_says(KeyRefused("unknown"))
        seconds = anchor.clock.monotonic - start
        assert put <= self.POLICY.rate * (seconds + 0.5) + 1
        assert put >= self.POLICY.rate * seconds

    def test_what_waits_is_bounded(self, anchor: Anchor) -> None:
        for number in range(3000):
            self.strange(anchor, number)
        assert anchor.notes[-1].reason == "too-many-unknown"
        anchor.names()
        self.strange(anchor, 9999, source=1)
        assert anchor.names() == [], "others are not kept out by it: it waits"

    def test_what_waits_is_asked_in_time(self, anchor: Anchor) -> None:
        for number in range(30):
            self.strange(anchor, number)
        answered = 0
        for _ in range(200):
            while anchor.questions:
                answered += 1
                anchor.aaa_says(KeyRefused("unknown"))
            anchor.pass_time(0.02)
        assert answered == 30


def test_keys_are_forgotten_when_there_are_too_many(anchor: Anchor) -> None:
    anchor = Anchor(nodes=1, home="10.1.0.0/24", keys=KeyPolicy(most=3))
    for node in range(OF_AAA, OF_AAA + 4):
        register(anchor, node)
    anchor.accept(OF_AAA + 3)
    assert anchor.hear(anchor.datagram(OF_AAA)) == []
    [answer] = anchor.aaa_says(given())
    assert reply_in(answer, OF_AAA).code == 1


ROOT = HaRootKey(spi=0x1234, key=Secret(bytes(range(20))), lifetime=1000)


def between(mag: Ipv4, root: HaRootKey = ROOT) -> SecurityAssociation:
    """What a foreign agent at ``mag`` has from its own AAA."""
    return SecurityAssociation(root.spi, fa_ha(root.key, LMA, mag, root.spi))


@covers("AA13")
class TestARootKey:
    """HA-RK, from which follow the keys of agents whom nobody has configured."""

    @pytest.fixture
    def anchor(self) -> Anchor:
        anchor = Anchor(nodes=OF_AAA - 1, home="10.1.0.0/24", keys=POLICY)
        anchor.hear(anchor.datagram(OF_AAA))
        anchor.aaa_says(given(root_key=ROOT))
        return anchor

    def ask(
        self, anchor: Anchor, key: SecurityAssociation, mag: Ipv4 = MAG1, node: int = OF_AAA
    ) -> list[Send]:
        payload = anchor.request(node, mag).encode(mn_ha=association(node), fa_ha=key)
        return anchor.hear(payload, source=mag)

    def test_what_it_proves_is_answered_with_it(self, anchor: Anchor) -> None:
        for mag in (MAG1, MAG2):
            sent = self.ask(anchor, between(mag), mag)
            [answer, *_] = sent or anchor.aaa_says(given())
            reply = reply_in(answer, OF_AAA)
            assert reply.code == 1
            found = reply.fa_ha
            assert found is not None
            assert between(mag).verify(answer.datagram[: found.covered], found.value)
            anchor.clock.advance(2)

    def test_it_is_not_asked_for_again_before_it_is_nearly_over(self, anchor: Anchor) -> None:
        anchor.hear(anchor.datagram(OF_AAA + 1))
        assert not anchor.questions.pop().root_key
        anchor.pass_time(901)
        anchor.hear(anchor.datagram(OF_AAA + 2))
        assert anchor.questions.pop().root_key

    def test_what_another_agent_or_somebody_else_has_proves_nothing(self, anchor: Anchor) -> None:
        before = anchor.state()
        wrong = SecurityAssociation(ROOT.spi, Secret(bytes(20)))
        for key in (between(MAG2), wrong):
            assert self.ask(anchor, key) == []
            assert anchor.notes[-1].reason == "no-association"
        assert anchor.state() == before

    def test_old_and_new_are_valid_until_each_is_over(self, anchor: Anchor) -> None:
        new = HaRootKey(spi=0x4321, key=Secret(bytes(20)), lifetime=5000)
        anchor.pass_time(950)
        anchor.hear(anchor.datagram(OF_AAA + 1))
        anchor.aaa_says(given(OF_AAA + 1, root_key=new))
        assert len(self.ask(anchor, between(MAG1))) == 1
        assert len(self.ask(anchor, between(MAG1, new))) == 1
        anchor.pass_time(60)
        assert self.ask(anchor, between(MAG1)) == []
        assert len(self.ask(anchor, between(MAG1, new))) == 1

    def test_one_that_is_lacking_is_asked_for_when_it_is_needed(self) -> None:
        """Its node's key is known, but not the one between the agents."""
        anchor = Anchor(nodes=OF_AAA - 1, home="10.1.0.0/24", keys=POLICY)
        register(anchor)
        anchor.clock.advance(POLICY.again)
        assert self.ask(anchor, between(MAG1)) == []
        assert anchor.questions[0].root_key
        [answer] = anchor.aaa_says(given(root_key=ROOT))
        assert reply_in(answer, OF_AAA).code == 1
        assert self.ask(anchor, between(MAG1)) != []

    def test_the_question_about_it_leaves_a_configured_key_alone(self) -> None:
        anchor = Anchor(nodes=1, home="10.1.0.0/24", keys=POLICY)
        other = SecurityAssociation(association(1).spi, Secret(b"what AAA has for this node"))
        assert self.ask(anchor, between(MAG1), node=1) == []
        [answer] = anchor.aaa_says(given(association=other, lifetime=60, root_key=ROOT))
        assert reply_in(answer, 1).code == 1
        anchor.pass_time(100)
        anchor.accept(1)
        assert anchor.questions == []

    def test_that_nobody_has_is_not_asked_for_without_end(self) -> None:
        anchor = Anchor(nodes=OF_AAA - 1, home="10.1.0.0/24", keys=POLICY)
        register(anchor)
        anchor.clock.advance(POLICY.again)
        assert self.ask(anchor, between(MAG1)) == []
        assert anchor.aaa_says(given()) == []
        assert self.ask(anchor, between(MAG1)) == []
        assert anchor.questions == []

    def test_a_mag_that_has_it_revokes_with_it(self, anchor: Anchor) -> None:
        clock = int(anchor.clock.wall) & 0xFFFFFFFF
        request = anchor.request(OF_AAA, revocation=RevocationSupport(clock))
        anchor.hear(request.encode(mn_ha=association(OF_AAA), fa_ha=between(MAG1)))
        binding = anchor.binding(OF_AAA)
        assert binding is not None and binding.terms.fa_ha == between(MAG1)
        anchor.clock.advance(5)
        message = Revocation(
            from_home_agent=False,
            inform=False,
            home_address=binding.home_address,
            foreign_domain=MAG1,
            home_domain=LMA,
            identifier=clock + 5,
            nai=nai(OF_AAA),
        )
        by_node = message.encode(mn_ha=association(OF_AAA))
        assert anchor.hear(by_node) == [], "it was proven otherwise (P76)"
        [answer] = anchor.hear(message.encode(fa_ha=between(MAG1)))
        assert answer.datagram[0] == 15
        assert anchor.binding(OF_AAA) is None


@covers("AA10", "P30")
class TestAHomeAddressOfAaa:
    """Framed-IP-Address beside the key."""

    ASSIGNED = ipv4("10.1.0.50")

    def ask(self, anchor: Anchor, node: int = OF_AAA, **fields: object) -> RegistrationReply:
        anchor.hear(anchor.datagram(node, **fields))
        [answer] = anchor.aaa_says(given(node, home_address=self.ASSIGNED))
        return reply_in(answer, node)

    def test_is_the_one_that_the_node_gets(self, anchor: Anchor) -> None:
        assert self.ask(anchor).home_address == self.ASSIGNED
        moves(anchor)
        anchor.aaa_says(given(home_address=self.ASSIGNED))
        assert anchor.accept(OF_AAA, MAG2).home_address == self.ASSIGNED
        anchor.release(OF_AAA, MAG2)
        assert anchor.accept(OF_AAA).home_address == self.ASSIGNED

    def test_no_other_one_may_be_asked_for(self, anchor: Anchor) -> None:
        reply = self.ask(anchor, home_address=ipv4("10.1.0.60"))
        assert reply.code == 129
        assert "AAA assigns 10.1.0.50" in anchor.notes[-1].cause
        assert anchor.accept(OF_AAA, home_address=self.ASSIGNED).home_address == self.ASSIGNED

    def test_it_is_not_given_to_two(self, anchor: Anchor) -> None:
        self.ask(anchor)
        assert self.ask(anchor, OF_AAA + 1).code == 129
        assert places(anchor, OF_AAA) == [MAG1]

    def test_it_outlives_a_restart(self, anchor: Anchor) -> None:
        self.ask(anchor)
        anchor.restart()
        assert self.ask(anchor).home_address == self.ASSIGNED
