"""How a MAG's process is wired to RADIUS, as services/ does it."""

from typing import TYPE_CHECKING

from pmip_tw.aaa.accounting.request import Accountant
from pmip_tw.aaa.mac_authentication import mac_request
from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.radius.outcome import ACCOUNTING, AUTHENTICATION, Answered, RadiusOutcome
from pmip_tw.addresses import Mac
from pmip_tw.agents.accounts import Accounts
from pmip_tw.interfaces import ISessions
from pmip_tw.mag.visitors import State
from pmip_tw.mobility.tunnels import AccessKey
from pmip_tw.net.radius import RadiusAuthenticator
from tests.agents.world import GATEWAY_MAC, PORT
from tests.simulation import state
from tests.simulation.radius.accounts import AccountsKept
from tests.simulation.radius.authorization import SimulatedAuthorization
from tests.simulation.radius.client import WatchedClient, settings_of
from tests.simulation.radius.house import House
from tests.simulation.radius.proxy import SimulatedAccessPoints

if TYPE_CHECKING:
    from tests.simulation.machines import MagMachine


class RadiusAtMag:
    """Of one process. ``outcomes``: of questions that nobody but the test had."""

    def __init__(self, house: House, machine: "MagMachine") -> None:
        self._house = house
        self.authorization: SimulatedAuthorization | None = None
        self._machine = machine
        self.nas = Nas(identifier=machine.name, address=machine.address)
        groups = (AUTHENTICATION, ACCOUNTING) if house.settings.accounting else (AUTHENTICATION,)
        self.client = WatchedClient(machine, settings_of(house.settings, *groups), machine.ledger)
        self.authenticator = RadiusAuthenticator(self.client, self.nas, station=GATEWAY_MAC)
        self.outcomes: list[RadiusOutcome] = []
        self.kept: AccountsKept[AccessKey] | None = None
        self.accounts: Accounts[AccessKey] | None = None
        self.access_points: SimulatedAccessPoints | None = None
        points = machine.world.points
        if points:
            self.access_points = SimulatedAccessPoints(machine, points[machine.number], self.client, self.nas)
        if house.settings.accounting:
            self.kept = AccountsKept(
                machine, self.client, Accountant(nas=self.nas, called_station=GATEWAY_MAC)
            )
            self.accounts = self.kept.accounts

    def started(self, sessions: ISessions) -> None:
        """The agent runs."""
        self.authorization = SimulatedAuthorization(self._machine, sessions, self.nas)
        self.authorization.start()

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
        if self.access_points is not None:
            self.access_points.disconnects.check()
        self._house.admissions.check(self._machine)
        self._machine.aaa_moved.sessions.update(
            visitor.accounting_id
            for visitor in state.visitors(self._machine)
            if visitor.state is State.REGISTERED
        )

    def die(self) -> None:
        self.client.die()
        if self.authorization is not None:
            self.authorization.stop()
        if self.access_points is not None:
            self.access_points.die()
        if self.kept is not None:
            self.kept.die()
