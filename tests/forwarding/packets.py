"""Packets and frames for tests."""

from pmip_tw.addresses import Endpoint, Ipv4, Mac, ipv4, mac
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


def to_node(text: bytes, destination: Ipv4 = HOME) -> bytes:
    """A UDP packet from the correspondent to a mobile node."""
    return udp_packet(Endpoint(CORRESPONDENT, 4000), Endpoint(destination, 4000), text)


def frame(packet: bytes, source: Mac = NODE_MAC, destination: bytes = GATEWAY_MAC) -> bytes:
    """As a node sends it, padded to Ethernet's minimum."""
    return (destination + source + b"\x08\x00" + packet).ljust(60, b"\0")


def hop(packet: bytes) -> bytes:
    """``packet`` after one router: one less to live, checksum computed anew."""
    from pmip_tw.wire.checksum import internet_checksum

    changed = bytearray(packet)
    changed[8] -= 1
    changed[10:12] = b"\0\0"
    changed[10:12] = internet_checksum(changed[:20]).to_bytes(2, "big")
    return bytes(changed)
