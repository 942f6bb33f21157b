"""Which frames show that a mobile node is there and wants to be served."""

from enum import Enum
from typing import Final

import attrs

from pmip_tw.addresses import BROADCAST_MAC, UNSPECIFIED, Ipv4, Mac
from pmip_tw.errors import WireError
from pmip_tw.wire.arp import REQUEST, Arp
from pmip_tw.wire.dhcp import BOOTREQUEST, CLIENT_PORT, SERVER_PORT, DhcpMessage, MessageType
from pmip_tw.wire.ethernet import ETHERTYPE_ARP, ETHERTYPE_IPV4, EthernetFrame, is_individual
from pmip_tw.wire.ipv4 import MINIMUM_HEADER, PROTOCOL_UDP, is_host_address

_CLIENT_TO_SERVER: Final = CLIENT_PORT.to_bytes(2, "big") + SERVER_PORT.to_bytes(2, "big")
_UDP_HEADER: Final = 8
# Version and header length, the first octet of every possible IPv4 header.
_VERSION_4_SHORTEST: Final = 0x45
_VERSION_4_LONGEST: Final = 0x4F
_LINK_LOCAL: Final = 169 << 8 | 254
"""What a host gives itself when it finds no DHCP server; it says nothing about its home link (RFC 3927 2.7)."""

# Who releases or declines an address is leaving, not arriving.
_ARRIVING: Final = frozenset((MessageType.DISCOVER, MessageType.REQUEST, MessageType.INFORM))


class EvidenceKind(Enum):
    """What the node did."""

    IPV4 = "ipv4"
    """Sent a packet to the gateway, which it must have learned about elsewhere: it moved here."""
    ARP = "arp"
    DHCP = "dhcp"


@attrs.frozen(slots=True, kw_only=True)
class Evidence:
    """``mac`` is attached. ``address`` is the one it uses or wishes for, 0.0.0.0 if it shows none: a hint, no proof.

    ``in_use``: it sends from ``address``, instead of asking for it.
    """

    kind: EvidenceKind
    mac: Mac
    address: Ipv4
    in_use: bool


def evidence(frame: EthernetFrame, gateway_mac: Mac) -> Evidence | None:
    """What ``frame`` shows of its sender's attachment, None if nothing (P15).

    Evidence is a unicast IPv4 frame to the gateway's MAC, a DHCP client message, or an ARP request that is no
    probe. What a bridge or an unconfigured stack sends by itself (IGMP, IPv6, probes, broadcasts) is none. It
    reads no further than it must, verifies no checksum and never fails: a flood of strangers comes through here.
    """
    source = frame.source
    if source == gateway_mac or not is_individual(source):
        return None
    if frame.ethertype == ETHERTYPE_IPV4:
        return _of_ipv4(frame, gateway_mac)
    if frame.ethertype == ETHERTYPE_ARP:
        return _of_arp(frame)
    return None


def _of_arp(frame: EthernetFrame) -> Evidence | None:
    try:
        request = Arp.decode(frame.payload)
    except WireError:
        return None
    if request.operation != REQUEST or request.sender_mac != frame.source:
        return None
    # A sender address of 0.0.0.0 makes it a probe; other impossible ones are no hint to register with either.
    if not is_host_address(request.sender_address):
        return None
    return _in_use(EvidenceKind.ARP, frame.source, request.sender_address)


def _of_ipv4(frame: EthernetFrame, gateway_mac: Mac) -> Evidence | None:
    to_gateway = frame.destination == gateway_mac
    if not to_gateway and frame.destination != BROADCAST_MAC:
        return None
    packet = frame.payload
    if len(packet) < MINIMUM_HEADER or not _VERSION_4_SHORTEST <= packet[0] <= _VERSION_4_LONGEST:
        return None
    transport = (packet[0] & 0xF) * 4
    if packet[9] == PROTOCOL_UDP and packet[transport : transport + 4] == _CLIENT_TO_SERVER:
        return _of_dhcp(frame.source, packet[transport + _UDP_HEADER :])
    source = Ipv4(int.from_bytes(packet[12:16], "big"))
    if not to_gateway or not is_host_address(source):
        return None
    return _in_use(EvidenceKind.IPV4, frame.source, source)


def _in_use(kind: EvidenceKind, mac: Mac, address: Ipv4) -> Evidence:
    if address >> 16 == _LINK_LOCAL:
        return Evidence(kind=kind, mac=mac, address=UNSPECIFIED, in_use=False)
    return Evidence(kind=kind, mac=mac, address=address, in_use=True)


def _of_dhcp(source: Mac, payload: bytes) -> Evidence | None:
    try:
        message = DhcpMessage.decode(payload)
    except WireError:
        return None
    if message.op != BOOTREQUEST or message.chaddr != source or message.message_type not in _ARRIVING:
        return None
    if is_host_address(message.ciaddr) and message.message_type is not MessageType.DISCOVER:
        return _in_use(EvidenceKind.DHCP, source, message.ciaddr)
    wish = message.requested_address or UNSPECIFIED
    return Evidence(
        kind=EvidenceKind.DHCP,
        mac=source,
        address=wish if is_host_address(wish) else UNSPECIFIED,
        in_use=False,
    )
