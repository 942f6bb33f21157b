"""Which RADIUS servers there are, how they are grouped, and how patient we are with them."""

from collections.abc import Iterator
from enum import Enum

import attrs

from pmip_tw.aaa.nas import Nas
from pmip_tw.addresses import Endpoint
from pmip_tw.secret import Secret

IDENTIFIERS = 256
"""One octet of a packet: so many requests to one server can be outstanding on one socket."""

MOST_SOCKETS = 16
"""Sockets that are opened when those there are have no identifier left."""


class RequireSignature(Enum):
    """Which answers of a server must carry Message-Authenticator (AA3); values are the configuration's words."""

    AUTO = "auto"
    YES = "yes"
    EAP_ONLY = "eap-only"
    NO = "no"


class StatusServer(Enum):
    """Whether a server is asked by Status-Server (RFC 5997) if it is alive.

    AUTO: yes, and that it does not answer proves nothing before it has answered one.
    """

    AUTO = "auto"
    YES = "yes"
    NO = "no"


class Strategy(Enum):
    """Which of the servers that are alive is asked: the first of them, or each in proportion to its weight."""

    ORDERED = "ordered"
    WEIGHTED = "weighted"


@attrs.frozen(slots=True, kw_only=True)
class RadiusServer:
    """One port of a server.

    What is known of a server is known of its port: whoever keeps accounts slowly may authenticate well, and a server is
    asked for both on ports of their own. With ``tls`` (RFC 6614) one connection to one port serves all groups, and so
    is one state.

    ``max_outstanding``: requests that it is to have at a time, of a TLS connection the window.
    """

    endpoint: Endpoint
    secret: Secret
    require_message_authenticator: RequireSignature = RequireSignature.AUTO
    status_server: StatusServer = StatusServer.AUTO
    weight: int = 1
    max_outstanding: int = 255
    tls: bool = False

    def __attrs_post_init__(self) -> None:
        # One identifier is left for Status-Server.
        most = IDENTIFIERS * (1 if self.tls else MOST_SOCKETS) - 1
        if not 1 <= self.max_outstanding <= most:
            raise ValueError(f"{self.endpoint} takes 1 to {most} requests at a time")
        if self.weight < 1:
            raise ValueError(f"the weight of {self.endpoint} is 1 or more")


@attrs.frozen(slots=True, kw_only=True)
class ServerGroup:
    """Servers that can do each other's work, those to be preferred first. ValueError: there is none, or one twice."""

    name: str
    servers: tuple[RadiusServer, ...]
    strategy: Strategy = Strategy.ORDERED

    def __attrs_post_init__(self) -> None:
        if not self.servers:
            raise ValueError(f"no RADIUS server is configured for {self.name}")
        if len({server.endpoint for server in self.servers}) < len(self.servers):
            raise ValueError(f"a RADIUS server is configured twice for {self.name}")


@attrs.frozen(slots=True, kw_only=True)
class RadiusSettings:
    """All that a client is made with.

    ``timeout``: seconds before the first retransmission, doubled for each further one; ``tries``: packets per server
    (AA6). ``dead_time``: a dead server that Status-Server does not tell about is tried after so many seconds.
    ``probe_interval``: seconds between two Status-Server to a dead one. ``watchdog``: seconds of silence of a TLS
    connection after which it is asked. ``max_outstanding``, ``max_waiting``: requests of all together. ``nas``: who
    asks by Status-Server. ValueError says what cannot be.
    """

    groups: tuple[ServerGroup, ...]
    nas: Nas = Nas()  # noqa: RUF009 - it is frozen
    timeout: float = 2.0
    tries: int = 3
    dead_time: float = 30.0
    probe_interval: float = 10.0
    watchdog: float = 30.0
    max_outstanding: int = 1024
    max_waiting: int = 1024

    def __attrs_post_init__(self) -> None:
        if self.timeout <= 0 or self.tries < 1:
            raise ValueError("the RADIUS timeout is more than 0 seconds, and there is at least 1 try")
        if len({group.name for group in self.groups}) < len(self.groups):
            raise ValueError("a group of RADIUS servers is there twice")
        known: dict[Endpoint, RadiusServer] = {}
        for server in self.servers():
            if known.setdefault(server.endpoint, server) != server:
                raise ValueError(f"{server.endpoint} is configured twice, differently")

    def servers(self) -> Iterator[RadiusServer]:
        """Of all groups, those of several as often."""
        for group in self.groups:
            yield from group.servers
