"""``[mag.diameter]`` and ``[lma.diameter]``, which are made alike; docs/diameter.md says what goes over the wire."""

from typing import Annotated, Literal

import attrs

from pmip_tw.config.limits import Choices, DiameterName, FilePath, Within
from pmip_tw.config.settings.radius import MacFormat, Purpose
from pmip_tw.config.settings.value_types import HostAddress, Port

DiameterTransport = Literal["tls", "tcp"]
PORTS: dict[DiameterTransport, int] = {"tls": 5868, "tcp": 3868}

DiameterIdentity = Annotated[str, DiameterName()]


@attrs.frozen(slots=True, kw_only=True)
class DiameterPeer:
    """``[[mag.diameter.peers]]``: a server, or a relay that leads to ``realms`` (none: to all of them)."""

    identity: DiameterIdentity
    address: HostAddress
    transport: DiameterTransport = "tls"
    port: Port | None = None
    realms: tuple[DiameterIdentity, ...] = ()
    allow_plain_keys: bool = False

    @property
    def usual_port(self) -> int:
        return self.port or PORTS[self.transport]


@attrs.frozen(slots=True, kw_only=True)
class DiameterSettings:
    """``identity``: None for that of the role. ``server_realm``: None for our own. ``reconnect_interval``: Tc."""

    peers: tuple[DiameterPeer, ...]
    realm: DiameterIdentity
    identity: DiameterIdentity | None = None
    server_realm: DiameterIdentity | None = None
    purposes: Annotated[tuple[Purpose, ...], Choices()] = ("authentication", "accounting")
    timeout: Annotated[float, Within(1, 120)] = 10
    watchdog_interval: Annotated[float, Within(6, 600)] = 30
    reconnect_interval: Annotated[float, Within(1, 600)] = 30
    mac_format: MacFormat = "aa-bb-cc-dd-ee-ff"
    ca_file: Annotated[str, FilePath()] = ""
    certificate_file: Annotated[str, FilePath()] = ""
    key_file: Annotated[str, FilePath()] = ""


@attrs.frozen(slots=True, kw_only=True)
class LmaDiameterSettings(DiameterSettings):
    """``mobile_ipv4``: requests with MN-AAA go to AAA as they are (RFC 4004)."""

    mobile_ipv4: bool = False
