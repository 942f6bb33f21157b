"""A packet that is forwarded has one hop less to live (T1)."""


def one_hop_older(packet: bytes) -> bytes:
    """Time to live and checksum in one word: one less there is 0x0100 more here (RFC 1141)."""
    word = int.from_bytes(packet[8:12], "big")
    checksum = (word & 0xFFFF) + 0x100
    if checksum >= 0xFFFF:
        checksum -= 0xFFFF
    word = (word & 0xFFFF0000) - 0x01000000 | checksum
    return b"".join((packet[:8], word.to_bytes(4, "big"), packet[12:]))
