"""The portable packet plane of an LMA: a TUN device for the home prefixes, a raw socket and UDP to the MAGs."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from zope.interface import implementer

from pmip_tw.addresses import Ipv4, Prefix, ipv4_text
from pmip_tw.descriptors import ReadReactor
from pmip_tw.errors import ForwardingError
from pmip_tw.forwarding import drops
from pmip_tw.forwarding.anchor_switch import AnchorSwitch
from pmip_tw.forwarding.arrivals import Arrivals
from pmip_tw.forwarding.core_side import CoreSide
from pmip_tw.forwarding.tun_device import TunDevice, enable_forwarding
from pmip_tw.interfaces import (
    Datagram,
    IForwardingPlane,
    IPacketReceiver,
    ISignalling,
    ITunnelDataReceiver,
)
from pmip_tw.mobility.tunnels import AccessKey, AnchorEntry, AnchorKey, Counters, Entry, EntryKey

DEVICE = "mip0"
MTU = 1468
"""A link of 1500 octets less 32, the largest overhead (RFC 3519)."""


@implementer(IForwardingPlane, ITunnelDataReceiver)
class TunAnchor:
    """``local`` is the home agent address; without ``signalling`` there are no UDP tunnels.

    Packets to ``prefixes`` that the machine routes come out of ``device``, whose ``mtu`` they fit.
    """

    name = "tun"

    def __init__(
        self,
        *,
        reactor: ReadReactor,
        monotonic: Callable[[], float],
        signalling: ISignalling | None,
        local: Ipv4,
        device: str = DEVICE,
        mtu: int = MTU,
        prefixes: tuple[Prefix, ...],
    ) -> None:
        self._monotonic = monotonic
        self._device = device
        self._mtu = mtu
        self._prefixes = prefixes
        self._drops = drops.Drops()
        self._undo = ExitStack()
        self._tun: TunDevice | None = None
        self._core = CoreSide(
            reactor=reactor, signalling=signalling, local=local, dropped=self._drops, wake=self._wake
        )
        self._switch = AnchorSwitch(
            local=local,
            open_path=self._core.open_path,
            path_mtu=self._core.path_mtu,
            dropped=self._drops,
        )
        self._main = self._switch.add_domain(
            "",
            to_host=self._to_host,
            # Not through the TUN device: the kernel drops what arrives there with an address of its own.
            answer=self._core.send,
            speaker=lambda home_address: local,
        )
        self._arrivals = Arrivals(self._switch.packet_arrived, self._drops)

    # IForwardingPlane

    def start(self, receiver: IPacketReceiver | None) -> None:
        with ExitStack() as undo:
            enable_forwarding()
            self._core.open(undo)
            tun = self._tun = TunDevice(self._device, self._drops)
            undo.callback(tun.close)
            tun.configure(self._mtu, self._prefixes)
            self._core.read(undo, self._device, tun, self._main.downstream)
            self._core.receive(self._arrivals)
            self._undo = undo.pop_all()

    def stop(self) -> None:
        self._undo.close()

    def install(self, entry: Entry) -> None:
        if not isinstance(entry, AnchorEntry):
            raise ForwardingError("install", str(entry.key), "an anchor has no access ports")
        if not any(entry.home_address in prefix for prefix in self._prefixes):
            text = f"it is in none of the home prefixes, which are routed to {self._device}"
            raise ForwardingError("install", str(entry.key), text)
        self._switch.install(entry)

    def remove(self, key: EntryKey) -> Counters:
        return self._switch.remove(key) if isinstance(key, AnchorKey) else Counters()

    def snapshot(self) -> tuple[Entry, ...]:
        return self._switch.snapshot()

    def counters(self, key: EntryKey) -> Counters:
        return self._switch.counters(key) if isinstance(key, AnchorKey) else Counters()

    def drops(self) -> dict[str, int]:
        return dict(self._drops)

    def transmit(self, port: str, frame: bytes) -> None:
        raise ForwardingError("send to", port, "an anchor has no access ports")

    def forward(self, port: str, frame: bytes) -> None:
        raise ForwardingError("forward from", port, "an anchor has no access ports")

    def keepalive(self, key: AccessKey) -> None:
        """MAGs ask, anchors answer."""

    def use_address(self, local: Ipv4) -> None:
        raise ForwardingError("use", ipv4_text(local), "an anchor keeps its address: MAGs know it by that")

    # ITunnelDataReceiver

    def tunnel_data_received(self, batch: Sequence[Datagram]) -> None:
        self._wake()
        self._arrivals.tunnel_data(batch)

    def _wake(self) -> None:
        self._switch.now = self._monotonic()

    def _to_host(self, packet: bytes) -> bool:
        return self._tun is not None and self._tun.write(packet)
