"""Sessions that AAA wants to be asked about again, by RADIUS: what is asked, and what the answer means."""

import pytest

from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.radius.outcome import AUTHENTICATION
from pmip_tw.aaa.verdicts import Accept, AuthorizeOnly, Reject, Unavailable, Verdict
from pmip_tw.addresses import ipv4, mac
from pmip_tw.net.radius import RadiusAuthenticator
from pmip_tw.testing.radius_client import SERVER, FakeRadiusClient, Reply
from pmip_tw.wire.radius import Attributes, AttributeType, Code, Request, number, text
from pmip_tw.wire.salt_cipher import SaltCipher
from tests.conformance import covers

WANTED = AuthorizeOnly(
    mac=mac("02:00:00:00:00:0a"), port="eth1", nai="mn1@example.net", state=b"\0of the CoA-Request"
)
NAS = Nas(identifier="mag1", address=ipv4("198.51.100.10"))
TIMEOUT = number(AttributeType.SESSION_TIMEOUT, 600)


def asked(client: FakeRadiusClient) -> Verdict:
    found: list[Verdict] = []
    RadiusAuthenticator(client, NAS).authenticate(WANTED).addCallback(found.append)
    [verdict] = found
    return verdict


def saying(*attributes: tuple[int, bytes], code: Code = Code.ACCESS_ACCEPT) -> FakeRadiusClient:
    def says(request: Request, cipher: SaltCipher) -> Reply:
        return Reply(code, Attributes(attributes))

    return FakeRadiusClient(says)


@covers("AA16")
def test_the_request_has_the_state_and_no_password() -> None:
    client = saying()
    asked(client)
    [call] = client.asked
    found = call.request.attributes
    assert (call.group, call.pinned, call.flow) == (AUTHENTICATION, None, "eth1")
    assert found.first(AttributeType.SERVICE_TYPE) == b"\0\0\0\x11"
    assert found.first(AttributeType.STATE) == WANTED.state
    assert found.first(AttributeType.USER_NAME) == b"mn1@example.net"
    assert found.first(AttributeType.CALLING_STATION_ID) == b"02-00-00-00-00-0A"
    assert found.first(AttributeType.NAS_IDENTIFIER) == b"mag1"
    assert call.request.password is None


@pytest.mark.parametrize(
    ("said", "nai"), [((), "mn1@example.net"), ((text(1, "mn2@example.net"),), "mn2@example.net")]
)
def test_the_session_keeps_its_name_unless_the_server_says_another(
    said: tuple[tuple[int, bytes], ...], nai: str
) -> None:
    verdict = asked(saying(TIMEOUT, *said))
    assert isinstance(verdict, Accept)
    assert (verdict.profile.nai, verdict.profile.session_timeout) == (nai, 600)


def test_refusals() -> None:
    for code in (Code.ACCESS_REJECT, Code.ACCESS_CHALLENGE):
        verdict = asked(saying(TIMEOUT, code=code))
        assert isinstance(verdict, Reject) and verdict.cause
    malformed = asked(saying((AttributeType.SESSION_TIMEOUT, b"\1")))
    assert isinstance(malformed, Reject) and "Session-Timeout" in malformed.cause


def test_nobody_answers() -> None:
    client = saying()
    client.down.add(SERVER)
    assert isinstance(asked(client), Unavailable)
