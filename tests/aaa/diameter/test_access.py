"""What a MAG says to Diameter servers: the vectors octet by octet, and the messages around them."""

import attrs
import pytest

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.aaa.diameter.access import (
    Asker,
    aar,
    authorization,
    der,
    eap_access,
    mac_access,
    termination,
    termination_cause,
)
from pmip_tw.aaa.diameter.capabilities import Identity
from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.verdicts import AuthorizeOnly, EapCredential, MacCredential
from pmip_tw.addresses import ipv4, mac
from pmip_tw.net.diameter_requests import accepted
from pmip_tw.wire.diameter import avps
from pmip_tw.wire.diameter.avps import Avps
from pmip_tw.wire.diameter.codes import Application, AuthRequestType, Code, Command, TerminationCause
from pmip_tw.wire.diameter.message import Header, Message, decode
from tests.conformance import covers
from tests.vectors import vectors

VECTORS = {vector["name"]: bytes.fromhex(vector["hex"]) for vector in vectors("diameter")}
MAG = Identity(host="mag1.example.net", realm="example.net", address=ipv4("198.51.100.10"), state_id=1)
ASKER = Asker(
    identity=MAG,
    realm="example.net",
    nas=Nas(identifier="mag1", address=ipv4("198.51.100.10")),
)
WHO = {"mac": mac("02:00:00:00:00:01"), "port": "acc0"}


def numbered(message: Message, hop_by_hop: int, end_to_end: int) -> bytes:
    header = attrs.evolve(message.header, hop_by_hop=hop_by_hop, end_to_end=end_to_end)
    return attrs.evolve(message, header=header).encode()


@covers("AA23")
class TestVectors:
    """Requests and answers as other implementations have written them."""

    def test_eap(self) -> None:
        payload = bytes.fromhex("02000014016d6e31406578616d706c652e6e6574")
        message = der(
            "mag1.example.net;1704067200;2",
            ASKER,
            avps.text(Code.USER_NAME, "mn1@example.net"),
            avps.octets(Code.EAP_PAYLOAD, payload),
            *(avps.octets(kind, value) for kind, value in ASKER.nas.attributes),
        )
        assert numbered(message, 3, 4) == VECTORS["der-eap-identity"]

    def test_authorize_only(self) -> None:
        message = aar(
            "mag1.example.net;1704067200;3",
            ASKER,
            AuthRequestType.AUTHORIZE_ONLY,
            avps.text(Code.USER_NAME, "mn1@example.net"),
        )
        assert numbered(message, 5, 6) == VECTORS["aar-authorize-only"]

    def test_abort_session_answer(self) -> None:
        asked = Message(
            header=Header(
                command=Command.ABORT_SESSION, application=5, request=True, hop_by_hop=9, end_to_end=10
            ),
            avps=Avps((avps.text(Code.SESSION_ID, "mag1.example.net;1704067200;2"),)),
        )
        assert accepted(MAG, asked).encode() == VECTORS["asa"]


@covers("AA24")
def test_a_mac_is_asked_about_as_in_radius() -> None:
    found = mac_access(MacCredential(**WHO), "mag1.example.net;1;1;mac", ASKER)
    assert found.header.application == Application.NASREQ
    assert found.avps.number(Code.AUTH_REQUEST_TYPE) == AuthRequestType.AUTHORIZE_AUTHENTICATE
    name = b"02-00-00-00-00-01"
    assert found.avps.first(Code.USER_NAME) == found.avps.first(Code.USER_PASSWORD) == name
    assert found.avps.number(Code.SERVICE_TYPE) == 10
    assert found.avps.first(Code.CALLING_STATION_ID) == name
    assert found.avps.first(Code.NAS_IDENTIFIER) == b"mag1"
    assert found.avps.first(Code.NAS_PORT_ID) == b"acc0"
    assert next(iter(found.avps)).code == Code.SESSION_ID, "it is the first AVP (RFC 6733 8.8)"


def test_an_eap_response_goes_on_with_the_server_that_leads() -> None:
    credential = EapCredential(**WHO, identity=b"mn1@example.net", message=b"\2\1\0\4")
    first = eap_access(credential, "s", ASKER)
    assert first.avps.first(Code.DESTINATION_HOST) is None and first.avps.all(Code.STATE) == ()
    later = eap_access(credential, "s", ASKER, server="aaa1.example.net", states=(b"a", b"b"))
    assert later.avps.text(Code.DESTINATION_HOST) == "aaa1.example.net"
    assert later.avps.all(Code.STATE) == (b"a", b"b")
    assert decode(later.encode()) == later


def test_a_session_that_goes_on_is_asked_about_by_its_name() -> None:
    found = authorization(AuthorizeOnly(**WHO, nai="mn1@example.net", state=b""), "s", ASKER)
    assert found.session_id == "s"
    assert found.avps.number(Code.AUTH_REQUEST_TYPE) == AuthRequestType.AUTHORIZE_ONLY
    assert found.avps.first(Code.USER_PASSWORD) is None


@pytest.mark.parametrize(
    ("cause", "continues", "told"),
    [
        (TerminateCause.USER_REQUEST, False, TerminationCause.LOGOUT),
        (TerminateCause.LOST_CARRIER, False, TerminationCause.LINK_BROKEN),
        (TerminateCause.SESSION_TIMEOUT, False, TerminationCause.SESSION_TIMEOUT),
        (TerminateCause.ADMIN_RESET, False, TerminationCause.ADMINISTRATIVE),
        (TerminateCause.REAUTHENTICATION_FAILURE, False, TerminationCause.AUTH_EXPIRED),
        (TerminateCause.NAS_REQUEST, True, TerminationCause.USER_MOVED),
    ],
)
def test_the_end_of_a_session(cause: TerminateCause, continues: bool, told: TerminationCause) -> None:
    assert termination_cause(cause, continues=continues) is told
    found = termination("s", Application.EAP, told, ASKER, "mn1@example.net")
    assert found.name == "STR" and found.header.application == Application.EAP
    assert found.avps.number(Code.TERMINATION_CAUSE) == told
