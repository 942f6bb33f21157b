"""The settings of an LMA as typed values; names and defaults are those that ``conf/lma.toml`` explains.

All durations are seconds.
"""

from typing import Annotated

import attrs

from pmip_tw.addresses import UNSPECIFIED, Ipv4, Prefix
from pmip_tw.config.limits import Realm, Within
from pmip_tw.config.settings import (
    Control,
    HostAddress,
    Interface,
    Lifetime,
    MobileNodeKey,
    MobileNodeNai,
    Name,
    Seconds,
    Spi,
)
from pmip_tw.mobility.associations import Algorithm, SecurityAssociation


@attrs.frozen(slots=True, kw_only=True)
class Pool:
    """``[[lma.pools]]``: home addresses for the NAIs of ``realms``, for every NAI if that is empty."""

    prefix: Prefix
    realms: tuple[Annotated[str, Realm()], ...] = ()
    exclude: tuple[Ipv4, ...] = ()

    def offers(self, address: Ipv4) -> bool:
        """Whether a mobile node may have ``address``: not the network, the gateway, broadcast or an excluded one."""
        return (
            address in self.prefix
            and address not in (self.prefix.network, self.prefix.first_host, self.prefix.broadcast)
            and address not in self.exclude
        )


@attrs.frozen(slots=True, kw_only=True)
class MobileNode:
    """``[[lma.mobile_nodes]]``; ``home_address`` 0: the pool chooses."""

    nai: MobileNodeNai
    spi: Spi
    key: MobileNodeKey
    algorithm: Algorithm = Algorithm.HMAC_MD5
    home_address: HostAddress = UNSPECIFIED

    @property
    def association(self) -> SecurityAssociation:
        return SecurityAssociation(self.spi, self.key, self.algorithm)


@attrs.frozen(slots=True, kw_only=True)
class LmaSettings:
    """``[lma]``."""

    address: HostAddress
    identity: Name
    max_lifetime: Lifetime = 3600
    nat_max_lifetime: Lifetime = 600
    timestamp_window: Annotated[float, Within(3, 3600, above=True)] = 7
    handover_min_interval: Annotated[float, Within(0, 3600)] = 1.0
    address_hold: Seconds = attrs.field()
    revoke_on_handover: bool = True
    strict_reserved_bits: bool = False
    nat_traversal: bool = True
    forced_udp: bool = True
    keepalive_interval: Annotated[int, Within(1, 65535)] = 110
    device: Interface = "mip0"
    mtu: Annotated[int, Within(576, 65535)] = 1468
    control: Control = "/run/pmip-lma.sock"
    pools: tuple[Pool, ...] = ()
    mobile_nodes: tuple[MobileNode, ...] = ()

    @address_hold.default
    def _as_long_as_a_binding(self) -> float:
        return self.max_lifetime
