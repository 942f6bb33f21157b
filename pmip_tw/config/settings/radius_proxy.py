"""``[mag.radius_proxy]`` as typed values; names and defaults are those that ``conf/mag.toml`` explains."""

from typing import Annotated, Literal

import attrs

from pmip_tw.addresses import UNSPECIFIED, Ipv4
from pmip_tw.config.limits import Host, InterfaceName, Within
from pmip_tw.config.settings.radius import MessageAuthenticatorRule
from pmip_tw.config.settings.value_types import HostAddress, Port
from pmip_tw.secret import Secret

NamedNas = Literal["mag", "access-point"]

AUTHENTICATION_PORT = 1812
ACCOUNTING_PORT = 1813


@attrs.frozen(slots=True, kw_only=True)
class AccessPointClient:
    """``[[mag.radius_proxy.clients]]``: an access point, whose stations are behind ``interface``.

    ``disconnect_port`` 0: it takes no Disconnect-Requests.
    """

    address: HostAddress
    secret: Secret
    interface: Annotated[str, InterfaceName()]
    require_message_authenticator: MessageAuthenticatorRule = "auto"
    disconnect_port: Annotated[int, Within(0, 65535)] = 0


@attrs.frozen(slots=True, kw_only=True)
class RadiusProxySettings:
    """``[mag.radius_proxy]``. ``address`` 0: the MAG's own, or with ``uplink`` all of the machine's. ``nas``: whom AAA
    hears of.
    """

    clients: tuple[AccessPointClient, ...]
    address: Annotated[Ipv4, Host(may_be_zero=True)] = UNSPECIFIED
    port: Port = AUTHENTICATION_PORT
    accounting_port: Port = ACCOUNTING_PORT
    nas: NamedNas = "mag"
    forward_accounting: bool = False
