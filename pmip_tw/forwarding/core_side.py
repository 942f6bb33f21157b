"""The side of a packet plane that faces the core network, where both roles are the same: ways into the tunnels."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Protocol

from pmip_tw.addresses import Ipv4
from pmip_tw.descriptors import ReadReactor
from pmip_tw.errors import ForwardingError
from pmip_tw.forwarding.arrivals import Arrivals
from pmip_tw.forwarding.drops import Drops
from pmip_tw.forwarding.path_mtu import LINK_MTU, PathMtuProbe
from pmip_tw.forwarding.paths import Carry, udp_path
from pmip_tw.forwarding.raw_ip import RawIpSocket
from pmip_tw.forwarding.reader import BatchReader
from pmip_tw.interfaces import ISignalling
from pmip_tw.mobility.tunnels import Encapsulation, Tunnel


class PacketSource(Protocol):
    """A device or socket that gives one packet at a time, or raises OSError."""

    def fileno(self) -> int: ...
    def read(self) -> bytes: ...


class CoreSide:
    """Raw sockets for what goes directly over IP, ``signalling`` for UDP (None: no UDP tunnels), and path MTUs.

    The socket of IP-in-IP is open from the start. Those of GRE and minimal encapsulation are opened with the first
    tunnel of their kind: a machine where others use GRE must not copy all of that to us for nothing.
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
        self._arrivals: Arrivals | None = None
        self._raw: dict[Encapsulation, RawIpSocket] = {}
        self._undo = ExitStack()
        self._probe: PathMtuProbe | None = None

    def open(self, undo: ExitStack) -> None:
        """Open the sockets; what closes them goes onto ``undo``. Nothing is read yet."""
        undo.callback(self._close)
        self._open_raw(Encapsulation.IP_IN_IP)
        self._probe = PathMtuProbe(self._local)
        self._undo.callback(self._probe.close)

    def receive(self, arrivals: Arrivals) -> None:
        """Begin to hand over outer packets to ``arrivals``."""
        self._arrivals = arrivals
        for encapsulation, opened in self._raw.items():
            self._read_raw(encapsulation, opened, arrivals)

    def _close(self) -> None:
        self._raw.clear()
        self._arrivals = None
        self._undo.close()

    def _open_raw(self, encapsulation: Encapsulation) -> RawIpSocket:
        opened = self._raw[encapsulation] = RawIpSocket(self._local, encapsulation, self._drops)
        self._undo.callback(opened.close)
        return opened

    def _read_raw(self, encapsulation: Encapsulation, opened: RawIpSocket, arrivals: Arrivals) -> None:
        self.read(self._undo, encapsulation.label, opened, arrivals.over_ip[encapsulation])

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
            return udp_path(self._signalling, tunnel, self._drops)
        if self._arrivals is None:
            raise ForwardingError("install", str(tunnel), "the packet plane is not started")
        opened = self._raw.get(tunnel.encapsulation)
        if opened is None:
            opened = self._open_raw(tunnel.encapsulation)
            self._read_raw(tunnel.encapsulation, opened, self._arrivals)
        return opened.path(tunnel, self.path_mtu)

    def path_mtu(self, tunnel: Tunnel) -> int:
        return LINK_MTU if self._probe is None else self._probe.path_mtu(tunnel)

    def send(self, packet: bytes) -> None:
        """Send a whole IPv4 packet of our own."""
        opened = self._raw.get(Encapsulation.IP_IN_IP)
        if opened is not None:
            opened.send(packet)
