"""How either role is wired to those by whom AAA may act on its sessions, and which filters they may name."""

from collections.abc import Callable, Iterable, Mapping

from twisted.internet.posixbase import PosixReactorBase

from pmip_tw.aaa.accounting.request import VIRTUAL
from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.radius.authorization_server import AuthorizationPolicy
from pmip_tw.addresses import Ipv4
from pmip_tw.config.settings.dynamic_authorization import DynamicAuthorizationSettings, Filter
from pmip_tw.config.settings.lma import LmaSettings
from pmip_tw.interfaces import IClock, IObserver, ISessions
from pmip_tw.mobility.packet_filters import PacketFilter
from pmip_tw.net.dynamic_authorization import DynamicAuthorization
from pmip_tw.services.daemon import Part
from pmip_tw.wire.radius import ETHERNET


def filters_of(settings: Iterable[Filter]) -> Mapping[str, PacketFilter]:
    """By name."""
    return {one.name: one.compiled for one in settings}


def lma_authorization_of(
    settings: LmaSettings,
    sessions: ISessions,
    *,
    reactor: PosixReactorBase,
    clock: IClock,
    observer: IObserver,
) -> tuple[Part, ...]:
    """The same of an LMA, whose address is always the same."""
    return dynamic_authorization_of(
        settings.dynamic_authorization,
        sessions,
        identity=settings.identity,
        address=lambda: settings.address,
        local=settings.address,
        port_type=VIRTUAL,
        reactor=reactor,
        clock=clock,
        observer=observer,
    )


def dynamic_authorization_of(
    settings: DynamicAuthorizationSettings | None,
    sessions: ISessions,
    *,
    identity: str,
    address: Callable[[], Ipv4],
    local: Ipv4,
    port_type: int = ETHERNET,
    reactor: PosixReactorBase,
    clock: IClock,
    observer: IObserver,
) -> tuple[Part, ...]:
    """Nothing where nobody may ask. ``address``: ours at the moment, as AAA knows it; ``local``: where to listen."""
    if settings is None:
        return ()
    policy = AuthorizationPolicy(
        clients={client.address: client.secret for client in settings.clients},
        nas=Nas(identifier=identity, address=address()),
        port_type=port_type,
        window=settings.window,
        ahead=settings.ahead,
        require_event_timestamp=settings.require_event_timestamp,
        require_message_authenticator=settings.require_message_authenticator,
    )
    edge = DynamicAuthorization(
        reactor, clock, policy, sessions, observer, local=local, port=settings.port, address=address
    )
    return (edge,)
