"""Keepalives: an ICMP echo through a tunnel to its far end, and the answer that comes back the same way (N37)."""

from typing import Final

from pmip_tw.addresses import Ipv4
from pmip_tw.errors import WireError
from pmip_tw.wire.icmp import ECHO_REPLY, ECHO_REQUEST, IcmpMessage, echo_reply
from pmip_tw.wire.ipv4 import PROTOCOL_ICMP, Ipv4Packet

IDENTIFIER: Final = 0x504D
"""Of all our echoes; one that a node sends itself has another payload."""

PAYLOAD: Final = b"pmip-keepalive"


def keepalive(home_address: Ipv4, far_end: Ipv4, sequence: int) -> bytes:
    """The echo request from a node's address to the other end of its tunnel (N43)."""
    request = IcmpMessage(type=ECHO_REQUEST, code=0, rest=IDENTIFIER << 16 | sequence, payload=PAYLOAD)
    return Ipv4Packet(
        source=home_address, destination=far_end, protocol=PROTOCOL_ICMP, payload=request.encode()
    ).encode()


def answered(packet: bytes) -> int | None:
    """The sequence number of the keepalive that ``packet`` answers; None if it is anything else."""
    try:
        reply = IcmpMessage.decode(Ipv4Packet.decode(packet))
    except WireError:
        return None
    if reply.type != ECHO_REPLY or reply.rest >> 16 != IDENTIFIER or reply.payload != PAYLOAD:
        return None
    return reply.rest & 0xFFFF


def answer(packet: bytes) -> bytes | None:
    """What the far end answers to an echo request to itself, whoever sent it (N44); None if it is none."""
    try:
        return echo_reply(Ipv4Packet.decode(packet))
    except WireError:
        return None
