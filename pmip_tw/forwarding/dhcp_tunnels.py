"""Tunnels that bring DHCP of nodes which have no address yet, and so no entry: it is the agents', which relay it."""

from collections.abc import Callable

from pmip_tw.addresses import Ipv4
from pmip_tw.forwarding import drops
from pmip_tw.forwarding.paths import TunnelPaths, Way
from pmip_tw.forwarding.soundness import out_of_tunnel
from pmip_tw.forwarding.tunnel_ends import TunnelEnds
from pmip_tw.mobility.tunnels import Tunnel


class DhcpTunnels:
    """What is open at one end. ``is_ours`` tells the packets that come out of a tunnel for its agent (N52), which
    gets them by ``hand_up``.
    """

    def __init__(
        self,
        paths: TunnelPaths,
        is_ours: Callable[[bytes], bool],
        hand_up: Callable[[Tunnel, bytes], None],
        dropped: drops.Drops,
    ) -> None:
        self._paths = paths
        self._is_ours = is_ours
        self._hand_up = hand_up
        self._drops = dropped
        self._open: dict[Tunnel, Way] = {}
        self._arriving: dict[TunnelEnds, Way] = {}

    def open(self, tunnel: Tunnel) -> None:
        """ForwardingError: there is no way into such a tunnel."""
        if tunnel not in self._open:
            way = self._open[tunnel] = self._paths.acquire(tunnel)
            self._arriving[way.ends] = way

    def close(self, tunnel: Tunnel) -> None:
        way = self._open.pop(tunnel, None)
        if way is not None:
            if self._arriving.get(way.ends) is way:
                del self._arriving[way.ends]
            self._paths.release(way)

    def send(self, tunnel: Tunnel, packet: bytes) -> None:
        """Through an open tunnel; what is too long for it is fragmented before (N32)."""
        way = self._open.get(tunnel)
        if way is None:
            self._drops[drops.NO_ENTRY] += 1
        elif not way.carry_any(packet):
            self._paths.learn_mtu(way)

    def took(self, ends: TunnelEnds, inner: bytes) -> bool:
        """Take what came out of the tunnel with these ``ends`` (N29) for no entry. False: it is nothing for us."""
        way = self._arriving.get(ends)
        if way is None or not self._is_ours(inner):
            return False
        packet = out_of_tunnel(inner, self._drops)
        if packet is not None:
            self._hand_up(way.tunnel, packet)
        return True

    def locals_used(self) -> set[Ipv4]:
        """Our own addresses that open tunnels have."""
        return {tunnel.local for tunnel in self._open}
