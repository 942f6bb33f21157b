"""Which of an LMA's workers a mobile node belongs to: a hash of its NAI, the same wherever it is asked.

The kernel computes it for requests that begin with their NAI (``net/steering.py``), worker 0 for all others, and a
start with another number of workers for everything that journals hold. So the hash must never change.
"""

from struct import Struct

REGISTRATION = 1
PRE_TUNNEL = 250
"""Message types: of registration requests, and of pre UDP tunnel requests where no other number is set (N56)."""

HEADER = 24
PRE_TUNNEL_HEADER = 20
"""Octets of both before their first extension."""

NAI = 131
"""The extension that names the node (RFC 2794)."""

MOST_WORDS = 16
"""Of a long NAI so many words count from its beginning, and the last one."""

FACTOR = 0x9E3779B1
SECOND_FACTOR = 0x85EBCA6B

_WORD = 0xFFFFFFFF
_words = Struct("!I").iter_unpack


def worker_of_nai(nai: bytes, workers: int) -> int:
    """0 ... ``workers`` - 1.

    Words of four octets are folded in one after the other, and at last the four that end with the NAI: they overlap
    with the word before them, or with the type and length in front of a NAI of two or three octets. One of a single
    octet belongs to worker 0.
    """
    if workers == 1 or len(nai) < 2:
        return 0
    whole = min(len(nai) & ~3, 4 * MOST_WORDS)
    hashed = 0
    for (word,) in _words(nai[:whole] + (bytes((NAI, len(nai))) + nai)[-4:]):
        hashed = (hashed ^ word) * FACTOR & _WORD
    hashed = (hashed ^ hashed >> 16) * SECOND_FACTOR & _WORD
    return (hashed >> 16) * workers >> 16


def headers(pre_tunnel: int = PRE_TUNNEL) -> dict[int, int]:
    """Of messages that are a node's own, the length of the header by type. ``pre_tunnel``: that of requests for one."""
    return {REGISTRATION: HEADER, pre_tunnel: PRE_TUNNEL_HEADER}


def steered_to(datagram: bytes, workers: int, pre_tunnel: int = PRE_TUNNEL) -> int:
    """The worker at whose socket the kernel puts a datagram of port 434: its NAI's if that stands first, else 0."""
    header = headers(pre_tunnel).get(datagram[0]) if datagram else None
    if header is None or len(datagram) < header + 2 or datagram[header] != NAI:
        return 0
    end = header + 2 + datagram[header + 1]
    return worker_of_nai(datagram[header + 2 : end], workers) if end <= len(datagram) else 0
