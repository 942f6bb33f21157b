"""Broadcasts at a MAG: from a node into its tunnel, and out of a tunnel to the nodes that have asked for them (P68).

They reach a node in frames to its own MAC: another node on the same port may be of another home link, and must not
hear them; and no sender hears its own.
"""

from collections.abc import Callable

from pmip_tw.addresses import Ipv4, Prefix
from pmip_tw.forwarding import drops
from pmip_tw.forwarding.access_session import AccessSession
from pmip_tw.forwarding.dhcp_packets import is_dhcp
from pmip_tw.forwarding.home_link_packets import is_for_any_link, is_for_link
from pmip_tw.forwarding.soundness import out_of_tunnel
from pmip_tw.forwarding.tunnel_ends import TunnelEnds
from pmip_tw.mobility.tunnels import AccessKey
from pmip_tw.wire.encapsulation import DONT_FRAGMENT
from pmip_tw.wire.ipv4 import PROTOCOL_IP_IN_IP


class AccessBroadcasts:
    """The sessions whose entry has ``broadcasts``; ``deliver(session, packet)`` sends a packet to a node."""

    def __init__(self, deliver: Callable[[AccessSession, bytes], None], dropped: drops.Drops) -> None:
        self._deliver = deliver
        self._drops = dropped
        self._listening: dict[TunnelEnds, dict[Prefix, dict[AccessKey, AccessSession]]] = {}

    def add(self, session: AccessSession) -> None:
        prefix = session.entry.prefix
        if session.entry.broadcasts and prefix is not None:
            links = self._listening.setdefault(session.way.ends, {})
            links.setdefault(prefix, {})[session.entry.key] = session

    def discard(self, session: AccessSession) -> None:
        prefix, links = session.entry.prefix, self._listening.get(session.way.ends)
        if prefix is None or links is None or prefix not in links:
            return
        links[prefix].pop(session.entry.key, None)
        if not links[prefix]:
            del links[prefix]
        if not links:
            del self._listening[session.way.ends]

    def from_node(self, session: AccessSession, packet: bytes) -> bool:
        """Put a sound ``packet`` of the node into its tunnel, as it is: the home link has no hop in it.

        False: it is not for its home link, or it is DHCP.
        """
        prefix = session.entry.prefix
        if not session.entry.broadcasts or prefix is None or not session.entry.upstream:
            return False
        if not is_for_link(packet[16:20], prefix) or is_dhcp(packet):
            return False
        way = session.way
        if len(packet) > way.mtu and packet[6] & DONT_FRAGMENT:
            self._drops[drops.TOO_BIG] += 1  # no ICMP is sent about a broadcast (RFC 1122 3.2.2)
        elif way.carry_any(packet):
            session.packets_up += 1
            session.octets_up += len(packet)
        return True

    def arrived(self, ends: TunnelEnds, inner: bytes) -> bool:
        """Give a broadcast out of a tunnel to the nodes of its home link. False: it is for none of them."""
        links = self._listening.get(ends)
        if links is None:
            return False
        found = [
            session
            for prefix, nodes in links.items()
            if _is_of(prefix, inner)
            for session in nodes.values()
            if session.home != inner[12:16]
        ]
        if not found:
            return False
        packet = out_of_tunnel(inner, self._drops)
        if packet is not None and not is_dhcp(packet):
            for session in found:
                self._deliver(session, packet)
        return True

    def unwrapped(self, session: AccessSession, packet: bytes) -> bytes | None:
        """The broadcast that the LMA put into a ``packet`` to the node (HL4); None: it is no such packet."""
        entry = session.entry
        if not entry.broadcasts or packet[9] != PROTOCOL_IP_IN_IP:
            return None
        if packet[12:16] != entry.tunnel.remote.to_bytes(4, "big"):
            return None
        inner = out_of_tunnel(packet[(packet[0] & 0xF) * 4 :], self._drops)
        return inner if inner is not None and _hears(session, inner) and not is_dhcp(inner) else None


def _hears(session: AccessSession, inner: bytes) -> bool:
    """Is ``inner`` for the home link of ``session``, and not from that node itself?"""
    prefix = session.entry.prefix
    return prefix is not None and session.home != inner[12:16] and _is_of(prefix, inner)


def _is_of(prefix: Prefix, inner: bytes) -> bool:
    """Is ``inner`` for everybody on the home link ``prefix``?"""
    if is_for_any_link(inner[16:20]):
        return Ipv4(int.from_bytes(inner[12:16], "big")) in prefix
    return is_for_link(inner[16:20], prefix)
