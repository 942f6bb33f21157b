"""Ethernet II frames, without preamble and frame check sequence."""

from typing import Final

import attrs

from pmip_tw.addresses import Mac
from pmip_tw.errors import Truncated

ETHERTYPE_IPV4: Final = 0x0800
ETHERTYPE_ARP: Final = 0x0806
ETHERTYPE_VLAN: Final = 0x8100
ETHERTYPE_IPV6: Final = 0x86DD
ETHERTYPE_EAPOL: Final = 0x888E

HEADER_LENGTH: Final = 14


def ethernet_frame(destination: Mac, source: Mac, ethertype: int, payload: bytes) -> bytes:
    """One frame; the interface that sends it pads it to the minimum."""
    return b"".join((destination, source, ethertype.to_bytes(2, "big"), payload))


def is_individual(address: bytes) -> bool:
    """True for an address that one station can own: neither a group address nor all zero."""
    return not address[0] & 1 and any(address)


@attrs.frozen(slots=True, kw_only=True)
class EthernetFrame:
    """A frame; ``payload`` still has the padding of a short frame behind it.

    ``ethertype`` below 0x600 is an IEEE 802.3 length and names no protocol.
    """

    destination: Mac
    source: Mac
    ethertype: int
    payload: bytes

    @classmethod
    def decode(cls, octets: bytes) -> "EthernetFrame":
        """Raises Truncated."""
        if len(octets) < HEADER_LENGTH:
            raise Truncated("an Ethernet header has 14 octets", len(octets))
        return cls(
            destination=Mac(octets[:6]),
            source=Mac(octets[6:12]),
            ethertype=octets[12] << 8 | octets[13],
            payload=octets[HEADER_LENGTH:],
        )

    def encode(self) -> bytes:
        return ethernet_frame(self.destination, self.source, self.ethertype, self.payload)
