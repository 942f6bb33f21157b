"""A MAG's edge to its access points: the real one, on sockets of the simulated network."""

from functools import partial
from typing import TYPE_CHECKING

from pmip_tw.aaa.eap_authentication import eap_verdict
from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.profiles.rules import ProfileRules
from pmip_tw.aaa.proxy.access_points import AccessPoint as Configured
from pmip_tw.aaa.proxy.access_points import ProxySettings
from pmip_tw.aaa.radius.configuration import RadiusServer, RadiusSettings, ServerGroup, StatusServer
from pmip_tw.addresses import Endpoint
from pmip_tw.interfaces import IAccessPointsReceiver
from pmip_tw.net.access_points import RadiusAccessPoints
from tests.agents.world import PORT
from tests.simulation.ledger import Elsewhere
from tests.simulation.radius.access_points import DISCONNECT_PORT, PORTS, SECRET_OF_POINT
from tests.simulation.radius.client import WatchedClient
from tests.simulation.radius.sockets import SimulatedPort, Timers

if TYPE_CHECKING:
    from tests.simulation.machines import MagMachine
    from tests.simulation.radius.access_points import AccessPoint

_OTHER_PORTS = 30


class SimulatedAccessPoints(RadiusAccessPoints):
    """Of one process of ``machine``, to which ``points`` belong."""

    def __init__(
        self, machine: "MagMachine", points: list["AccessPoint"], servers: WatchedClient, nas: Nas
    ) -> None:
        observer = Elsewhere(machine.ledger)
        configured = tuple(
            Configured(
                address=point.address,
                secret=SECRET_OF_POINT,
                port=PORT,
                disconnect_port=DISCONNECT_PORT,
            )
            for point in points
        )
        self.disconnects = WatchedClient(machine, _disconnects(points), observer, _OTHER_PORTS)
        super().__init__(
            Timers(machine),  # type: ignore[arg-type]
            machine.clock,
            ProxySettings(access_points=configured, nas=nas),
            observer,
            servers=servers,
            access_points=self.disconnects,
            read=lambda station, outcome: eap_verdict(outcome, ProfileRules()),
            local=machine.address,
            ports=PORTS,
        )
        self._process = machine

    def start(self, receiver: IAccessPointsReceiver) -> None:
        self._receiver = receiver
        for group, port in self._ports.items():
            hear = partial(self._heard, group)
            self._sockets[group] = SimulatedPort(self._process, port, hear=hear, run=self._run)

    def die(self) -> None:
        """Its process is gone."""
        for socket in self._sockets.values():
            socket.close()
        self.disconnects.die()


def _disconnects(points: list["AccessPoint"]) -> RadiusSettings:
    groups = []
    for point in points:
        endpoint = Endpoint(point.address, DISCONNECT_PORT)
        server = RadiusServer(endpoint=endpoint, secret=SECRET_OF_POINT, status_server=StatusServer.NO)
        groups.append(ServerGroup(name=str(endpoint), servers=(server,)))
    return RadiusSettings(groups=tuple(groups), timeout=1.0)
