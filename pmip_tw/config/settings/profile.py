"""``[mag.profile]``: how what AAA says of a node becomes its profile."""

from typing import Annotated, Literal

import attrs

from pmip_tw.addresses import UNSPECIFIED, Ipv4
from pmip_tw.config.limits import MOST_NAME_SERVERS, AtMost, Choices, Host, Realm, Within
from pmip_tw.config.settings.value_types import INFINITE_LIFETIME, HostAddress
from pmip_tw.mobility.authenticators import Algorithm

SourceName = Literal["wimax", "3gpp2", "radius", "users", "local"]

_Time = Annotated[int, Within(0, 0xFFFFFFFF)]
"""Seconds as RADIUS writes them; 0: nothing is said."""


@attrs.frozen(slots=True, kw_only=True)
class RealmProfile:
    """``[[mag.profile.realms]]``: what holds for nodes of ``realms`` where AAA says nothing."""

    realms: tuple[Annotated[str, Realm(may_be_empty=True)], ...]
    lmas: tuple[HostAddress, ...] = ()
    lifetime: Annotated[int, Within(0, INFINITE_LIFETIME - 1)] = 0
    dns: Annotated[tuple[HostAddress, ...], AtMost(MOST_NAME_SERVERS)] = ()
    dhcp_server: Annotated[Ipv4, Host(may_be_zero=True)] = UNSPECIFIED
    session_timeout: _Time = 0
    idle_timeout: _Time = 0
    interim_interval: _Time = 0
    algorithm: Algorithm = Algorithm.HMAC_MD5


@attrs.frozen(slots=True, kw_only=True)
class ProfileSettings:
    """``[mag.profile]``: who is believed first, item by item, and what holds where nobody says anything."""

    precedence: Annotated[tuple[SourceName, ...], Choices()] = (
        "wimax",
        "3gpp2",
        "radius",
        "users",
        "local",
    )
    visited: bool = False
    realms: tuple[RealmProfile, ...] = ()
