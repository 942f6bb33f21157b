"""The settings of a MAG as typed values; names and defaults are those that ``conf/mag.toml`` explains.

All durations are seconds. Nothing here looks at the machine: an interface need not exist to be named.
"""

from pathlib import Path
from typing import Annotated, Literal

import attrs

from pmip_tw.aaa.key_hierarchy import MobilityKeys
from pmip_tw.addresses import UNSPECIFIED, Ipv4, Mac, Prefix
from pmip_tw.config.limits import (
    MOST_NAME_SERVERS,
    AaaSpi,
    AtMost,
    InterfaceName,
    Realm,
    Station,
    Within,
)
from pmip_tw.config.settings.accounting import MagAccounting
from pmip_tw.config.settings.dhcp_relay import MagDhcpRelay
from pmip_tw.config.settings.diameter import DiameterSettings
from pmip_tw.config.settings.dot1x import Dot1xSettings, PortAuthentication
from pmip_tw.config.settings.dynamic_authorization import (
    DynamicAuthorizationSettings,
    Filter,
    UnknownFilter,
)
from pmip_tw.config.settings.profile import ProfileSettings
from pmip_tw.config.settings.radius import RadiusSettings
from pmip_tw.config.settings.radius_proxy import RadiusProxySettings
from pmip_tw.config.settings.value_types import (
    Authentication,
    Control,
    EncapsulationName,
    HostAddress,
    Interface,
    Journal,
    Lifetime,
    MessageTypeNumber,
    MobileNodeEmsk,
    MobileNodeKey,
    MobileNodeMac,
    MobileNodeNai,
    Name,
    Seconds,
    Spi,
)
from pmip_tw.mag.policy import COMMON_GATEWAY_MAC
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authenticators import Algorithm
from pmip_tw.mobility.mn_aaa import AaaAssociation
from pmip_tw.wire.pretunnel import DEFAULT_REPLY_TYPE, DEFAULT_REQUEST_TYPE

NatTraversal = Literal["auto", "force", "off"]
KeepaliveScope = Literal["tunnel", "binding"]
CareOfAddressMode = Literal["colocated", "fa"]
UnknownHomeAddress = Literal["zero", "ones"]
GreKey = Literal["none", "lma", "own"]
OnRevoke = Literal["none", "dhcp_nak", "l2_disconnect"]
DhcpMethod = Literal["server", "independent", "ack-trigger", "relay", "tunnel"]
LocalBreakoutMode = Literal["snat", "proxy_arp"]
DuplicateMac = Literal["refuse", "move"]


@attrs.frozen(slots=True, kw_only=True)
class AccessInterface:
    """``[[mag.access]]``: a link with mobile nodes behind it."""

    interface: Interface
    authentication: PortAuthentication = "mac"


@attrs.frozen(slots=True, kw_only=True)
class HomePrefix:
    """``[[mag.home_prefixes]]``: what DHCP tells a mobile node with a home address in ``prefix``."""

    prefix: Prefix
    gateway: Ipv4 = attrs.field()
    dns: Annotated[tuple[HostAddress, ...], AtMost(MOST_NAME_SERVERS)] = ()
    lease_time: Annotated[int, Within(60, 0xFFFFFFFE)] = 3600

    @gateway.default
    def _first_host(self) -> Ipv4:
        return self.prefix.first_host


@attrs.frozen(slots=True, kw_only=True)
class User:
    """``[[users]]`` of a MAG's own user file; ``home_address`` 0: the LMA chooses; ``session_timeout`` 0: no limit.

    ``lma`` or, in the order of preference, ``lmas``. ``spi`` and ``key``, or ``emsk``, from which they follow for
    ``lma``; without any of these a ``[[mag.lmas]]`` has them.
    """

    mac: MobileNodeMac
    nai: MobileNodeNai
    lma: HostAddress = UNSPECIFIED
    lmas: tuple[HostAddress, ...] = ()
    spi: Spi | None = None
    key: MobileNodeKey | None = None
    emsk: MobileNodeEmsk | None = None
    algorithm: Algorithm = Algorithm.HMAC_MD5
    aaa_spi: Annotated[int, AaaSpi()] | None = None
    aaa_key: MobileNodeKey | None = None
    home_address: HostAddress = UNSPECIFIED
    session_timeout: Annotated[int, Within(0, 0xFFFFFFFF)] = 0

    @property
    def preferred(self) -> tuple[Ipv4, ...]:
        """Its LMAs in the order of preference; none: the MAG chooses."""
        return self.lmas or ((self.lma,) if self.lma else ())

    @property
    def association(self) -> SecurityAssociation | None:
        """None without a key: the MAG's own association has to do."""
        if self.emsk is not None:
            return MobilityKeys.of(self.emsk).proxy_association(self.lma, self.nai, self.algorithm)
        if self.spi is None or self.key is None:
            return None
        return SecurityAssociation(self.spi, self.key, self.algorithm)

    @property
    def aaa_association(self) -> AaaAssociation | None:
        return (
            None
            if self.aaa_spi is None or self.aaa_key is None
            else AaaAssociation(self.aaa_spi, self.aaa_key)
        )


@attrs.frozen(slots=True, kw_only=True)
class LmaPeer:
    """``[[mag.lmas]]``: what this MAG itself shares with an LMA; ``auth``: what proves registrations there."""

    address: HostAddress
    auth: Authentication = "fa-ha"
    spi: Spi | None = None
    key: MobileNodeKey | None = None
    algorithm: Algorithm = Algorithm.HMAC_MD5

    @property
    def association(self) -> SecurityAssociation | None:
        if self.spi is None or self.key is None:
            return None
        return SecurityAssociation(self.spi, self.key, self.algorithm)


@attrs.frozen(slots=True, kw_only=True)
class UserFile:
    """The file that ``[mag.local] users`` names, found beside the MAG's file, and what is in it."""

    path: Path
    entries: tuple[User, ...] = ()


@attrs.frozen(slots=True, kw_only=True)
class LocalSettings:
    """``[mag.local]``: AAA without a server, or what is known of nodes beforehand whom servers let in."""

    users: UserFile


@attrs.frozen(slots=True, kw_only=True)
class MagSettings:
    """``[mag]``. One of ``radius``, ``diameter``, ``local`` is there at least, and one of ``address``, ``uplink``."""

    address: HostAddress = UNSPECIFIED
    uplink: Annotated[str, InterfaceName(may_be_empty=True)] = ""
    identity: Name
    lifetime: Lifetime = 1800
    nat_traversal: NatTraversal = "auto"
    behind_nat: bool = False
    keepalive_interval: Annotated[float, Within(10, 3600)] = 110
    keepalive_scope: KeepaliveScope = "tunnel"
    coa_mode: CareOfAddressMode = "colocated"
    unknown_hoa: UnknownHomeAddress = "zero"
    encapsulation: EncapsulationName = "ip-in-ip"
    gre_key: GreKey = "none"
    gre_key_with_d: bool = False
    tunnel_broadcast: bool = False
    host_configuration: bool = False
    send_identifiers: bool = False
    default_lmas: tuple[HostAddress, ...] = ()
    dynamic_home_agent: bool = False
    pmip_backoff: Annotated[float, Within(1, 86_400)] = 600
    liveness: bool = False
    liveness_interval: Annotated[float, Within(1, 3600)] = 30
    on_revoke: OnRevoke = "none"
    require_revocation: bool = False
    dhcp: DhcpMethod = "server"
    ack_hold: Annotated[float, Within(0.1, 60)] = 3
    pre_tunnel_request_type: MessageTypeNumber = DEFAULT_REQUEST_TYPE
    pre_tunnel_reply_type: MessageTypeNumber = DEFAULT_REPLY_TYPE
    gateway_mac: Annotated[Mac, Station()] = COMMON_GATEWAY_MAC
    advertise_mtu: bool = False
    local_routing: bool = False
    local_breakout: tuple[Prefix, ...] = ()
    local_breakout_mode: LocalBreakoutMode = "snat"
    local_breakout_device: Interface = "mip-local0"
    attach_probe_max_age: Annotated[float, Within(1, 86_400)] = 30
    reject_hold: Seconds = 30
    duplicate_mac: DuplicateMac = "refuse"
    default_realm: Annotated[str, Realm(may_be_empty=True)] = ""
    control: Control = "/run/pmip-mag.sock"
    store: Journal = "/var/lib/pmip/mag.journal"
    access: tuple[AccessInterface, ...] = ()
    home_prefixes: tuple[HomePrefix, ...] = ()
    lmas: tuple[LmaPeer, ...] = ()
    dhcp_relay: MagDhcpRelay | None = None
    filters: tuple[Filter, ...] = ()
    unknown_filter: UnknownFilter = "reject"
    dynamic_authorization: DynamicAuthorizationSettings | None = None
    radius: RadiusSettings | None = None
    radius_proxy: RadiusProxySettings | None = None
    diameter: DiameterSettings | None = None
    dot1x: Dot1xSettings = attrs.field(factory=Dot1xSettings)
    profile: ProfileSettings = attrs.field(factory=ProfileSettings)
    accounting: MagAccounting = attrs.field(factory=MagAccounting)
    local: LocalSettings | None = None

    @property
    def dhcp_subnet(self) -> Ipv4:
        """Where DHCP servers are told to find addresses; 0: nowhere."""
        relay = self.dhcp_relay
        if relay is None or not relay.names_subnet:
            return UNSPECIFIED
        return relay.subnet or self.home_prefixes[0].prefix.network

    @property
    def users(self) -> tuple[User, ...]:
        """The entries of the user file; none with RADIUS."""
        return self.local.users.entries if self.local else ()
