"""How a MAG is wired to those who take its accounting."""

from typing import TYPE_CHECKING

from twisted.internet.posixbase import PosixReactorBase

from pmip_tw.aaa.accounting.request import Accountant, Dialect
from pmip_tw.aaa.accounting.sessions import Sessions
from pmip_tw.config.settings.mag import MagSettings
from pmip_tw.interfaces import IAccountingServers, IForwardingPlane, IObserver, IRadiusClient
from pmip_tw.mobility.tunnels import AccessKey
from pmip_tw.net.radius_accounting import RadiusAccountingServers
from pmip_tw.services.accounting import Accounting, accounting_by
from pmip_tw.services.mag_aaa import Address, nas_of

if TYPE_CHECKING:
    from pmip_tw.services.mag_diameter import MagDiameter

KEEP_INTERVAL = 60.0
"""Seconds: a crash loses no more of what was moved."""


def mag_accounting_of(
    settings: MagSettings,
    radius: IRadiusClient | None,
    diameter: "MagDiameter | None",
    reactor: PosixReactorBase,
    forwarding: IForwardingPlane,
    observer: IObserver,
    address: Address | None = None,
) -> Accounting[AccessKey] | None:
    """None: AAA is told nothing."""
    table = settings.accounting
    servers = _servers_of(settings, radius, diameter, address)
    if not table.enabled or servers is None:
        return None
    return accounting_by(
        servers,
        table,
        reactor,
        forwarding,
        observer,
        Sessions[AccessKey](
            interim_interval=table.interim_interval, keep_interval=KEEP_INTERVAL, on_off=table.on_off
        ),
    )


def _servers_of(
    settings: MagSettings,
    radius: IRadiusClient | None,
    diameter: "MagDiameter | None",
    address: Address | None,
) -> IAccountingServers | None:
    if diameter is not None and diameter.accounting is not None:
        return diameter.accounting
    if radius is None:
        return None
    dialect = Dialect(settings.accounting.attributes)
    accountant = Accountant(nas=nas_of(settings), dialect=dialect, called_station=settings.gateway_mac)
    return RadiusAccountingServers(radius, accountant, address=address)
