"""Salt encryption of RADIUS attribute values (RFC 2868 3.5): how keys travel in an Access-Accept."""

from hashlib import md5

from pmip_tw.errors import Malformed
from pmip_tw.secret import Secret

SALT_SIZE = 2
BLOCK_SIZE = 16
MAXIMUM_HIDDEN_SIZE = 239
"""The longest value that salt encryption fits into a vendor attribute."""


class SaltCipher:
    """Keyed for one request and its answer. By its length octet a value that another secret encrypted is told from a
    good one.
    """

    __slots__ = ("_request_authenticator", "_secret")

    def __init__(self, secret: Secret, request_authenticator: bytes) -> None:
        self._secret = secret
        self._request_authenticator = request_authenticator

    def encrypt(self, plain: Secret, salt: bytes) -> bytes:
        """``salt`` (two octets, first bit set, unlike every other of the packet) and the ciphertext."""
        if len(plain) > MAXIMUM_HIDDEN_SIZE:
            raise ValueError(f"{len(plain)} octets cannot be salt-encrypted, at most {MAXIMUM_HIDDEN_SIZE}")
        clear = bytes([len(plain)]) + plain.reveal()
        clear += bytes(-len(clear) % BLOCK_SIZE)
        cipher = salt
        chained = self._request_authenticator + salt
        for start in range(0, len(clear), BLOCK_SIZE):
            chained = self._mask(chained, clear[start : start + BLOCK_SIZE])
            cipher += chained
        return cipher

    def decrypt(self, value: bytes) -> Secret:
        """The clear value. Malformed: it has the wrong shape, or its length octet or padding make no sense."""
        cipher = value[SALT_SIZE:]
        if not cipher or len(cipher) % BLOCK_SIZE:
            raise Malformed(f"{len(value)} octets are no salt and blocks of {BLOCK_SIZE}", 0)
        clear = b""
        chained = self._request_authenticator + value[:SALT_SIZE]
        for start in range(0, len(cipher), BLOCK_SIZE):
            block = cipher[start : start + BLOCK_SIZE]
            clear += self._mask(chained, block)
            chained = block
        size, padding = clear[0], len(clear) - 1 - clear[0]
        if not 0 <= padding < BLOCK_SIZE or any(clear[1 + size :]):
            raise Malformed("the decrypted length and padding make no sense: it was encrypted differently", 0)
        return Secret(clear[1 : 1 + size])

    def _mask(self, chained: bytes, block: bytes) -> bytes:
        stream = md5(self._secret.reveal() + chained).digest()
        return (int.from_bytes(stream, "big") ^ int.from_bytes(block, "big")).to_bytes(BLOCK_SIZE, "big")
