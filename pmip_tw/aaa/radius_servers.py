"""The RADIUS servers of a MAG: what is configured about each, and what is learnt about it."""

from enum import Enum

import attrs

from pmip_tw.aaa.mac_authentication import MacFormat
from pmip_tw.aaa.profile_rules import ProfileRules
from pmip_tw.addresses import UNSPECIFIED, Endpoint, Ipv4
from pmip_tw.secret import Secret
from pmip_tw.wire.radius import MAXIMUM_VALUE_SIZE

IDENTIFIERS = 256
"""One octet of a packet: so many requests to one server can be outstanding on one socket."""

AVOID_SECONDS = 30.0
"""A server that gave no usable answer is asked last for so long; then one exchange tries it again."""


class RequireSignature(Enum):
    """Which answers of a server must carry Message-Authenticator (AA3); values are the configuration's words."""

    AUTO = "auto"
    YES = "yes"
    EAP_ONLY = "eap-only"
    NO = "no"


@attrs.frozen(slots=True, kw_only=True)
class RadiusServer:
    """One server as configured."""

    endpoint: Endpoint
    secret: Secret
    require_message_authenticator: RequireSignature = RequireSignature.AUTO


@attrs.frozen(slots=True, kw_only=True)
class RadiusSettings:
    """The whole RADIUS configuration of a MAG.

    ``servers``: asked in this order. ``nas_identifier`` and ``nas_address``: who we are. ``timeout``: seconds
    before the first retransmission, doubled for each further one; ``tries``: packets per server (AA6).
    ``rules``: how profiles are made of what they say. ValueError says what cannot be.
    """

    servers: tuple[RadiusServer, ...]
    nas_identifier: str = ""
    nas_address: Ipv4 = UNSPECIFIED
    timeout: float = 2.0
    tries: int = 3
    mac_format: MacFormat = MacFormat.DASHES
    rules: ProfileRules = attrs.field(factory=ProfileRules)

    def __attrs_post_init__(self) -> None:
        if not self.servers:
            raise ValueError("no RADIUS server is configured")
        if len({server.endpoint for server in self.servers}) < len(self.servers):
            raise ValueError("a RADIUS server is configured twice")
        if self.timeout <= 0 or self.tries < 1:
            raise ValueError("the RADIUS timeout is more than 0 seconds, and there is at least 1 try")
        if len(self.nas_identifier.encode()) > MAXIMUM_VALUE_SIZE:
            raise ValueError(f"the NAS-Identifier has more than {MAXIMUM_VALUE_SIZE} octets")


class ServerRecord:
    """What is known about one server while we run."""

    __slots__ = ("_next_identifier", "_signs", "avoided_until", "outstanding", "server", "warned")

    def __init__(self, server: RadiusServer, first_identifier: int) -> None:
        self.server = server
        self.outstanding: dict[int, int] = {}
        """The exchange of each identifier in use."""
        self.avoided_until = 0.0
        """Monotonic; 0.0 while the server is well."""
        self.warned = False
        """Whether it has been said that this server does not sign."""
        self._signs = False
        self._next_identifier = first_identifier

    @property
    def endpoint(self) -> Endpoint:
        return self.server.endpoint

    def take_identifier(self, exchange: int) -> int:
        """An identifier that is not outstanding, the longest unused one: a late answer meets no new request.

        The caller sees to it that one is free.
        """
        while self._next_identifier in self.outstanding:
            self._next_identifier = (self._next_identifier + 1) % IDENTIFIERS
        identifier = self._next_identifier
        self._next_identifier = (identifier + 1) % IDENTIFIERS
        self.outstanding[identifier] = exchange
        return identifier

    def must_sign(self, *, eap: bool) -> bool:
        """Whether an answer must carry Message-Authenticator (AA3)."""
        requirement = self.server.require_message_authenticator
        if requirement is RequireSignature.AUTO:
            return eap or self._signs
        return requirement is RequireSignature.YES or (eap and requirement is RequireSignature.EAP_ONLY)

    def answered(self, *, signed: bool) -> None:
        """A verified answer came: the server is well, and if it signs, it is held to that (AA3)."""
        self.avoided_until = 0.0
        self._signs = self._signs or signed
