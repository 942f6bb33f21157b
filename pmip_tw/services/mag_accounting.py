"""How a MAG is wired to those who take its accounting."""

from twisted.internet.posixbase import PosixReactorBase

from pmip_tw.aaa.accounting_request import Accountant, Dialect
from pmip_tw.aaa.accounting_sessions import Sessions
from pmip_tw.config.mag_settings import MagSettings
from pmip_tw.interfaces import IForwardingPlane, IObserver, IRadiusClient
from pmip_tw.mobility.tunnels import AccessKey
from pmip_tw.net.radius_accounting import RadiusAccountingServers
from pmip_tw.services.accounting import Accounting, accounting_by
from pmip_tw.services.mag_aaa import nas_of

KEEP_INTERVAL = 60.0
"""Seconds: a crash loses no more of what was moved."""


def mag_accounting_of(
    settings: MagSettings,
    radius: IRadiusClient | None,
    reactor: PosixReactorBase,
    forwarding: IForwardingPlane,
    observer: IObserver,
) -> Accounting[AccessKey] | None:
    """None: AAA is told nothing."""
    table = settings.accounting
    if not table.enabled or radius is None:
        return None
    accountant = Accountant(
        nas=nas_of(settings), dialect=Dialect(table.attributes), called_station=settings.gateway_mac
    )
    return accounting_by(
        RadiusAccountingServers(radius, accountant),
        table,
        reactor,
        forwarding,
        observer,
        Sessions[AccessKey](interim_interval=table.interim_interval, keep_interval=KEEP_INTERVAL),
    )
