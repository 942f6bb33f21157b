"""A real RADIUS client of one process, watched: what it promises whatever the network and servers do."""

from itertools import count
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from pmip_tw.aaa.radius.configuration import RadiusServer, RadiusSettings, ServerGroup
from pmip_tw.aaa.radius.exchanges import LONGEST_WAIT
from pmip_tw.aaa.radius.outcome import RadiusOutcome
from pmip_tw.aaa.radius.slots import slot_of
from pmip_tw.addresses import Endpoint
from pmip_tw.interfaces import IObserver
from pmip_tw.net.radius_client import RadiusClient
from pmip_tw.wire.radius import Code, Request, identifier_of
from tests.simulation.radius.house import SECRET, endpoint_of
from tests.simulation.radius.settings import Servers, longest_question
from tests.simulation.radius.sockets import SimulatedSocket, Timers
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.machines import Machine

_FIRST_PORT = 20_000
_PORTS_A_LIFE = 50

LATE = 0.1
"""Seconds by which a timer may be late: the wheel's steps, and what was decided in the same instant."""


def settings_of(servers: Servers, *groups: str) -> RadiusSettings:
    """Each server for each of ``groups``."""
    return RadiusSettings(
        groups=tuple(
            ServerGroup(name=group, servers=_ports_of(servers, group), strategy=servers.strategy)
            for group in groups
        ),
        timeout=servers.timeout,
        tries=servers.tries,
        dead_time=servers.dead_time,
        probe_interval=servers.probe_interval,
        max_outstanding=servers.max_outstanding,
        max_waiting=servers.max_waiting,
    )


def _ports_of(servers: Servers, group: str) -> tuple[RadiusServer, ...]:
    return tuple(
        RadiusServer(
            endpoint=endpoint_of(number, group),
            secret=SECRET,
            require_message_authenticator=servers.require,
            status_server=servers.status_server,
            weight=1 + number,
            max_outstanding=servers.room,
        )
        for number in range(servers.count)
    )


class WatchedClient(RadiusClient):
    """``ended``: how many of its questions have ended; ``servers_of``: as configured. ``ports``: where its own begin,
    beside those of others of the process.
    """

    _sockets: dict[int, SimulatedSocket]  # type: ignore[assignment]

    def __init__(
        self, machine: "Machine", settings: RadiusSettings, observer: IObserver, ports: int = 0
    ) -> None:
        super().__init__(Timers(machine), machine.clock, settings, observer, machine.address)  # type: ignore[arg-type]
        self.ended = 0
        self.servers_of = {server.endpoint: server for server in settings.servers()}
        self._process = machine
        self._ports = count(_FIRST_PORT + machine.life * _PORTS_A_LIFE + ports)
        self._longest = longest_question(settings, len(set(settings.servers())), LONGEST_WAIT)
        self._since: dict[int, float] = {}
        self._flying: dict[tuple[Endpoint, int], bytes] = {}

    def ask(
        self,
        request: Request,
        group: str,
        pinned: Endpoint | None = None,
        subject: str = "",
        flow: str = "",
    ) -> "Deferred[RadiusOutcome]":
        outcome = super().ask(request, group, pinned, subject, flow)
        self._since.setdefault(self._machine._count, self._process.world.monotonic())
        outcome.addBoth(self._over)
        return outcome

    def _over(self, outcome: RadiusOutcome) -> RadiusOutcome:
        self.ended += 1
        return outcome

    @property
    def sockets(self) -> list[SimulatedSocket]:
        return list(self._sockets.values())

    def die(self) -> None:
        """Its process is gone: nobody is told anything."""
        self._stopped = True
        for socket in self.sockets:
            socket.close()

    def check(self) -> None:
        """After every event of the process."""
        machine, now = self._machine, self._process.world.monotonic()
        self._since = {number: since for number, since in self._since.items() if number in self._pending}
        if len(self._pending) != machine.asking + machine.waiting:
            seen = f"{len(self._pending)} are open, {machine.asking} asked, {machine.waiting} wait"
            raise Violation("every question ends", f"{self._process.name}: {seen}")
        for number, since in self._since.items():
            if now - since > self._longest + LATE:
                seen = f"{self._process.name}: question {number} is open for {now - since:.1f} s"
                raise Violation("every question ends", seen)
        servers = self._machine._servers
        self._flying = {
            place: octets
            for place, octets in self._flying.items()
            if place[1] in servers[place[0]].outstanding
        }
        for server in servers.values():
            asked = sum(not exchange.is_probe for exchange in server.outstanding.values())
            if asked > server.configured.max_outstanding:
                raise Violation("servers have no more than they take", f"{server.name} has {asked}")

    def states(self) -> dict[Endpoint, tuple[object, ...]]:
        """What nothing that is forged may change."""
        return {
            endpoint: (server.state, server.heard_at, server.retry_at, server._signs, len(server.outstanding))
            for endpoint, server in self._machine._servers.items()
        }

    def in_flight(self) -> list[tuple[SimulatedSocket, Endpoint, Code, bytes]]:
        """Requests that wait for an answer: our socket, whom it asked, what, and the octets."""
        found = []
        for (server, slot), octets in self._flying.items():
            exchange = self._machine._servers[server].outstanding.get(slot)
            if exchange is not None and exchange.datagram == octets:
                found.append((self._sockets[slot // 256], server, exchange.request.code, octets))
        return found

    def _socket(self, number: int) -> SimulatedSocket:  # type: ignore[override]
        socket = self._sockets.get(number)
        if socket is None:
            socket = SimulatedSocket(
                self._process,
                next(self._ports),
                lambda batch: self._datagrams_received(number, batch),
                self._peer_unreachable,
            )
            socket.leaves = lambda payload, to: self._notice(number, payload, to)
            self._sockets[number] = socket
        return socket

    def _notice(self, number: int, payload: bytes, to: Endpoint) -> None:
        identifier = identifier_of(payload)
        assert identifier is not None
        place = to, slot_of(number, identifier)
        former = self._flying.get(place)
        if former not in (None, payload) and place[1] in self._machine._servers[to].outstanding:
            raise Violation("an identifier is one request's", f"{self._process.name} to {to}: {identifier}")
        self._flying[place] = payload
