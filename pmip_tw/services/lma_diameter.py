"""An LMA's part in Diameter: keys of nodes, as far as it is configured for them."""

from collections.abc import Callable, Sequence

from msgspec import Struct
from twisted.internet.defer import Deferred
from twisted.internet.posixbase import PosixReactorBase

from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.profiles.rules import ProfileRules
from pmip_tw.agents.brought_at_lma import BroughtToLma, RepliesForAaa
from pmip_tw.agents.diameter_roads import DiameterThroughWorker0
from pmip_tw.agents.lma import Lma
from pmip_tw.agents.rows.tables import Row
from pmip_tw.config.settings.diameter import LmaDiameterSettings
from pmip_tw.interfaces import IClock, IDiameterClient, IObserver, ISessions, ISignalling
from pmip_tw.net.diameter import DiameterClient
from pmip_tw.net.diameter_accounting import DiameterAccountingServers
from pmip_tw.net.diameter_home_agent import DiameterHomeAgent
from pmip_tw.net.diameter_node_keys import DiameterNodeKeys
from pmip_tw.services.diameter import asker_of, diameter_client_of, identity_of
from pmip_tw.services.lma_aaa import proves_requests


class LmaDiameter:
    """``node_keys``, ``accounting``: None where ``purposes`` leaves it to others."""

    def __init__(
        self, table: LmaDiameterSettings, nas: Nas, rules: ProfileRules, client: IDiameterClient
    ) -> None:
        self._client = client
        self._asker = asker = asker_of(table, client, nas)
        self._mobile_ipv4 = proves_requests(table)
        self._replies: RepliesForAaa | None = None
        self._home_agent: DiameterHomeAgent | None = None
        self.node_keys = (
            DiameterNodeKeys(client, asker, rules, mobile_ipv4=self._mobile_ipv4)
            if "authentication" in table.purposes
            else None
        )
        self.accounting = DiameterAccountingServers(client, asker) if "accounting" in table.purposes else None

    def hearing(self, signalling: ISignalling) -> ISignalling:
        """Of the agent that this one brings registrations to, if it does (RFC 4004)."""
        if not self._mobile_ipv4:
            return signalling
        self._replies = RepliesForAaa(signalling)
        return self._replies

    def serve(self, agent: Lma, sessions: ISessions, reactor: PosixReactorBase, clock: IClock) -> None:
        """Servers may bring registrations to ``agent``, whose ``sessions`` they may end."""
        if self._replies is not None:
            home_agent = BroughtToLma(agent.keys.bring, self._replies)
            self._home_agent = DiameterHomeAgent(
                self._client, self._asker, home_agent, sessions, self._asker.nas.address, reactor, clock
            )

    def tables(self) -> dict[str, Callable[[], Sequence[Row]]]:
        """What ``pmipctl show peers`` shows."""
        return {"peers": lambda: [dict(row) for row in self._client.peers()]}

    def start(self) -> None:
        self._client.start()

    def stop(self) -> "Deferred[None]":
        if self._home_agent is not None:
            self._home_agent.stop()
        return self._client.stop()


def through_worker_0(
    table: LmaDiameterSettings, nas: Nas, worker: int, clock: IClock, send: Callable[[Struct], None]
) -> DiameterThroughWorker0:
    """The client of another worker; ``send`` leads to worker 0."""
    now = clock.now()
    return DiameterThroughWorker0(identity_of(table, nas, int(now.wall)), worker, now, send)


def connected(
    table: LmaDiameterSettings,
    nas: Nas,
    reactor: PosixReactorBase,
    clock: IClock,
    observer: IObserver,
) -> DiameterClient:
    """The client of one process, or of worker 0, which has the connections."""
    return diameter_client_of(table, nas, reactor, clock, observer, nas.address)
