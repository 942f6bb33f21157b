"""How an LMA is wired to those who take its accounting."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import attrs
from twisted.internet.posixbase import PosixReactorBase

from pmip_tw.aaa.accounting.request import Accountant, Dialect
from pmip_tw.aaa.accounting.sessions import Sessions
from pmip_tw.agents.accounting_at_lma import AccountingAtLma
from pmip_tw.agents.rows.tables import Row
from pmip_tw.agents.session_book import IPages, SessionBook
from pmip_tw.config.settings.lma import LmaSettings
from pmip_tw.interfaces import IAccountingServers, IClock, IForwardingPlane, IObserver
from pmip_tw.lma.engine import LmaEngine
from pmip_tw.mobility.tunnels import AnchorKey
from pmip_tw.net.radius_accounting import RadiusAccountingServers
from pmip_tw.net.radius_client import RadiusClient
from pmip_tw.services.accounting import accounting_by
from pmip_tw.services.lma_aaa import nas_of
from pmip_tw.services.radius import radius_client_of

if TYPE_CHECKING:
    from pmip_tw.services.lma_diameter import LmaDiameter


@attrs.frozen
class LmaAccounting:
    """``book``: for the LMA's agent. A part of the daemon: its servers are asked until everything else has stopped."""

    book: SessionBook
    tables: dict[str, Callable[[], Sequence[Row]]]
    client: RadiusClient | None
    """None: Diameter's has another part of the daemon to start and stop it."""

    def start(self) -> None:
        """The agent starts what it has."""

    def stop(self) -> None:
        if self.client is not None:
            self.client.stop()


def lma_accounting_of(
    settings: LmaSettings,
    diameter: "LmaDiameter | None",
    reactor: PosixReactorBase,
    clock: IClock,
    forwarding: IForwardingPlane,
    observer: IObserver,
) -> LmaAccounting | None:
    """None: AAA is told nothing. Who is asked for keys is another client's business, with other ports."""
    table = settings.accounting
    if not table.enabled:
        return None
    client: RadiusClient | None = None
    servers: IAccountingServers
    if diameter is not None and diameter.accounting is not None:
        servers = diameter.accounting
    elif settings.radius is not None:
        those = settings.radius.only("accounting")
        client = radius_client_of(those, nas_of(settings), reactor, clock, observer, settings.address)
        accountant = Accountant(nas=nas_of(settings), dialect=Dialect(table.attributes))
        servers = RadiusAccountingServers(client, accountant)
    else:
        return None
    made = accounting_by(
        servers,
        table,
        reactor,
        forwarding,
        observer,
        Sessions[AnchorKey](interim_interval=table.interim_interval, on_off=table.on_off),
    )
    book = SessionBook(made.accounts, settings.address, clock, settings.workers)
    tables = made.tables
    if settings.workers > 1:
        tables = {"accounting": lambda: book.rows(made.tables["accounting"]())}
    return LmaAccounting(book, tables, client)


def accounting_at(engine: LmaEngine, settings: LmaSettings, pages: IPages) -> AccountingAtLma:
    """What a worker's agent does with its pages of the book."""
    return AccountingAtLma(engine, pages, by_technology=settings.binding_key == "nai+tech")
