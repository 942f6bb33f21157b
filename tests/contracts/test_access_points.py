"""What every IAccessPoints does."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Protocol

import attrs
import pytest
from twisted.internet.posixbase import PosixReactorBase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.aaa.examined import Examined
from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.aaa.proxy.access_points import AccessPoint, ProxySettings
from pmip_tw.aaa.radius.outcome import ACCOUNTING, AUTHENTICATION, Answered
from pmip_tw.aaa.verdicts import Accept, Reject, Verdict
from pmip_tw.addresses import Mac, ipv4
from pmip_tw.errors import PmipError
from pmip_tw.interfaces import IAccessPoints, IAccessPointsReceiver
from pmip_tw.mobility.tunnels import AccessKey
from pmip_tw.net.access_points import RadiusAccessPoints
from pmip_tw.testing.access_points import FakeAccessPoints
from pmip_tw.testing.radius_client import FakeRadiusClient, Reply
from pmip_tw.wire.radius import AttributeType, Code, Request
from pmip_tw.wire.salt_cipher import SaltCipher
from pmip_tw.wire.station_id import station_of
from tests.aaa.proxy.bench import KEY, NAS, PROFILE, SECRET, STATION, Ap
from tests.clocks import UnarmedClock
from tests.conformance import covers
from tests.loops import private_reactor, run_until
from tests.observers import Notes

LOOPBACK = ipv4("127.0.0.1")
BY_EAP = Examined(access_point=LOOPBACK)

pytestmark = covers("AA27")


@implementer(IAccessPointsReceiver)
@attrs.define
class Heard:
    """What a MAG hears of its access points, in order."""

    came: list[tuple[AccessKey, Profile, Examined]] = attrs.field(factory=list)
    gone: list[tuple[AccessKey, TerminateCause]] = attrs.field(factory=list)

    refuses: str = ""

    def judged(self, verdict: Verdict) -> Verdict:
        return Reject(self.refuses) if self.refuses else verdict

    def attached_elsewhere(self, key: AccessKey, profile: Profile, examined: Examined) -> None:
        self.came.append((key, profile, examined))

    def detached_elsewhere(self, key: AccessKey, why: str, terminate_cause: TerminateCause) -> None:
        assert why
        self.gone.append((key, terminate_cause))


class Provider(Protocol):
    provided: IAccessPoints

    def let_in(self, *, accepted: bool = True, examined: Examined = BY_EAP) -> None:
        """AAA accepts the station of ``KEY``, and the MAG if ``accepted``, of which its access point hears."""

    def let_go(self) -> None:
        """It leaves its access point."""

    def thrown_off(self) -> list[Mac]:
        """Whom access points were told to throw off."""


class Twin:
    def __init__(self) -> None:
        self.provided = FakeAccessPoints()

    def let_in(self, *, accepted: bool = True, examined: Examined = BY_EAP) -> None:
        self.provided.let_in(KEY, PROFILE, examined)

    def let_go(self) -> None:
        self.provided.let_go(KEY)

    def thrown_off(self) -> list[Mac]:
        return [key.mac for key in self.provided.expelled]


class Sockets:
    """An access point on loopback, with a socket of its own; the servers are the twin's."""

    def __init__(self, reactor: PosixReactorBase) -> None:
        self._reactor = reactor
        self._told = FakeRadiusClient(lambda request, cipher: Reply(Code.DISCONNECT_ACK))
        self.ports = (free_port(), free_port())
        self.notes = Notes()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self._ap = Ap(LOOPBACK, SECRET, self._socket.getsockname()[1])
        point = AccessPoint(address=LOOPBACK, secret=SECRET, port=KEY.port, disconnect_port=3799)
        self.provided = RadiusAccessPoints(
            reactor,
            UnarmedClock(),
            ProxySettings(access_points=(point,), nas=NAS),
            self.notes,
            servers=FakeRadiusClient(accept),
            access_points=self._told,
            read=read,
            local=LOOPBACK,
            ports=self.ports,
        )

    @property
    def is_open(self) -> bool:
        return bool(self.provided._sockets)

    def close(self) -> None:
        self.provided.stop()
        self._socket.close()

    def let_in(self, *, accepted: bool = True, examined: Examined = BY_EAP) -> None:
        asked = self._ap.ask() if examined.by_eap else self._ap.ask(eap=b"")
        self._exchange(asked, 0, Code.ACCESS_ACCEPT if accepted else Code.ACCESS_REJECT)

    def let_go(self) -> None:
        self._exchange(self._ap.account(2), 1, Code.ACCOUNTING_RESPONSE)

    def thrown_off(self) -> list[Mac]:
        named = [
            asked.request.attributes.first(AttributeType.CALLING_STATION_ID) for asked in self._told.asked
        ]
        assert [asked.group for asked in self._told.asked] == ["127.0.0.1:3799"] * len(named)
        return [station for station in map(station_of, filter(None, named)) if station is not None]

    def _exchange(self, request: bytes, port: int, expected: Code) -> None:
        self._socket.sendto(request, ("127.0.0.1", self.ports[port]))
        answers: list[bytes] = []

        def is_answered() -> bool:
            with suppress(BlockingIOError):
                answers.append(self._socket.recv(4096))
            return bool(answers)

        with suppress(AssertionError):
            run_until(self._reactor, is_answered, 2.0 if self.is_open else 0.2)
        assert [answer[0] for answer in answers] == ([expected] if self.is_open else [])


def accept(request: Request, cipher: SaltCipher) -> Reply:
    return Reply(Code.ACCESS_ACCEPT)


def read(station: Mac | None, outcome: Answered) -> Verdict:
    return Accept(PROFILE)


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(params=["twin", "sockets"])
def provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    if request.param == "twin":
        yield Twin()
        return
    with private_reactor() as reactor:
        sockets = Sockets(reactor)
        yield sockets
        sockets.close()


class TestAccessPoints:
    """One class for all providers."""

    def test_provides_the_interface(self, provider: Provider) -> None:
        assert verifyObject(IAccessPoints, provider.provided)

    def test_who_comes_and_who_goes(self, provider: Provider) -> None:
        heard = Heard()
        provider.provided.start(heard)
        provider.let_in()
        assert heard == Heard(came=[(KEY, PROFILE, BY_EAP)])
        provider.let_go()
        assert heard.gone == [(KEY, TerminateCause.LOST_CARRIER)]
        assert provider.thrown_off() == []

    def test_it_is_said_whether_who_comes_has_proven_anything(self, provider: Provider) -> None:
        heard = Heard()
        provider.provided.start(heard)
        by_mac = Examined(by_eap=False, access_point=LOOPBACK)
        provider.let_in(examined=by_mac)
        assert heard.came == [(KEY, PROFILE, by_mac)]

    def test_nobody_comes_who_cannot_be_served(self, provider: Provider) -> None:
        heard = Heard(refuses="there is no [[mag.filters]] of that name")
        provider.provided.start(heard)
        provider.let_in(accepted=False)
        assert heard.came == []

    def test_an_access_point_is_told(self, provider: Provider) -> None:
        heard = Heard()
        provider.provided.start(heard)
        provider.let_in()
        provider.provided.expel(KEY)
        assert provider.thrown_off() == [STATION]
        assert heard.gone == []  # whoever has it thrown off knows

    def test_stop_is_idempotent_and_nothing_is_heard_afterwards(self, provider: Provider) -> None:
        heard = Heard()
        provider.provided.start(heard)
        provider.provided.stop()
        provider.provided.stop()
        provider.let_in()
        assert heard == Heard()


def test_a_port_that_is_taken_says_so_and_leaves_nothing_open() -> None:
    with private_reactor() as reactor:
        first, second = Sockets(reactor), Sockets(reactor)
        first.provided.start(Heard())
        second.provided._ports = {AUTHENTICATION: second.ports[0], ACCOUNTING: first.ports[1]}
        with pytest.raises(PmipError, match=str(first.ports[1])):
            second.provided.start(Heard())
        first.close()
        second.provided.start(Heard())
        second.close()
