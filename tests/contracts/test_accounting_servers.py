"""What every IAccountingServers does: the twin, RADIUS and Diameter."""

from collections.abc import Callable

import attrs
import pytest
from msgspec.structs import replace
from zope.interface.verify import verifyObject

from pmip_tw.aaa.accounting.records import AccountingRecord
from pmip_tw.aaa.accounting.request import Accountant
from pmip_tw.aaa.diameter.access import Asker
from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.verdicts import Unavailable
from pmip_tw.interfaces import IAccountingServers
from pmip_tw.net.diameter_accounting import DiameterAccountingServers
from pmip_tw.net.radius_accounting import RadiusAccountingServers
from pmip_tw.testing.accounting import FakeAccountingServers
from pmip_tw.testing.diameter_client import MAG, FakeDiameterClient, answer
from pmip_tw.testing.radius_client import FakeRadiusClient, Reply
from pmip_tw.wire.radius import Code
from tests.aaa.test_accounting_sessions import INTERIM, ON, SESSION, START, STOP


@attrs.frozen
class Provider:
    """``hold``: from now on servers take their time, until ``release``; ``kill``: nobody is there any more."""

    servers: IAccountingServers
    hold: Callable[[], None]
    release: Callable[[], object]
    kill: Callable[[], None]
    asked: Callable[[], int]


def _fake() -> Provider:
    twin = FakeAccountingServers()
    return Provider(
        twin,
        lambda: setattr(twin, "silent", True),
        twin.answer,
        lambda: setattr(twin, "trouble", "gone"),
        lambda: len(twin.taken),
    )


def _radius() -> Provider:
    client = FakeRadiusClient(lambda request, cipher: Reply(Code.ACCOUNTING_RESPONSE))
    accountant = Accountant(nas=Nas(identifier="mag1"))
    return Provider(
        RadiusAccountingServers(client, accountant),
        lambda: setattr(client, "held", True),
        client.release,
        client.stop,
        lambda: len(client.asked),
    )


def _diameter() -> Provider:
    client = FakeDiameterClient(answer)
    asker = Asker(identity=MAG, realm="example.net", nas=Nas(identifier="mag1"))
    return Provider(
        DiameterAccountingServers(client, asker),
        lambda: setattr(client, "held", True),
        client.release,
        lambda: setattr(client, "server", lambda asked: None),
        lambda: len(client.asked),
    )


@pytest.fixture(params=[_fake, _radius, _diameter], ids=["fake", "radius", "diameter"])
def provider(request: pytest.FixtureRequest) -> Provider:
    made: Provider = request.param()
    return made


class Told:
    def __init__(self, provider: Provider) -> None:
        self.all: list[Unavailable | None] = []
        self._provider = provider

    def submit(self, *records: AccountingRecord, delay: int = 0) -> None:
        for record in records:
            self._provider.servers.submit(record, delay).addCallback(self.all.append)


RECORDS = [
    AccountingRecord(status=status, at=1_700_000_000, session=SESSION) for status in (START, INTERIM, STOP)
]


def test_it_is_one(provider: Provider) -> None:
    assert verifyObject(IAccountingServers, provider.servers)


def test_what_a_server_has_is_told(provider: Provider) -> None:
    told = Told(provider)
    told.submit(*RECORDS, delay=7)
    told.submit(AccountingRecord(status=ON, at=1))
    assert told.all == [None] * 4 and provider.asked() >= 3


def test_what_cannot_be_said_is_not_taken_and_nothing_else_suffers(provider: Provider) -> None:
    """AAA may give more by one protocol than another has room for."""
    told = Told(provider)
    told.submit(replace(RECORDS[0], session=replace(SESSION, correlation_id=bytes(300))), *RECORDS)
    assert len(told.all) == 4 and told.all[1:] == [None] * 3


def test_each_has_its_answer_when_it_comes(provider: Provider) -> None:
    told = Told(provider)
    provider.hold()
    told.submit(*RECORDS)
    assert told.all == []
    provider.release()
    assert told.all == [None] * 3


def test_why_nobody_has_it(provider: Provider) -> None:
    told = Told(provider)
    provider.kill()
    told.submit(RECORDS[0])
    [why] = told.all
    assert isinstance(why, Unavailable) and why.cause


def test_stopping_answers_what_is_open_and_takes_nothing(provider: Provider) -> None:
    told = Told(provider)
    provider.hold()
    told.submit(RECORDS[0])
    provider.servers.stop()
    assert [type(one) for one in told.all] == [Unavailable]
    provider.release()
    told.submit(RECORDS[1])
    provider.servers.stop()
    assert [type(one) for one in told.all] == [Unavailable] * 2
