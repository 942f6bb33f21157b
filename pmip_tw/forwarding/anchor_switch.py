"""The rules of an LMA's packet plane: which packet goes to which MAG, and which may come out of a tunnel.

No sockets here: every provider moves packets by these rules, and the edges are callables given at construction.
"""

from collections.abc import Callable, Sequence

import attrs

from pmip_tw.addresses import Ipv4
from pmip_tw.errors import AddressInTunnel, ForwardingError
from pmip_tw.forwarding import drops, keepalives, offloads
from pmip_tw.forwarding.anchor_domain import AnchorDomain
from pmip_tw.forwarding.anchor_session import AnchorSession
from pmip_tw.forwarding.dhcp_packets import is_from_client
from pmip_tw.forwarding.dhcp_tunnels import DhcpTunnels
from pmip_tw.forwarding.home_link_packets import is_for_link
from pmip_tw.forwarding.home_links import HomeLinks
from pmip_tw.forwarding.nobody import Nobody
from pmip_tw.forwarding.path_mtu import LINK_MTU
from pmip_tw.forwarding.paths import NOWHERE, OpenPath, TunnelPaths, Way, require_carriable
from pmip_tw.forwarding.residents import Resident, Residents
from pmip_tw.forwarding.session import octets
from pmip_tw.forwarding.soundness import out_of_tunnel
from pmip_tw.forwarding.tunnel_ends import TunnelEnds, arriving_ends
from pmip_tw.interfaces import IPacketReceiver
from pmip_tw.mobility.tunnels import Activity, AlikeEntries, AnchorEntry, AnchorKey, Counters, Tunnel
from pmip_tw.wire.ipv4 import PROTOCOL_TCP


class AnchorSwitch:
    """Entries of mobile nodes: found by home address in their domain, upstream by the tunnel besides.

    ``path_mtu(tunnel)`` is what the way to a tunnel's other end takes, ``receiver`` the agent. Set ``now``, the
    monotonic time, before a batch of packets.
    """

    def __init__(
        self, *, local: Ipv4, open_path: OpenPath, path_mtu: Callable[[Tunnel], int], dropped: drops.Drops
    ) -> None:
        self.now = 0.0
        self.receiver: IPacketReceiver = Nobody()
        self._address = local
        self._local = octets(local)
        self._paths = TunnelPaths(open_path, path_mtu)
        self._drops = dropped
        self._domains: dict[str, AnchorDomain] = {}
        self.dhcp = DhcpTunnels(self._paths, is_from_client, self._hand_up_dhcp, dropped)

    def add_domain(
        self,
        name: str,
        *,
        to_host: Callable[[bytes], bool],
        answer: Callable[[bytes], None],
        speaker: Callable[[Ipv4], Ipv4],
        gateway: Callable[[Ipv4], Ipv4],
    ) -> AnchorDomain:
        """An address space (P85), "" being the main one; for the edges see AnchorDomain."""
        made = self._domains[name] = AnchorDomain(
            residents=Residents(name, self._address, to_host, gateway),
            answer=answer,
            speaker=speaker,
            paths=self._paths,
            links=HomeLinks(self._address, self._drops, lambda: self.now),
            dropped=self._drops,
            now=lambda: self.now,
        )
        return made

    # What is held

    def install(self, entry: AnchorEntry) -> None:
        """ForwardingError: an unknown domain, a tunnel not carried, or a home address taken in it."""
        domain = self._domains.get(entry.domain)
        if domain is None:
            raise ForwardingError("install", str(entry.key), f"there is no domain {entry.domain!r}")
        require_carriable(entry)
        ways = self._acquire(entry)
        if len(self._domains) > 1:
            self._require_unmistakable(entry, ways)
        before, resident = domain.residents.put(entry, ways)
        if before is not None:
            self._forget(domain, before)
        if isinstance(resident, AnchorSession):
            domain.links.add(resident)

    def install_alike(self, entries: AlikeEntries) -> Sequence[Ipv4]:
        """As IForwardingPlane.install_alike."""
        tunnel, home_addresses = entries.tunnel, entries.home_addresses
        domain = self._domains.get(entries.domain)
        if domain is None or len(self._domains) > 1:
            return home_addresses
        ends = (tunnel.local, tunnel.remote)
        if tunnel.key_out is not None or any(end in home_addresses for end in ends):
            return home_addresses
        try:
            way = self._paths.acquire(tunnel)
        except ForwardingError:
            return home_addresses
        before, left = domain.residents.put_silent(home_addresses, way)
        way.users += len(home_addresses) - len(left)
        self._release([*before, way])
        return left

    def _require_unmistakable(self, entry: AnchorEntry, ways: tuple[Way, ...]) -> None:
        """AddressInTunnel: nobody could tell whose packets come out of its tunnels (P45)."""
        home = octets(entry.home_address)
        for name, domain in self._domains.items():
            if name != entry.domain and any(domain.residents.coming(home, way.ends) for way in ways):
                self._release(ways)
                holder = AnchorKey(entry.home_address, name)
                text = f"the same tunnel carries that address for {holder}: they need GRE keys of their own (P45)"
                raise AddressInTunnel("install", str(entry.key), text)

    def _coming(self, ends: TunnelEnds, home: bytes) -> AnchorSession | None:
        """Whose packets come from ``home`` out of the tunnel with these ``ends``; there are few domains."""
        for domain in self._domains.values():
            session = domain.residents.coming(home, ends)
            if session is not None:
                return session
        return None

    def _acquire(self, entry: AnchorEntry) -> tuple[Way, ...]:
        if entry.awaited:
            return (self._paths.nowhere(entry.tunnel, self._half_bound),)
        if not entry.copies:
            return (self._paths.acquire(entry.tunnel),)
        ways: list[Way] = []
        try:
            for tunnel in dict.fromkeys((entry.tunnel, *entry.copies)):
                ways.append(self._paths.acquire(tunnel))
        except ForwardingError:
            self._release(ways)
            raise
        return tuple(ways)

    def _release(self, ways: tuple[Way, ...] | list[Way]) -> None:
        for way in ways:
            self._paths.release(way)

    def remove(self, key: AnchorKey) -> Counters:
        domain = self._domains.get(key.domain)
        resident = None if domain is None else domain.residents.pop(key.home_address)
        if domain is None or resident is None:
            return Counters()
        self._forget(domain, resident)
        return _counters(resident)

    def _forget(self, domain: AnchorDomain, resident: Resident) -> None:
        if isinstance(resident, AnchorSession):
            domain.links.discard(resident)
            self._release(resident.ways)
        else:
            self._paths.release(resident)

    def snapshot(self) -> tuple[AnchorEntry, ...]:
        return tuple(entry for domain in self._domains.values() for entry in domain.residents.entries())

    def counters(self, key: AnchorKey) -> Counters:
        domain = self._domains.get(key.domain)
        resident = None if domain is None else domain.residents.peek(key.home_address)
        return Counters() if resident is None else _counters(resident)

    def activity(self, tunnel: Tunnel) -> Activity:
        return self._paths.activity(tunnel)

    def _domain_of(self, session: AnchorSession) -> AnchorDomain:
        return self._domains[session.entry.domain]

    # From the mobile node

    def packet_arrived(self, ends: TunnelEnds, inner: bytes) -> None:
        """What came out of the tunnel that has these ``ends`` (T6, N29, N31, P49). Nothing is learnt from data."""
        session = self._coming(ends, inner[12:16])
        if session is None:
            self._no_entrys(ends, inner)
            return
        packet = out_of_tunnel(inner, self._drops)
        if packet is None:
            return
        way = session.way if not session.copies else session.way_of(ends)
        way.traffic.heard = self.now
        if len(packet) > LINK_MTU or (packet[9] == PROTOCOL_TCP and offloads.is_merged(packet)):
            self._deliver_merged(session, packet, ends)
        else:
            self._deliver(session, packet, ends)

    def _no_entrys(self, ends: TunnelEnds, inner: bytes) -> None:
        """The reverse tunnel check: no binding of this source, or not with exactly this tunnel. Silently.

        DHCP of a node that has no address yet is the agent's, if it waits for some (N52).
        """
        source = inner[12:16]
        known = any(source in domain.residents for domain in self._domains.values())
        if self._completed(ends, inner) if known else self.dhcp.took(ends, inner):
            return
        reason = self._paths.reason(ends, drops.WRONG_TUNNEL) if known else drops.UNKNOWN_SOURCE
        self._drops[reason] += 1

    def _half_bound(self, packet: bytes) -> bool:
        self._drops[drops.HALF_BOUND] += 1
        return False

    def _completed(self, ends: TunnelEnds, inner: bytes) -> bool:
        """Whether it is the first keepalive of a node that waits for it: an echo to us from its home address, and the
        tunnel is what it should be but for the port (N24). That is learnt, and nothing from any other packet.
        """
        if not isinstance(ends, tuple) or inner[16:20] != self._local or keepalives.answer(inner) is None:
            return False
        for domain in self._domains.values():
            session = domain.residents.get(inner[12:16])
            if session is None or session.way.ends != NOWHERE:
                continue
            tunnel = attrs.evolve(session.entry.tunnel, remote_port=ends[1].port)
            if arriving_ends(tunnel) == ends:
                session.way = self._paths.acquire(tunnel)
                self.packet_arrived(ends, inner)
                return True
        return False

    def _hand_up_dhcp(self, tunnel: Tunnel, packet: bytes) -> None:
        self.receiver.dhcp_tunneled(tunnel, packet)

    def _deliver_merged(self, session: AnchorSession, packet: bytes, ends: TunnelEnds) -> None:
        try:
            pieces = offloads.cut_merged(packet, LINK_MTU)
        except offloads.UnknownOffload:
            pieces = [packet]  # one datagram that the kernel has put together again: it will fragment it
        for piece in pieces:
            self._deliver(session, piece, ends)

    def _deliver(self, session: AnchorSession, packet: bytes, ends: TunnelEnds) -> None:
        session.last_heard = self.now
        if (packet[16:20] in session.special or packet[16] >= 224) and self._is_ours(session, packet, ends):
            return
        if session.filters and session.refuses(packet, self._drops, up=True):
            return
        if session.to_host(packet):
            session.packets_up += 1
            session.octets_up += len(packet)

    def _is_ours(self, session: AnchorSession, packet: bytes, ends: TunnelEnds) -> bool:
        """Is it for this plane to handle, and has that been done?"""
        if packet[16:20] in session.ours:
            return self._is_answered(session, packet, ends)
        if is_for_link(packet[16:20], session.entry.prefix):
            if self.dhcp.took(ends, packet):
                return True  # it has an address, and asks all servers about that (RFC 2131 4.4.5)
            if session.filters and session.refuses(packet, self._drops, up=True):
                return True
            self._domain_of(session).links.from_node(session, packet)
            return True
        return False  # of a group that the machine may route

    def _is_answered(self, session: AnchorSession, packet: bytes, ends: TunnelEnds) -> bool:
        """An echo request to ourselves is answered here, into its tunnel, whatever the kernel would do (N37, N44).

        So is one to the node's gateway, which is us (P71), although no interface need have that address.
        """
        reply = keepalives.answer(packet)
        if reply is None:
            return False
        way = session.way_of(ends)
        way.carry_any(reply)
        way.traffic.sent = self.now
        return True

    def error_reported(self, ends: TunnelEnds, code: int, inner: bytes) -> None:
        """ICMP about a packet that left with these ``ends``: the sender of ``inner`` is told, too (RFC 2003 4)."""
        way = self._paths.leaving(ends)
        if way is None or not self._paths.is_news(way, code, inner) or inner[12:16] == self._local:
            return
        session = self._coming(way.ends, inner[16:20])
        if session is not None:
            self._domain_of(session).relay(way, code, inner)


def _counters(resident: Resident) -> Counters:
    return resident.counters() if isinstance(resident, AnchorSession) else Counters()
