"""Gratuitous ARP (RFC 5944 4.6): the hosts of a link learn at once who now answers for an address."""

import socket
from contextlib import suppress

from pmip_tw.addresses import BROADCAST_MAC, Ipv4, Mac
from pmip_tw.forwarding.raw_ip import not_opened
from pmip_tw.wire.arp import REQUEST, Arp

_ETHERNET = 1
_ARP = b"\x08\x06"
_NOBODY = Mac(bytes(6))


class Announcer:
    """On the interface with the index ``device``, which need not be one that has ARP."""

    def __init__(self, device: int) -> None:
        """ForwardingError: no privilege."""
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self._socket.bind((socket.if_indextoname(device), 0))  # protocol 0: it hears nothing
            self._socket.setblocking(False)
        except OSError as error:
            raise not_opened(f"a packet socket on interface {device}", error) from error

    def close(self) -> None:
        self._socket.close()

    def announce(self, address: Ipv4) -> None:
        """Whoever knows ``address`` by another MAC knows it by ours from now on; lost if it cannot be sent."""
        _, _, _, kind, octets = self._socket.getsockname()
        if kind != _ETHERNET:
            return
        own = Mac(octets)
        arp = Arp(
            operation=REQUEST,
            sender_mac=own,
            sender_address=address,
            target_mac=_NOBODY,
            target_address=address,
        )
        with suppress(OSError):
            self._socket.send(BROADCAST_MAC + own + _ARP + arp.encode())
