"""How a MAG is wired to access points that authenticate by themselves (AA27)."""

from collections.abc import Callable, Sequence

from twisted.internet.posixbase import PosixReactorBase

from pmip_tw.aaa.eap_authentication import eap_verdict
from pmip_tw.aaa.mac_authentication import MacFormat
from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.profiles.radius_mapping import verdict_of
from pmip_tw.aaa.proxy.access_points import AccessPoint, ProxySettings
from pmip_tw.aaa.proxy.admitting import Reading
from pmip_tw.aaa.radius.configuration import (
    RadiusServer,
    RadiusSettings,
    RequireSignature,
    ServerGroup,
    StatusServer,
)
from pmip_tw.aaa.radius.outcome import Answered
from pmip_tw.aaa.verdicts import Verdict
from pmip_tw.addresses import UNSPECIFIED, Endpoint, Mac
from pmip_tw.agents.rows.tables import Row
from pmip_tw.config.settings.mag import MagSettings
from pmip_tw.config.settings.radius_proxy import RadiusProxySettings
from pmip_tw.interfaces import IClock, IObserver, IRadiusClient
from pmip_tw.net.access_points import RadiusAccessPoints
from pmip_tw.net.radius_client import RadiusClient
from pmip_tw.services.mag_aaa import Address, nas_of, profile_rules_of


def access_points_of(
    settings: MagSettings,
    radius: IRadiusClient | None,
    reactor: PosixReactorBase,
    clock: IClock,
    observer: IObserver,
    address: Address | None = None,
) -> RadiusAccessPoints | None:
    """Those of ``[mag.radius_proxy]``, which ask the servers of ``radius``; None if there are none."""
    table = settings.radius_proxy
    if table is None or radius is None:
        return None
    # With uplink the address may change: then the one that they ask at answers them, whichever it is.
    local = table.address or (UNSPECIFIED if settings.uplink else settings.address)
    return RadiusAccessPoints(
        reactor,
        clock,
        proxy_settings_of(table, nas_of(settings)),
        observer,
        servers=radius,
        access_points=RadiusClient(
            reactor, clock, disconnects_of(table, settings), observer, local, address=address
        ),
        read=reading_of(settings),
        local=local,
        ports=(table.port, table.accounting_port),
        address=address,
    )


def proxy_settings_of(table: RadiusProxySettings, nas: Nas) -> ProxySettings:
    """``nas``: who we are."""
    return ProxySettings(
        access_points=tuple(
            AccessPoint(
                address=client.address,
                secret=client.secret,
                port=client.interface,
                require_message_authenticator=RequireSignature(client.require_message_authenticator),
                disconnect_port=client.disconnect_port,
            )
            for client in table.clients
        ),
        nas=nas,
        as_access_point=table.nas == "access-point",
        forward_accounting=table.forward_accounting,
    )


def disconnects_of(table: RadiusProxySettings, settings: MagSettings) -> RadiusSettings:
    """Access points as servers, of what they are told to do: each is a group by itself, as nobody else can do it."""
    groups = []
    for client in table.clients:
        if client.disconnect_port:
            endpoint = Endpoint(client.address, client.disconnect_port)
            server = RadiusServer(endpoint=endpoint, secret=client.secret, status_server=StatusServer.NO)
            groups.append(ServerGroup(name=str(endpoint), servers=(server,)))
    return RadiusSettings(groups=tuple(groups), nas=nas_of(settings))


def reading_of(settings: MagSettings) -> Reading:
    """How an Access-Accept is understood: as those for nodes about which the MAG asks itself."""
    rules = profile_rules_of(settings)
    mac_format = MacFormat(settings.radius.mac_format) if settings.radius else MacFormat.DASHES

    def read(station: Mac | None, outcome: Answered) -> Verdict:
        if station is None:
            return eap_verdict(outcome, rules)
        name = mac_format.write(station)
        return verdict_of(outcome.answer, outcome.cipher, user_name=name, rules=rules)

    return read


def access_point_tables(access_points: RadiusAccessPoints | None) -> dict[str, Callable[[], Sequence[Row]]]:
    """What ``pmipctl show access-points`` shows; nothing where there are none."""
    return (
        {}
        if access_points is None
        else {"access-points": lambda: [dict(row) for row in access_points.rows()]}
    )
