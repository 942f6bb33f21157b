"""How the accounting of one process is wired, as services/ does it: packet plane, sessions, spool, servers."""

import random
from typing import TYPE_CHECKING, Generic, TypeVar

from pmip_tw.aaa.accounting.queue import AccountingQueue
from pmip_tw.aaa.accounting.request import Accountant
from pmip_tw.aaa.accounting.sessions import Sessions
from pmip_tw.agents.accounts import Accounts
from pmip_tw.agents.spooling import Spooling
from pmip_tw.mobility.tunnels import AccessKey, AnchorKey
from pmip_tw.net.radius_accounting import RadiusAccountingServers
from tests.simulation.radius.client import WatchedClient
from tests.simulation.radius.spool import FusedSpool

if TYPE_CHECKING:
    from tests.simulation.machines import Machine

INTERIM, KEEP = 60.0, 5.0
"""Seconds between two Interims, and after which what was moved is written down."""

_PLENTY = 1 << 20

Key = TypeVar("Key", AccessKey, AnchorKey)


class AccountsKept(Generic[Key]):
    """Of one process of ``machine``; ``accounts``, for its agent."""

    def __init__(self, machine: "Machine", client: WatchedClient, accountant: Accountant) -> None:
        chance = random.Random(f"{machine.world.scenario.seed}/{machine.name}/spool/{machine.life}")
        self._spool = FusedSpool(machine, chance)
        self._spooling = Spooling(
            AccountingQueue(most_octets=_PLENTY),
            self._spool,
            RadiusAccountingServers(client, accountant),
            machine.clock,
            [machine.ledger],
        )
        self.accounts: Accounts[Key] = Accounts(
            Sessions(interim_interval=INTERIM, keep_interval=KEEP),
            self._spooling,
            machine.plane,
            machine.clock,
        )

    @property
    def waiting(self) -> int:
        """How many records nobody has taken yet."""
        return int(str(self._spooling.rows()[0]["waiting"]))

    def die(self) -> None:
        self._spool.crash()
