"""What a packet must be before anything else looks into it: anyone may send us octets in a tunnel's name."""

from pmip_tw.forwarding import drops
from pmip_tw.wire.ipv4 import MINIMUM_HEADER


def is_sound(packet: bytes, length: int) -> bool:
    """An IPv4 header whose lengths agree; its checksum travels along and is checked where the packet ends."""
    if len(packet) != length or length < MINIMUM_HEADER:
        return False
    first = packet[0]
    return first == 0x45 or (first >> 4 == 4 and MINIMUM_HEADER < (first & 0xF) * 4 <= length)


def out_of_tunnel(octets: bytes, dropped: drops.Drops) -> bytes | None:
    """The packet that a tunnel gave, without what follows it.

    None, counted in ``dropped``: it is no packet, or its time to live is 0 (T1).
    """
    length = int.from_bytes(octets[2:4], "big")
    packet = octets[:length]
    # Nearly every packet has no options and is seen to be sound without a further call.
    if packet[:1] == b"\x45" and len(packet) == length >= MINIMUM_HEADER and packet[8]:
        return packet
    if is_sound(packet, length) and packet[8]:
        return packet
    dropped[drops.MALFORMED] += 1
    return None
