"""The side of a packet plane that faces the core network, where both roles are the same: ways into the tunnels."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Protocol

from pmip_tw.addresses import Ipv4, ipv4_text
from pmip_tw.descriptors import ReadReactor
from pmip_tw.errors import ForwardingError
from pmip_tw.forwarding.arrivals import Arrivals
from pmip_tw.forwarding.defects import Defects
from pmip_tw.forwarding.drops import Drops
from pmip_tw.forwarding.path_mtu import LINK_MTU, PathMtuProbe
from pmip_tw.forwarding.paths import Carry, udp_path
from pmip_tw.forwarding.raw_ip import IcmpErrors, RawIpSocket, not_opened
from pmip_tw.forwarding.reader import BatchReader
from pmip_tw.interfaces import Datagram, ISignalling
from pmip_tw.mobility.tunnels import Encapsulation, Tunnel


class PacketSource(Protocol):
    """A device or socket that gives one packet at a time, or raises OSError."""

    def fileno(self) -> int: ...
    def read(self) -> bytes: ...


class CoreSide:
    """Raw sockets for what goes directly over IP, ``signalling`` for UDP (None: no UDP tunnels), and path MTUs.

    ``local`` is our own address; there may be tunnels from former ones, too (P82).
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
        self._errors: Callable[[bytes], None] = _ignore
        self._addresses: dict[Ipv4, _OwnAddress] = {}
        self._defects = Defects("UDP tunnels")

    def open(self, undo: ExitStack) -> None:
        """Open the sockets; what closes them goes onto ``undo``. Nothing is read yet."""
        undo.callback(self._close)
        self._addresses[self._local] = _OwnAddress(self._local, self._drops, self.read)

    def receive(self, arrivals: Arrivals, errors: Callable[[bytes], None]) -> None:
        """Begin to hand over outer packets to ``arrivals``, and ICMP errors about ours to ``errors``."""
        self._arrivals, self._errors = arrivals, errors
        self._addresses[self._local].receive(arrivals, errors)

    def _close(self) -> None:
        for own in self._addresses.values():
            own.close()
        self._addresses.clear()
        self._arrivals = None

    def use_address(self, local: Ipv4, still_used: set[Ipv4]) -> None:
        """``local`` is our own address from now on; those in ``still_used`` stay open (P82).

        ForwardingError: it is no address of this machine.
        """
        if self._arrivals is not None:
            if local not in self._addresses:
                opened = _OwnAddress(local, self._drops, self.read)
                opened.receive(self._arrivals, self._errors)
                self._addresses[local] = opened
            for address in self._addresses.keys() - still_used - {local}:
                self._addresses.pop(address).close()
        self._local = local

    def tunnel_data_received(self, batch: Sequence[Datagram]) -> None:
        """What the signalling's socket got of UDP tunnels; nothing of it is handed over while all is closed."""
        if self._arrivals is None:
            return
        self._wake()
        take = self._arrivals.tunnel_data
        for datagram in batch:
            try:
                take(datagram)
            except Exception as error:
                self._defects.met(error)

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
        own = self._addresses.get(tunnel.local)
        if own is None:
            text = f"{ipv4_text(tunnel.local)} is not the address in use, {ipv4_text(self._local)} is"
            raise ForwardingError("install", str(tunnel), text)
        return own.socket_for(tunnel.encapsulation).path(tunnel, self.path_mtu)

    def path_mtu(self, tunnel: Tunnel) -> int:
        own = self._addresses.get(tunnel.local)
        return LINK_MTU if own is None else own.probe.path_mtu(tunnel)

    def send(self, packet: bytes) -> None:
        """Send a whole IPv4 packet of our own."""
        own = self._addresses.get(self._local)
        if own is not None:
            own.socket_for(Encapsulation.IP_IN_IP).send(packet)


def _ignore(packet: bytes) -> None:
    pass


class _OwnAddress:
    """The sockets on one of our addresses.

    That of IP-in-IP is open from the start. Those of GRE and minimal encapsulation are opened with the first tunnel
    of their kind: a machine where others use GRE must not copy all of that to us for nothing.
    """

    def __init__(
        self,
        address: Ipv4,
        dropped: Drops,
        read: Callable[[ExitStack, str, PacketSource, Callable[[bytes], None]], None],
    ) -> None:
        """ForwardingError: it is no address of this machine, we lack the privilege, or there are too many files."""
        self._address = address
        self._drops = dropped
        self._read = read
        self._undo = ExitStack()
        self._arrivals: Arrivals | None = None
        self._raw: dict[Encapsulation, RawIpSocket] = {}
        try:
            self.socket_for(Encapsulation.IP_IN_IP)
            self.probe = PathMtuProbe(address)
            self._undo.callback(self.probe.close)
            self._icmp = IcmpErrors(address)
            self._undo.callback(self._icmp.close)
        except OSError as error:
            self.close()
            raise not_opened(f"sockets on {ipv4_text(address)}", error) from error
        except ForwardingError:
            self.close()
            raise

    def receive(self, arrivals: Arrivals, errors: Callable[[bytes], None]) -> None:
        self._arrivals = arrivals
        self._read(self._undo, "ICMP", self._icmp, errors)
        for encapsulation, opened in self._raw.items():
            self._read(self._undo, encapsulation.label, opened, arrivals.over_ip[encapsulation])

    def socket_for(self, encapsulation: Encapsulation) -> RawIpSocket:
        opened = self._raw.get(encapsulation)
        if opened is None:
            opened = self._raw[encapsulation] = RawIpSocket(self._address, encapsulation, self._drops)
            self._undo.callback(opened.close)
            if self._arrivals is not None:
                self._read(self._undo, encapsulation.label, opened, self._arrivals.over_ip[encapsulation])
        return opened

    def close(self) -> None:
        self._undo.close()
