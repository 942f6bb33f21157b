"""The rules of an LMA's packet plane: which packet goes to which MAG, and which may come out of a tunnel.

No sockets here: every provider moves packets by these rules, and the edges are callables given at construction.
"""

from collections.abc import Callable, Sequence
from functools import partial

from pmip_tw.addresses import Ipv4
from pmip_tw.errors import WireError
from pmip_tw.forwarding import drops, offloads
from pmip_tw.forwarding.fragments import fragment
from pmip_tw.forwarding.icmp_budget import IcmpBudget
from pmip_tw.forwarding.path_mtu import LINK_MTU
from pmip_tw.forwarding.paths import OpenPath, TunnelPaths, require_carriable
from pmip_tw.forwarding.session import Session, TunnelEnds, ends, inner_mtu, octets
from pmip_tw.forwarding.soundness import out_of_tunnel
from pmip_tw.interfaces import Datagram
from pmip_tw.mobility.tunnels import AnchorEntry, AnchorKey, Counters, Encapsulation, Tunnel
from pmip_tw.wire import icmp
from pmip_tw.wire.encapsulation import DONT_FRAGMENT, TUNNEL_DATA_HEADER
from pmip_tw.wire.ipv4 import MINIMUM_HEADER, Ipv4Packet

AnchorSession = Session[AnchorEntry]


class AnchorSwitch:
    """Entries of mobile nodes by home address.

    ``to_host(packet)`` gives an inner packet to the machine's own stack (False: lost and counted);
    ``answer(packet)`` sends an ICMP error of ours. ``mtu`` is what the machine keeps to when it
    routes to the nodes, ``path_mtu(tunnel)`` what the way to a tunnel's other end takes.
    Set ``now``, the monotonic time, before a batch of packets.
    """

    def __init__(
        self,
        *,
        local: Ipv4,
        mtu: int,
        open_path: OpenPath,
        to_host: Callable[[bytes], bool],
        answer: Callable[[bytes], None],
        path_mtu: Callable[[Tunnel], int],
        dropped: drops.Drops,
    ) -> None:
        self.now = 0.0
        self._local = local
        self._mtu = mtu
        self._paths = TunnelPaths(open_path)
        self._to_host = to_host
        self._answer = answer
        self._path_mtu = path_mtu
        self._drops = dropped
        self._sessions: dict[bytes, AnchorSession] = {}
        # Two budgets: whoever scans unbound addresses must not starve path MTU discovery.
        self._unreachable_errors = IcmpBudget()
        self._too_big_errors = IcmpBudget()

    # What is held

    def install(self, entry: AnchorEntry) -> None:
        """ForwardingError: an encapsulation not carried, or a tunnel that would swallow itself."""
        require_carriable(entry)
        home = octets(entry.home_address)
        session = AnchorSession(
            entry=entry,
            home=home,
            ends=ends(entry.tunnel),
            carry=self._paths.acquire(entry.tunnel),
            mtu=self._mtu_of(entry.tunnel),
        )
        before = self._sessions.get(home)
        if before is not None:
            session.inherit(before)
            self._paths.release(before.entry.tunnel)
        self._sessions[home] = session

    def remove(self, key: AnchorKey) -> Counters:
        session = self._sessions.pop(octets(key.home_address), None)
        if session is None:
            return Counters()
        self._paths.release(session.entry.tunnel)
        return session.counters()

    def snapshot(self) -> tuple[AnchorEntry, ...]:
        return tuple(session.entry for session in self._sessions.values())

    def counters(self, key: AnchorKey) -> Counters:
        session = self._sessions.get(octets(key.home_address))
        return Counters() if session is None else session.counters()

    # To the mobile node

    def downstream(self, packet: bytes) -> None:
        """A packet that the machine routed towards a home address, its time to live already decremented (T1)."""
        session = self._sessions.get(packet[16:20])
        if session is None:
            self._refuse_unbound(packet)
            return
        tunnel = session.entry.tunnel
        # Behind a NAT the remote end is the NAT's address, which any correspondent there may have, too (RFC 3519).
        if packet[12:16] == octets(tunnel.remote) and not tunnel.over_udp:
            self._drops[drops.RECURSIVE] += 1  # T2
            return
        if len(packet) <= session.mtu:
            self._send(session, packet)
        elif packet[6] & DONT_FRAGMENT:
            self._drops[drops.TOO_BIG] += 1
            self._report(self._too_big_errors, partial(icmp.fragmentation_needed, mtu=session.mtu), packet)
        else:
            for piece in fragment(packet, session.mtu):
                self._send(session, piece)

    def _send(self, session: AnchorSession, packet: bytes) -> None:
        if session.carry(packet):
            session.packets_down += 1
            session.octets_down += len(packet)
        else:  # perhaps the path takes less than it did: the next packet will know (T9)
            session.mtu = self._mtu_of(session.entry.tunnel)

    def _mtu_of(self, tunnel: Tunnel) -> int:
        return min(self._mtu, inner_mtu(tunnel, self._path_mtu(tunnel)))

    def _refuse_unbound(self, packet: bytes) -> None:
        """Host unreachable (P52)."""
        if len(packet) < MINIMUM_HEADER or packet[0] >> 4 != 4:
            return  # the device's own IPv6 chatter
        if packet[16] >= 224:
            self._drops[drops.GROUP_DESTINATION] += 1
            return
        self._drops[drops.NO_BINDING] += 1
        self._report(self._unreachable_errors, icmp.host_unreachable, packet)

    def _report(
        self,
        budget: IcmpBudget,
        error_about: Callable[[Ipv4, Ipv4Packet], bytes | None],
        packet: bytes,
    ) -> None:
        """Tell the sender, as far as ``budget`` goes."""
        if not budget.allows(self.now):
            return
        try:
            error = error_about(self._local, Ipv4Packet.decode(packet))
        except WireError:
            return
        if error is not None:
            budget.spend()
            self._answer(error)

    # From the mobile node

    def ip_in_ip_received(self, outer: bytes) -> None:
        """A whole packet of protocol 4 that arrived for us (T6)."""
        inner = outer[(outer[0] & 0xF) * 4 :]
        session = self._admit(inner[12:16], outer[12:20])
        if session is None:
            return
        packet = out_of_tunnel(inner, self._drops)
        if packet is None:
            return
        if len(packet) > LINK_MTU or offloads.is_merged(packet):
            self._deliver_merged(session, packet)
        else:
            self._deliver(session, packet)

    def tunnel_data_received(self, batch: Sequence[Datagram]) -> None:
        """RFC 3519 tunnel data (N29, N30, N31)."""
        for datagram in batch:
            payload = datagram.payload
            session = self._admit(payload[16:20], (datagram.local, datagram.source))
            if session is None:
                continue
            if payload[1] != Encapsulation.IP_IN_IP:
                self._drops[drops.NEXT_HEADER] += 1
                continue
            packet = out_of_tunnel(payload[TUNNEL_DATA_HEADER:], self._drops)
            if packet is not None:
                self._deliver(session, packet)

    def _admit(self, source: bytes, arrived_by: TunnelEnds) -> AnchorSession | None:
        """The reverse tunnel check: a binding of this source, and exactly its tunnel. Nothing is learnt from data."""
        session = self._sessions.get(source)
        if session is None:
            self._drops[drops.UNKNOWN_SOURCE] += 1
            return None
        if session.ends != arrived_by:
            self._drops[drops.WRONG_TUNNEL] += 1
            return None
        return session

    def _deliver_merged(self, session: AnchorSession, packet: bytes) -> None:
        try:
            pieces = offloads.cut_merged(packet, LINK_MTU)
        except offloads.UnknownOffload:
            pieces = [packet]  # one datagram that the kernel has put together again: it will fragment it
        for piece in pieces:
            self._deliver(session, piece)

    def _deliver(self, session: AnchorSession, packet: bytes) -> None:
        session.last_heard = self.now
        if self._to_host(packet):
            session.packets_up += 1
            session.octets_up += len(packet)
