"""An LMA's part in Diameter: keys of nodes, as far as it is configured for them."""

from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred
from twisted.internet.posixbase import PosixReactorBase

from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.profiles.rules import ProfileRules
from pmip_tw.agents.rows.tables import Row
from pmip_tw.config.settings.diameter import LmaDiameterSettings
from pmip_tw.interfaces import IClock, IObserver
from pmip_tw.net.diameter_accounting import DiameterAccountingServers
from pmip_tw.net.diameter_node_keys import DiameterNodeKeys
from pmip_tw.services.diameter import asker_of, diameter_client_of


class LmaDiameter:
    """``node_keys``, ``accounting``: None where ``purposes`` leaves it to others."""

    def __init__(
        self,
        table: LmaDiameterSettings,
        nas: Nas,
        rules: ProfileRules,
        reactor: PosixReactorBase,
        clock: IClock,
        observer: IObserver,
    ) -> None:
        self._client = diameter_client_of(table, nas, reactor, clock, observer, nas.address)
        asker = asker_of(table, self._client, nas)
        self.node_keys = (
            DiameterNodeKeys(self._client, asker, rules, mobile_ipv4=table.mobile_ipv4)
            if "authentication" in table.purposes
            else None
        )
        self.accounting = (
            DiameterAccountingServers(self._client, asker) if "accounting" in table.purposes else None
        )

    def tables(self) -> dict[str, Callable[[], Sequence[Row]]]:
        """What ``pmipctl show peers`` shows."""
        return {"peers": lambda: [dict(row) for row in self._client.peers()]}

    def start(self) -> None:
        self._client.start()

    def stop(self) -> "Deferred[None]":
        return self._client.stop()
