"""An accounting record as RADIUS says it: who, where, how much and why, in the dialect of its AAA (AA21, AA22)."""

import struct

import pytest
from msgspec.structs import replace

from pmip_tw.aaa.accounting.records import AccountingRecord, AccountingSession, TerminateCause, Usage
from pmip_tw.aaa.accounting.request import LOCAL_AUTHENTIC, Accountant, Dialect
from pmip_tw.aaa.nas import Nas
from pmip_tw.addresses import Mac, ipv4
from pmip_tw.secret import Secret
from pmip_tw.wire.radius import (
    Attributes,
    AttributeType,
    Code,
    Request,
    decode_request,
    encode_request,
)
from pmip_tw.wire.wimax import VENDOR_WIMAX, join_fragments
from tests.aaa.test_accounting_sessions import INTERIM, ON, START, STOP
from tests.conformance import covers

VENDOR_3GPP2 = 5535
SECRET = Secret(b"between us")
SESSION = AccountingSession(
    id="00c0ffee00c0ffee",
    multi_id="cafe0000cafe0000",
    nai=b"mn1@example.net",
    home_address=ipv4("10.1.0.9"),
    home_agent=ipv4("192.0.2.1"),
    care_of_address=ipv4("198.51.100.10"),
    port="acc0",
    mac="02-00-00-00-00-01",
    classes=(b"\0second comes first", b"\xff" * 253),
    chargeable_identity=b"cui",
)
MAG = Accountant(
    nas=Nas(identifier="mag1", address=ipv4("198.51.100.10")), called_station=Mac(b"\2\0\x5e\x50\x4d\x49")
)
GIGA = 1 << 32


def record(status=STOP, session=SESSION, **more) -> AccountingRecord:
    usage = Usage(3 * GIGA + 7, GIGA - 1, 2 * GIGA + 5, 9)
    cause = TerminateCause.IDLE_TIMEOUT if status is STOP else None
    values = {"at": 1_700_000_000, "session_time": 60, "usage": usage, "terminate_cause": cause} | more
    return AccountingRecord(status=status, session=session, **values)


def received(one: AccountingRecord, accountant: Accountant = MAG, delay: int = 5) -> Attributes:
    """As a server reads it."""
    request = accountant.request(one, delay)
    assert request.code is Code.ACCOUNTING_REQUEST and request.password is None
    datagram = encode_request(request, identifier=7, authenticator=bytes(16), secret=SECRET)
    return decode_request(datagram, SECRET).attributes


def word(value: int) -> bytes:
    return struct.pack("!L", value)


@covers("AA21")
def test_a_station_is_where_its_access_point_has_said() -> None:
    called = b"02-AA-00-00-00-01:campus"
    at_access_point = replace(SESSION, called_station=called)
    found = received(record(session=at_access_point))
    assert found.all(AttributeType.CALLED_STATION_ID) == (called,)


@covers("AA21", "AA22")
def test_a_stop_says_who_where_how_much_and_why() -> None:
    found = received(record())
    expected = {
        AttributeType.ACCT_STATUS_TYPE: word(2),
        AttributeType.NAS_IDENTIFIER: b"mag1",
        AttributeType.NAS_IP_ADDRESS: word(ipv4("198.51.100.10")),
        AttributeType.EVENT_TIMESTAMP: word(1_700_000_000),
        AttributeType.ACCT_DELAY_TIME: word(5),
        AttributeType.ACCT_SESSION_ID: b"00c0ffee00c0ffee",
        AttributeType.ACCT_MULTI_SESSION_ID: b"cafe0000cafe0000",
        AttributeType.USER_NAME: b"mn1@example.net",
        AttributeType.SERVICE_TYPE: word(2),
        AttributeType.ACCT_AUTHENTIC: word(1),
        AttributeType.FRAMED_IP_ADDRESS: word(ipv4("10.1.0.9")),
        AttributeType.CHARGEABLE_USER_IDENTITY: b"cui",
        AttributeType.CALLED_STATION_ID: b"02-00-5E-50-4D-49",
        AttributeType.CALLING_STATION_ID: b"02-00-00-00-00-01",
        AttributeType.NAS_PORT_TYPE: word(15),
        AttributeType.NAS_PORT_ID: b"acc0",
        AttributeType.ACCT_SESSION_TIME: word(60),
        AttributeType.ACCT_INPUT_OCTETS: word(7),
        AttributeType.ACCT_INPUT_GIGAWORDS: word(3),
        AttributeType.ACCT_OUTPUT_OCTETS: word(GIGA - 1),
        AttributeType.ACCT_OUTPUT_GIGAWORDS: word(0),
        AttributeType.ACCT_INPUT_PACKETS: word(5),
        AttributeType.ACCT_OUTPUT_PACKETS: word(9),
        AttributeType.ACCT_TERMINATE_CAUSE: word(4),
    }
    assert {kind: found.first(kind) for kind in expected} == expected
    assert found.all(AttributeType.CLASS) == SESSION.classes  # all of them, in order, to the octet
    assert {kind for kind, _ in found} == set(expected) | {AttributeType.CLASS}


@covers("AA21")
def test_a_start_has_moved_nothing_and_an_interim_has_no_cause() -> None:
    start, interim = received(record(START)), received(record(INTERIM))
    course = (
        AttributeType.ACCT_SESSION_TIME,
        AttributeType.ACCT_INPUT_OCTETS,
        AttributeType.ACCT_TERMINATE_CAUSE,
    )
    assert [start.first(kind) for kind in course] == [None, None, None]
    assert [interim.first(kind) for kind in course] == [word(60), word(7), None]


@covers("AA20")
def test_on_is_about_everybody() -> None:
    found = received(record(ON, session=None))
    assert {kind for kind, _ in found} == {
        AttributeType.ACCT_STATUS_TYPE,
        AttributeType.NAS_IDENTIFIER,
        AttributeType.NAS_IP_ADDRESS,
        AttributeType.EVENT_TIMESTAMP,
        AttributeType.ACCT_DELAY_TIME,
        AttributeType.ACCT_SESSION_ID,  # which RFC 2866 wants in all of them
    }


def test_an_lma_has_no_ports_and_a_user_file_is_no_radius() -> None:
    at_lma = replace(SESSION, port="", mac="")
    accountant = Accountant(nas=Nas(identifier="lma"), authentic=LOCAL_AUTHENTIC)
    found = received(record(session=at_lma), accountant)
    assert found.first(AttributeType.NAS_PORT_TYPE) == word(5)
    assert found.first(AttributeType.CALLING_STATION_ID) is found.first(AttributeType.NAS_PORT_ID) is None
    assert found.first(AttributeType.CALLED_STATION_ID) is None
    assert found.first(AttributeType.ACCT_AUTHENTIC) == word(2)


def wimax(found: Attributes, kind: int) -> tuple[bytes, ...]:
    return join_fragments(found.all_vendor(VENDOR_WIMAX, kind))


class TestDialects:
    @covers("AA21")
    def test_wimax_if_aaa_speaks_it(self) -> None:
        session = replace(SESSION, aaa_session_id=b"\0" * 300)
        start, stop = received(record(START, session)), received(record(STOP, session, continues=True))
        assert wimax(stop, 4) == (b"\0" * 300,)  # in as many attributes as it takes
        assert (wimax(stop, 6), wimax(stop, 23)) == ((word(ipv4("192.0.2.1")),), (word(2),))
        assert (wimax(stop, 21), wimax(stop, 22)) == ((word(1),), ())
        assert (wimax(stop, 48), wimax(stop, 49)) == ((word(2),), (word(0),))
        assert (wimax(start, 22), wimax(start, 21), wimax(start, 48)) == ((word(1),), (), ())
        assert not [key for key in stop.vendor if key[0] == VENDOR_3GPP2]

    @covers("AA21")
    def test_3gpp2_if_aaa_speaks_that(self) -> None:
        session = replace(SESSION, correlation_id=b"abc", begins=False)
        start, stop = received(record(START, session)), received(record(STOP, session))
        values = {key[1]: value for key, (value,) in stop.vendor.items()}
        assert values == {
            44: b"abc",
            22: word(2),
            7: word(ipv4("192.0.2.1")),
            79: word(ipv4("198.51.100.10")),
            48: word(0),
        }
        assert start.all_vendor(VENDOR_3GPP2, 51) == (word(0),)
        assert {vendor for vendor, _ in stop.vendor} == {VENDOR_3GPP2}

    @pytest.mark.parametrize(
        "dialect, vendors",
        [
            (Dialect.STANDARD, set()),
            (Dialect.WIMAX, {VENDOR_WIMAX}),
            (Dialect.THREEGPP2, {VENDOR_3GPP2}),
            (Dialect.AS_PROFILE, {VENDOR_WIMAX, VENDOR_3GPP2}),
        ],
    )
    def test_an_operator_may_say_which(self, dialect: Dialect, vendors: set[int]) -> None:
        session = replace(SESSION, aaa_session_id=b"w", correlation_id=b"c")
        accountant = Accountant(nas=Nas(identifier="mag1"), dialect=dialect)
        assert {vendor for vendor, _ in received(record(session=session), accountant).vendor} == vendors

    def test_without_a_correlation_id_ours_is_one(self) -> None:
        """The same at every MAG, and at the LMA."""
        accountant = Accountant(nas=Nas(identifier="mag1"), dialect=Dialect.THREEGPP2)
        assert received(record(), accountant).all_vendor(VENDOR_3GPP2, 44) == (b"cafe0000cafe0000",)


def test_a_longer_wait_is_another_packet() -> None:
    """AA6: the octets differ, so that the identifier does."""
    assert MAG.request(record(), 5) == MAG.request(record(), 5) != MAG.request(record(), 6)
    assert isinstance(MAG.request(record(), 5), Request)
