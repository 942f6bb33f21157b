"""Requests with an MN-AAA authenticator (RFC 4721), with and without MN-HA, with and without a challenge."""

import pytest

from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.mn_aaa import CHAP_SPI, AaaAssociation, AaaTable, NodeKey
from pmip_tw.secret import Secret
from pmip_tw.wire.extension_values import RevocationSupport
from pmip_tw.wire.extensions import CHALLENGE
from pmip_tw.wire.registration import RegistrationReply
from tests.conformance import covers
from tests.lma.anchor import Anchor, association, nai, reply_in

HMAC = AaaAssociation(0x3000, Secret(b"what node and AAA share"))
CHAP = AaaAssociation(CHAP_SPI, Secret(b"what node and AAA share"))
WRONG = AaaAssociation(0x3000, Secret(b"something else entirely"))
KEYS = AaaTable((nai(1).decode(), NodeKey(one, association(1))) for one in (HMAC, CHAP))


@pytest.fixture
def anchor() -> Anchor:
    return Anchor(aaa=KEYS)


def ask(
    anchor: Anchor,
    aaa: AaaAssociation,
    mn_ha: SecurityAssociation | None = None,
    challenge: bytes | None = None,
    **fields: object,
) -> RegistrationReply:
    asked = anchor.request(challenge=challenge, **fields)
    [answer] = anchor.hear(asked.encode(mn_ha=mn_ha, mn_aaa=aaa.over(challenge)))
    return reply_in(answer, 1)


@covers("A1")
@pytest.mark.parametrize("aaa", [HMAC, CHAP])
@pytest.mark.parametrize("challenge", [None, b"c" * 16, bytes(range(250))])
def test_it_authorizes_alone_and_the_reply_has_mn_ha(
    anchor: Anchor, aaa: AaaAssociation, challenge: bytes | None
) -> None:
    """The challenge comes back behind MN-HA."""
    reply = ask(anchor, aaa, challenge=challenge)
    assert (reply.code, reply.challenge, reply.mn_aaa) == (1, challenge, None)
    assert anchor.binding() is not None


@pytest.mark.parametrize("aaa", [HMAC, CHAP])
def test_beside_mn_ha(anchor: Anchor, aaa: AaaAssociation) -> None:
    assert ask(anchor, aaa, association(1), b"challenge").code == 1


@covers("H4")
def test_wrong_is_144(anchor: Anchor) -> None:
    """Alone it is answered once a second; with a right MN-HA it is the node that asks, and always answered."""
    assert ask(anchor, WRONG).code == 144
    assert anchor.hear(anchor.request().encode(mn_aaa=WRONG.over(None))) == []
    for _ in range(2):
        assert ask(anchor, WRONG, association(1)).code == 144
    assert anchor.state() == ([], {})
    assert anchor.notes[-1].reason == "bad-authenticator"


def test_a_wrong_mn_ha_is_told_first(anchor: Anchor) -> None:
    other = SecurityAssociation(association(1).spi, Secret(b"another key"))
    [answer] = anchor.hear(anchor.request().encode(mn_ha=other, mn_aaa=HMAC.over(None)))
    assert reply_in(answer, 1).code == 131


def test_the_chap_form_depends_on_the_challenge(anchor: Anchor) -> None:
    """It hashes the challenge by itself, apart from covering its octets."""
    asked = anchor.request(challenge=b"one")
    [answer] = anchor.hear(asked.encode(mn_aaa=CHAP.over(b"two")))
    assert reply_in(answer, 1).code == 144


def test_without_a_key_for_it(anchor: Anchor) -> None:
    """Not checked beside MN-HA; alone it proves nothing."""
    plain = Anchor()
    assert ask(plain, HMAC, association(1)).code == 1
    plain.ignore("no-association", plain.request().encode(mn_aaa=HMAC.over(None)))
    stranger = anchor.request(nai=nai(2)).encode(mn_aaa=HMAC.over(None))
    anchor.ignore("no-association", stranger)


def test_a_challenge_that_nothing_answers(anchor: Anchor) -> None:
    """RFC 4721 3.4; an MN-FA behind it would do, MN-HA before it does not."""
    unanswered = anchor.request(challenge=b"challenge").encode(mn_ha=association(1))
    anchor.ignore("challenge-unanswered", unanswered)
    answered = unanswered + b"\x21\x14" + bytes(20)
    [answer] = anchor.hear(answered)
    assert reply_in(answer, 1).code == 1


def test_a_challenge_behind_mn_aaa(anchor: Anchor) -> None:
    whole = anchor.request().encode(mn_aaa=HMAC.over(None)) + bytes((CHALLENGE, 1, 7))
    anchor.ignore("challenge-unanswered", whole)


@covers("L5")
def test_the_same_again(anchor: Anchor) -> None:
    whole = anchor.request().encode(mn_aaa=HMAC.over(None))
    anchor.hear(whole)
    [answer] = anchor.hear(whole)
    assert reply_in(answer, 1).code == 1
    assert anchor.names()[-1] == "registration-answered-again"


@covers("RV4")
def test_what_stands_behind_it_is_not_protected(anchor: Anchor) -> None:
    reply = ask(anchor, HMAC, revocation=RevocationSupport(5), agent_part=frozenset({137}))
    assert (reply.code, reply.revocation) == (1, None)
    reply = ask(anchor, HMAC, revocation=RevocationSupport(5))
    assert reply.revocation is not None


@covers("H5", "I8")
def test_the_identification_is_checked_as_ever(anchor: Anchor) -> None:
    assert ask(anchor, HMAC, skew=60).code == 133


@covers("I12")
def test_a_wrong_one_blocks_nothing(anchor: Anchor) -> None:
    ask(anchor, WRONG, skew=6)
    assert ask(anchor, HMAC).code == 1
