"""How a MAG is wired to AAA."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.internet.posixbase import PosixReactorBase

from pmip_tw.aaa.local_users import LocalUsers
from pmip_tw.aaa.mac_authentication import MacFormat
from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.aaa.profiles.rules import ProfileRules, RealmDefaults
from pmip_tw.addresses import UNSPECIFIED, Ipv4
from pmip_tw.config.settings.mag import MagSettings, User
from pmip_tw.config.settings.profile import RealmProfile
from pmip_tw.interfaces import IAuthenticator, IClock, IObserver, IRadiusClient
from pmip_tw.net.local_authenticator import LocalAuthenticator
from pmip_tw.net.radius import RadiusAuthenticator
from pmip_tw.net.radius_client import RadiusClient
from pmip_tw.services.radius import radius_client_of

if TYPE_CHECKING:
    from pmip_tw.services.mag_diameter import MagDiameter


Address = Callable[[], Ipv4]
"""The MAG's own at the moment, as AAA is to know it; None where it is always the same."""


def radius_of(
    settings: MagSettings,
    reactor: PosixReactorBase,
    clock: IClock,
    observer: IObserver,
    address: Address | None = None,
) -> RadiusClient | None:
    """The client of all that a MAG asks RADIUS servers; None if it has none."""
    if settings.radius is None:
        return None
    nas, local = nas_of(settings), _local(settings)
    return radius_client_of(settings.radius, nas, reactor, clock, observer, local, address)


def nas_of(settings: MagSettings) -> Nas:
    """Who we are towards AAA."""
    return Nas(identifier=settings.identity, address=settings.address)


def diameter_of(
    settings: MagSettings, reactor: PosixReactorBase, clock: IClock, observer: IObserver
) -> "MagDiameter | None":
    """None without [mag.diameter]."""
    if settings.diameter is None:
        return None
    from pmip_tw.services.mag_diameter import MagDiameter  # its library takes a while  # noqa: PLC0415

    rules = profile_rules_of(settings)
    return MagDiameter(settings.diameter, nas_of(settings), rules, reactor, clock, observer, _local(settings))


def _local(settings: MagSettings) -> Ipv4:
    """To ask from: whatever address the machine has, if that may change."""
    return UNSPECIFIED if settings.uplink else settings.address


def authenticator_of(
    settings: MagSettings,
    radius: IRadiusClient | None,
    diameter: "MagDiameter | None" = None,
    address: Address | None = None,
) -> IAuthenticator:
    """The servers that are there for it, else the user file."""
    if diameter is not None and diameter.authenticator is not None:
        return diameter.authenticator
    if radius is None or settings.radius is None:
        return LocalAuthenticator(LocalUsers((user.mac, profile_of(user)) for user in settings.users))
    return RadiusAuthenticator(
        radius,
        nas_of(settings),
        mac_format=MacFormat(settings.radius.mac_format),
        station=settings.gateway_mac,
        rules=profile_rules_of(settings),
        address=address,
    )


def profile_rules_of(settings: MagSettings) -> ProfileRules:
    """What [mag.profile] says, default_realm, and the file of users."""
    table = settings.profile
    users = settings.users if "users" in table.precedence else ()
    asked = settings.diameter if settings.radius is None else settings.radius
    mac_format = MacFormat.DASHES if asked is None else MacFormat(asked.mac_format)
    return ProfileRules(
        users={user.nai: profile_of(user) for user in users},
        names={mac_format.write(user.mac): user.nai for user in users},
        precedence=table.precedence,
        realms={
            realm.lower(): defaults
            for entry in table.realms
            for defaults in [_defaults_of(entry)]
            for realm in entry.realms
        },
        default_realm=settings.default_realm,
        visited=table.visited,
    )


def _defaults_of(entry: RealmProfile) -> RealmDefaults:
    return RealmDefaults(
        lmas=entry.lmas,
        dhcp_server=entry.dhcp_server,
        name_servers=entry.dns,
        lifetime=entry.lifetime,
        session_timeout=entry.session_timeout,
        idle_timeout=entry.idle_timeout,
        interim_interval=entry.interim_interval,
        algorithm=entry.algorithm,
    )


def profile_of(user: User) -> Profile:
    return Profile(
        nai=user.nai,
        lmas=user.preferred,
        mn_ha=user.association,
        mn_aaa=user.aaa_association,
        home_address=user.home_address,
        session_timeout=user.session_timeout,
    )
