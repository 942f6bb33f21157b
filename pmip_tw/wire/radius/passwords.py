"""User-Password, hidden by the shared secret (RFC 2865 5.2). pyrad uncovers only what is text."""

from hashlib import md5

from pmip_tw.errors import Malformed
from pmip_tw.secret import Secret

BLOCK_SIZE = 16
"""It is padded with zeros to a multiple of it."""

MAXIMUM_PASSWORD_SIZE = 128


def uncover(hidden: bytes, secret: Secret, authenticator: bytes) -> Secret:
    """Without the padding. Malformed: it is not made of blocks."""
    if not hidden or len(hidden) % BLOCK_SIZE or len(hidden) > MAXIMUM_PASSWORD_SIZE:
        raise Malformed(f"User-Password of {len(hidden)} octets", 0)
    clear, chained = b"", authenticator
    for start in range(0, len(hidden), BLOCK_SIZE):
        block = hidden[start : start + BLOCK_SIZE]
        clear += _mask(secret, chained, block)
        chained = block
    return Secret(clear.rstrip(b"\0"))


def _mask(secret: Secret, chained: bytes, block: bytes) -> bytes:
    stream = md5(secret.reveal() + chained).digest()
    return (int.from_bytes(stream, "big") ^ int.from_bytes(block, "big")).to_bytes(BLOCK_SIZE, "big")
