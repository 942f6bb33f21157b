"""What a MAG tells DHCP servers about where a visitor is (D12, D16)."""

from collections.abc import Iterator

from pmip_tw.aaa.profiles.profile import Profile
from pmip_tw.addresses import UNSPECIFIED, Ipv4
from pmip_tw.dhcp.relaying import Circuit
from pmip_tw.mag.policy import MagPolicy
from pmip_tw.mag.visitors import Visitor

_USER_NAME, _SESSION_TIMEOUT, _FRAMED_POOL = 1, 27, 88
"""Attribute types (RFC 2865 5, RFC 2869 5.18)."""


def circuit_of(visitor: Visitor, policy: MagPolicy, subnet: Ipv4) -> Circuit:
    """The MAG and its port, the node's NAI, what AAA said of it, its DHCP server for one; its MAC is in the message.

    ``subnet``: where it is to get its address, 0: the servers choose.
    """
    return Circuit(
        port=visitor.key.port,
        circuit_id=f"{policy.identity}:{visitor.key.port}".encode(),
        subscriber_id=visitor.nai.encode(),
        radius=() if visitor.profile is None else tuple(_attributes(visitor.profile)),
        subnet=subnet,
        unicast=visitor.dhcp_unicast,
        server=UNSPECIFIED if visitor.profile is None else visitor.profile.dhcp_server,
    )


def _attributes(profile: Profile) -> Iterator[tuple[int, bytes]]:
    """What may be passed on: never a key."""
    yield _USER_NAME, profile.nai.encode()
    if profile.framed_pool:
        yield _FRAMED_POOL, profile.framed_pool
    if profile.session_timeout:
        yield _SESSION_TIMEOUT, profile.session_timeout.to_bytes(4, "big")
