"""The Internet checksum (RFC 1071) and its incremental update (RFC 1624)."""


def internet_checksum(octets: bytes | bytearray) -> int:
    """The 16-bit one's complement checksum of ``octets``; 0 when they already carry a correct checksum.

    An odd last octet counts as the high half of a word. 2**16 is 1 modulo 0xffff, so one big division does
    what a loop over the words would.
    """
    value = int.from_bytes(octets, "big")
    if len(octets) & 1:
        value <<= 8
    if value == 0:
        return 0xFFFF
    return (0xFFFF - value % 0xFFFF) % 0xFFFF


def update_checksum(old_checksum: int, old_word: int, new_word: int) -> int:
    """The checksum after one aligned 16-bit word went from ``old_word`` to ``new_word`` (RFC 1624 3)."""
    total = (~old_checksum & 0xFFFF) + (~old_word & 0xFFFF) + new_word
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
