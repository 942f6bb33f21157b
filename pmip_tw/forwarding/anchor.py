"""The portable packet plane of an LMA: a TUN device for the home prefixes, a raw socket and UDP to the MAGs."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from zope.interface import implementer

from pmip_tw.addresses import Ipv4, Prefix
from pmip_tw.errors import ForwardingError
from pmip_tw.forwarding import drops
from pmip_tw.forwarding.anchor_switch import AnchorSwitch
from pmip_tw.forwarding.ip_in_ip import IpInIpSocket
from pmip_tw.forwarding.path_mtu import LINK_MTU, PathMtuProbe
from pmip_tw.forwarding.paths import udp_path
from pmip_tw.forwarding.reader import BatchReader, ReadReactor
from pmip_tw.forwarding.session import Carry
from pmip_tw.forwarding.tun_device import TunDevice, enable_forwarding
from pmip_tw.interfaces import (
    Datagram,
    IForwardingPlane,
    IPacketReceiver,
    ISignalling,
    ITunnelDataReceiver,
)
from pmip_tw.mobility.tunnels import AnchorEntry, AnchorKey, Counters, Entry, EntryKey, Tunnel

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
        self._reactor = reactor
        self._monotonic = monotonic
        self._signalling = signalling
        self._local = local
        self._device = device
        self._mtu = mtu
        self._prefixes = prefixes
        self._drops = drops.Drops()
        self._undo = ExitStack()
        self._tun: TunDevice | None = None
        self._raw: IpInIpSocket | None = None
        self._probe: PathMtuProbe | None = None
        self._switch = AnchorSwitch(
            local=local,
            mtu=mtu,
            open_path=self._open_path,
            path_mtu=self._path_mtu,
            to_host=self._to_host,
            answer=self._answer,
            dropped=self._drops,
        )

    # IForwardingPlane

    def start(self, receiver: IPacketReceiver | None) -> None:
        with ExitStack() as undo:
            enable_forwarding()
            raw = self._raw = IpInIpSocket(self._local, self._drops)
            undo.callback(raw.close)
            probe = self._probe = PathMtuProbe(self._local)
            undo.callback(probe.close)
            tun = self._tun = TunDevice(self._device, self._drops)
            undo.callback(tun.close)
            tun.configure(self._mtu, self._prefixes)
            self._read(undo, self._device, tun, self._switch.downstream)
            self._read(undo, "IP-in-IP", raw, self._switch.ip_in_ip_received)
            self._undo = undo.pop_all()

    def _read(
        self, undo: ExitStack, what: str, source: TunDevice | IpInIpSocket, handle: Callable[[bytes], None]
    ) -> None:
        reader = BatchReader(
            self._reactor, what, source.fileno(), read=source.read, handle=handle, wake=self._wake
        )
        reader.start()
        undo.callback(reader.stop)

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

    # ITunnelDataReceiver

    def tunnel_data_received(self, batch: Sequence[Datagram]) -> None:
        self._wake()
        self._switch.tunnel_data_received(batch)

    def _wake(self) -> None:
        self._switch.now = self._monotonic()

    def _path_mtu(self, tunnel: Tunnel) -> int:
        return LINK_MTU if self._probe is None else self._probe.path_mtu(tunnel)

    def _open_path(self, tunnel: Tunnel) -> Carry:
        if tunnel.over_udp:
            if self._signalling is None:
                raise ForwardingError("install", str(tunnel), "there is no UDP socket for it")
            return udp_path(self._signalling, tunnel)
        if self._raw is None:
            raise ForwardingError("install", str(tunnel), "the packet plane is not started")
        return self._raw.path(tunnel)

    def _to_host(self, packet: bytes) -> bool:
        return self._tun is not None and self._tun.write(packet)

    def _answer(self, packet: bytes) -> None:
        # Not through the TUN device: the kernel drops what arrives there with an address of its own.
        if self._raw is not None:
            self._raw.send(packet)
