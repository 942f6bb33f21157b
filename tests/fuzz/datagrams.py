"""Mobile IP datagrams as what they consist of: to damage one where it is interesting, and to sign it again."""

import random
from collections.abc import Callable

import attrs

from pmip_tw.errors import WireError
from pmip_tw.mobility.associations import SecurityAssociation
from pmip_tw.wire import extensions as ext

FIXED = {1: 24, 3: 20, 7: 20, 15: 12, 250: 20, 251: 20}
"""Octets in front of the extensions, by message type."""

AUTHENTICATORS = (ext.MN_HA, ext.FA_HA, ext.GENERALIZED_AUTHENTICATION)

EXTENSIONS = [
    bytes.fromhex(octets)
    for octets in (
        "00",
        "000000",
        "2014 00001001" + 16 * "aa",
        "2114 00001001" + 16 * "aa",
        "2214 00002000" + 16 * "aa",
        "2401 0014 00003000" + 16 * "aa",
        "2600 0007 00000009 0001 76",
        "2c06 000000000000",
        "2c06 004080000014",
        "2d02 0044",
        "2f01 0001 01",
        "2f01 0001 02",
        "2f02 0001 01",
        "3000 0004 00000000",
        "3000 0004 01020304",
        "8200",
        "830f 6d6e31406578616d706c652e6e6574",
        "830f 6d6e32406578616d706c652e6e6574",
        "8408 6368616c6c656e67",
        "8609 0000 00000009 000e 00",
        "860c 0000 00000009 000e 0000 ffff",
        "8804 01684072",
        "8906 000000000000",
        "8906 80006592 0080",
        "8b01 0004 c0000201",
        "8b02 0004 c0000202",
        "8b05 01 c0000201",
        "9006 000000040000",
        "9006 0000802f0000",
        "9006 000040040000",
        "9105 01 66756c6c",
        "9302 04 01",
        "9307 01 020000000001",
        "9308 02 01 020000000001",
        "9303 03 01 39",
        "9708 696e7465726e6574",
        "c800",
        "ff01 00",
    )
]
"""One of each kind at least: what a mutation of octets alone would hardly ever assemble."""

Octets = Callable[[bytes, int], bytes]
"""Mutates octets, to no more than so many."""


@attrs.frozen(slots=True)
class Datagram:
    """``head`` goes before the fixed part; ``extensions`` whole, in order."""

    head: bytes
    fixed: bytes
    extensions: tuple[bytes, ...]

    def join(self) -> bytes:
        return self.head + self.fixed + b"".join(self.extensions)


def split(octets: bytes, head: int) -> Datagram | None:
    """None for what is no message with extensions."""
    datagram = octets[head:]
    size = FIXED.get(datagram[0]) if datagram else None
    if size is None or len(datagram) < size:
        return None
    try:
        spans = ext.walk(datagram, size)
    except WireError:
        return None
    return Datagram(octets[:head], datagram[:size], tuple(datagram[first:end] for _, first, _, end in spans))


Keys = Callable[[int, bytes, int], SecurityAssociation | None]
"""(type of the extension, NAI of the message, SPI) -> with what it is signed."""


def sign_again(datagram: bytes, keys: Keys, *, forged: bool = False) -> bytes:
    """Every authenticator right again, one after the other, as each covers those before it.

    ``forged``: every authenticator wrong in one bit instead. What cannot be walked stays as it is: nobody can
    believe it anyway.
    """
    parts = split(datagram, 0)
    if parts is None:
        return datagram
    nai = next((one[2:] for one in parts.extensions if one[0] == ext.NAI), b"")
    signed = parts.fixed
    for extension in parts.extensions:
        header = 8 if extension[0] == ext.GENERALIZED_AUTHENTICATION else 6
        if extension[0] not in AUTHENTICATORS or len(extension) <= header:
            signed += extension
            continue
        spi = int.from_bytes(extension[header - 4 : header], "big")
        association = keys(extension[0], nai, spi)
        covered, value = signed + extension[:header], extension[header:]
        if association is not None and association.digest_size == len(value):
            value = association.sign(covered)
        signed = covered + (bytes((value[0] ^ 1,)) + value[1:] if forged else value)
    return signed


def mutate(octets: bytes, longest: int, head: int, seed: int, of_octets: Octets) -> bytes:
    """Half of the time the octets as such, else the list of extensions, with lengths that stay right."""
    chance = random.Random(seed)
    parts = split(octets, head)
    if parts is None or chance.random() < 0.4:
        return of_octets(octets, longest)
    extensions = list(parts.extensions)
    at = chance.randrange(len(extensions) + 1)
    choice = chance.randrange(6)
    if choice == 0:
        extensions.insert(at, chance.choice(EXTENSIONS))
    elif choice == 1 and extensions:
        del extensions[at % len(extensions)]
    elif choice == 2 and extensions:
        extensions.insert(at, chance.choice(extensions))
    elif choice == 3 and extensions:
        extensions.insert(at % len(extensions), extensions.pop(chance.randrange(len(extensions))))
    elif choice == 4 and extensions:
        extensions[at % len(extensions)] = _body(extensions[at % len(extensions)], of_octets)
    else:
        fixed = of_octets(parts.head + parts.fixed, head + len(parts.fixed))
        fixed = fixed.ljust(head + len(parts.fixed), b"\0")
        return (fixed + b"".join(extensions))[:longest]
    return Datagram(parts.head, parts.fixed, tuple(extensions)).join()[:longest]


def _body(extension: bytes, of_octets: Octets) -> bytes:
    """The same extension with other data, its length as it must be."""
    if extension[0] == ext.PAD:
        return extension + b"\0"
    long = ext.EXTENSIONS.get(extension[0])
    if long is not None and long.shape is ext.Shape.LONG:
        data = of_octets(extension[1:2] + extension[4:], 250)[:250] or b"\0"
        return extension[:1] + data[:1] + len(data[1:]).to_bytes(2, "big") + data[1:]
    data = of_octets(extension[2:], 250)[:250]
    return extension[:1] + bytes((len(data),)) + data
