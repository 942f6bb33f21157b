"""How an operator wants profiles to be made: who is believed first, and what holds where AAA says nothing (AA1)."""

from collections.abc import Mapping

import attrs

from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.aaa.profiles.source import Source
from pmip_tw.addresses import UNSPECIFIED, Ipv4
from pmip_tw.mobility.authenticators import Algorithm

PRECEDENCE = ("wimax", "3gpp2", "radius", "users", "local")
"""Every source by name, in the order of AA9 and AA1; ``users`` is the MAG's own file of users, ``local`` what it has
for realms."""


@attrs.frozen(slots=True, kw_only=True)
class RealmDefaults:
    """What holds for the nodes of a realm; as in ``Profile``, where 0 or empty says nothing.

    ``algorithm``: with which keys of AAA are used, as no dialect says it (AA12).
    """

    lmas: tuple[Ipv4, ...] = ()
    dhcp_server: Ipv4 = UNSPECIFIED
    name_servers: tuple[Ipv4, ...] = ()
    lifetime: int = 0
    session_timeout: int = 0
    idle_timeout: int = 0
    interim_interval: int = 0
    algorithm: Algorithm = Algorithm.HMAC_MD5


NO_DEFAULTS = RealmDefaults()


@attrs.frozen(slots=True, kw_only=True)
class ProfileRules:
    """``precedence``: sources by name, the first that says something of an item is believed; who is not named is not.

    ``realms``: defaults by realm in lower case, "" for all others. ``default_realm``: nodes to whom nobody gives a name
    become ``name@default_realm``; they are refused if it is "". ``visited``: see ``WimaxSource``. ``users``: what is
    known of nodes beforehand, by NAI; ``names``: their NAIs, by what a server is asked about.
    """

    precedence: tuple[str, ...] = PRECEDENCE
    realms: Mapping[str, RealmDefaults] = attrs.field(factory=dict)
    default_realm: str = ""
    visited: bool = False
    users: Mapping[str, Profile] = attrs.field(factory=dict)
    names: Mapping[str, str] = attrs.field(factory=dict)

    def defaults_of(self, nai: str) -> RealmDefaults:
        """What holds for ``nai``."""
        return self.realms.get(nai.rpartition("@")[2].lower()) or self.realms.get("", NO_DEFAULTS)


class LocalSource(Source):
    """The defaults of a realm as one more that says something."""

    def __init__(self, defaults: RealmDefaults) -> None:
        self._defaults = defaults

    def lmas(self) -> tuple[Ipv4, ...] | None:
        return self._defaults.lmas or None

    def dhcp_server(self) -> Ipv4 | None:
        return self._defaults.dhcp_server or None

    def name_servers(self) -> tuple[Ipv4, ...] | None:
        return self._defaults.name_servers or None

    def lifetime(self) -> int | None:
        return self._defaults.lifetime or None

    def session_timeout(self) -> int | None:
        return self._defaults.session_timeout or None

    def idle_timeout(self) -> int | None:
        return self._defaults.idle_timeout or None

    def interim_interval(self) -> int | None:
        return self._defaults.interim_interval or None
