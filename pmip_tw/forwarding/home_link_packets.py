"""Which packets are for everybody on a home link (P68, RFC 5944 4.3)."""

from typing import Final

from pmip_tw.addresses import Prefix

EVERYBODY: Final = b"\xff\xff\xff\xff"
_LINK_LOCAL_GROUPS = b"\xe0\x00\x00"
"""224.0.0.0/24: never routed anywhere (RFC 5771 4)."""


def is_for_any_link(destination: bytes) -> bool:
    """The limited broadcast address or a link-local group; four octets."""
    return destination == EVERYBODY or destination[:3] == _LINK_LOCAL_GROUPS


def is_for_link(destination: bytes, prefix: Prefix | None) -> bool:
    """``is_for_any_link``, or the broadcast address of ``prefix``."""
    if is_for_any_link(destination):
        return True
    return prefix is not None and destination == prefix.broadcast.to_bytes(4, "big")
