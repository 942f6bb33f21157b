"""Packets and frames for tests."""

import struct
from typing import Any

from pmip_tw.addresses import Endpoint, Ipv4, Mac, ipv4, mac
from pmip_tw.wire.checksum import internet_checksum
from pmip_tw.wire.ipv4 import Ipv4Packet
from pmip_tw.wire.udp import udp_packet

GATEWAY_MAC = mac("02:00:5e:50:4d:49")
NODE_MAC = mac("02:00:00:00:00:01")
OTHER_MAC = mac("02:00:00:00:00:02")
HOME = ipv4("10.1.0.2")
OTHER_HOME = ipv4("10.1.0.3")
CORRESPONDENT = ipv4("10.9.0.2")


def from_node(text: bytes, source: Ipv4 = HOME, **more: int) -> bytes:
    """A UDP packet from a mobile node to the correspondent."""
    port = more.pop("port", 4000)
    return udp_packet(Endpoint(source, 4000), Endpoint(CORRESPONDENT, port), text, **more)


def to_node(text: bytes, destination: Ipv4 = HOME, port: int = 4000) -> bytes:
    """A UDP packet from the correspondent to a mobile node."""
    return udp_packet(Endpoint(CORRESPONDENT, 4000), Endpoint(destination, port), text)


def frame(packet: bytes, source: Mac = NODE_MAC, destination: bytes = GATEWAY_MAC) -> bytes:
    """As a node sends it, padded to Ethernet's minimum."""
    return (destination + source + b"\x08\x00" + packet).ljust(60, b"\0")


def hop(packet: bytes) -> bytes:
    """``packet`` after one router: one less to live, checksum computed anew."""
    changed = bytearray(packet)
    changed[8] -= 1
    changed[10:12] = b"\0\0"
    changed[10:12] = internet_checksum(changed[:20]).to_bytes(2, "big")
    return bytes(changed)


def tcp_packet(
    payload: bytes = b"", *, flags: int = 0x10, options: bytes = b"", sequence: int = 0xFFFFFF00, **more: Any
) -> bytes:
    """A TCP segment in an IPv4 packet, checksums right."""
    options += bytes(-len(options) % 4)
    length = 20 + len(options)
    head = struct.pack("!HHIIBBHHH", 4000, 80, sequence, 1, length << 2, flags, 8192, 0, 0) + options
    addresses = {"source": HOME, "destination": CORRESPONDENT}
    checksum = internet_checksum(
        _pseudo_header(HOME, CORRESPONDENT, 6, length + len(payload)) + head + payload
    )
    segment = head[:16] + checksum.to_bytes(2, "big") + head[18:] + payload
    return Ipv4Packet(**addresses, protocol=6, payload=segment, **more).encode()


def transport_checksum_holds(octets: bytes) -> bool:
    """Is the TCP or UDP checksum right? The IPv4 header must be."""
    packet = Ipv4Packet.decode(octets)
    pseudo = _pseudo_header(packet.source, packet.destination, packet.protocol, len(packet.payload))
    return internet_checksum(pseudo + packet.payload) == 0


def _pseudo_header(source: Ipv4, destination: Ipv4, protocol: int, length: int) -> bytes:
    return struct.pack("!IIHH", source, destination, protocol, length)
