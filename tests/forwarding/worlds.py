"""What surrounds a packet plane in a test: its nodes, its tunnels' other ends, and whoever takes frames handed up.

One shape for the twin and for the real provider, so that one contract runs on both.

    access:   nodes == mn0/mn1 --- acc0/acc1 [plane] core0 --- core1 == two anchors
              with local breakout also         [plane] lan0 --- lan1 == PRINTER
    anchor:   correspondent == cn0 --- srv0 [plane] core0 --- core1 == two MAGs
"""

import socket
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from typing import Any

import attrs
from twisted.internet.posixbase import PosixReactorBase
from zope.interface import implementer

from pmip_tw.addresses import Endpoint, Ipv4, ipv4, ipv4_text, prefix
from pmip_tw.forwarding.access import TunAccess
from pmip_tw.forwarding.anchor import TunAnchor
from pmip_tw.forwarding.home_domain import HomeDomain
from pmip_tw.forwarding.memory import MemoryPlane, far_end, wrapped
from pmip_tw.forwarding.paths import inner_mtu
from pmip_tw.forwarding.tunnel_ends import leaving_ends
from pmip_tw.interfaces import Datagram, IPacketReceiver, ISignalling
from pmip_tw.mobility.tunnels import AccessKey, Encapsulation, Entry, Tunnel
from pmip_tw.wire import minimal
from pmip_tw.wire.encapsulation import TunnelData
from pmip_tw.wire.gre import read_gre
from pmip_tw.wire.ipv4 import Ipv4Packet
from tests.loops import private_reactor

from .namespaces import Namespace, netlink
from .packets import GATEWAY_MAC, frame, hop

PORTS = ("acc0", "acc1")
LOCAL = ipv4("192.0.2.1")
PEERS = (ipv4("192.0.2.10"), ipv4("192.0.2.11"))
UDP_PORT = 434
SECONDS = 30.0
PRINTER = ipv4("192.168.7.20")
"""A host of the network around a MAG."""

LAN_ADDRESS = ipv4("192.168.7.1")
"""The MAG's own there."""

BLUE = "blue"
"""The second address space of an LMA that has two."""


def tunnel(
    peer: int = 0,
    *,
    over_udp: bool = False,
    port: int = UDP_PORT,
    kind: Encapsulation = Encapsulation.IP_IN_IP,
    keys: tuple[int, int] | None = None,
) -> Tunnel:
    """To one of the two peers; ``keys``: of what arrives and of what leaves."""
    key_in, key_out = keys or (None, None)
    return Tunnel(
        local=LOCAL,
        remote=PEERS[peer],
        encapsulation=kind,
        remote_port=port if over_udp else 0,
        key_in=key_in,
        key_out=key_out,
    )


def leaving(way: Tunnel) -> Tunnel:
    """What can be seen of ``way`` in the packets that leave: not the key of those that arrive."""
    return attrs.evolve(way, key_in=None)


@implementer(IPacketReceiver)
class HandedUp:
    """Keeps what the plane could not decide."""

    def __init__(self) -> None:
        self.frames: list[tuple[str, bytes]] = []
        self.dhcp: list[tuple[AccessKey, bytes]] = []
        self.answered: list[AccessKey] = []
        self.without_breakout: list[tuple[AccessKey, str]] = []
        self.tunneled: list[tuple[Tunnel, bytes]] = []

    def frame_received(self, port: str, frame: bytes) -> None:
        self.frames.append((port, frame))

    def keepalive_answered(self, key: AccessKey) -> None:
        self.answered.append(key)

    def dhcp_shown(self, key: AccessKey, packet: bytes) -> None:
        self.dhcp.append((key, packet))

    def breakout_refused(self, key: AccessKey, cause: str) -> None:
        self.without_breakout.append((key, cause))

    def dhcp_tunneled(self, tunnel: Tunnel, packet: bytes) -> None:
        self.tunneled.append((tunnel, packet))


class MemoryAccess:
    """The twin as a MAG."""

    ports: tuple[str, ...] = PORTS
    domains: tuple[str, ...] = ("",)

    def __init__(self, **more: Any) -> None:
        self.receiver = HandedUp()
        self.plane = MemoryPlane(
            monotonic=time.monotonic,
            local=LOCAL,
            ports=self.ports,
            gateway_mac=GATEWAY_MAC,
            gateway_for=_gateway,
            **more,
            domains=self.domains,
        )
        self.plane.start(self.receiver)

    def node_sends(self, port: str, octets: bytes) -> None:
        self.plane.node_sends(port, octets)

    def tunnel_gives(self, way: Tunnel, inner: bytes) -> None:
        self.plane.arrive(way, inner)

    def outside_sends(self, packet: bytes) -> None:
        self.plane.outside_sends(packet)

    def tunnelled(self) -> list[tuple[Tunnel, bytes]]:
        return [(leaving(way), inner) for way, inner in self.plane.tunnelled]

    def transmitted(self) -> list[tuple[str, bytes]]:
        return self.plane.transmitted

    def local_network_sends(self, packet: bytes) -> None:
        self.plane.local_network_sends(hop(packet))  # the machine's stack counts a hop on the way

    def left_locally(self) -> list[bytes]:
        return [hop(packet) for packet in self.plane.local_network.left]

    def narrow(self, mtu: int) -> None:
        self.plane.core_mtu = mtu

    def path_takes(self, mtu: int) -> None:
        """A router on the way takes less from now on, and says so by ICMP."""
        self.plane.core_mtu = mtu

    def learnt(self, mtu: int, way: Tunnel) -> bool:
        return True

    def also_has(self, address: Ipv4) -> None:
        """The machine gets another address: nothing to do for a twin."""

    def lacks(self, address: Ipv4) -> None:
        self.plane.foreign.add(address)

    def use_address(self, address: Ipv4) -> None:
        self.plane.use_address(address)

    def until(self, condition: Callable[[], bool]) -> None:
        """The twin has done everything already."""
        assert condition()

    def close(self) -> None:
        self.plane.stop()


class MemoryAnchor(MemoryAccess):
    """The twin as an LMA."""

    ports = ()

    def host_sends(self, packet: bytes, domain: str = "") -> None:
        self.plane.host_sends(hop(packet), domain)  # the machine's stack counts a hop on the way

    def delivered(self, domain: str | None = None) -> list[bytes]:
        plane = self.plane
        return plane.delivered_in[domain] if domain else plane.delivered + plane.answered


class MemoryRealms(MemoryAnchor):
    """The twin as an LMA with two address spaces."""

    domains = ("", BLUE)


class _Core:
    """The core network of a real plane: its namespace, the namespace around it, sockets at the tunnels' far ends."""

    def __init__(self, reactor: PosixReactorBase | None = None) -> None:
        self.stack = ExitStack()
        self.inside, self.outside = Namespace(), Namespace()
        self.stack.callback(self.inside.close)
        self.stack.callback(self.outside.close)
        self.reactor = reactor or self.stack.enter_context(private_reactor())
        self.inside.pair("core0", self.outside, "core1")
        self.inside.address("core0", ipv4_text(LOCAL))
        for peer in PEERS:
            self.outside.address("core1", ipv4_text(peer))
        with self.outside.entered():
            self.raw = {kind: self._raw_socket(kind) for kind in Encapsulation}
            self.udp = {peer: self._udp_socket(peer, UDP_PORT) for peer in PEERS}
        with self.inside.entered():
            self.signalling = LoopSignalling(self.reactor)
        self.stack.callback(self.signalling.stop)
        self._tunnelled: list[tuple[Tunnel, bytes]] = []

    def _raw_socket(self, kind: Encapsulation) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, kind)
        self.stack.callback(sock.close)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
        sock.setblocking(False)
        return sock

    def _udp_socket(self, address: Ipv4, port: int) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.stack.callback(sock.close)
        sock.bind((ipv4_text(address), port))
        sock.setblocking(False)
        return sock

    def tunnel_gives(self, way: Tunnel, inner: bytes) -> None:
        if not way.over_udp:
            self.outside_sends(wrapped(far_end(way), inner))
            return
        sender = self.udp[way.remote]
        if way.remote_port != UDP_PORT:
            with self.outside.entered():
                sender = self._udp_socket(way.remote, way.remote_port)
        sender.sendto(wrapped(far_end(way), inner), (ipv4_text(way.local), UDP_PORT))

    def outside_sends(self, packet: bytes) -> None:
        """A whole packet from somewhere in the core network."""
        self.raw[Encapsulation.IP_IN_IP].sendto(packet, (socket.inet_ntoa(packet[16:20]), 0))

    def tunnelled(self) -> list[tuple[Tunnel, bytes]]:
        for kind, raw in self.raw.items():
            for octets in _drain(raw):
                self._tunnelled.append(unwrapped(kind, octets))
        for peer, sock in self.udp.items():
            for octets in _drain(sock):
                self._tunnelled.append(unwrapped_from_udp(peer, octets))
        return self._tunnelled

    def narrow(self, mtu: int) -> None:
        """The core network takes less from now on."""
        self.inside.set_mtu("core0", mtu)

    def path_takes(self, mtu: int) -> None:
        """The kernel learns it from that router's ICMP."""

    def learnt(self, mtu: int, way: Tunnel) -> bool:
        learning = self.plane._switch._paths.leaving(leaving_ends(way))
        return learning is not None and learning.mtu == inner_mtu(way, mtu)

    def also_has(self, address: Ipv4) -> None:
        """The machine gets another address."""
        self.inside.address("core0", ipv4_text(address))

    def lacks(self, address: Ipv4) -> None:
        """It has none of its own accord."""

    def use_address(self, address: Ipv4) -> None:
        with self.inside.entered():
            self.plane.use_address(address)

    def until(self, condition: Callable[[], bool]) -> None:
        """Let the plane work until ``condition`` holds; it fails the test when that takes seconds."""
        deadline = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < deadline, "the packet plane did not do it in time"
            self.reactor.iterate(0.01)

    def close(self) -> None:
        self.stack.close()


class _Access(TunAccess):
    """Opens what it opens late in its own namespace."""

    def __init__(self, inside: Namespace, **more: Any) -> None:
        super().__init__(**more)
        self._inside = inside

    def install(self, entry: Entry) -> None:
        with self._inside.entered():
            super().install(entry)

    def open_dhcp(self, tunnel: Tunnel) -> None:
        with self._inside.entered():
            super().open_dhcp(tunnel)


class _Anchor(TunAnchor):
    """The same of an LMA."""

    def __init__(self, inside: Namespace, **more: Any) -> None:
        super().__init__(**more)
        self._inside = inside

    def install(self, entry: Entry) -> None:
        with self._inside.entered():
            super().install(entry)

    def open_dhcp(self, tunnel: Tunnel) -> None:
        with self._inside.entered():
            super().open_dhcp(tunnel)


class TunAccessWorld(_Core):
    """The TUN provider as a MAG."""

    def __init__(self, reactor: PosixReactorBase | None = None, **more: Any) -> None:
        super().__init__(reactor)
        if "breakout" in more:
            self._add_local_network()
        self.receiver = HandedUp()
        self._transmitted: list[tuple[str, bytes]] = []
        self._nodes = {}
        for number, port in enumerate(PORTS):
            self.inside.pair(port, self.outside, f"mn{number}")
            self._nodes[port] = self.outside.packet_socket(f"mn{number}")
            self.stack.callback(self._nodes[port].close)
        self.plane = _Access(
            self.inside,
            reactor=self.reactor,
            monotonic=time.monotonic,
            signalling=self.signalling,
            local=LOCAL,
            interfaces=PORTS,
            gateway_mac=GATEWAY_MAC,
            gateway_for=_gateway,
            **more,
        )
        with self.inside.entered():
            self.plane.start(self.receiver)
            self.signalling.start_tunnel_data(self.plane)
        self.stack.callback(self._stop)

    def _stop(self) -> None:
        with self.inside.entered():
            self.plane.stop()

    def _add_local_network(self) -> None:
        self.inside.pair("lan0", self.outside, "lan1")
        self.inside.address("lan0", ipv4_text(LAN_ADDRESS))
        self.inside.neighbor("lan0", ipv4_text(PRINTER), "02:00:00:00:07:20")
        self._printer = self.outside.packet_socket("lan1")
        self.stack.callback(self._printer.close)
        self._lan_mac = self.inside.mac("lan0")
        self._left: list[bytes] = []

    def local_network_sends(self, packet: bytes) -> None:
        self._printer.send(frame(packet, destination=self._lan_mac))

    def left_locally(self) -> list[bytes]:
        self._left += _packets(self._printer)
        return self._left

    def node_sends(self, port: str, octets: bytes) -> None:
        self._nodes[port].send(octets)

    def transmitted(self) -> list[tuple[str, bytes]]:
        for port, sock in self._nodes.items():
            self._transmitted += [(port, octets) for octets in _drain(sock)]
        return self._transmitted


class TunAnchorWorld(_Core):
    """The TUN provider as an LMA."""

    domains: tuple[HomeDomain, ...] = (HomeDomain(prefixes=(prefix("10.1.0.0/24"),)),)

    def __init__(self, reactor: PosixReactorBase | None = None) -> None:
        super().__init__(reactor)
        self.receiver = HandedUp()
        self.inside.pair("srv0", self.outside, "cn0")
        self.inside.address("srv0", "10.9.0.1")
        self.inside.neighbor("srv0", "10.9.0.2", "02:00:00:00:09:02")
        self._correspondent = self.outside.packet_socket("cn0")
        self.stack.callback(self._correspondent.close)
        self._router = self.inside.mac("srv0")
        self._delivered: list[bytes] = []
        self.plane = _Anchor(
            self.inside,
            reactor=self.reactor,
            monotonic=time.monotonic,
            signalling=self.signalling,
            local=LOCAL,
            domains=self.domains,
        )
        with self.inside.entered():
            self.plane.start(self.receiver)
            self.signalling.start_tunnel_data(self.plane)
        self.stack.callback(self._stop)

    def _stop(self) -> None:
        with self.inside.entered():
            self.plane.stop()

    def host_sends(self, packet: bytes, domain: str = "") -> None:
        self._correspondent.send(frame(packet, destination=self._router))

    def delivered(self, domain: str | None = None) -> list[bytes]:
        self._delivered += _packets(self._correspondent)
        return self._delivered


class TunRealms(TunAnchorWorld):
    """The TUN provider with two address spaces, which have the same home prefix and the same correspondents.

    correspondent 10.9.0.2 == cn0 --- srv0 [main table] mip0
    correspondent 10.9.0.2 == cn2 --- srv2 [table 100]  mip1
    """

    domains = (
        *TunAnchorWorld.domains,
        HomeDomain(name=BLUE, device="mip1", prefixes=(prefix("10.1.0.0/24"),), table=100),
    )

    def __init__(self) -> None:
        super().__init__()
        self.inside.pair("srv2", self.outside, "cn2")
        self.inside.neighbor("srv2", "10.9.0.2", "02:00:00:00:09:02")
        with self.inside.entered(), netlink() as ip:
            # The operator's part: whose packets look into the table, and where it leads.
            ip.route("add", dst="10.9.0.0/24", oif=ip.link_lookup(ifname="srv2")[0], table=100)
            ip.rule("add", iifname="srv2", table=100)
        self._blue = self.outside.packet_socket("cn2")
        self.stack.callback(self._blue.close)
        self._blue_router = self.inside.mac("srv2")
        self._blue_delivered: list[bytes] = []

    def host_sends(self, packet: bytes, domain: str = "") -> None:
        if domain != BLUE:
            super().host_sends(packet)
            return
        self._blue.send(frame(packet, destination=self._blue_router))

    def delivered(self, domain: str | None = None) -> list[bytes]:
        if domain != BLUE:
            return super().delivered()
        self._blue_delivered += _packets(self._blue)
        return self._blue_delivered


@implementer(ISignalling)
class LoopSignalling:
    """Port 434 of the namespace it is made in, for tunnel data only."""

    def __init__(self, reactor: PosixReactorBase, local: Ipv4 = LOCAL) -> None:
        self.addresses = (local,)
        self._local = local
        self._reactor = reactor
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)
        self._socket.setsockopt(socket.SOL_SOCKET, 32, 8 << 20)
        self._socket.bind((ipv4_text(local), UDP_PORT))
        self._socket.setblocking(False)
        self._tunnel_data: Any = None

    def start(self, receiver: Any, tunnel_data: Any) -> None:
        self.start_tunnel_data(tunnel_data)

    def start_tunnel_data(self, tunnel_data: Any) -> None:
        self._tunnel_data = tunnel_data
        self._reactor.addReader(self)

    def send_all(self, messages: Sequence[tuple[bytes, Endpoint]], source: Ipv4) -> None:
        for payload, destination in messages:
            self.send(payload, destination, source)

    def send(self, payload: bytes, destination: Endpoint, source: Ipv4, tos: int = 0) -> int:
        try:
            service = [(socket.IPPROTO_IP, socket.IP_TOS, bytes((tos,)))] if tos else []
            self._socket.sendmsg([payload], service, 0, (ipv4_text(destination.address), destination.port))
        except BlockingIOError as error:
            return error.errno
        return 0

    def stop(self) -> None:
        self._reactor.removeReader(self)
        self._socket.close()

    def fileno(self) -> int:
        return self._socket.fileno()

    def logPrefix(self) -> str:
        return "loop signalling"

    def connectionLost(self, reason: object) -> None:
        self._tunnel_data = None

    def doRead(self) -> None:
        batch = []
        with suppress(BlockingIOError):
            for _ in range(64):
                payload, (host, port) = self._socket.recvfrom(0x10000)
                batch.append(Datagram(payload, Endpoint(ipv4(host), port), self._local))
        if batch:
            self._tunnel_data.tunnel_data_received(batch)


def unwrapped(kind: Encapsulation, outer: bytes) -> tuple[Tunnel, bytes]:
    """The tunnel that an outer packet is in, as far as it shows, and what it carries."""
    packet = Ipv4Packet.decode(outer)
    way = Tunnel(local=packet.source, remote=packet.destination, encapsulation=kind)
    if kind is Encapsulation.MINIMAL:
        return way, minimal.unwrap(outer)
    if kind is Encapsulation.GRE:
        key, inner = read_gre(packet.payload)
        return attrs.evolve(way, key_out=int.from_bytes(key, "big") if key else None), inner
    return way, packet.payload


def unwrapped_from_udp(peer: Ipv4, octets: bytes) -> tuple[Tunnel, bytes]:
    """The same for tunnel data that reached ``peer``."""
    data = TunnelData.decode(octets)
    kind = Encapsulation(data.next_header)
    way = Tunnel(local=LOCAL, remote=peer, encapsulation=kind, remote_port=UDP_PORT)
    if kind is Encapsulation.MINIMAL:
        return way, minimal.rebuild(data.payload, LOCAL, 0)
    if kind is Encapsulation.GRE:
        key, inner = read_gre(data.payload)
        return attrs.evolve(way, key_out=int.from_bytes(key, "big") if key else None), inner
    return way, data.payload


def _packets(sock: socket.socket) -> list[bytes]:
    """The IPv4 packets that wait, without padding."""
    found = [octets for octets in _drain(sock) if octets[12:14] == b"\x08\x00"]
    return [octets[14 : 14 + int.from_bytes(octets[16:18], "big")] for octets in found]


def _gateway(home_address: Ipv4) -> Ipv4:
    return Ipv4(home_address & 0xFFFFFF00 | 1)


def _drain(sock: socket.socket) -> list[bytes]:
    found = []
    with suppress(BlockingIOError):
        while True:
            found.append(sock.recv(0x11000))
    return found
