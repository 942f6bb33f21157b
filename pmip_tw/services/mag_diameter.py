"""A MAG's part in Diameter: access and accounting, as far as it is configured, and what servers ask of its sessions."""

from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred
from twisted.internet.posixbase import PosixReactorBase

from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.profiles.rules import ProfileRules
from pmip_tw.addresses import Ipv4
from pmip_tw.agents.rows.tables import Row
from pmip_tw.config.settings.diameter import DiameterSettings
from pmip_tw.interfaces import IClock, IObserver, ISessions
from pmip_tw.net.diameter_accounting import DiameterAccountingServers
from pmip_tw.net.diameter_authenticator import DiameterAuthenticator
from pmip_tw.net.diameter_requests import DiameterRequests
from pmip_tw.services.diameter import asker_of, diameter_client_of


class MagDiameter:
    """``authenticator``, ``accounting``: None where ``purposes`` leaves it to others."""

    def __init__(
        self,
        table: DiameterSettings,
        nas: Nas,
        rules: ProfileRules,
        reactor: PosixReactorBase,
        clock: IClock,
        observer: IObserver,
        local: Ipv4,
    ) -> None:
        self._client = diameter_client_of(table, nas, reactor, clock, observer, local)
        asker = asker_of(table, self._client, nas)
        self.authenticator = (
            DiameterAuthenticator(self._client, asker, rules) if "authentication" in table.purposes else None
        )
        self.accounting = (
            DiameterAccountingServers(self._client, asker) if "accounting" in table.purposes else None
        )

    def act_upon(self, sessions: ISessions) -> None:
        """What servers ask for is done to these."""
        DiameterRequests(self._client, sessions)

    def tables(self) -> dict[str, Callable[[], Sequence[Row]]]:
        """What ``pmipctl show peers`` shows."""
        return {"peers": lambda: [dict(row) for row in self._client.peers()]}

    def start(self) -> None:
        self._client.start()

    def stop(self) -> "Deferred[None]":
        return self._client.stop()
