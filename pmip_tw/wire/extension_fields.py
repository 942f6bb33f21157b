"""The extensions of a registration message as the fields of one flat value."""

from msgspec import Struct

from pmip_tw.wire.authentication import Authenticator
from pmip_tw.wire.extension_values import (
    DynamicHomeAgent,
    MessageString,
    RevocationSupport,
    UdpTunnelReply,
    UdpTunnelRequest,
)

ACCESS_TECHNOLOGY = 4
"""Sub-type of 147; 1-3 are identifiers (RFC 5563 5.2-5.5)."""

PER_NODE_METHOD = 1
"""Sub-type of 47 (RFC 5563 5.1)."""

BY_FA_HA = (PER_NODE_METHOD, b"\1")
BY_IPSEC = (PER_NODE_METHOD, b"\2")
"""What ``per_node`` is for the two methods that there are."""


class ExtensionFields(Struct, kw_only=True, gc=False):
    """The extensions of a registration message. None: not there.

    ``per_node``: (sub-type, data) of 47; ``identifiers``: (sub-type, data) of 147/1-3 in order; ``fa_error``: the
    status in 45 of a foreign agent that has a complaint about an answer (RFC 4636). ``agent_part``: which of 44, 47,
    48, 137, 139, 144, 145 and 147 stand after MN-HA (or MN-AAA), where a foreign agent puts its own and where only
    FA-HA protects them (N2, N3). ``unknown`` and ``trailing``: whole extensions that are not understood, pads included,
    before and after MN-HA (or MN-AAA). ``repeated``: types of which there was one more; the first one counts (E5).
    ``draft03``: 47 has the forms of draft-leung-mip4-proxy-mode-03, Mode included.
    """

    draft03: bool = False
    nai: bytes = b""
    per_node: tuple[int, bytes] | None = None
    identifiers: tuple[tuple[int, bytes], ...] = ()
    access_technology: int | None = None
    dynamic_home_agent: DynamicHomeAgent | None = None
    gre_key: int | None = None
    udp_tunnel: UdpTunnelRequest | UdpTunnelReply | None = None
    revocation: RevocationSupport | None = None
    challenge: bytes | None = None
    message: MessageString | None = None
    fa_error: int | None = None
    agent_part: frozenset[int] = frozenset()
    mn_ha: Authenticator | None = None
    mn_aaa: Authenticator | None = None
    fa_ha: Authenticator | None = None
    unknown: tuple[bytes, ...] = ()
    trailing: tuple[bytes, ...] = ()
    repeated: tuple[int, ...] = ()
