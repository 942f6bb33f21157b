"""The packet plane's twin: the same rules, with lists where the devices would be."""

from collections.abc import Callable, Sequence
from functools import partial

from zope.interface import implementer

from pmip_tw.addresses import Endpoint, Ipv4, Mac, ipv4_text
from pmip_tw.errors import ForwardingError
from pmip_tw.forwarding import drops
from pmip_tw.forwarding.access_switch import AccessSwitch
from pmip_tw.forwarding.anchor_domain import AnchorDomain
from pmip_tw.forwarding.anchor_switch import AnchorSwitch
from pmip_tw.forwarding.arrivals import Arrivals
from pmip_tw.forwarding.breakout import Breakout, BreakoutRules
from pmip_tw.forwarding.path_mtu import LINK_MTU
from pmip_tw.forwarding.paths import Carry, inner_mtu, whole_only
from pmip_tw.forwarding.tunnel_errors import tunnel_errors
from pmip_tw.interfaces import Datagram, IForwardingPlane, IPacketReceiver, ITunnelDataReceiver
from pmip_tw.mobility.tunnels import (
    SIGNALLING_PORT,
    AccessEntry,
    AccessKey,
    Activity,
    AlikeEntries,
    Counters,
    Encapsulation,
    Entry,
    EntryKey,
    Tunnel,
)
from pmip_tw.wire import minimal
from pmip_tw.wire.encapsulation import outer_header, tunnel_data_header
from pmip_tw.wire.gre import gre_header
from pmip_tw.wire.ipv4 import PROTOCOL_ICMP


def far_end(tunnel: Tunnel) -> Tunnel:
    """The same tunnel as its other end sees it, with no NAT in between."""
    return Tunnel(
        local=tunnel.remote,
        remote=tunnel.local,
        encapsulation=tunnel.encapsulation,
        remote_port=SIGNALLING_PORT if tunnel.over_udp else 0,
        key_in=tunnel.key_out,
        key_out=tunnel.key_in,
    )


def wrapped(tunnel: Tunnel, inner: bytes) -> bytes:
    """``inner`` as it leaves from ``tunnel.local``: the payload of a UDP datagram, or a whole outer packet."""
    gre = gre_header(tunnel.key_out) if tunnel.encapsulation is Encapsulation.GRE else b""
    if tunnel.over_udp:
        before = tunnel_data_header(tunnel.encapsulation) + gre
        if tunnel.encapsulation is Encapsulation.MINIMAL:
            return before + minimal.forwarding_header(inner) + inner[(inner[0] & 0xF) * 4 :]
        return before + inner
    if tunnel.encapsulation is Encapsulation.MINIMAL:
        return minimal.wrap(inner, tunnel.local.to_bytes(4, "big"), tunnel.remote.to_bytes(4, "big"))
    return outer_header(tunnel.local, tunnel.remote, tunnel.encapsulation, inner, shim=gre) + inner


class MemoryLocalNetwork:
    """``left`` by it, as the nodes have sent them; ``admitted``: whom the machine's routes and neighbors know."""

    def __init__(self) -> None:
        self.left: list[bytes] = []
        self.admitted: set[Ipv4] = set()

    def admit(self, home_address: Ipv4) -> None:
        self.admitted.add(home_address)

    def dismiss(self, home_address: Ipv4) -> None:
        self.admitted.remove(home_address)

    def write(self, packet: bytes) -> bool:
        self.left.append(packet)
        return True


@implementer(IForwardingPlane, ITunnelDataReceiver)
class MemoryPlane:
    """A MAG's plane if it has ``ports``, else an LMA's.

    What leaves is kept: ``tunnelled`` (tunnel, inner packet), ``transmitted`` (port, frame), ``delivered`` (inner
    packets for the machine's own stack; ``delivered_in`` by domain), ``answered`` (ICMP errors of an anchor).
    ``carrier``, when set, also gets every tunnelled packet: a simulated network that hands it to another plane's
    ``arrive``. ``core_mtu`` is what the core network takes; it may be lowered at any time. ``foreign``: addresses that
    this machine does not have. ``local_network``: around a MAG with ``breakout``.
    """

    name = "memory"

    def __init__(
        self,
        *,
        monotonic: Callable[[], float],
        local: Ipv4,
        ports: Sequence[str] = (),
        gateway_mac: Mac = Mac(b"\x02\x00\x5e\x50\x4d\x49"),
        gateway_for: Callable[[Ipv4], Ipv4] = lambda home_address: Ipv4(home_address & 0xFFFFFF00 | 1),
        local_routing: bool = False,
        domains: Sequence[str] = ("",),
        breakout: BreakoutRules | None = None,
    ) -> None:
        self.local = local
        self.foreign: set[Ipv4] = set()
        self._locals = {local}
        self.started = False
        self.core_mtu = LINK_MTU
        self.carrier: Callable[[Tunnel, bytes], None] | None = None
        self.tunnelled: list[tuple[Tunnel, bytes]] = []
        self.transmitted: list[tuple[str, bytes]] = []
        self.delivered: list[bytes] = []
        self.delivered_in: dict[str, list[bytes]] = {name: [] for name in domains}
        self.answered: list[bytes] = []
        self._monotonic = monotonic
        self._ports = tuple(ports)
        self._drops = drops.Drops()
        self._failure: str | None = None
        self.local_network = MemoryLocalNetwork()
        self._breakout = None
        if breakout is not None:
            self._breakout = Breakout(breakout, own=local, leave_by=self.local_network, dropped=self._drops)
        self._access = AccessSwitch(
            ports=ports,
            gateway_mac=gateway_mac,
            gateway_for=gateway_for,
            open_path=self._open_path,
            path_mtu=lambda tunnel: self.core_mtu,
            emit=self._emit,
            dropped=self._drops,
            local_routing=local_routing,
            breakout=self._breakout,
        )
        self._anchor = AnchorSwitch(
            local=local,
            open_path=self._open_path,
            path_mtu=lambda tunnel: self.core_mtu,
            dropped=self._drops,
        )
        self._domains = {name: self._add_domain(name, gateway_for) for name in domains}
        self._ours = self._access if ports else self._anchor
        self._arrivals = Arrivals(self._ours.packet_arrived, self._drops)
        self._errors = tunnel_errors(self._ours.error_reported)

    def _add_domain(self, name: str, gateway_for: Callable[[Ipv4], Ipv4]) -> AnchorDomain:
        return self._anchor.add_domain(
            name,
            to_host=partial(self._to_host, name),
            answer=self.answered.append,
            speaker=gateway_for if name else lambda home_address: self.local,
            gateway=gateway_for,
        )

    # IForwardingPlane

    def start(self, receiver: IPacketReceiver | None) -> None:
        if receiver is not None:
            self._ours.receiver = receiver
        self.started = True

    def stop(self) -> None:
        self.started = False

    def install(self, entry: Entry) -> None:
        if self._failure is not None:
            text, self._failure = self._failure, None
            raise ForwardingError("install", str(entry.key), text)
        if isinstance(entry, AccessEntry):
            self._access.install(entry)
        elif self._ports:
            raise ForwardingError("install", str(entry.key), "a MAG holds entries of access ports only")
        else:
            self._anchor.install(entry)

    def install_alike(self, entries: AlikeEntries) -> Sequence[Ipv4]:
        if self._failure is not None or self._ports:
            return entries.home_addresses
        return self._anchor.install_alike(entries)

    def remove(self, key: EntryKey) -> Counters:
        return self._access.remove(key) if isinstance(key, AccessKey) else self._anchor.remove(key)

    def snapshot(self) -> tuple[Entry, ...]:
        return (*self._access.snapshot(), *self._anchor.snapshot())

    def counters(self, key: EntryKey) -> Counters:
        return self._access.counters(key) if isinstance(key, AccessKey) else self._anchor.counters(key)

    def drops(self) -> dict[str, int]:
        return dict(self._drops)

    def transmit(self, port: str, frame: bytes) -> None:
        if port not in self._ports:
            raise ForwardingError("send to", port, "it is not one of the access interfaces")
        self._emit(port, frame)

    def forward(self, port: str, frame: bytes) -> None:
        self._access.now = self._monotonic()
        self._access.upstream(port, frame)

    def activity(self, tunnel: Tunnel) -> Activity:
        return self._access.activity(tunnel) if self._ports else self._anchor.activity(tunnel)

    def keepalive(self, key: AccessKey) -> None:
        self._access.now = self._monotonic()
        self._access.keepalive(key)

    def open_dhcp(self, tunnel: Tunnel) -> None:
        self._ours.dhcp.open(tunnel)

    def close_dhcp(self, tunnel: Tunnel) -> None:
        self._ours.dhcp.close(tunnel)

    def send_dhcp(self, tunnel: Tunnel, packet: bytes) -> None:
        self._ours.dhcp.send(tunnel, packet)

    def use_address(self, local: Ipv4) -> None:
        if not self._ports:
            raise ForwardingError(
                "use", ipv4_text(local), "an anchor keeps its address: MAGs know it by that"
            )
        if local in self.foreign:
            raise ForwardingError("bind", ipv4_text(local), "is it an address of this machine?")
        self.local = local
        if self._breakout is not None:
            self._breakout.own = local
        self._locals = self._access.locals_used() | {local}

    # ITunnelDataReceiver

    def tunnel_data_received(self, batch: Sequence[Datagram]) -> None:
        now = self._monotonic()
        self._access.now = self._anchor.now = now
        for datagram in batch:
            self._arrivals.tunnel_data(datagram)

    # What the world does to it

    def fail_next_install(self, text: str = "no room left") -> None:
        """The next install raises ForwardingError with ``text``."""
        self._failure = text

    def node_sends(self, port: str, frame: bytes) -> None:
        """A frame arrives on an access port."""
        self.forward(port, frame)

    def host_sends(self, packet: bytes, domain: str = "") -> None:
        """The machine routes ``packet`` towards a home address (anchor)."""
        self._anchor.now = self._monotonic()
        self._domains[domain].downstream(packet)

    def local_network_sends(self, packet: bytes) -> None:
        """A packet of the network around, which the machine's firewall has let through, to a home address (MAG)."""
        if Ipv4(int.from_bytes(packet[16:20], "big")) in self.local_network.admitted:
            self._access.local_arrived(packet)

    def arrive(self, tunnel: Tunnel, inner: bytes) -> None:
        """An inner packet comes out of ``tunnel``, as this end sees it."""
        self.carried(far_end(tunnel), inner, Endpoint(tunnel.remote, tunnel.remote_port))

    def carried(self, tunnel: Tunnel, inner: bytes, source: Endpoint | None = None) -> None:
        """What the other end has put into its ``tunnel`` arrives; ``source``: whose it seems to be, behind a NAT."""
        octets = wrapped(tunnel, inner)
        if tunnel.over_udp:
            source = source or Endpoint(tunnel.local, SIGNALLING_PORT)
            self.tunnel_data_received([Datagram(octets, source, tunnel.remote)])
        else:
            self.outside_sends(octets)

    def outside_sends(self, outer: bytes) -> None:
        """A whole packet of an encapsulation, or an ICMP error, arrives from the core network."""
        self._access.now = self._anchor.now = self._monotonic()
        if outer[9] == PROTOCOL_ICMP:
            self._errors(outer)
            return
        self._arrivals.over_ip[Encapsulation(outer[9])](outer)

    def _open_path(self, tunnel: Tunnel) -> Carry:
        if not tunnel.over_udp and tunnel.local not in self._locals:
            text = f"{ipv4_text(tunnel.local)} is not the address in use, {ipv4_text(self.local)} is"
            raise ForwardingError("install", str(tunnel), text)
        fragments = tunnel.encapsulation is Encapsulation.MINIMAL and not tunnel.over_udp

        def carry(packet: bytes) -> bool:
            if len(packet) > inner_mtu(tunnel, self.core_mtu) and not fragments:
                self._drops[drops.OUTER_TOO_BIG] += 1
                return False
            self.tunnelled.append((tunnel, packet))
            if self.carrier is not None:
                self.carrier(tunnel, packet)
            return True

        return whole_only(carry, self._drops) if tunnel.encapsulation is Encapsulation.MINIMAL else carry

    def _emit(self, port: str, frame: bytes) -> bool:
        self.transmitted.append((port, frame))
        return True

    def _to_host(self, domain: str, packet: bytes) -> bool:
        self.delivered.append(packet)
        self.delivered_in[domain].append(packet)
        return True
