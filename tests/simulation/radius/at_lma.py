"""How an LMA's process is wired to RADIUS, as services/ does it: it accounts, and AAA acts upon its sessions."""

from typing import TYPE_CHECKING

from pmip_tw.aaa.accounting.request import VIRTUAL, Accountant
from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.radius.outcome import ACCOUNTING
from pmip_tw.agents.accounting_at_lma import AccountingAtLma
from pmip_tw.agents.session_book import SessionBook
from pmip_tw.interfaces import ISessions
from pmip_tw.lma.engine import LmaEngine
from pmip_tw.mobility.tunnels import AnchorKey
from tests.simulation.radius.accounts import AccountsKept
from tests.simulation.radius.authorization import SimulatedAuthorization
from tests.simulation.radius.client import WatchedClient, settings_of
from tests.simulation.radius.house import House

if TYPE_CHECKING:
    from tests.simulation.machines import LmaMachine


class RadiusAtLma:
    """Of one process. ``kept.accounts`` is for its agent."""

    def __init__(self, house: House, machine: "LmaMachine", engine: LmaEngine) -> None:
        self._machine = machine
        self._nas = Nas(identifier=machine.name, address=machine.address)
        self.client = WatchedClient(machine, settings_of(house.settings, ACCOUNTING), machine.ledger)
        self.kept: AccountsKept[AnchorKey] = AccountsKept(machine, self.client, Accountant(nas=self._nas))
        book = SessionBook(self.kept.accounts, machine.address, machine.clock)
        self.accounting = AccountingAtLma(engine, book.pages())
        self.authorization: SimulatedAuthorization | None = None

    def started(self, sessions: ISessions) -> None:
        """The agent runs."""
        self.authorization = SimulatedAuthorization(self._machine, sessions, self._nas, port_type=VIRTUAL)
        self.authorization.start()

    def check(self) -> None:
        self.client.check()

    def die(self) -> None:
        self.client.die()
        self.kept.die()
        if self.authorization is not None:
            self.authorization.stop()
