"""The address of the interface towards the core network, and its changes (IUplink), by rtnetlink(7).

What the kernel multicasts is taken as a hint only, and the address read anew: a message that was lost in a full
buffer is made good by the next one.
"""

import socket

from zope.interface import implementer

from pmip_tw.addresses import Ipv4
from pmip_tw.descriptors import LastingReader, ReadReactor
from pmip_tw.errors import PmipError
from pmip_tw.interfaces import IUplink, IUplinkReceiver
from pmip_tw.net.interface_addresses import address_of

_GROUPS = 0x1 | 0x10
"""RTMGRP_LINK | RTMGRP_IPV4_IFADDR: an interface that vanishes takes its address along."""

_BUFFER = 1 << 16


def why_absent(interface: str) -> str | None:
    """What is wrong with the name of an interface; None if there is one of that name."""
    known = sorted(name for _, name in socket.if_nameindex() if name != "lo")
    if interface in known:
        return None
    return f"there is no interface {interface!r}; this machine has {', '.join(known) or 'none'}"


@implementer(IUplink)
class NetlinkUplink(LastingReader):
    """``interface`` by name; it may vanish and come back."""

    def __init__(self, reactor: ReadReactor, interface: str) -> None:
        super().__init__(reactor)
        self._interface = interface
        self._socket: socket.socket | None = None
        self._receiver: IUplinkReceiver | None = None
        self._told: Ipv4 | None = None

    def address(self) -> Ipv4 | None:
        return address_of(self._interface)

    def start(self, receiver: IUplinkReceiver) -> None:
        absent = why_absent(self._interface)
        if absent is not None:
            raise PmipError(absent)
        self._receiver = receiver
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE
        )
        self._socket.bind((0, _GROUPS))
        self._told = self.address()
        self.start_reading()

    def stop(self) -> None:
        opened, self._socket = self._socket, None
        if opened is not None:
            self.stop_reading()
            opened.close()
        self._receiver = None

    def fileno(self) -> int:
        return -1 if self._socket is None else self._socket.fileno()

    def logPrefix(self) -> str:
        return f"addresses of {self._interface}"

    def doRead(self) -> None:
        self._drain()
        address = self.address()
        if address != self._told and self._receiver is not None:
            self._told = address
            self._receiver.uplink_changed(address)

    def take_errors(self) -> None:
        """A buffer that overflowed is an error of the socket; what was lost is read anew."""
        self.doRead()

    def _drain(self) -> None:
        while self._socket is not None:
            try:
                self._socket.recv(_BUFFER)
            except BlockingIOError:
                return
            except OSError:
                continue  # ENOBUFS: more messages than fit
