"""What an LMA's workers say to each other about home addresses (docs/decisions/0014).

Addresses are lent in blocks. Whose a single one is may differ from whose its block is. ``pool`` numbers the pools in
the order of the configuration, a block is named by its first address; ``wanted`` 0 means any address.
"""

from msgspec import Struct

from pmip_tw.addresses import Ipv4, Prefix

USUAL_BLOCK = 16
"""Addresses of a block: a /28."""

BLOCKS_EACH = 4
"""So many each worker can have at least: blocks of a small pool are smaller."""


def block_size(prefix: Prefix, workers: int) -> int:
    """A power of two: how many addresses of a pool are lent at once."""
    size = USUAL_BLOCK
    while size > 1 and (1 << 32 - prefix.length) < size * workers * BLOCKS_EACH:
        size //= 2
    return size


class InUse(Struct, tag="in-use", array_like=True):
    """To worker 0, at the start: what the worker's journal has brought back, each with its pool.

    ``held``: addresses that are kept for the nodes that had them (P80).
    """

    used: list[tuple[int, Ipv4]]
    held: list[tuple[int, Ipv4]]


class Ask(Struct, tag="ask", array_like=True, frozen=True):
    """To worker 0: may I have ``wanted``, or any further addresses? It is always answered with a Lease.

    ``held``: even one that is kept for the node that had it, because there is nothing else (P80).
    """

    pool: int
    wanted: Ipv4 = Ipv4(0)
    held: bool = False


class Lease(Struct, tag="lease", array_like=True):
    """From worker 0: these are yours, too. The answer to an Ask with the same words, perhaps with nothing.

    ``wanted`` None: it answers nothing; a worker is told at its start what it has.
    """

    pool: int
    wanted: Ipv4 | None
    blocks: list[Ipv4]
    singles: list[Ipv4]
    held: bool = False


class Spare(Struct, tag="spare", array_like=True, frozen=True):
    """From worker 0: give back ``wanted`` if nobody has it, or whatever you can spare; ``held``: what you keep for
    somebody, too. It is answered with Returned.
    """

    pool: int
    wanted: Ipv4 = Ipv4(0)
    held: bool = False


class Returned(Struct, tag="returned", array_like=True):
    """To worker 0: these are not mine any more."""

    pool: int
    wanted: Ipv4
    blocks: list[Ipv4]
    singles: list[Ipv4]
    held: bool = False


ToLender = InUse | Ask | Returned
FromLender = Lease | Spare
