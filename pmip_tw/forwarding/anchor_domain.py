"""One address space of an LMA's packet plane: what the machine routes to its nodes, and their errors (P85)."""

from collections.abc import Callable
from functools import partial

from pmip_tw.addresses import Ipv4
from pmip_tw.errors import WireError
from pmip_tw.forwarding import drops
from pmip_tw.forwarding.anchor_session import AnchorSession
from pmip_tw.forwarding.budget import ERRORS_PER_SECOND, Budget
from pmip_tw.forwarding.home_links import HomeLinks
from pmip_tw.forwarding.paths import TunnelPaths, Way, told_mtu
from pmip_tw.forwarding.residents import Residents
from pmip_tw.wire import icmp
from pmip_tw.wire.encapsulation import DONT_FRAGMENT
from pmip_tw.wire.ipv4 import MINIMUM_HEADER, PROTOCOL_IP_IN_IP, Ipv4Packet


class AnchorDomain:
    """``answer(packet)`` sends an ICMP error of ours, whose source ``speaker(home_address)`` is.
    ``now()``: monotonic.
    """

    def __init__(
        self,
        *,
        residents: Residents,
        answer: Callable[[bytes], None],
        speaker: Callable[[Ipv4], Ipv4],
        paths: TunnelPaths,
        links: HomeLinks,
        dropped: drops.Drops,
        now: Callable[[], float],
    ) -> None:
        self.residents = residents
        self.links = links
        self._answer = answer
        self._speaker = speaker
        self._paths = paths
        self._drops = dropped
        self._now = now
        # Two budgets: whoever scans unbound addresses must not starve path MTU discovery.
        self._unreachable_errors = Budget(ERRORS_PER_SECOND)
        self._too_big_errors = Budget(ERRORS_PER_SECOND)
        self._tunnel_errors = Budget(ERRORS_PER_SECOND)

    def downstream(self, packet: bytes) -> None:
        """A packet that the machine routed towards a home address, its time to live already decremented (T1)."""
        session = self.residents.get(packet[16:20])
        if session is None:
            self._refuse_unbound(packet)
            return
        if packet[12:16] in session.ends and _is_recursive(session, packet):
            self._drops[drops.RECURSIVE] += 1
            return
        if session.filters and session.refuses(packet, self._drops, up=False):
            return
        way = session.way
        sent = way.carry(packet) if len(packet) <= way.mtu else self._send_long(way, packet)
        if sent:
            session.packets_down += 1
            session.octets_down += len(packet)
            way.traffic.sent = self._now()
        else:  # perhaps the path takes less than it did: the next packet will know (T9)
            self._paths.learn_mtu(way)
        if session.copies:
            self._copy(session, packet)

    def _copy(self, session: AnchorSession, packet: bytes) -> None:
        """To the other care-of addresses as well (L3); the node's counters count it once."""
        for way in session.copies:
            sent = way.carry(packet) if len(packet) <= way.mtu else self._send_long(way, packet)
            if sent:
                way.traffic.sent = self._now()
            else:
                self._paths.learn_mtu(way)

    def _send_long(self, way: Way, packet: bytes) -> bool:
        self._paths.learn_mtu(way)
        if len(packet) <= way.mtu:
            return way.carry(packet)
        if packet[6] & DONT_FRAGMENT:
            self._drops[drops.TOO_BIG] += 1
            self._report(self._too_big_errors, partial(icmp.fragmentation_needed, mtu=way.mtu), packet)
            return False
        return way.carry_long(packet)

    def _refuse_unbound(self, packet: bytes) -> None:
        """Host unreachable (P52)."""
        if len(packet) < MINIMUM_HEADER or packet[0] >> 4 != 4:
            return  # the device's own IPv6 chatter
        if packet[16] >= 224:
            self._drops[drops.GROUP_DESTINATION] += 1
            return
        if self.links.routed(packet):
            return
        self._drops[drops.NO_BINDING] += 1
        self._report(self._unreachable_errors, icmp.host_unreachable, packet)

    def relay(self, way: Way, code: int, inner: bytes) -> None:
        """Tell the sender of ``inner``, a packet to a node here, what became of it in its tunnel (RFC 2003 4)."""
        if self._tunnel_errors.allows(self._now()):
            self._tunnel_errors.spend()
            speaker = self._speaker(Ipv4(int.from_bytes(inner[16:20], "big")))
            error = icmp.unreachable_about(speaker, code, told_mtu(code, way), inner)
            if error is not None:
                self._answer(error)

    def _report(
        self,
        budget: Budget,
        error_about: Callable[[Ipv4, Ipv4Packet], bytes | None],
        packet: bytes,
    ) -> None:
        """Tell the sender, as far as ``budget`` goes."""
        if not budget.allows(self._now()):
            return
        try:
            original = Ipv4Packet.decode(packet)
        except WireError:
            return
        error = error_about(self._speaker(original.destination), original)
        if error is not None:
            budget.spend()
            self._answer(error)


def _is_recursive(session: AnchorSession, packet: bytes) -> bool:
    """From an end of these tunnels: from the far end it would chase its own tail (T2).

    The machine's own packets go in, or its ICMP errors would not reach the nodes; and behind a NAT the far end's
    address is the NAT's, which any correspondent there may have, too (RFC 3519). From those two only a packet that
    is in a tunnel to the same node already is stopped (L8).
    """
    source = packet[12:16]
    if any(
        not way.tunnel.over_udp and source == way.tunnel.remote.to_bytes(4, "big") for way in session.ways
    ):
        return True
    at = (packet[0] & 0xF) * 4
    return packet[9] == PROTOCOL_IP_IN_IP and packet[at + 16 : at + 20] == session.home
