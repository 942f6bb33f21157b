"""Why a packet was not carried. These words are counter names: operators' screens and graphs depend on them."""

import errno
from collections import Counter
from typing import Final

SPOOFED_SOURCE: Final = "spoofed-source"
"""From the node, but not from its home address (P48)."""

IPV6: Final = "ipv6"
"""From the node, IPv6 (P84)."""

GROUP_DESTINATION: Final = "group-destination"
"""Broadcast or multicast from a node: direct delivery is for unicast only (P47, T8)."""

BROADCAST_LIMIT: Final = "broadcast-limit"
"""At the anchor: more broadcasts of one sender, or to all nodes of a home link, than are copied (P68)."""

NOT_FOR_GATEWAY: Final = "not-for-gateway"
"""A frame between others on the access link."""

OTHER_ETHERTYPE: Final = "other-ethertype"
MALFORMED: Final = "malformed"

TOO_BIG: Final = "too-big"
"""Larger than the tunnel or the link takes, and not to be fragmented; the sender was told where that is allowed."""

UNFINISHED_OFFLOAD: Final = "unfinished-offload"
"""A super-frame of a kind that cannot be finished here: the link's segmentation offload must be turned off."""

NO_ENTRY: Final = "no-entry"
"""Out of a tunnel, for a home address that this tunnel does not carry (P51, T10, N36): silently."""

LOCAL_DHCP: Final = "local-dhcp"
"""From the network around a MAG with local breakout, to a node: its DHCP server is elsewhere (N58)."""

UNKNOWN_SOURCE: Final = "unknown-source"
"""At the anchor, out of a tunnel: no binding for the inner source (T6, N31)."""

WRONG_TUNNEL: Final = "wrong-tunnel"
"""At the anchor: the inner source has a binding, but with another tunnel (T6, N29, N31)."""

HALF_BOUND: Final = "half-bound"
"""At the anchor, to a node whose tunnel waits for its first keepalive (N24): silently."""

NEXT_HEADER: Final = "next-header"
"""Tunnel data of another encapsulation than the negotiated one (N30)."""

MINIMAL_FRAGMENT: Final = "minimal-fragment"
"""A fragment, or a packet too long for UDP, where minimal encapsulation was agreed upon, which holds none (T3, N32)."""

NO_BINDING: Final = "no-binding"
"""At the anchor, for a home address without binding: host unreachable was the answer (P52)."""

RECURSIVE: Final = "recursive-encapsulation"
"""The packet comes from the tunnel's own exit, or would go round in it (T2, L8, T4)."""

SEND_BUFFER_FULL: Final = "send-buffer-full"
OUTER_TOO_BIG: Final = "outer-too-big"
"""The core network takes less than the tunnel's MTU."""

SEND_FAILED: Final = "send-failed"
"""No route to the other end, or the interface is down."""

FILTERED: Final = "filtered-by"
"""A filter of the node does not let it pass (AA25); which one follows: see ``filtered_by``."""

Drops = Counter[str]
"""Packets by reason."""

_OF_SENDING: Final = {
    errno.EAGAIN: SEND_BUFFER_FULL,
    errno.ENOBUFS: SEND_BUFFER_FULL,
    errno.EMSGSIZE: OUTER_TOO_BIG,
}


def filtered_by(name: str) -> str:
    """For what the filter of that name has stopped."""
    return f"{FILTERED} {name}"


def reason_of(error_number: int | None) -> str:
    """For a send that the kernel refused."""
    return _OF_SENDING.get(error_number or 0, SEND_FAILED)
