"""The home link that a MAG imitates: what it answers to ARP and ICMP in the gateway's name (P53-P59)."""

from enum import StrEnum

from pmip_tw.addresses import UNSPECIFIED, Ipv4, Mac, Prefix
from pmip_tw.wire.arp import REPLY, REQUEST, Arp
from pmip_tw.wire.ethernet import ETHERTYPE_ARP, ETHERTYPE_IPV4, ethernet_frame
from pmip_tw.wire.icmp import echo_reply, time_exceeded
from pmip_tw.wire.ipv4 import PROTOCOL_ICMP, Ipv4Packet

_UNKNOWN_MAC = Mac(bytes(6))
_SHORTEST_WITHOUT_BROADCAST = 31
"""RFC 3021 2.1."""


class Refusal(StrEnum):
    """Why a frame is not answered although it asks, as a word for counters."""

    SPOOFED_ARP_MAC = "arp-spoofed-mac"
    """The sender MAC inside is not the frame's source."""
    SPOOFED_ARP_ADDRESS = "arp-spoofed-address"
    """The sender address is not the node's home address."""
    SPOOFED_SOURCE = "spoofed-source"
    """An IP packet whose source is not the node's home address (P48)."""


def arp_answer(
    request: Arp,
    frame_source: Mac,
    *,
    home_address: Ipv4,
    prefix: Prefix,
    gateway: Ipv4,
    gateway_mac: Mac,
) -> bytes | Refusal | None:
    """The frame that answers ``request`` of the node with ``home_address``; None if silence is right.

    Every other address of the home link is the gateway's MAC here (P53, P55). Silence for the node's own address
    and for probes, or its duplicate-address detection would fail (P56, RFC 5227 2.1.1); for announcements; and
    for what is no other host's address on the link.
    """
    if request.sender_mac != frame_source:
        return Refusal.SPOOFED_ARP_MAC
    if request.operation != REQUEST or request.is_probe:
        return None
    if request.sender_address != home_address:
        return Refusal.SPOOFED_ARP_ADDRESS
    target = request.target_address
    if target == home_address or not (target == gateway or _is_host_of(prefix, target)):
        return None
    reply = Arp(
        operation=REPLY,
        sender_mac=gateway_mac,
        sender_address=target,
        target_mac=frame_source,
        target_address=home_address,
    )
    return ethernet_frame(frame_source, gateway_mac, ETHERTYPE_ARP, reply.encode())


def _is_host_of(prefix: Prefix, address: Ipv4) -> bool:
    """Whether a host could have ``address`` on the link of ``prefix``: not its network or broadcast address."""
    has_broadcast = prefix.length < _SHORTEST_WITHOUT_BROADCAST
    return address in prefix and not (has_broadcast and address in (prefix.network, prefix.broadcast))


def arp_probe(home_address: Ipv4, node_mac: Mac, gateway: Ipv4, gateway_mac: Mac) -> bytes:
    """A frame to ``node_mac`` alone that asks whether it is still there (P15).

    It comes from the gateway, so that answering leaves nothing but the truth in the node's ARP cache.
    """
    request = Arp(
        operation=REQUEST,
        sender_mac=gateway_mac,
        sender_address=gateway,
        target_mac=_UNKNOWN_MAC,
        target_address=home_address,
    )
    return ethernet_frame(node_mac, gateway_mac, ETHERTYPE_ARP, request.encode())


def gateway_announcement(node_mac: Mac, gateway: Ipv4, gateway_mac: Mac) -> bytes:
    """A frame to ``node_mac`` alone that says which MAC the gateway has (P57): an announcement, RFC 5944 4.6."""
    announcement = Arp(
        operation=REPLY,
        sender_mac=gateway_mac,
        sender_address=gateway,
        target_mac=gateway_mac,
        target_address=gateway,
    )
    return ethernet_frame(node_mac, gateway_mac, ETHERTYPE_ARP, announcement.encode())


def echo_answer(
    packet: Ipv4Packet, node_mac: Mac, *, home_address: Ipv4, gateway: Ipv4, gateway_mac: Mac
) -> bytes | Refusal | None:
    """The frame that answers a packet of the node whose time to live ends at the gateway; None if it gets none.

    An echo request to the gateway is answered in its name: stacks check so that they are on the same link still
    (P58). To anywhere else it is time exceeded (P59). A packet with more time to live belongs into the tunnel, and
    gets None here. Raises WireError for an echo request that is broken.
    """
    if packet.ttl > 1:
        return None
    if packet.source not in (home_address, UNSPECIFIED):
        return Refusal.SPOOFED_SOURCE
    if packet.destination != gateway:
        answer = time_exceeded(gateway, packet)
    elif packet.protocol == PROTOCOL_ICMP and not packet.is_fragment:
        answer = echo_reply(packet)
    else:
        answer = None
    return None if answer is None else ethernet_frame(node_mac, gateway_mac, ETHERTYPE_IPV4, answer)
