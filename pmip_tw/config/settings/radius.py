"""``[mag.radius]`` and ``[lma.radius]``, which are made alike, as typed values; names and defaults are those that
``conf/mag.toml`` explains.
"""

from typing import Annotated, Literal

import attrs

from pmip_tw.config.limits import FilePath, Within
from pmip_tw.config.settings.value_types import HostAddress, Port
from pmip_tw.secret import Secret

MessageAuthenticatorRule = Literal["auto", "yes", "eap-only", "no"]
MacFormat = Literal["aa-bb-cc-dd-ee-ff", "aa:bb:cc:dd:ee:ff", "aabbccddeeff", "AA-BB-CC-DD-EE-FF"]
StatusServerRule = Literal["auto", "yes", "no"]
Purpose = Literal["authentication", "accounting"]
Transport = Literal["udp", "tls"]
StrategyName = Literal["ordered", "weighted"]

RADIUS_PORT = 1812
ACCOUNTING_PORT = 1813
RADSEC_PORT = 2083


@attrs.frozen(slots=True, kw_only=True)
class RadiusServer:
    """``[[mag.radius.servers]]``. ``secret``: None with TLS, which has one of its own (RFC 6614 2.3)."""

    address: HostAddress
    port: Port = RADIUS_PORT
    accounting_port: Port = ACCOUNTING_PORT
    radsec_port: Port = RADSEC_PORT
    secret: Secret | None = None
    purposes: tuple[Purpose, ...] = ("authentication", "accounting")
    transport: Transport = "udp"
    require_message_authenticator: MessageAuthenticatorRule = "auto"
    status_server: StatusServerRule = "auto"
    weight: Annotated[int, Within(1, 1000)] = 1
    max_outstanding: Annotated[int, Within(1, 4095)] = 255
    ca_file: Annotated[str, FilePath()] = ""
    certificate_file: Annotated[str, FilePath()] = ""
    key_file: Annotated[str, FilePath()] = ""
    server_name: str = ""
    window: Annotated[int, Within(1, 255)] = 1


@attrs.frozen(slots=True, kw_only=True)
class RadiusSettings:
    """``[mag.radius]``, ``[lma.radius]``: servers, those to be preferred first, and how patient we are with them."""

    servers: tuple[RadiusServer, ...]
    strategy: StrategyName = "ordered"
    timeout: Annotated[float, Within(0.1, 60)] = 2
    tries: Annotated[int, Within(1, 10)] = 3
    dead_time: Annotated[float, Within(1, 3600)] = 30
    probe_interval: Annotated[float, Within(1, 3600)] = 10
    watchdog: Annotated[float, Within(6, 3600)] = 30
    max_outstanding: Annotated[int, Within(1, 65_536)] = 1024
    max_waiting: Annotated[int, Within(0, 65_536)] = 1024
    mac_format: MacFormat = "aa-bb-cc-dd-ee-ff"

    def of(self, purpose: Purpose) -> tuple[RadiusServer, ...]:
        return tuple(server for server in self.servers if purpose in server.purposes)

    def only(self, purpose: Purpose) -> "RadiusSettings":
        """As if nothing else were asked of anybody."""
        servers = tuple(attrs.evolve(server, purposes=(purpose,)) for server in self.of(purpose))
        return attrs.evolve(self, servers=servers)
