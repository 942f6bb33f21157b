"""Accounting records as ACR, and servers that take them or do not."""

import msgspec
import pytest

from pmip_tw.aaa.accounting.records import (
    AccountingRecord,
    AccountingSession,
    StatusType,
    TerminateCause,
    Usage,
)
from pmip_tw.aaa.diameter.access import Asker
from pmip_tw.aaa.diameter.accounting import accounting_request, record_number
from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.verdicts import Unavailable
from pmip_tw.addresses import ipv4
from pmip_tw.net.diameter_accounting import DiameterAccountingServers
from pmip_tw.testing.diameter_client import MAG, FakeDiameterClient, answer
from pmip_tw.wire.diameter.codes import AccountingRecordType, Application, Code, Result
from pmip_tw.wire.diameter.message import Message
from tests.conformance import covers

ASKER = Asker(identity=MAG, realm="example.net", nas=Nas(identifier="mag1"))
SESSION = AccountingSession(
    id="00c0ffee12345678",
    multi_id="multi",
    nai=b"mn1@example.net",
    home_address=ipv4("10.1.0.50"),
    port="acc0",
    mac="02-00-00-00-00-01",
    classes=(b"\0\xff", b"two"),
    chargeable_identity=b"cui",
    correlation_id=b"together",
)
START = AccountingRecord(status=StatusType.START, at=1_704_067_200, session=SESSION)
INTERIM = msgspec.structs.replace(
    START, status=StatusType.INTERIM_UPDATE, session_time=600, usage=Usage(1 << 40, 2, 3, 4)
)
STOP = msgspec.structs.replace(INTERIM, status=StatusType.STOP, terminate_cause=TerminateCause.IDLE_TIMEOUT)


def request(record: AccountingRecord, delay: int = 0) -> Message:
    found = accounting_request(record, delay, ASKER)
    assert found is not None
    return found


@covers("AA23", "AA21")
def test_a_record_says_what_radius_would() -> None:
    found = request(STOP, delay=7).avps
    assert found.number(Code.ACCOUNTING_RECORD_TYPE) == AccountingRecordType.STOP
    assert found.number(Code.ACCT_APPLICATION_ID) == Application.ACCOUNTING
    assert found.first(Code.USER_NAME) == b"mn1@example.net"
    assert found.first(Code.FRAMED_IP_ADDRESS) == bytes((10, 1, 0, 50))
    assert found.all(Code.CLASS) == (b"\0\xff", b"two")
    assert found.text(Code.ACCT_MULTI_SESSION_ID) == "multi"
    assert found.first(44, 5535) == b"together"
    assert found.first(Code.ACCOUNTING_INPUT_OCTETS) == (1 << 40).to_bytes(8, "big")
    assert found.first(Code.ACCOUNTING_OUTPUT_PACKETS) == (4).to_bytes(8, "big")
    assert found.number(Code.ACCT_SESSION_TIME) == 600
    assert found.number(Code.ACCT_TERMINATE_CAUSE) == TerminateCause.IDLE_TIMEOUT
    assert found.number(Code.ACCT_DELAY_TIME) == 7
    assert found.number(Code.EVENT_TIMESTAMP) == 1_704_067_200 + 2_208_988_800
    assert request(START).avps.number(Code.ACCT_SESSION_TIME) is None


def test_numbers_tell_the_records_of_a_session_apart_and_stay_the_same() -> None:
    numbers = [record_number(one) for one in (START, INTERIM, STOP)]
    assert numbers == [0, 600, 601]
    at_once = [record_number(msgspec.structs.replace(one, session_time=0)) for one in (START, INTERIM, STOP)]
    assert at_once == [0, 1, 2]


def test_the_session_of_the_authorization_is_that_of_accounting() -> None:
    given = msgspec.structs.replace(SESSION, aaa_session_id=b"mag1.example.net;1;2;mac")
    assert request(msgspec.structs.replace(START, session=given)).session_id == "mag1.example.net;1;2;mac"
    assert request(START).session_id == "mag1.example.net;12648430;305419896;acct"
    foreign = msgspec.structs.replace(SESSION, aaa_session_id=b"wimax", id="no digits")
    assert request(msgspec.structs.replace(START, session=foreign)).session_id.endswith(";no digits")


def test_what_diameter_has_no_record_for_is_taken() -> None:
    client = FakeDiameterClient()
    found: list[object] = []
    servers = DiameterAccountingServers(client, ASKER)
    servers.submit(AccountingRecord(status=StatusType.ACCOUNTING_ON, at=1), 0).addCallback(found.append)
    assert found == [None] and client.asked == []


@pytest.mark.parametrize(
    ("result", "taken"),
    [
        (Result.SUCCESS, True),
        (Result.LIMITED_SUCCESS, False),
        (Result.UNABLE_TO_DELIVER, False),
        (5012, False),
    ],
)
def test_only_success_is_for_good(result: int, taken: bool) -> None:
    client = FakeDiameterClient(lambda asked: answer(asked, result=result))
    found: list[Unavailable | None] = []
    DiameterAccountingServers(client, ASKER).submit(STOP, 0).addCallback(found.append)
    assert (found == [None]) is taken
    if not taken:
        assert found[0] is not None and f"({int(result)})" in found[0].cause


def test_stopping() -> None:
    client = FakeDiameterClient(answer, held=True)
    servers = DiameterAccountingServers(client, ASKER)
    found: list[Unavailable | None] = []
    servers.submit(START, 0).addCallback(found.append)
    servers.stop()
    servers.stop()
    client.release()
    servers.submit(START, 0).addCallback(found.append)
    assert [type(one) for one in found] == [Unavailable, Unavailable]
