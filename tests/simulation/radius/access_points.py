"""Access points that authenticate by themselves and have a MAG for their RADIUS server (AA27)."""

from functools import partial
from typing import TYPE_CHECKING

from pmip_tw.aaa.accounting.records import StatusType
from pmip_tw.aaa.nas import Nas, calling_station
from pmip_tw.aaa.radius.configuration import RadiusServer, RadiusSettings, ServerGroup, StatusServer
from pmip_tw.aaa.radius.outcome import ACCOUNTING, AUTHENTICATION, Answered, RadiusOutcome
from pmip_tw.addresses import Endpoint, Mac
from pmip_tw.interfaces import Datagram, Unreachable
from pmip_tw.secret import Secret
from pmip_tw.testing.clock import NodeClock
from pmip_tw.testing.eap_server import identity_response
from pmip_tw.wire.eap import Eap
from pmip_tw.wire.radius import (
    Attribute,
    Attributes,
    AttributeType,
    Code,
    Request,
    decode_request,
    encode_answer,
    number,
    split_value,
    text,
)
from tests.observers import Notes
from tests.simulation.fuse import Fuse
from tests.simulation.radius.client import WatchedClient
from tests.simulation.radius.places import address_of

if TYPE_CHECKING:
    from tests.simulation.nodes import MobileNode
    from tests.simulation.world import World

SECRET_OF_POINT = Secret(b"between a MAG and its points")
PORTS = (1812, 1813)
DISCONNECT_PORT = 3799

TRY_AGAIN = 2.0
"""Seconds until a station that was not let in is back."""

_LOST_CARRIER = 2


class AccessPoint:
    """``stations``: whom it lets in, with the session of each; ``notices``: seconds until it sees that one has left."""

    def __init__(self, world: "World", mag: int, number: int, notices: float) -> None:
        self.world = world
        self.name = f"ap{mag}{number}"
        self.mag = mag
        self.address = address_of(mag, number)
        self.clock = NodeClock(world.clock, f"{world.scenario.seed}/{self.name}")
        self.fuse = Fuse(self._stirs)
        self._stirred = False
        self.life = 0
        self.stations: dict[Mac, str] = {}
        self._notices = notices
        self._here: dict[Mac, str] = {}
        self._count = 0

    def start(self) -> None:
        """With nothing in its memory; it says so."""
        self.life += 1
        self.stations.clear()
        self._here.clear()
        self.client = WatchedClient(self, self._settings(), Notes())  # type: ignore[arg-type]
        self.world.network.attach(Endpoint(self.address, DISCONNECT_PORT), self)
        self._account(StatusType.ACCOUNTING_ON, ())

    def die(self) -> None:
        self.client.die()
        self.world.network.detach(Endpoint(self.address, DISCONNECT_PORT))
        self.life += 1

    def in_this_life(self, seconds: float, call) -> None:
        life = self.life
        self.world.later(seconds, lambda: call() if self.life == life else None)

    def check(self) -> None:
        """After every event."""
        if self._stirred:
            self._stirred = False
            self.client.check()

    def _stirs(self) -> None:
        self._stirred = True

    # Stations

    def passes(self, mac: bytes) -> bool:
        return mac in self.stations

    def associate(self, node: "MobileNode") -> None:
        """A station is here and wants to be let in."""
        self._ends(node.mac)
        self._count += 1
        session = self._here[node.mac] = f"{self.name}-{self.life}-{self._count}"
        if node.supplicant is not None:
            self._ask(
                node, session, node.supplicant.identity, identity_response(node.supplicant.identity), ()
            )

    def left(self, node: "MobileNode") -> None:
        """It is not here any more, which is seen in a while."""
        session = self._here.get(node.mac)
        if session is not None:
            self.in_this_life(self._notices, lambda: self._ends(node.mac, session))

    def _ends(self, mac: Mac, session: str | None = None) -> None:
        if session is not None and self._here.get(mac) != session:
            return
        self._here.pop(mac, None)
        was_in = self.stations.pop(mac, None)
        if was_in is not None:
            self._account(StatusType.STOP, self._about(mac, was_in))

    def _ask(
        self,
        node: "MobileNode",
        session: str,
        identity: bytes,
        message: bytes,
        state: tuple[Attribute, ...],
        pinned: Endpoint | None = None,
    ) -> None:
        pairs = (
            (AttributeType.USER_NAME, identity),
            *self._about(node.mac, session),
            *split_value(AttributeType.EAP_MESSAGE, message),
            *state,
        )
        request = Request(attributes=Attributes(pairs))
        said = self.client.ask(request, AUTHENTICATION, pinned=pinned, flow=self.name)
        said.addCallback(partial(self._answered, node, session, self.life))

    def _answered(self, node: "MobileNode", session: str, life: int, outcome: RadiusOutcome) -> None:
        if self.life != life or self._here.get(node.mac) != session:
            return
        if not isinstance(outcome, Answered) or outcome.answer.code is Code.ACCESS_REJECT:
            self.in_this_life(TRY_AGAIN, lambda: self._once_more(node, session))
            return
        found = outcome.answer.attributes
        if outcome.answer.code is Code.ACCESS_CHALLENGE:
            assert node.supplicant is not None
            asked = Eap.decode(b"".join(found.all(AttributeType.EAP_MESSAGE)))
            state = ((AttributeType.STATE.value, found.first(AttributeType.STATE) or b""),)
            answer = node.supplicant.answer(asked)
            self._ask(node, session, node.supplicant.identity, answer, state, outcome.server)
            return
        self.stations[node.mac] = session
        self.world.note(self.name, f"lets {node.nai} in")
        self._account(StatusType.START, self._about(node.mac, session))

    def _once_more(self, node: "MobileNode", session: str) -> None:
        if self._here.get(node.mac) == session:
            self.associate(node)

    # RADIUS

    def arrive(self, datagram: Datagram) -> None:
        """It is told to throw somebody off (RFC 5176)."""
        request = decode_request(datagram.payload, SECRET_OF_POINT)
        said = (request.attributes.first(AttributeType.CALLING_STATION_ID) or b"").decode()
        mac = Mac(bytes.fromhex(said.replace("-", "")))
        known = mac in self._here
        answer = encode_answer(
            Code.DISCONNECT_ACK if known else Code.DISCONNECT_NAK,
            Attributes(),
            identifier=request.identifier,
            request_authenticator=request.authenticator,
            secret=SECRET_OF_POINT,
        )
        self.world.network.send(Endpoint(self.address, DISCONNECT_PORT), datagram.source, answer)
        session = self._here.get(mac)
        if session is not None:
            self.world.note(self.name, f"throws {said} off")
            node = self.world.with_mac(mac)
            self._ends(mac)
            if node.point is self:
                self._here[mac] = session
                self.in_this_life(TRY_AGAIN, lambda: self._once_more(node, session))

    def report(self, unreachable: Unreachable) -> None:
        """Whoever has asked is gone."""

    def _about(self, mac: Mac, session: str) -> tuple[Attribute, ...]:
        return (
            calling_station(mac),
            *Nas(identifier=self.name, address=self.address).attributes,
            text(AttributeType.ACCT_SESSION_ID, session),
        )

    def _account(self, status: StatusType, about: tuple[Attribute, ...]) -> None:
        """Whether anybody takes it is not its concern."""
        pairs = [number(AttributeType.ACCT_STATUS_TYPE, status), *about]
        if not about:
            pairs += [*Nas(address=self.address).attributes, text(AttributeType.ACCT_SESSION_ID, "0")]
        if status is StatusType.STOP:
            pairs.append(number(AttributeType.ACCT_TERMINATE_CAUSE, _LOST_CARRIER))
        self.client.ask(Request(code=Code.ACCOUNTING_REQUEST, attributes=Attributes(pairs)), ACCOUNTING)

    def _settings(self) -> RadiusSettings:
        address = self.world.mags[self.mag].address
        groups = []
        for group, port in zip((AUTHENTICATION, ACCOUNTING), PORTS, strict=True):
            server = RadiusServer(
                endpoint=Endpoint(address, port), secret=SECRET_OF_POINT, status_server=StatusServer.NO
            )
            groups.append(ServerGroup(name=group, servers=(server,)))
        return RadiusSettings(groups=tuple(groups), timeout=1.0, tries=3, dead_time=3.0)


def access_points_of(world: "World") -> list[list[AccessPoint]]:
    """Those of each MAG; none at all where nodes are at the MAGs themselves."""
    servers = world.scenario.aaa
    if servers is None or not servers.points:
        return []
    return [
        [AccessPoint(world, mag, number, servers.notices) for number in range(servers.points)]
        for mag in range(world.scenario.mags)
    ]
