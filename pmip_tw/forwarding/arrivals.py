"""Takes off what a tunnel has put around a packet, and says which tunnel that was."""

from collections.abc import Callable

from pmip_tw.errors import WireError
from pmip_tw.forwarding import drops
from pmip_tw.forwarding.tunnel_ends import GRE_MARK, MINIMAL_MARK, TunnelEnds
from pmip_tw.interfaces import Datagram
from pmip_tw.mobility.tunnels import Encapsulation
from pmip_tw.wire import minimal
from pmip_tw.wire.encapsulation import TUNNEL_DATA_HEADER
from pmip_tw.wire.gre import read_gre

Arrived = Callable[[TunnelEnds, bytes], None]
"""Takes the ends that an inner packet showed, and the packet, which nobody has looked into."""


class Arrivals:
    """``arrived`` gets every packet whose wrapping is sound; the others are counted in ``dropped``."""

    def __init__(self, arrived: Arrived, dropped: drops.Drops) -> None:
        self._arrived = arrived
        self._drops = dropped
        self._identification = 0
        self.over_ip: dict[Encapsulation, Callable[[bytes], None]] = {
            Encapsulation.IP_IN_IP: self._ip_in_ip,
            Encapsulation.GRE: self._gre,
            Encapsulation.MINIMAL: self._minimal,
        }
        """What handles a whole outer packet of each protocol."""

    def _ip_in_ip(self, outer: bytes) -> None:
        self._arrived(outer[12:20], outer[(outer[0] & 0xF) * 4 :])

    def _gre(self, outer: bytes) -> None:
        try:
            key, inner = read_gre(outer[(outer[0] & 0xF) * 4 :])
        except WireError:
            self._drops[drops.MALFORMED] += 1
            return
        if inner[16:20] == outer[12:16]:
            self._drops[drops.RECURSIVE] += 1  # it would go straight back (T4)
            return
        self._arrived(outer[12:20] + GRE_MARK + key, inner)

    def _minimal(self, outer: bytes) -> None:
        try:
            inner = minimal.unwrap(outer)
        except WireError:
            self._drops[drops.MALFORMED] += 1
            return
        self._arrived(outer[12:20] + MINIMAL_MARK, inner)

    def tunnel_data(self, datagram: Datagram) -> None:
        """RFC 3519 tunnel data: the next header says what follows (N30)."""
        payload = datagram.payload
        if payload[1:2] == b"\x04":
            self._arrived((datagram.local, datagram.source), payload[TUNNEL_DATA_HEADER:])
        else:
            self._other_tunnel_data(datagram)

    def _other_tunnel_data(self, datagram: Datagram) -> None:
        protocol, octets = datagram.payload[1:2], datagram.payload[TUNNEL_DATA_HEADER:]
        try:
            if protocol == GRE_MARK:
                key, inner = read_gre(octets)
                self._arrived((datagram.local, datagram.source, GRE_MARK + key), inner)
            elif protocol == MINIMAL_MARK:
                self._identification = self._identification + 1 & 0xFFFF
                inner = minimal.rebuild(octets, datagram.source.address, self._identification)
                self._arrived((datagram.local, datagram.source, MINIMAL_MARK), inner)
            else:
                self._drops[drops.NEXT_HEADER] += 1
        except WireError:
            self._drops[drops.MALFORMED] += 1
