"""DHCP among the nodes' packets: told by its ports, in an unfragmented packet or a first fragment, which has them."""

from pmip_tw.wire.ipv4 import MINIMUM_HEADER, PROTOCOL_UDP, is_fragment

_SERVER, _CLIENT = b"\x00\x43", b"\x00\x44"


def is_to_dhcp_server(packet: bytes) -> bool:
    return _port(packet, 2) == _SERVER


def is_to_dhcp_client(packet: bytes) -> bool:
    return _port(packet, 2) == _CLIENT


def is_dhcp(packet: bytes) -> bool:
    """From or to either port."""
    return _port(packet, 0) in (_SERVER, _CLIENT) or _port(packet, 2) in (_SERVER, _CLIENT)


def is_from_client(packet: bytes) -> bool:
    """Whole, from a client to a server or relay."""
    return _port(packet, 0) == _CLIENT and _port(packet, 2) == _SERVER and not is_fragment(packet)


def is_from_server(packet: bytes) -> bool:
    """Whole, from a server or relay to a client."""
    return _port(packet, 0) == _SERVER and _port(packet, 2) == _CLIENT and not is_fragment(packet)


def _port(packet: bytes, at: int) -> bytes:
    if len(packet) <= MINIMUM_HEADER or packet[9] != PROTOCOL_UDP or packet[7] or packet[6] & 0x1F:
        return b""
    at += (packet[0] & 0xF) * 4
    return packet[at : at + 2]
