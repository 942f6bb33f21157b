"""Keys for an LMA in attributes of RADIUS: what is asked, and which answers give which key."""

import pytest

from pmip_tw.aaa.accounting.records import Echo
from pmip_tw.aaa.dictionaries import of_3gpp2 as threegpp2
from pmip_tw.aaa.dictionaries import standard, wimax
from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.node_keys import Allowed, HaRootKey, KeyAnswer, KeyGiven, KeyQuestion, KeyRefused
from pmip_tw.aaa.profiles.key_mapping import key_answer_of, key_request
from pmip_tw.aaa.profiles.rules import ProfileRules, RealmDefaults
from pmip_tw.addresses import ipv4
from pmip_tw.lma.keys.observed import given
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authenticators import Algorithm
from pmip_tw.secret import Secret
from pmip_tw.wire.radius import Answer, Code
from tests.aaa.test_profile_sources import CIPHER, KEYS, Given, address, attributes_of, hidden, number
from tests.conformance import covers

QUESTION = KeyQuestion(
    nai=b"mn1@example.net",
    spi=4096,
    home_agent=ipv4("192.0.2.1"),
    care_of_address=ipv4("198.51.100.10"),
    root_key=True,
)


@covers("AA10", "P29")
def test_the_question_octet_by_octet() -> None:
    """NAI; NAS; SPI, our address and the wish for HA-RK in WiMAX's words; SPI, our address and the MAG in 3GPP2's."""
    request = key_request(QUESTION, Nas(identifier="lma1", address=ipv4("192.0.2.1")))
    assert request.code is Code.ACCESS_REQUEST
    assert request.password is None
    assert [(kind, value.hex()) for kind, value in request.attributes] == [
        (1, b"mn1@example.net".hex()),
        (32, b"lma1".hex()),
        (4, "c0000201"),
        (26, "000060b5" + "1407" + "00" + "00001000"),
        (26, "000060b5" + "1207" + "00" + "c0000201"),
        (26, "000060b5" + "3a07" + "00" + "00000001"),
        (26, "0000159f" + "3906" + "00001000"),
        (26, "0000159f" + "0706" + "c0000201"),
        (26, "0000159f" + "4f06" + "c633640a"),
    ]


def test_a_root_key_that_is_there_is_not_asked_for() -> None:
    question = KeyQuestion(nai=b"mn1", spi=4096, home_agent=ipv4("192.0.2.1"))
    asked = key_request(question, Nas()).attributes
    assert asked.all_vendor(*wimax.HA_RK_KEY_REQUESTED.key) == ()
    assert asked.all_vendor(*threegpp2.FOREIGN_AGENT_ADDRESS.key) == ()


def answered(*given: Given, code: Code = Code.ACCESS_ACCEPT, rules: ProfileRules | None = None) -> KeyAnswer:
    answer = Answer(code=code, identifier=1, attributes=attributes_of(*given), signed=True)
    return key_answer_of(answer, CIPHER, QUESTION, rules or ProfileRules())


RRQ_KEY: Given = (wimax.RRQ_MN_HA_KEY, hidden("a"))
SPI = number(4096)


@covers("AA10")
@pytest.mark.parametrize(
    "given",
    [
        (RRQ_KEY,),
        (RRQ_KEY, (wimax.RRQ_MN_HA_SPI, SPI)),
        ((wimax.MN_HHA_MIP4_KEY, hidden("a")), (wimax.MN_HHA_MIP4_SPI, SPI)),
        ((threegpp2.MN_HA_SHARED_KEY, hidden("a")),),
        ((threegpp2.MN_HA_SHARED_KEY, hidden("a")), (threegpp2.MN_HA_SPI, SPI)),
        # Each dialect has one, WiMAX for another SPI: that is none.
        (
            (wimax.MN_HHA_MIP4_KEY, hidden("b")),
            (wimax.MN_HHA_MIP4_SPI, number(4097)),
            (threegpp2.MN_HA_SHARED_KEY, hidden("a")),
            (threegpp2.MN_HA_SPI, SPI),
        ),
        (RRQ_KEY, (threegpp2.MN_HA_SHARED_KEY, hidden("b"))),
    ],
)
def test_the_key_for_the_spi_that_was_asked_about(given: tuple[Given, ...]) -> None:
    assert answered(*given) == KeyGiven(association=SecurityAssociation(4096, KEYS["a"]))


@covers("AA13", "AA12")
def test_everything_that_may_come_with_it() -> None:
    rules = ProfileRules(realms={"example.net": RealmDefaults(algorithm=Algorithm.HMAC_SHA1)})
    found = answered(
        RRQ_KEY,
        (wimax.HA_RK_KEY, hidden("b")),
        (wimax.HA_RK_SPI, number(0x1234)),
        (wimax.HA_RK_LIFETIME, number(86400)),
        (standard.SESSION_TIMEOUT, number(7200)),
        (standard.FRAMED_IP_ADDRESS, address("10.1.0.50")),
        rules=rules,
    )
    assert found == KeyGiven(
        association=SecurityAssociation(4096, KEYS["a"], Algorithm.HMAC_SHA1),
        lifetime=7200,
        home_address=ipv4("10.1.0.50"),
        root_key=HaRootKey(spi=0x1234, key=KEYS["b"], lifetime=86400),
        allowed=Allowed(session_timeout=7200),
    )


@covers("AA21")
def test_what_goes_back_in_accounting() -> None:
    found = answered(
        RRQ_KEY,
        (standard.CLASS, b"\0second"),
        (standard.CLASS, b"first"),
        (standard.CLASS, b"\0second"),
        (standard.CHARGEABLE_USER_IDENTITY, b"\1cui"),
        (threegpp2.CORRELATION_ID, b"corr"),
        (wimax.AAA_SESSION_ID, b"\0\7id"),
    )
    assert isinstance(found, KeyGiven)
    assert found.echo == Echo(
        classes=(b"\0second", b"first", b"\0second"),
        chargeable_identity=b"\1cui",
        correlation_id=b"corr",
        aaa_session_id=b"\0\7id",
    )


@covers("AA8", "AA13")
@pytest.mark.parametrize(
    ("root_key", "text"),
    [
        ([(wimax.HA_RK_KEY, hidden("b"))], "no WiMAX-HA-RK-SPI"),
        ([(wimax.HA_RK_SPI, number(300))], "no WiMAX-HA-RK-Key"),
        ([(wimax.HA_RK_SPI, b"\1\2"), (wimax.HA_RK_KEY, hidden("b"))], "has 2 octets"),
        (
            [
                (wimax.HA_RK_SPI, number(300)),
                (wimax.HA_RK_KEY, hidden("b")),
                (wimax.HA_RK_LIFETIME, b"\1"),
            ],
            "WiMAX-HA-RK-Lifetime has 1 octets",
        ),
    ],
)
def test_a_root_key_of_no_use_costs_no_node_its_own(root_key: list[Given], text: str) -> None:
    found = answered(RRQ_KEY, *root_key)
    assert isinstance(found, KeyGiven)
    assert found.root_key is None and found.association.key == KEYS["a"]
    assert text in found.ignored
    assert given(QUESTION, found).observation.details["ignored"] == found.ignored


@covers("AA18", "AA25")
def test_what_aaa_lets_the_node_have() -> None:
    """The same attributes as a MAG's Access-Accept; a session that is to be asked about at its end does not end."""
    said = (
        (threegpp2.MIP_LIFETIME, bytes((1, 6)) + number(300)),
        (standard.SESSION_TIMEOUT, number(7200)),
        (standard.IDLE_TIMEOUT, number(600)),
        (standard.ACCT_INTERIM_INTERVAL, number(120)),
        (standard.FILTER_ID, b"gold"),
        (standard.FILTER_ID, b"no-mail"),
    )
    found = answered(RRQ_KEY, *said)
    assert isinstance(found, KeyGiven) and found.lifetime == 7200
    assert found.allowed == Allowed(
        lifetime=300,
        session_timeout=7200,
        idle_timeout=600,
        interim_interval=120,
        filter_ids=("gold", "no-mail"),
    )
    again = answered(RRQ_KEY, *said, (standard.TERMINATION_ACTION, number(1)))
    assert isinstance(again, KeyGiven)
    assert (again.lifetime, again.allowed.session_timeout) == (7200, 0)
    assert isinstance(answered(RRQ_KEY, (standard.FILTER_ID, b"\xff")), KeyRefused)


@covers("AA8", "P29")
@pytest.mark.parametrize(
    ("given", "text"),
    [
        ((), "neither WiMAX-RRQ-MN-HA-Key nor 3GPP2-MN-HA-Shared-Key"),
        (
            ((threegpp2.MN_HA_SHARED_KEY, hidden("a")), (threegpp2.MN_HA_SPI, number(4097))),
            "a key for another SPI: 3GPP2-MN-HA-SPI is 4097",
        ),
        (((wimax.RRQ_MN_HA_KEY, b"in the clear, so to say"),), "WiMAX-RRQ-MN-HA-Key does not decrypt"),
        (((wimax.RRQ_MN_HA_KEY, CIPHER.encrypt(Secret(b"short"), b"\x80\1")),), "has 5 octets"),
        ((RRQ_KEY, (wimax.MIP_AUTHORIZATION_STATUS, number(0))), "no Mobile IP"),
        ((RRQ_KEY, (standard.SESSION_TIMEOUT, b"\1")), "Session-Timeout has 1 octets"),
        ((RRQ_KEY, RRQ_KEY), "2 values of WiMAX-RRQ-MN-HA-Key"),
    ],
)
def test_what_gives_no_key_says_why(given: tuple[Given, ...], text: str) -> None:
    found = answered(*given)
    assert isinstance(found, KeyRefused)
    assert text in found.cause


def test_only_an_accept_gives_a_key() -> None:
    refused = answered(RRQ_KEY, (standard.REPLY_MESSAGE, b"not here"), code=Code.ACCESS_REJECT)
    assert refused == KeyRefused('the AAA server rejects this node: "not here"')
    challenged = answered(RRQ_KEY, code=Code.ACCESS_CHALLENGE)
    assert isinstance(challenged, KeyRefused)
