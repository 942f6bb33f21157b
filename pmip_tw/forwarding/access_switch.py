"""The rules of a MAG's packet plane: which frame goes into which tunnel, and back.

No sockets here: every provider moves packets by these rules, and the edges are callables given at construction.
"""

from collections.abc import Callable, Sequence

from pmip_tw.addresses import BROADCAST_MAC, Ipv4, Mac
from pmip_tw.errors import ForwardingError, WireError
from pmip_tw.forwarding import drops, mss, offloads
from pmip_tw.forwarding.access_broadcasts import AccessBroadcasts
from pmip_tw.forwarding.access_session import AccessSession
from pmip_tw.forwarding.breakout import Breakout
from pmip_tw.forwarding.budget import ERRORS_PER_SECOND, Budget
from pmip_tw.forwarding.dhcp_packets import is_from_server, is_to_dhcp_client, is_to_dhcp_server
from pmip_tw.forwarding.dhcp_tunnels import DhcpTunnels
from pmip_tw.forwarding.keepalives import answered, keepalive
from pmip_tw.forwarding.nobody import Nobody
from pmip_tw.forwarding.path_mtu import LINK_MTU
from pmip_tw.forwarding.paths import OpenPath, TunnelPaths, Way, require_carriable, told_mtu
from pmip_tw.forwarding.session import octets
from pmip_tw.forwarding.soundness import is_sound, out_of_tunnel
from pmip_tw.forwarding.time_to_live import one_hop_older
from pmip_tw.forwarding.tunnel_ends import TunnelEnds
from pmip_tw.interfaces import IPacketReceiver
from pmip_tw.mobility.tunnels import AccessEntry, AccessKey, Activity, Counters, Tunnel
from pmip_tw.wire import icmp
from pmip_tw.wire.encapsulation import DONT_FRAGMENT
from pmip_tw.wire.ipv4 import (
    PROTOCOL_ICMP,
    PROTOCOL_IP_IN_IP,
    PROTOCOL_TCP,
    PROTOCOL_UDP,
    Ipv4Packet,
)

_ETHERNET = 14
_IPV4, _ARP, _IPV6, _EAPOL = b"\x08\x00", b"\x08\x06", b"\x86\xdd", b"\x88\x8e"


class AccessSwitch:
    """Entries of mobile nodes, found upstream by (port, MAC) and downstream by (tunnel, home address).

    ``emit(port, frame)`` sends to the access link (False: lost and counted), ``receiver`` is the agent, which takes
    what is not decided here. ``gateway_for(home_address)`` is the router that a node believes to have,
    ``path_mtu(tunnel)`` what the way to its other end takes. With ``local_routing`` nodes of one tunnel reach each
    other here (P86), and with ``breakout`` they reach the network around (N58). Set ``now``, the monotonic time, before
    a batch of packets.
    """

    def __init__(
        self,
        *,
        ports: Sequence[str],
        gateway_mac: Mac,
        gateway_for: Callable[[Ipv4], Ipv4],
        open_path: OpenPath,
        emit: Callable[[str, bytes], bool],
        dropped: drops.Drops,
        path_mtu: Callable[[Tunnel], int],
        local_routing: bool,
        breakout: Breakout | None = None,
    ) -> None:
        self.now = 0.0
        self.receiver: IPacketReceiver = Nobody()
        self._local_routing = local_routing
        self._breakout = breakout
        self._gateway_mac = gateway_mac
        self._gateway_for = gateway_for
        self._paths = TunnelPaths(open_path, path_mtu)
        self._emit = emit
        self._keepalives = 0
        self._errors = Budget(ERRORS_PER_SECOND)
        self._drops = dropped
        self._by_port: dict[str, dict[bytes, AccessSession]] = {port: {} for port in ports}
        self._by_tunnel: dict[tuple[TunnelEnds, bytes], AccessSession] = {}
        self._broadcasts = AccessBroadcasts(self._deliver, dropped)
        self.dhcp = DhcpTunnels(self._paths, is_from_server, self._hand_up_dhcp, dropped)

    # What is held

    def install(self, entry: AccessEntry) -> None:
        """ForwardingError: no such port, an encapsulation not carried, or a home address taken in its tunnel."""
        nodes = self._by_port.get(entry.port)
        if nodes is None:
            raise ForwardingError(
                "install", str(entry.key), f"{entry.port} is not one of the access interfaces"
            )
        require_carriable(entry)
        home = octets(entry.home_address)
        before = nodes.get(entry.mac)
        way = self._paths.acquire(entry.tunnel)
        holder = self._by_tunnel.get((way.ends, home))
        if holder is not None and holder is not before:
            self._paths.release(way)
            raise ForwardingError(
                "install",
                str(entry.key),
                f"its home address already belongs to {holder.entry.key} through the same tunnel (P45)",
            )
        header = entry.mac + self._gateway_mac + _IPV4
        session = AccessSession(entry=entry, home=home, way=way, header=header, filters=entry.filters)
        if before is not None:
            session.inherit(before)
            session.last_sent = before.last_sent
            self._forget(before)
        nodes[entry.mac] = session
        self._by_tunnel[way.ends, home] = session
        self._broadcasts.add(session)
        cause = self._breakout.replace(before, session) if self._breakout is not None else None
        if cause is not None:
            self.receiver.breakout_refused(entry.key, cause)

    def remove(self, key: AccessKey) -> Counters:
        session = self._by_port.get(key.port, {}).pop(key.mac, None)
        if session is None:
            return Counters()
        self._forget(session)
        if self._breakout is not None:
            self._breakout.replace(session, None)
        return session.counters()

    def _forget(self, session: AccessSession) -> None:
        del self._by_tunnel[session.way.ends, session.home]
        session.forget()
        self._broadcasts.discard(session)
        self._paths.release(session.way)

    def snapshot(self) -> tuple[AccessEntry, ...]:
        return tuple(session.entry for nodes in self._by_port.values() for session in nodes.values())

    def locals_used(self) -> set[Ipv4]:
        """Our own addresses that tunnels here have."""
        used = {session.entry.tunnel.local for nodes in self._by_port.values() for session in nodes.values()}
        return used | self.dhcp.locals_used()

    def counters(self, key: AccessKey) -> Counters:
        session = self._by_port.get(key.port, {}).get(key.mac)
        return Counters() if session is None else session.counters()

    def activity(self, tunnel: Tunnel) -> Activity:
        return self._paths.activity(tunnel)

    def keepalive(self, key: AccessKey) -> None:
        """Ask the far end of the tunnel of ``key`` whether it is there (N37); a later one makes this one void."""
        session = self._by_port.get(key.port, {}).get(key.mac)
        if session is None:
            return
        self._keepalives = self._keepalives % 0xFFFF + 1
        session.awaited = self._keepalives
        tunnel = session.entry.tunnel
        session.way.traffic.sent = self.now
        if not session.way.carry(keepalive(session.entry.home_address, tunnel.remote, session.awaited)):
            self._paths.learn_mtu(session.way)

    # From the mobile node

    def upstream(self, port: str, frame: bytes) -> None:
        """One frame that arrived on an access port, its offloads finished. ForwardingError: no such port."""
        if port not in self._by_port:
            raise ForwardingError("forward from", port, "it is not one of the access interfaces")
        kind = frame[12:14]
        if kind != _IPV4 or frame[:6] != self._gateway_mac:
            self._other_frame(port, frame, kind)
            return
        session = self._by_port[port].get(frame[6:12])
        if session is None or not session.entry.upstream:
            self.receiver.frame_received(port, frame)  # who is it (P40), or wait for the reply (P78)
            return
        length = int.from_bytes(frame[16:18], "big")
        packet = frame[_ETHERNET : _ETHERNET + length]  # without padding
        if not is_sound(packet, length):
            self._drops[drops.MALFORMED] += 1
            return
        to_dhcp_server = packet[9] == PROTOCOL_UDP and is_to_dhcp_server(packet)
        if to_dhcp_server and not session.entry.shows_dhcp:
            session.last_heard = self.now
            self.receiver.frame_received(port, frame)
            return
        if packet[12:16] != session.home:
            self._drops[drops.SPOOFED_SOURCE] += 1  # P48
            return
        session.last_heard = self.now
        if session.filters and session.refuses(packet, self._drops, up=True):
            return
        if packet[8] <= 1:
            self.receiver.frame_received(port, frame)
        elif packet[16] >= 224:
            self._drops[drops.GROUP_DESTINATION] += 1  # P47
        elif self._local_routing and (nearby := self._nearby(session, packet)) is not None:
            self._deliver(nearby, one_hop_older(packet))
            session.packets_up += 1
            session.octets_up += len(packet)
        elif self._breakout is None or not self._breakout.take(session, packet):
            self._carry(session, packet)
            if to_dhcp_server:
                self.receiver.dhcp_shown(session.entry.key, packet)

    def _nearby(self, session: AccessSession, packet: bytes) -> AccessSession | None:
        """The node here that ``packet`` is for: of the same tunnel, so of the same addresses, and registered (P86).

        One that only claims the address gets what its LMA sends and nothing else (P77).
        """
        found = self._by_tunnel.get((session.way.ends, packet[16:20]))
        return found if found is not None and found.entry.upstream else None

    def _other_frame(self, port: str, frame: bytes, kind: bytes) -> None:
        destination = frame[:6]
        if kind == _IPV6:
            self._drops[drops.IPV6] += 1  # P84
        elif len(frame) < _ETHERNET:
            self._drops[drops.MALFORMED] += 1
        elif kind == _EAPOL:
            self.receiver.frame_received(port, frame)
        elif destination not in (self._gateway_mac, BROADCAST_MAC):
            if not (kind == _IPV4 and destination[0] & 1 and self._group_frame(port, frame)):
                self._drops[drops.NOT_FOR_GATEWAY] += 1
        elif kind == _ARP or (kind == _IPV4 and is_to_dhcp_server(frame[_ETHERNET:])):
            self.receiver.frame_received(port, frame)
        elif kind != _IPV4:
            self._drops[drops.OTHER_ETHERTYPE] += 1
        elif not self._group_frame(port, frame):
            self._drops[drops.GROUP_DESTINATION] += 1  # T8

    def _group_frame(self, port: str, frame: bytes) -> bool:
        """An IPv4 frame to a group of MACs: into the node's tunnel, if its broadcasts go there (P68)."""
        session = self._by_port[port].get(frame[6:12])
        if session is None or not session.entry.broadcasts:
            return False
        length = int.from_bytes(frame[16:18], "big")
        packet = frame[_ETHERNET : _ETHERNET + length]
        if not is_sound(packet, length):
            self._drops[drops.MALFORMED] += 1
        elif packet[12:16] != session.home:
            self._drops[drops.SPOOFED_SOURCE] += 1  # P48
        else:
            session.last_heard = self.now
            if session.filters and session.refuses(packet, self._drops, up=True):
                return True
            return self._broadcasts.from_node(session, packet)
        return True

    def _carry(self, session: AccessSession, packet: bytes) -> None:
        way = session.way
        if len(packet) > way.mtu:
            self._paths.learn_mtu(way)
            if len(packet) > way.mtu and packet[6] & DONT_FRAGMENT:
                self._refuse_too_big(session, packet)
                return
        packet = one_hop_older(packet)
        if packet[9] == PROTOCOL_TCP and mss.is_syn(packet):
            packet = self._clamped(way, packet)
        if way.carry(packet) if len(packet) <= way.mtu else way.carry_long(packet):
            session.packets_up += 1
            session.octets_up += len(packet)
            session.sent(self.now)
        else:  # perhaps the path takes less than it did: the next packet will know (T9)
            self._paths.learn_mtu(way)

    def _clamped(self, way: Way, packet: bytes) -> bytes:
        """A SYN for what the path takes at this moment: a connection lives by it (T9)."""
        self._paths.learn_mtu(way)
        return mss.clamp(packet, way.mtu)

    def _refuse_too_big(self, session: AccessSession, packet: bytes) -> None:
        """Tell the node in its gateway's name how much the tunnel takes (N32, T9)."""
        self._drops[drops.TOO_BIG] += 1
        try:
            original = Ipv4Packet.decode(packet)
        except WireError:
            return
        gateway = self._gateway_for(session.entry.home_address)
        error = icmp.fragmentation_needed(gateway, original, session.way.mtu)
        if error is not None:
            self._emit(session.entry.port, session.header + error)

    def error_reported(self, ends: TunnelEnds, code: int, inner: bytes) -> None:
        """ICMP about a packet that left with these ``ends``: the node that sent ``inner`` is told, too (RFC 2003 4)."""
        way = self._paths.leaving(ends)
        if way is None or not self._paths.is_news(way, code, inner):
            return
        session = self._by_tunnel.get((way.ends, inner[12:16]))
        if session is None or inner[16:20] == octets(way.tunnel.remote):
            return  # of nobody here, or our own keepalive
        if self._errors.allows(self.now):
            self._errors.spend()
            gateway = self._gateway_for(session.entry.home_address)
            error = icmp.unreachable_about(gateway, code, told_mtu(code, way), inner)
            if error is not None:
                self._emit(session.entry.port, session.header + error)

    # To the mobile node

    def packet_arrived(self, ends: TunnelEnds, inner: bytes) -> None:
        """What came out of the tunnel that has these ``ends`` (P44, N29); nobody has looked into it yet."""
        session = self._by_tunnel.get((ends, inner[16:20]))
        if session is None or not session.entry.upstream:
            if self.dhcp.took(ends, inner):
                return  # what gives a node its address does not reach it before its registration (D23)
            if session is None:
                if not self._broadcasts.arrived(ends, inner):
                    self._drops[self._paths.reason(ends, drops.NO_ENTRY)] += 1  # P51, T10, N36
                return
        packet = out_of_tunnel(inner, self._drops)
        if packet is None:
            return
        session.heard(self.now)
        if len(packet) > LINK_MTU or (packet[9] == PROTOCOL_TCP and offloads.is_merged(packet)):
            self._deliver_merged(session, packet)
        else:
            self._deliver(session, packet)

    def _hand_up_dhcp(self, tunnel: Tunnel, packet: bytes) -> None:
        self.receiver.dhcp_tunneled(tunnel, packet)

    def local_arrived(self, packet: bytes) -> None:
        """A packet of the network around to a node (N58). Its time to live stays: the kernel has counted this hop."""
        session = self._breakout.destined(packet) if self._breakout is not None else None
        if session is None or session.local is None:
            return
        if session.filters and session.refuses(packet, self._drops, up=False):
            return
        if self._emit(session.entry.port, session.header + packet):
            session.local.packets_down += 1
            session.local.octets_down += len(packet)

    def _deliver_merged(self, session: AccessSession, packet: bytes) -> None:
        try:
            pieces = offloads.cut_merged(packet, LINK_MTU)
        except offloads.UnknownOffload:
            self._drops[drops.TOO_BIG] += 1
            return
        for piece in pieces:
            self._deliver(session, piece)

    def _deliver(self, session: AccessSession, packet: bytes) -> None:
        """To the node. Its time to live stays: the anchor has counted this hop (T1)."""
        if len(packet) > LINK_MTU:
            self._drops[drops.TOO_BIG] += 1
            return
        protocol = packet[9]
        if protocol == PROTOCOL_TCP and mss.is_syn(packet):
            packet = self._clamped(session.way, packet)
        elif protocol == PROTOCOL_ICMP and session.awaited and self._is_awaited(session, packet):
            return
        elif protocol == PROTOCOL_IP_IN_IP:
            packet = self._broadcasts.unwrapped(session, packet) or packet
        if session.filters and session.refuses(packet, self._drops, up=False):
            return
        if self._emit(session.entry.port, session.header + packet):
            session.packets_down += 1
            session.octets_down += len(packet)
        if session.entry.shows_dhcp and is_to_dhcp_client(packet):
            self.receiver.dhcp_shown(session.entry.key, packet)

    def _is_awaited(self, session: AccessSession, packet: bytes) -> bool:
        """The answer to the last keepalive is ours, not the node's (N37)."""
        if packet[12:16] != octets(session.entry.tunnel.remote) or answered(packet) != session.awaited:
            return False
        session.awaited = 0
        self.receiver.keepalive_answered(session.entry.key)
        return True
