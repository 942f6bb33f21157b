"""The portable packet plane of a MAG: packet sockets to the mobile nodes, a raw socket and UDP to the LMAs."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial

from twisted.logger import Logger
from zope.interface import implementer

from pmip_tw.addresses import Ipv4, Mac, ipv4_text
from pmip_tw.descriptors import ReadReactor
from pmip_tw.errors import ForwardingError
from pmip_tw.forwarding import drops, offloads
from pmip_tw.forwarding.access_switch import AccessSwitch
from pmip_tw.forwarding.arrivals import Arrivals
from pmip_tw.forwarding.breakout import Breakout, BreakoutRules
from pmip_tw.forwarding.core_side import CoreSide
from pmip_tw.forwarding.firewall import IngressDrop
from pmip_tw.forwarding.link import Link
from pmip_tw.forwarding.local_network import LocalNetwork
from pmip_tw.forwarding.packet_socket import PacketSocket
from pmip_tw.forwarding.tunnel_errors import tunnel_errors
from pmip_tw.interfaces import (
    Datagram,
    IForwardingPlane,
    IPacketReceiver,
    ISignalling,
    ITunnelDataReceiver,
)
from pmip_tw.mobility.tunnels import (
    AccessEntry,
    AccessKey,
    Activity,
    AlikeEntries,
    Counters,
    Entry,
    EntryKey,
    Tunnel,
)

_FINISHED = (b"\0\0", b"\2\0")  # flags and type of a frame with nothing left to do, checksum verified or not


@implementer(IForwardingPlane, ITunnelDataReceiver)
class TunAccess:
    """``local`` is the care-of address, ``interfaces`` have mobile nodes behind them and no IPv4 address.

    ``gateway_for(home_address)`` is the router that a node with that address believes to have. Without
    ``signalling`` there are no UDP tunnels. ``breakout``: which networks around are reached past the tunnels (N58); an
    empty list of them removes what a crashed process left, None looks at nothing.
    """

    name = "tun"
    _log = Logger()

    def __init__(
        self,
        *,
        reactor: ReadReactor,
        monotonic: Callable[[], float],
        signalling: ISignalling | None,
        local: Ipv4,
        interfaces: tuple[str, ...],
        gateway_mac: Mac,
        gateway_for: Callable[[Ipv4], Ipv4],
        local_routing: bool = False,
        breakout: BreakoutRules | None = None,
    ) -> None:
        self._monotonic = monotonic
        self._local = local
        self._interfaces = interfaces
        self._drops = drops.Drops()
        self._undo = ExitStack()
        self._ports: dict[str, PacketSocket] = {}
        self._core = CoreSide(
            reactor=reactor, signalling=signalling, local=local, dropped=self._drops, wake=self._wake
        )
        self._local_network = LocalNetwork(breakout, self._drops) if breakout is not None else None
        self._breakout = None
        if breakout is not None and self._local_network is not None and breakout.prefixes:
            self._breakout = Breakout(breakout, own=local, leave_by=self._local_network, dropped=self._drops)
        self._switch = AccessSwitch(
            ports=interfaces,
            gateway_mac=gateway_mac,
            gateway_for=gateway_for,
            open_path=self._core.open_path,
            path_mtu=self._core.path_mtu,
            emit=self._emit,
            dropped=self._drops,
            local_routing=local_routing,
            breakout=self._breakout,
        )
        self._arrivals = Arrivals(self._switch.packet_arrived, self._drops)

    # IForwardingPlane

    def start(self, receiver: IPacketReceiver | None) -> None:
        if receiver is not None:
            self._switch.receiver = receiver
        with ExitStack() as undo:
            self._core.open(undo)
            for interface in self._interfaces:
                self._open_port(undo, interface)
            if self._local_network is not None:
                self._local_network.open(undo, self._core, self._switch.local_arrived)
            self._core.receive(self._arrivals, tunnel_errors(self._switch.error_reported))
            self._undo = undo.pop_all()

    def _open_port(self, undo: ExitStack, interface: str) -> None:
        link = Link(interface)
        if not link.is_up():
            raise ForwardingError("open", interface, f"it is down; ip link set {interface} up")
        self._require_no_address(link)
        fence = IngressDrop(interface)
        fence.install()
        undo.callback(self._lift, fence)
        undo.callback(link.restore_merging, link.stop_merging())
        port = self._ports[interface] = PacketSocket(interface, self._drops)
        undo.callback(port.close)
        self._core.read(undo, interface, port, partial(self._frame_arrived, interface))

    def _require_no_address(self, link: Link) -> None:
        address = link.address()
        if address is None:
            return
        text = (
            f"it carries {ipv4_text(address)}, this MAG's own address: it is the way to the LMA and no access"
            " interface; correct [[mag.access]] interface"
            if address == self._local
            else f"it has the address {ipv4_text(address)}, so the kernel would route there past the tunnels; "
            f"if mobile nodes are behind it and nothing else, ip address flush dev {link.name}"
        )
        raise ForwardingError("open", link.name, text)

    def _lift(self, fence: IngressDrop) -> None:
        try:
            fence.remove()
        except ForwardingError as error:
            self._log.warn("the kernel may still be kept off: {error}", error=error)

    def stop(self) -> None:
        self._undo.close()

    def install_alike(self, entries: AlikeEntries) -> Sequence[Ipv4]:
        """They are an anchor's, which ``install`` says of each."""
        return entries.home_addresses

    def install(self, entry: Entry) -> None:
        if not isinstance(entry, AccessEntry):
            raise ForwardingError("install", str(entry.key), "a MAG holds entries of access ports only")
        self._switch.install(entry)

    def remove(self, key: EntryKey) -> Counters:
        return self._switch.remove(key) if isinstance(key, AccessKey) else Counters()

    def snapshot(self) -> tuple[Entry, ...]:
        return self._switch.snapshot()

    def counters(self, key: EntryKey) -> Counters:
        return self._switch.counters(key) if isinstance(key, AccessKey) else Counters()

    def drops(self) -> dict[str, int]:
        return dict(self._drops)

    def transmit(self, port: str, frame: bytes) -> None:
        if port not in self._ports:
            raise ForwardingError("send to", port, "it is not one of the access interfaces")
        self._emit(port, frame)

    def forward(self, port: str, frame: bytes) -> None:
        self._wake()
        self._switch.upstream(port, frame)

    def activity(self, tunnel: Tunnel) -> Activity:
        return self._switch.activity(tunnel)

    def keepalive(self, key: AccessKey) -> None:
        self._wake()
        self._switch.keepalive(key)

    def open_dhcp(self, tunnel: Tunnel) -> None:
        self._switch.dhcp.open(tunnel)

    def close_dhcp(self, tunnel: Tunnel) -> None:
        self._switch.dhcp.close(tunnel)

    def send_dhcp(self, tunnel: Tunnel, packet: bytes) -> None:
        self._switch.dhcp.send(tunnel, packet)

    def use_address(self, local: Ipv4) -> None:
        self._core.use_address(local, self._switch.locals_used())
        self._local = local
        if self._breakout is not None:
            self._breakout.own = local

    # ITunnelDataReceiver

    def tunnel_data_received(self, batch: Sequence[Datagram]) -> None:
        self._core.tunnel_data_received(batch)

    def _frame_arrived(self, port: str, data: bytes) -> None:
        if data[:2] in _FINISHED:
            self._switch.upstream(port, data[offloads.VNET_HEADER :])
            return
        try:
            frames = offloads.finish(data)
        except offloads.UnknownOffload as error:
            self._drops[drops.UNFINISHED_OFFLOAD] += 1
            self._log.debug("a frame on {port} cannot be finished: {error}", port=port, error=error)
            return
        for frame in frames:
            self._switch.upstream(port, frame)

    def _wake(self) -> None:
        self._switch.now = self._monotonic()

    def _emit(self, port: str, frame: bytes) -> bool:
        return self._ports[port].send(frame)
