"""The MAG has another address from now on: everything that AAA is asked or told says so (P82, RFC 2865 5.4)."""

from pmip_tw.aaa.accounting.records import AccountingRecord, StatusType
from pmip_tw.aaa.accounting.request import Accountant
from pmip_tw.aaa.proxy.effects import Ask
from pmip_tw.aaa.verdicts import MacCredential
from pmip_tw.addresses import Ipv4, ipv4, mac
from pmip_tw.net.radius import RadiusAuthenticator
from pmip_tw.net.radius_accounting import RadiusAccountingServers
from pmip_tw.testing.radius_client import FakeRadiusClient
from pmip_tw.wire.radius import AttributeType, Code, Request, decode_request
from tests.aaa.proxy.bench import NAS, Ap, Bench, only
from tests.aaa.radius_world import SECRET, World
from tests.conformance import covers

OLD, NEW = NAS.address, ipv4("203.0.113.9")


class Uplink:
    address = OLD

    def __call__(self) -> Ipv4:
        return self.address


def named(request: Request) -> list[Ipv4]:
    return [
        Ipv4(int.from_bytes(value, "big")) for value in request.attributes.all(AttributeType.NAS_IP_ADDRESS)
    ]


@covers("P82", "AA24")
def test_who_may_be_served() -> None:
    client, uplink = FakeRadiusClient(), Uplink()
    authenticator = RadiusAuthenticator(client, NAS, address=uplink)
    credential = MacCredential(mac=mac("02:00:00:00:00:01"), port="acc0")
    authenticator.authenticate(credential)
    uplink.address = NEW
    authenticator.authenticate(credential)
    assert [named(call.request) for call in client.asked] == [[OLD], [NEW]]


@covers("P82", "AA21")
def test_what_is_used() -> None:
    client, uplink = FakeRadiusClient(), Uplink()
    servers = RadiusAccountingServers(client, Accountant(nas=NAS), address=uplink)
    servers.submit(AccountingRecord(status=StatusType.ACCOUNTING_ON, at=1), 0)
    uplink.address = NEW
    servers.submit(AccountingRecord(status=StatusType.ACCOUNTING_ON, at=2), 0)
    assert [named(call.request) for call in client.asked] == [[OLD], [NEW]]


@covers("P82", "AA27")
def test_what_access_points_ask() -> None:
    bench, ap = Bench(), Ap()
    bench.hear(ap.ask(), ap.source)
    bench.proxy.use_address(NEW)
    bench.hear(ap.ask(), ap.source)
    assert [named(ask.request) for ask in bench.asked] == [[OLD], [NEW]]
    other = Bench(as_access_point=True)
    other.proxy.use_address(NEW)
    [asked] = only(Ask, other.hear(ap.ask(), ap.source))
    assert named(asked.request) == []


@covers("P82")
def test_who_asks_whether_a_server_is_alive() -> None:
    world = World()
    world.ask()
    world.machine.use_address(NEW)
    world.run(60)
    asked = [
        decode_request(one.datagram, SECRET) for _, one in world.sent if one.datagram[0] == Code.STATUS_SERVER
    ]
    addresses = [request.attributes.first(AttributeType.NAS_IP_ADDRESS) for request in asked]
    assert addresses[0] != addresses[-1] == NEW.to_bytes(4, "big")
