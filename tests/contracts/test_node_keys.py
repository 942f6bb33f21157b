"""What every provider of keys for an LMA must do; RADIUS here is asked by the twin of its client."""

import struct
from collections.abc import Iterator
from typing import Protocol

import attrs
import pytest
from twisted.internet.defer import Deferred

from pmip_tw.aaa.diameter.access import Asker
from pmip_tw.aaa.dictionaries import wimax
from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.node_keys import KeyAnswer, KeyGiven, KeyQuestion, KeyRefused, KeyUnavailable
from pmip_tw.aaa.profiles.rules import ProfileRules
from pmip_tw.addresses import ipv4
from pmip_tw.interfaces import INodeKeys
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.net.diameter_node_keys import DiameterNodeKeys
from pmip_tw.net.radius_node_keys import RadiusNodeKeys
from pmip_tw.secret import Secret
from pmip_tw.testing.diameter_client import MAG, FakeDiameterClient, refuse
from pmip_tw.testing.diameter_client import answer as answer_of
from pmip_tw.testing.node_keys import FakeNodeKeys
from pmip_tw.testing.radius_client import SERVER, FakeRadiusClient, Reply, reject
from pmip_tw.wire.diameter.avps import Avp
from pmip_tw.wire.diameter.codes import AuthRequestType
from pmip_tw.wire.diameter.codes import Code as DiameterCode
from pmip_tw.wire.diameter.message import Message
from pmip_tw.wire.radius import Attributes, Code, Request
from pmip_tw.wire.salt_cipher import SaltCipher
from pmip_tw.wire.wimax import split_value
from tests.conformance import covers

LMA = attrs.evolve(MAG, host="lma1.example.net")
KEY = Secret(b"key of mobile node 1")
QUESTION = KeyQuestion(
    nai=b"mn1@example.net", spi=4096, home_agent=ipv4("192.0.2.1"), care_of_address=ipv4("198.51.100.1")
)


class Aaa(Protocol):
    """A provider with an AAA behind it that knows ``QUESTION``'s node and nobody else."""

    keys: INodeKeys

    def hold(self) -> None: ...
    def release(self) -> None: ...
    def go_down(self) -> None: ...


class Twin:
    def __init__(self) -> None:
        self.keys = self._fake = FakeNodeKeys(
            {QUESTION.name: KeyGiven(association=SecurityAssociation(4096, KEY))}
        )

    def hold(self) -> None:
        self._fake.held = True

    def release(self) -> None:
        self._fake.release()

    def go_down(self) -> None:
        self._fake.down = True


class Radius:
    def __init__(self) -> None:
        self._client = FakeRadiusClient(self._says)
        self.keys = RadiusNodeKeys(self._client, Nas(identifier="lma1"), ProfileRules())

    def hold(self) -> None:
        self._client.held = True

    def release(self) -> None:
        self._client.release()

    def go_down(self) -> None:
        self._client.down.add(SERVER)

    def _says(self, request: Request, cipher: SaltCipher) -> Reply:
        asked = request.attributes
        spi = asked.all_vendor(*wimax.RRQ_MN_HA_SPI.key)
        if asked.first(1) != QUESTION.nai or spi != split_value(struct.pack("!L", QUESTION.spi)):
            return reject(request, cipher)
        hidden = cipher.encrypt(KEY, b"\x80\1")
        given = Attributes.of(vendor={wimax.RRQ_MN_HA_KEY.key: split_value(hidden)})
        return Reply(Code.ACCESS_ACCEPT, given)


class Diameter:
    def __init__(self) -> None:
        self._client = FakeDiameterClient(self._says, identity=LMA)
        self.keys = DiameterNodeKeys(self._client, Asker(identity=LMA, realm="example.net"), ProfileRules())

    def hold(self) -> None:
        self._client.held = True

    def release(self) -> None:
        self._client.release()

    def go_down(self) -> None:
        self._client.server = lambda asked: None

    def _says(self, asked: Message) -> Message:
        found = asked.avps
        assert found.number(DiameterCode.AUTH_REQUEST_TYPE) == AuthRequestType.AUTHORIZE_ONLY
        assert found.number(DiameterCode.AUTH_SESSION_STATE) == 1, "no session comes of it"
        wimax_spi, threegpp2_spi = (
            found.number(number, vendor) for vendor, number in ((24757, 20), (5535, 57))
        )
        assert wimax_spi == threegpp2_spi
        if found.first(1) != QUESTION.nai or wimax_spi != QUESTION.spi:
            return refuse(asked)
        return answer_of(asked, Avp(code=wimax.RRQ_MN_HA_KEY.number, vendor=24757, data=KEY.reveal()))


@pytest.fixture(params=[Twin, Radius, Diameter], ids=["twin", "radius", "diameter"])
def aaa(request: pytest.FixtureRequest) -> Iterator[Aaa]:
    made = request.param()
    yield made
    made.keys.stop()


def told(asked: "Deferred[KeyAnswer]") -> list[KeyAnswer]:
    """What has been answered so far."""
    answers: list[KeyAnswer] = []
    asked.addCallback(answers.append)
    return answers


@covers("AA10")
def test_the_key_of_a_node_that_aaa_knows(aaa: Aaa) -> None:
    [answer] = told(aaa.keys.fetch(QUESTION))
    assert isinstance(answer, KeyGiven)
    assert answer.association == SecurityAssociation(4096, KEY)


def test_of_nobody_else_and_under_no_other_spi(aaa: Aaa) -> None:
    for other in (
        KeyQuestion(nai=b"mn2@example.net", spi=4096, home_agent=QUESTION.home_agent),
        KeyQuestion(nai=QUESTION.nai, spi=4097, home_agent=QUESTION.home_agent),
    ):
        [answer] = told(aaa.keys.fetch(other))
        assert isinstance(answer, KeyRefused)
        assert answer.cause


def test_nobody_is_there(aaa: Aaa) -> None:
    aaa.go_down()
    [answer] = told(aaa.keys.fetch(QUESTION))
    assert isinstance(answer, KeyUnavailable)
    assert answer.cause


def test_several_at_a_time_and_each_once(aaa: Aaa) -> None:
    aaa.hold()
    first, second = told(aaa.keys.fetch(QUESTION)), told(aaa.keys.fetch(QUESTION))
    assert (first, second) == ([], [])
    aaa.release()
    assert len(first) == len(second) == 1


def test_stopping_answers_what_is_outstanding_and_what_comes_after(aaa: Aaa) -> None:
    aaa.hold()
    outstanding = told(aaa.keys.fetch(QUESTION))
    aaa.keys.stop()
    aaa.keys.stop()
    [answer] = outstanding
    assert isinstance(answer, KeyUnavailable)
    [answer] = told(aaa.keys.fetch(QUESTION))
    assert isinstance(answer, KeyUnavailable)
