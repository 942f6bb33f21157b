"""How nodes of an access link are authenticated, as an operator decides."""

from collections.abc import Collection, Mapping
from enum import Enum

import attrs

from pmip_tw.aaa.examined import Examined
from pmip_tw.access.authenticator import EapTimes
from pmip_tw.addresses import Ipv4, ipv4_text


class PortAuthentication(Enum):
    """``[[mag.access]] authentication``; the values are the words of the configuration."""

    MAC = "mac"
    DOT1X = "802.1x"
    DOT1X_OR_MAC = "802.1x-or-mac"
    RADIUS_PROXY = "radius-proxy"
    """The access point authenticates by itself, and asks AAA through us (AA27)."""

    @property
    def by_eap(self) -> bool:
        return self in (PortAuthentication.DOT1X, PortAuthentication.DOT1X_OR_MAC)


@attrs.frozen(slots=True, kw_only=True)
class Dot1xPolicy:
    """``[mag.dot1x]``. ``reauth_period``: seconds from one success to the next examination, 0: none but AAA's own.

    ``mac_after``: seconds of silence after which a node is authenticated by its MAC, where it may be.
    ``max_conversations``: of nodes that are not served, on one port; ``max_new``: of them in a second, and half as many
    of those that were served lately.
    """

    times: EapTimes = attrs.field(factory=EapTimes)
    reauth_period: float = 3600.0
    mac_after: float = 3.0
    max_conversations: int = 256
    max_new: int = 100


@attrs.frozen(slots=True, kw_only=True)
class AccessPolicy:
    """``ports``: those that are not authenticated by MAC alone. ``access_points``: with the port of their stations."""

    ports: Mapping[str, PortAuthentication] = attrs.field(factory=dict)
    access_points: Collection[tuple[Ipv4, str]] = frozenset()
    dot1x: Dot1xPolicy = attrs.field(factory=Dot1xPolicy)

    @property
    def behind_access_points(self) -> tuple[str, ...]:
        """Ports on which only those are served whom an access point has let in (AA27)."""
        return tuple(port for port, how in self.ports.items() if how is PortAuthentication.RADIUS_PROXY)

    def objection(self, port: str, examined: Examined | None) -> str:
        """Why the word of the access point that had a station ``examined`` does not count any more; "": it does."""
        if examined is None or not examined.access_point:
            return ""
        if (examined.access_point, port) in self.access_points:
            return ""
        return f"{ipv4_text(examined.access_point)}, which let it in, is no access point of {port} any more"

    def of(self, port: str) -> PortAuthentication:
        return self.ports.get(port, PortAuthentication.MAC)
