"""The settings of an LMA as typed values; names and defaults are those that ``conf/lma.toml`` explains.

All durations are seconds.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

import attrs

from pmip_tw.aaa.key_hierarchy import MobilityKeys
from pmip_tw.addresses import UNSPECIFIED, Ipv4
from pmip_tw.config.limits import AaaSpi, Choices, Within
from pmip_tw.config.settings.accounting import LmaAccounting
from pmip_tw.config.settings.address_spaces import MAIN_DEVICE, Domain, Pool
from pmip_tw.config.settings.dhcp_relay import DhcpRelay
from pmip_tw.config.settings.diameter import LmaDiameterSettings
from pmip_tw.config.settings.dynamic_authorization import DynamicAuthorizationSettings, Filter
from pmip_tw.config.settings.keys import KeySettings
from pmip_tw.config.settings.known_mags import KnownMag
from pmip_tw.config.settings.nodes import NodeFile
from pmip_tw.config.settings.radius import RadiusSettings
from pmip_tw.config.settings.redirects import Redirect
from pmip_tw.config.settings.value_types import (
    Control,
    EncapsulationName,
    HostAddress,
    Interface,
    Journal,
    Lifetime,
    MessageTypeNumber,
    MobileNodeEmsk,
    MobileNodeKey,
    MobileNodeNai,
    Name,
    Seconds,
    Spi,
)
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.mobility.authenticators import Algorithm
from pmip_tw.mobility.mn_aaa import AaaAssociation
from pmip_tw.wire.pretunnel import DEFAULT_REPLY_TYPE, DEFAULT_REQUEST_TYPE

Reserved3Policy = Literal["skip", "134"]
BindingKey = Literal["nai", "nai+tech"]
DynamicHaFormat = Literal["long", "short"]


@attrs.frozen(slots=True, kw_only=True)
class MobileNode:
    """``[[lma.mobile_nodes]]``; ``home_address`` 0: the pool chooses.

    ``spi`` and ``key``, or ``emsk``, from which they follow. ``previous_key`` still verifies under the same SPI.
    ``aaa_spi`` and ``aaa_key``: for MN-AAA.
    """

    nai: MobileNodeNai
    spi: Spi | None = None
    key: MobileNodeKey | None = None
    emsk: MobileNodeEmsk | None = None
    algorithm: Algorithm = Algorithm.HMAC_MD5
    previous_key: MobileNodeKey | None = None
    previous_algorithm: Algorithm | None = None
    aaa_spi: Annotated[int, AaaSpi()] | None = None
    aaa_key: MobileNodeKey | None = None
    home_address: HostAddress = UNSPECIFIED

    def association(self, home_agent: Ipv4) -> SecurityAssociation:
        """What it is proven by at the LMA with this address."""
        if self.emsk is not None:
            return MobilityKeys.of(self.emsk).proxy_association(home_agent, self.nai, self.algorithm)
        assert self.spi is not None and self.key is not None  # the file was checked
        previous = None
        if self.previous_key is not None:
            previous = SecurityAssociation(
                self.spi, self.previous_key, self.previous_algorithm or self.algorithm
            )
        return SecurityAssociation(self.spi, self.key, self.algorithm, previous)

    @property
    def aaa(self) -> AaaAssociation | None:
        if self.aaa_spi is None or self.aaa_key is None:
            return None
        return AaaAssociation(self.aaa_spi, self.aaa_key)


@attrs.frozen(slots=True, kw_only=True)
class LmaSettings:
    """``[lma]``. ``dynamic_ha_format``: how 139 is written; ``encapsulations``: what is offered to MAGs."""

    address: HostAddress
    identity: Name
    max_lifetime: Lifetime = 3600
    nat_max_lifetime: Lifetime = 600
    timestamp_window: Annotated[float, Within(3, 3600, above=True)] = 7
    handover_min_interval: Annotated[float, Within(0, 3600)] = 1.0
    address_hold: Seconds = attrs.field()
    revoke_on_handover: bool = True
    broadcast_addresses: tuple[Ipv4, ...] = ()
    require_revocation: bool = False
    revocation_inform: bool = False
    resync_beyond_last: bool = True
    strict_reserved_bits: bool = False
    nat_traversal: bool = True
    forced_udp: bool = True
    reserved3_policy: Reserved3Policy = "skip"
    allow_relayed_colocated: bool = False
    require_protected_extensions: bool = False
    keepalive_interval: Annotated[int, Within(0, 65535)] = 110
    encapsulations: Annotated[tuple[EncapsulationName, ...], Choices()] = ("ip-in-ip", "gre", "minimal")
    gre_key_with_d: bool = True
    max_bindings: Annotated[int, Within(1, 16)] = 1
    binding_key: BindingKey = "nai"
    tunnel_broadcast: bool = False
    pre_tunnel: bool = False
    pre_tunnel_request_type: MessageTypeNumber = DEFAULT_REQUEST_TYPE
    pre_tunnel_reply_type: MessageTypeNumber = DEFAULT_REPLY_TYPE
    pre_tunnel_lifetime: Annotated[int, Within(60, 3600)] = 60
    dynamic_home_agent: bool = False
    dynamic_ha_format: DynamicHaFormat = "long"
    explain_refusals: bool = False
    device: Interface = MAIN_DEVICE
    mtu: Annotated[int, Within(576, 65535)] = 1468
    control: Control = "/run/pmip-lma.sock"
    store: Journal = "/var/lib/pmip/lma.journal"
    workers: Annotated[int, Within(1, 64)] = 1
    domains: tuple[Domain, ...] = ()
    pools: tuple[Pool, ...] = ()
    dhcp_relay: DhcpRelay | None = None
    filters: tuple[Filter, ...] = ()
    dynamic_authorization: DynamicAuthorizationSettings | None = None
    radius: RadiusSettings | None = None
    diameter: LmaDiameterSettings | None = None
    keys: KeySettings = attrs.field(factory=KeySettings)
    accounting: LmaAccounting = attrs.field(factory=LmaAccounting)
    redirects: tuple[Redirect, ...] = ()
    mags: tuple[KnownMag, ...] = ()
    mobile_nodes: tuple[MobileNode, ...] = ()
    mobile_nodes_file: NodeFile | None = None

    @property
    def associations(self) -> Iterator[tuple[bytes, SecurityAssociation]]:
        """Of all mobile nodes, by NAI as it stands in a message."""
        for node in self.mobile_nodes:
            yield node.nai.encode(), node.association(self.address)
        if self.mobile_nodes_file is not None:
            for nai, found in self.mobile_nodes_file.associations.items():
                if isinstance(found, SecurityAssociation):
                    yield nai, found
                else:
                    for association in found:
                        yield nai, association

    @property
    def home_addresses(self) -> dict[str, Ipv4]:
        """Of the mobile nodes that have a fixed one."""
        own = {node.nai: node.home_address for node in self.mobile_nodes if node.home_address}
        return own if self.mobile_nodes_file is None else own | dict(self.mobile_nodes_file.home_addresses)

    @address_hold.default
    def _as_long_as_a_binding(self) -> float:
        return self.max_lifetime
