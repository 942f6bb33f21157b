"""How a MAG's process is wired to RADIUS, as services/ does it."""

from typing import TYPE_CHECKING

from pmip_tw.aaa.mac_authentication import mac_request
from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.radius.outcome import AUTHENTICATION, Answered, RadiusOutcome
from pmip_tw.addresses import Mac
from pmip_tw.net.radius import RadiusAuthenticator
from tests.agents.world import GATEWAY_MAC, PORT
from tests.simulation.radius.client import WatchedClient, settings_of
from tests.simulation.radius.house import House

if TYPE_CHECKING:
    from tests.simulation.machines import MagMachine


class RadiusAtMag:
    """Of one process. ``outcomes``: of questions that nobody but the test had."""

    def __init__(self, house: House, machine: "MagMachine") -> None:
        self._house = house
        self._machine = machine
        self.nas = Nas(identifier=machine.name, address=machine.address)
        self.client = WatchedClient(machine, settings_of(house.settings, AUTHENTICATION), machine.ledger)
        self.authenticator = RadiusAuthenticator(self.client, self.nas, station=GATEWAY_MAC)
        self.outcomes: list[RadiusOutcome] = []

    def ask(self, who: Mac, flow: str = "") -> None:
        """A question of nobody's."""
        request = mac_request(who, PORT, self.nas)
        outcome = self.client.ask(request, AUTHENTICATION, subject="somebody", flow=flow)
        outcome.addCallback(self.outcomes.append)

    @property
    def answers(self) -> int:
        return sum(isinstance(outcome, Answered) for outcome in self.outcomes)

    def check(self) -> None:
        self.client.check()
        self._house.admissions.check(self._machine)

    def die(self) -> None:
        self.client.die()
