"""RFC 4004 at an LMA: the vector octet by octet, what is asked for, and keys that cannot be used."""

import attrs
import pytest

from pmip_tw.aaa.accounting.records import Echo
from pmip_tw.aaa.diameter.access import Asker
from pmip_tw.aaa.diameter.capabilities import Identity
from pmip_tw.aaa.diameter.mobile_ipv4 import Feature, amr, features
from pmip_tw.aaa.node_keys import KeyAnswer, KeyGiven, KeyQuestion, KeyRefused, KeyUnavailable
from pmip_tw.aaa.profiles.rules import ProfileRules
from pmip_tw.addresses import ALL_ONES, UNSPECIFIED, Ipv4, ipv4
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authenticators import Algorithm
from pmip_tw.net.diameter_node_keys import DiameterNodeKeys
from pmip_tw.secret import Secret
from pmip_tw.testing.diameter_client import FakeDiameterClient, answer
from pmip_tw.wire.diameter import avps
from pmip_tw.wire.diameter.codes import Code, Result
from pmip_tw.wire.diameter.message import Message, decode
from pmip_tw.wire.registration import RegistrationRequest
from tests.conformance import covers
from tests.vectors import vectors

VECTOR = next(bytes.fromhex(one["hex"]) for one in vectors("diameter") if one["name"] == "amr-colocated")
REQUEST = decode(VECTOR).avps.first(Code.MIP_REG_REQUEST) or b""
LMA = Identity(host="lma1.example.net", realm="example.net", address=ipv4("192.0.2.1"), state_id=1)
ASKER = Asker(identity=LMA, realm="example.net")
QUESTION = KeyQuestion(nai=b"mn1@example.net", spi=4096, home_agent=ipv4("192.0.2.1"), request=REQUEST)
KEY = b"0123456789abcdef"


@covers("AA23")
def test_the_vector() -> None:
    asked = amr(RegistrationRequest.decode(REQUEST), REQUEST, "lma1.example.net;1704067200;1", ASKER)
    header = attrs.evolve(asked.header, hop_by_hop=1, end_to_end=2)
    assert attrs.evolve(asked, header=header).encode() == VECTOR


@pytest.mark.parametrize(
    ("home_address", "home_agent", "more", "addresses"),
    [
        (UNSPECIFIED, UNSPECIFIED, Feature.HOME_ADDRESS | Feature.HOME_AGENT, (None, None)),
        (ALL_ONES, ipv4("192.0.2.1"), Feature.HOME_ADDRESS, (ALL_ONES, ipv4("192.0.2.1"))),
        (ipv4("10.1.0.5"), ipv4("192.0.2.1"), Feature(0), (ipv4("10.1.0.5"), ipv4("192.0.2.1"))),
        (ipv4("10.1.0.5"), ALL_ONES, Feature.HOME_AGENT | Feature.IN_HOME_REALM, (ipv4("10.1.0.5"), None)),
    ],
)
def test_what_the_request_leaves_open_is_asked_for(
    home_address: Ipv4, home_agent: Ipv4, more: Feature, addresses: tuple[Ipv4 | None, Ipv4 | None]
) -> None:
    """RFC 4004 7.5, 5.1."""
    octets = REQUEST[:4] + home_address.to_bytes(4, "big") + home_agent.to_bytes(4, "big") + REQUEST[12:]
    request = RegistrationRequest.decode(octets)
    assert features(request) == Feature.COLOCATED | Feature.MN_HA_KEY | more
    found = amr(request, octets, "s", ASKER).avps
    codes = (Code.MIP_MOBILE_NODE_ADDRESS, Code.MIP_HOME_AGENT_ADDRESS)
    assert tuple(found.address(code) for code in codes) == addresses


def fetched(
    *said: avps.Avp, result: int = Result.SUCCESS, question: KeyQuestion = QUESTION, **more: bool
) -> tuple[list[Message], KeyAnswer]:
    client = FakeDiameterClient(lambda asked: answer(asked, *said, result=result), identity=LMA)
    keys = DiameterNodeKeys(client, ASKER, ProfileRules(), **({"mobile_ipv4": True} | more))
    found: list[KeyAnswer] = []
    keys.fetch(question).addCallback(found.append)
    return client.asked, found[0]


def msa(key: bytes = KEY, algorithm: int = 2, more: tuple[avps.Avp, ...] = ()) -> avps.Avp:
    return avps.grouped(
        Code.MIP_HA_TO_MN_MSA,
        avps.unsigned32(Code.MIP_ALGORITHM_TYPE, algorithm),
        avps.octets(Code.MIP_SESSION_KEY, key),
        *more,
    )


def test_the_key_is_that_of_the_answer() -> None:
    address = avps.address(Code.MIP_MOBILE_NODE_ADDRESS, ipv4("10.1.0.5"))
    classes = [avps.octets(Code.CLASS, value) for value in (b"\0b", b"a")]
    lifetimes = avps.unsigned32(Code.MIP_MSA_LIFETIME, 600), avps.unsigned32(Code.AUTHORIZATION_LIFETIME, 120)
    asked, found = fetched(msa(), address, *classes, *lifetimes)
    assert [one.name for one in asked] == ["AMR"]
    assert found == KeyGiven(
        association=SecurityAssociation(4096, Secret(KEY), Algorithm.HMAC_SHA1),
        lifetime=600,
        home_address=ipv4("10.1.0.5"),
        proven=True,
        longest=120,
        echo=Echo(classes=(b"\0b", b"a")),
    )


ALONE = attrs.evolve(QUESTION, spi=0, aaa_spi=0x3000)
"""About a request that has MN-AAA and no MN-HA."""


def spi(number: int) -> avps.Avp:
    return avps.unsigned32(Code.MIP_HA_TO_FA_SPI, number)


@pytest.mark.parametrize(
    ("question", "said", "expected"),
    [
        (QUESTION, None, 4096),
        (QUESTION, 4096, 4096),
        (QUESTION, 4097, None),
        (ALONE, None, 0x3000),
        (ALONE, 4097, 4097),
        (ALONE, 255, None),
        (attrs.evolve(ALONE, aaa_spi=2), 4097, 4097),
        (attrs.evolve(ALONE, aaa_spi=2), None, None),
    ],
)
def test_the_spi_is_that_of_mn_ha_or_what_aaa_says(
    question: KeyQuestion, said: int | None, expected: int | None
) -> None:
    """RFC 4004 9.4; without MN-HA it is the number of MN-AAA if AAA says none."""
    more = () if said is None else (spi(said),)
    _, found = fetched(msa(more=more), question=question)
    if expected is None:
        assert isinstance(found, KeyRefused) and "SPI" in found.cause
    else:
        assert isinstance(found, KeyGiven) and found.association.spi == expected and found.proven


@pytest.mark.parametrize("wrong", [(), (msa(b"short"),), (msa(algorithm=3),), (avps.octets(332, b"\1"),)])
def test_an_answer_that_is_no_use_is_a_refusal_with_its_cause(wrong: tuple[avps.Avp, ...]) -> None:
    _, found = fetched(*wrong)
    assert isinstance(found, KeyRefused) and found.cause


def test_results() -> None:
    for result, kind in (
        (4001, KeyRefused),
        (5003, KeyRefused),
        (4006, KeyUnavailable),
        (3002, KeyUnavailable),
    ):
        assert type(fetched(msa(), result=result)[1]) is kind


def test_what_the_server_refuses_is_that_request() -> None:
    """Its MN-AAA may be forged, by somebody who is not the node."""
    _, found = fetched(msa(), result=5003)
    assert isinstance(found, KeyRefused) and found.about_request


def test_a_request_that_cannot_be_read_so_is_asked_about_by_aar() -> None:
    client = FakeDiameterClient(identity=LMA)
    keys = DiameterNodeKeys(client, ASKER, ProfileRules(), mobile_ipv4=True)
    keys.fetch(attrs.evolve(QUESTION, request=REQUEST[:30]))
    assert [asked.name for asked in client.asked] == ["AAR"]
    found: list[KeyAnswer] = []
    keys.fetch(attrs.evolve(ALONE, request=REQUEST[:30])).addCallback(found.append)
    assert len(client.asked) == 1 and isinstance(found[0], KeyRefused) and found[0].about_request


def test_without_mn_aaa_or_the_setting_it_is_an_aar() -> None:
    without = attrs.evolve(QUESTION, request=REQUEST[: REQUEST.index(b"\x24\x01")])
    for question, enabled in (
        (attrs.evolve(QUESTION, request=b""), True),
        (without, True),
        (QUESTION, False),
    ):
        asked, _ = fetched(msa(), question=question, mobile_ipv4=enabled)
        assert [one.name for one in asked] == ["AAR"]
