"""How a packet shows the tunnel that it came through, or went into."""

from pmip_tw.addresses import Endpoint, Ipv4
from pmip_tw.mobility.tunnels import Encapsulation, Tunnel

TunnelEnds = bytes | tuple[Ipv4, Endpoint] | tuple[Ipv4, Endpoint, bytes]
"""Directly over IP: octets 12-20 of the outer header, and the mark. In UDP: what a Datagram says, and any mark."""

GRE_MARK = b"\x2f"
MINIMAL_MARK = b"\x37"
"""A mark tells encapsulation and key: empty for IP-in-IP, else the protocol number, and GRE's key if there is one."""


def mark(encapsulation: Encapsulation, key: int | None) -> bytes:
    if encapsulation is Encapsulation.IP_IN_IP:
        return b""
    if encapsulation is Encapsulation.MINIMAL:
        return MINIMAL_MARK
    return GRE_MARK if key is None else GRE_MARK + key.to_bytes(4, "big")


def leaving_ends(tunnel: Tunnel) -> TunnelEnds:
    """What a packet that goes into ``tunnel`` shows, in the same form: as ICMP quotes it."""
    marked = mark(tunnel.encapsulation, tunnel.key_out)
    if tunnel.over_udp:
        endpoint = Endpoint(tunnel.remote, tunnel.remote_port)
        return (tunnel.local, endpoint, marked) if marked else (tunnel.local, endpoint)
    return tunnel.local.to_bytes(4, "big") + tunnel.remote.to_bytes(4, "big") + marked


def arriving_ends(tunnel: Tunnel) -> TunnelEnds:
    """What a packet that arrives through ``tunnel`` shows (N29); with a GRE key, that key (T5)."""
    marked = mark(tunnel.encapsulation, tunnel.key_in)
    if tunnel.over_udp:
        endpoint = Endpoint(tunnel.remote, tunnel.remote_port)
        return (tunnel.local, endpoint, marked) if marked else (tunnel.local, endpoint)
    return tunnel.remote.to_bytes(4, "big") + tunnel.local.to_bytes(4, "big") + marked
