"""What the packet plane remembers of one mobile node while it moves packets."""

from collections.abc import Callable
from typing import Generic, TypeVar

import attrs

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.mobility.tunnels import AccessEntry, AnchorEntry, Counters, Tunnel
from pmip_tw.wire.encapsulation import IP_IN_IP_OVERHEAD, UDP_OVERHEAD

EntryT = TypeVar("EntryT", AccessEntry, AnchorEntry)

Carry = Callable[[bytes], bool]
"""Puts one inner packet into a tunnel; False if it was lost on the way out (and counted there)."""

TunnelEnds = bytes | tuple[Ipv4, Endpoint]
"""How a packet shows the tunnel that it came from: octets 12-20 of the outer header, or what a Datagram says."""


def octets(address: Ipv4) -> bytes:
    """The address as it stands in a packet."""
    return address.to_bytes(4, "big")


def ends(tunnel: Tunnel) -> TunnelEnds:
    """What a packet that arrives through ``tunnel`` shows (N29)."""
    if tunnel.over_udp:
        return (tunnel.local, Endpoint(tunnel.remote, tunnel.remote_port))
    return octets(tunnel.remote) + octets(tunnel.local)


def inner_mtu(tunnel: Tunnel, path_mtu: int) -> int:
    """The longest inner packet that goes over a path of ``path_mtu`` octets in one piece; every link takes 68."""
    return max(path_mtu - (UDP_OVERHEAD if tunnel.over_udp else IP_IN_IP_OVERHEAD), 68)


@attrs.define(slots=True, eq=False)
class Session(Generic[EntryT]):
    """One entry with its counters; mutable, because it changes with every packet.

    ``home`` is the home address as it stands in a packet; ``carry`` leads into the entry's tunnel, which takes
    inner packets of ``mtu`` octets. ``header`` is what stands before a frame to the node (access only).
    """

    entry: EntryT
    home: bytes
    ends: TunnelEnds
    carry: Carry
    mtu: int
    header: bytes = b""
    packets_up: int = 0
    octets_up: int = 0
    packets_down: int = 0
    octets_down: int = 0
    last_heard: float = 0.0

    def counters(self) -> Counters:
        return Counters(
            packets_up=self.packets_up,
            octets_up=self.octets_up,
            packets_down=self.packets_down,
            octets_down=self.octets_down,
            last_heard=self.last_heard,
        )

    def inherit(self, before: "Session[EntryT]") -> None:
        """Go on counting where the entry that this one replaces stopped."""
        self.packets_up, self.octets_up = before.packets_up, before.octets_up
        self.packets_down, self.octets_down = before.packets_down, before.octets_down
        self.last_heard = before.last_heard
