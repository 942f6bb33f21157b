"""``[mag.radius]`` as typed values; names and defaults are those that ``conf/mag.toml`` explains."""

from typing import Annotated, Literal

import attrs

from pmip_tw.config.limits import (
    Within,
)
from pmip_tw.config.settings import HostAddress, Port
from pmip_tw.secret import Secret

MessageAuthenticatorRule = Literal["auto", "yes", "eap-only", "no"]
MacFormat = Literal["aa-bb-cc-dd-ee-ff", "aa:bb:cc:dd:ee:ff", "aabbccddeeff", "AA-BB-CC-DD-EE-FF"]
RADIUS_PORT = 1812


@attrs.frozen(slots=True, kw_only=True)
class RadiusServer:
    """``[[mag.radius.servers]]``."""

    address: HostAddress
    port: Port = RADIUS_PORT
    secret: Secret
    require_message_authenticator: MessageAuthenticatorRule = "auto"


@attrs.frozen(slots=True, kw_only=True)
class RadiusSettings:
    """``[mag.radius]``: servers in the order of trying, ``timeout`` before the first retransmission."""

    servers: tuple[RadiusServer, ...]
    timeout: Annotated[float, Within(0.1, 60)] = 2
    tries: Annotated[int, Within(1, 10)] = 3
    mac_format: MacFormat = "aa-bb-cc-dd-ee-ff"
