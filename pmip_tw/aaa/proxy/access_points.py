"""Access points that authenticate by themselves and have the MAG for their RADIUS server (AA27)."""

import attrs

from pmip_tw.aaa.nas import Nas
from pmip_tw.aaa.radius.configuration import RequireSignature
from pmip_tw.addresses import Ipv4
from pmip_tw.secret import Secret

MOST_STATIONS = 65536


@attrs.frozen(slots=True, kw_only=True)
class AccessPoint:
    """One access point as configured: what it sends comes from ``address``, and its stations to the access interface
    ``port``. ``disconnect_port``: where it takes Disconnect-Requests (RFC 5176), 0 if nowhere.
    """

    address: Ipv4
    secret: Secret
    port: str
    require_message_authenticator: RequireSignature = RequireSignature.AUTO
    disconnect_port: int = 0


@attrs.frozen(slots=True, kw_only=True)
class ProxySettings:
    """``nas``: who we are; a request that says the same is our own. ``as_access_point``: AAA hears of the access point
    as the NAS, and not of us. ``forward_accounting``: what access points account for is the server's to answer.
    ValueError: an access point is there twice.
    """

    access_points: tuple[AccessPoint, ...]
    nas: Nas
    as_access_point: bool = False
    forward_accounting: bool = False

    def __attrs_post_init__(self) -> None:
        if len({one.address for one in self.access_points}) < len(self.access_points):
            raise ValueError("an access point is configured twice")
