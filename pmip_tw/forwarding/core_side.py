"""The side of a packet plane that faces the core network, where both roles are the same: ways into the tunnels."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Protocol

from pmip_tw.addresses import Ipv4
from pmip_tw.descriptors import ReadReactor
from pmip_tw.errors import ForwardingError
from pmip_tw.forwarding.drops import Drops
from pmip_tw.forwarding.ip_in_ip import IpInIpSocket
from pmip_tw.forwarding.path_mtu import LINK_MTU, PathMtuProbe
from pmip_tw.forwarding.paths import udp_path
from pmip_tw.forwarding.reader import BatchReader
from pmip_tw.forwarding.session import Carry
from pmip_tw.interfaces import ISignalling
from pmip_tw.mobility.tunnels import Tunnel


class PacketSource(Protocol):
    """A device or socket that gives one packet at a time, or raises OSError."""

    def fileno(self) -> int: ...
    def read(self) -> bytes: ...


class CoreSide:
    """A raw socket for IP-in-IP, ``signalling`` for UDP (None: no UDP tunnels), and what their paths take.

    ``wake`` is called before each batch of packets that a reader handles.
    """

    def __init__(
        self,
        *,
        reactor: ReadReactor,
        signalling: ISignalling | None,
        local: Ipv4,
        dropped: Drops,
        wake: Callable[[], None],
    ) -> None:
        self._reactor = reactor
        self._signalling = signalling
        self._local = local
        self._drops = dropped
        self._wake = wake
        self._raw: IpInIpSocket | None = None
        self._probe: PathMtuProbe | None = None

    def open(self, undo: ExitStack) -> None:
        """Open the sockets; what closes them goes onto ``undo``."""
        self._raw = IpInIpSocket(self._local, self._drops)
        undo.callback(self._raw.close)
        self._probe = PathMtuProbe(self._local)
        undo.callback(self._probe.close)

    def receive(self, undo: ExitStack, handle: Callable[[bytes], None]) -> None:
        """Begin to hand over IP-in-IP packets, outer header and all."""
        if self._raw is not None:
            self.read(undo, "IP-in-IP", self._raw, handle)

    def read(self, undo: ExitStack, what: str, source: PacketSource, handle: Callable[[bytes], None]) -> None:
        """Begin to hand over what ``source`` gives; ``what`` names it in logs."""
        reader = BatchReader(
            self._reactor, what, source.fileno(), read=source.read, handle=handle, wake=self._wake
        )
        reader.start_reading()
        undo.callback(reader.stop_reading)

    def open_path(self, tunnel: Tunnel) -> Carry:
        """The way into ``tunnel``. ForwardingError: there is none."""
        if tunnel.over_udp:
            if self._signalling is None:
                raise ForwardingError("install", str(tunnel), "there is no UDP socket for it")
            return udp_path(self._signalling, tunnel)
        if self._raw is None:
            raise ForwardingError("install", str(tunnel), "the packet plane is not started")
        return self._raw.path(tunnel)

    def path_mtu(self, tunnel: Tunnel) -> int:
        return LINK_MTU if self._probe is None else self._probe.path_mtu(tunnel)

    def send(self, packet: bytes) -> None:
        """Send a whole IPv4 packet of our own."""
        if self._raw is not None:
            self._raw.send(packet)
