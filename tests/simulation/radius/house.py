"""RADIUS servers in the core: slow, silent, dead, mistyped, and back with nothing in their memory."""

import random
import struct
from typing import TYPE_CHECKING

from pmip_tw.aaa.mac_authentication import MacFormat
from pmip_tw.aaa.radius.outcome import ACCOUNTING, AUTHENTICATION
from pmip_tw.addresses import Endpoint, Ipv4, Mac, ipv4
from pmip_tw.interfaces import Datagram, Unreachable
from pmip_tw.secret import Secret
from pmip_tw.testing.radius_server import RadiusAccount, RadiusTwin
from pmip_tw.wire.radius import (
    AUTHORIZE_ONLY,
    Attributes,
    AttributeType,
    Code,
    ReceivedRequest,
    decode_request,
)
from tests.simulation.aaa import profile_of
from tests.simulation.radius.admissions import Admissions
from tests.simulation.radius.authorization import Asker
from tests.simulation.radius.books import Books
from tests.simulation.radius.eap import Rounds
from tests.simulation.radius.settings import Servers

if TYPE_CHECKING:
    from tests.simulation.world import World

SECRET = Secret(b"between MAGs and RADIUS")
MISTYPED = Secret(b"betwen MAGs and RADIUS")

_FIRST = ipv4("192.0.2.53")
QUICK = (0.001, 0.02)
"""Seconds until Status-Server is answered, which needs no database."""

_REMEMBERED = 64
_ACCOUNTING_REQUEST = bytes((Code.ACCOUNTING_REQUEST,))
_AUTHORIZE_ONLY = struct.pack("!L", AUTHORIZE_ONLY)
_STATUS_SERVER = bytes((Code.STATUS_SERVER,))


_PORTS = {AUTHENTICATION: 1812, ACCOUNTING: 1813}


def endpoint_of(number: int, group: str = AUTHENTICATION) -> Endpoint:
    return Endpoint(Ipv4(_FIRST + number), _PORTS.get(group, _PORTS[AUTHENTICATION]))


class House:
    """All servers of a world, which know the same. ``refused``: who is turned away at present."""

    def __init__(self, world: "World", settings: Servers) -> None:
        self.world = world
        self.settings = settings
        self.refused: set[Mac] = set()
        self.names = {name: node.mac for node in world.nodes for name in (_name(node.mac), node.nai)}
        self.admissions = Admissions(world)
        self.books = Books()
        self.asker = Asker(world)
        self.servers = [RadiusHost(self, number) for number in range(settings.count)]

    @property
    def down(self) -> bool:
        return not any(server.up for server in self.servers)

    def goes_down(self) -> None:
        for server in self.servers:
            server.die(silently=True)

    def comes_back(self) -> None:
        for server in self.servers:
            server.mend()

    def accounts(self) -> list[RadiusAccount]:
        return [
            RadiusAccount.of(
                _name(node.mac), profile_of(node), Secret(b"key of mobile node %02d" % (node.number + 1))
            )
            for node in self.world.nodes
        ]


class RadiusHost:
    """One server. ``delay``: seconds until an answer leaves; ``sent``: what it answered last, with the request."""

    def __init__(self, house: House, number: int) -> None:
        self.endpoint = endpoint_of(number)
        self._doors = [_Door(self, endpoint_of(number, group)) for group in _PORTS]
        self.number = number
        self.name = f"aaa{number}"
        self.up = False
        self.sent: list[tuple[bytes, Datagram]] = []
        self._house = house
        self._world = house.world
        self._chance = random.Random(f"{house.world.scenario.seed}/{self.name}")
        self.life = 0
        self.mend()

    def mend(self) -> None:
        """It works as it should, again."""
        if not self.up:
            self._start()
        self._world.network.silent.discard(self.endpoint.address)
        self.delay = self._house.settings.delay
        self.twin.answer_secret = SECRET

    def _start(self) -> None:
        settings = self._house.settings
        self.up, self.life = True, self.life + 1
        self.twin = RadiusTwin(SECRET, self._house.accounts())
        self.twin.knows_status = settings.knows_status
        self.twin.signs = settings.signs
        if settings.rounds:
            identities = [node.nai.encode() for node in self._world.nodes if node.deserves_service]
            self.twin.eap = Rounds(identities, settings.rounds, 100_000 * self.number + 1000 * self.life)
        self._by_rule, self.twin.decides = self.twin.decides, self._decide
        self._answered: dict[tuple[Endpoint, bytes], bytes] = {}
        for door in self._doors:
            self._world.network.attach(door.endpoint, door)

    def die(self, *, silently: bool) -> None:
        """Its process is gone, and if ``silently`` nobody says so by ICMP."""
        if self.up:
            self.up = False
            for door in self._doors:
                self._world.network.detach(door.endpoint)
            self._world.note(self.name, "died")
        if silently:
            self._world.network.silent.add(self.endpoint.address)

    def asked(self, datagram: Datagram, door: Endpoint) -> None:
        """As servers do, it says the same to a duplicate (RFC 5080 2.2.2)."""
        request = datagram.source, datagram.payload[:20]
        answer = self._answered.get(request)
        if answer is None:
            answer = self.twin.answer(datagram.payload)
            if answer is not None and datagram.payload[:1] == _ACCOUNTING_REQUEST:
                self._house.books.write(decode_request(datagram.payload, SECRET).attributes)
        if answer is None:
            return
        self._answered[request] = answer
        if len(self._answered) > _REMEMBERED:
            del self._answered[next(iter(self._answered))]
        self.sent = [*self.sent[-9:], (answer, datagram)]
        life = self.life
        delay = QUICK if datagram.payload[:1] == _STATUS_SERVER else self.delay
        self._world.later(self._chance.uniform(*delay), lambda: self._say(answer, door, datagram, life))

    def _say(self, answer: bytes, door: Endpoint, to: Datagram, life: int) -> None:
        if self.up and self.life == life:
            self._world.network.send(door, to.source, answer)

    def _decide(self, received: ReceivedRequest) -> tuple[Code, Attributes] | None:
        name = (received.attributes.first(AttributeType.USER_NAME) or b"").decode(errors="replace")
        if self._house.names.get(name) in self._house.refused:
            return Code.ACCESS_REJECT, Attributes()
        if received.attributes.first(AttributeType.SERVICE_TYPE) == _AUTHORIZE_ONLY:
            return self._authorized(name, received)
        decision = self._by_rule(received)
        if decision is not None and decision[0] is Code.ACCESS_ACCEPT:
            mag = (received.attributes.first(AttributeType.NAS_IDENTIFIER) or b"").decode()
            nai = (decision[1].first(AttributeType.USER_NAME) or b"").decode()
            self._house.admissions.accepted(mag, nai)
        return decision

    def _authorized(self, nai: str, received: ReceivedRequest) -> tuple[Code, Attributes]:
        """A session goes on (RFC 5176 3.2): what its node may do now."""
        found = [account for account in self.twin.accounts.values() if account.nai == nai]
        if not found:
            return Code.ACCESS_REJECT, Attributes()
        return Code.ACCESS_ACCEPT, self.twin._authorize(found[0], received)


class _Door:
    """A port of a server."""

    def __init__(self, host: RadiusHost, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._host = host

    def arrive(self, datagram: Datagram) -> None:
        self._host.asked(datagram, self.endpoint)

    def report(self, unreachable: Unreachable) -> None:
        """Whoever has asked is gone."""


def _name(mac: Mac) -> str:
    return MacFormat.DASHES.write(mac)
