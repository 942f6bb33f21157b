"""How long a packet may be on the way to a tunnel's other end: by interface, route, and what ICMP has taught us."""

import socket

from pmip_tw.addresses import Ipv4, ipv4_text
from pmip_tw.mobility.tunnels import SIGNALLING_PORT, Tunnel

LINK_MTU = 1500
"""Ethernet. Nothing longer enters or leaves a tunnel, unless the kernel merged it."""

_IP_MTU = 14


class PathMtuProbe:
    """A UDP socket that is connected to one peer after another and never sends: the kernel tells what it knows."""

    def __init__(self, local: Ipv4) -> None:
        """OSError: ``local`` is no address of this machine."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind((ipv4_text(local), 0))
        except OSError:
            self._socket.close()
            raise

    def close(self) -> None:
        self._socket.close()

    def path_mtu(self, tunnel: Tunnel) -> int:
        """Octets of an outer packet, at most LINK_MTU (T9); LINK_MTU where there is no route yet."""
        try:
            self._socket.connect((ipv4_text(tunnel.remote), tunnel.remote_port or SIGNALLING_PORT))
            return min(self._socket.getsockopt(socket.IPPROTO_IP, _IP_MTU), LINK_MTU)
        except OSError:
            return LINK_MTU
