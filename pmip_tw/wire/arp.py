"""ARP for IPv4 over Ethernet (RFC 826, RFC 5227)."""

import struct
from typing import Final

import attrs

from pmip_tw.addresses import UNSPECIFIED, Ipv4, Mac
from pmip_tw.errors import Malformed, Truncated

REQUEST: Final = 1
REPLY: Final = 2

_LAYOUT = struct.Struct("!HHBBH6sI6sI")
_ETHERNET_IPV4 = (1, 0x0800, 6, 4)


@attrs.frozen(slots=True, kw_only=True)
class Arp:
    """An ARP packet; ``operation`` is REQUEST, REPLY or another number that no rule of ours acts on."""

    operation: int
    sender_mac: Mac
    sender_address: Ipv4
    target_mac: Mac
    target_address: Ipv4

    @property
    def is_probe(self) -> bool:
        """Asks whether an address is free, before the sender has one (RFC 5227 2.1.1)."""
        return self.operation == REQUEST and self.sender_address == UNSPECIFIED

    @property
    def is_gratuitous(self) -> bool:
        """Announces the sender's own address (RFC 5227 3)."""
        return self.sender_address == self.target_address

    @classmethod
    def decode(cls, octets: bytes) -> "Arp":
        """From a frame's payload, padding and all. Raises Truncated, or Malformed for another family."""
        if len(octets) < _LAYOUT.size:
            raise Truncated("an ARP packet has 28 octets", len(octets))
        *family, operation, sender_mac, sender, target_mac, target = _LAYOUT.unpack_from(octets)
        if tuple(family) != _ETHERNET_IPV4:
            raise Malformed("ARP for something other than IPv4 over Ethernet")
        return cls(
            operation=operation,
            sender_mac=Mac(sender_mac),
            sender_address=Ipv4(sender),
            target_mac=Mac(target_mac),
            target_address=Ipv4(target),
        )

    def encode(self) -> bytes:
        return _LAYOUT.pack(
            *_ETHERNET_IPV4,
            self.operation,
            self.sender_mac,
            self.sender_address,
            self.target_mac,
            self.target_address,
        )
