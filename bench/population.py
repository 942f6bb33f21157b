"""The mobile nodes of one LMA: who is registered where, and what its MAGs ask next."""

import time
from array import array
from collections.abc import Callable, Sequence

from bench.generator import Clients, Heard
from bench.lma import Lma
from bench.nodes import node_in
from bench.requests import (
    LIFETIME,
    REVOCATION,
    Requests,
    accepted,
    acknowledgment,
    forged,
    home_address_in,
)
from bench.server import ServerError
from bench.world import MAGS

WINDOW = 1024
"""Requests on their way, so that an LMA that waits for its disk has others to look at meanwhile."""

FORGED_OF = 64
"""One in so many is genuine in a flood of forged requests: its reply says that those before it were looked at."""

_CHUNK = 2_000
"""Requests that are signed at a time: what is signed long before it is sent is too old."""

_STRIDE = 7919
"""Neighbors in time are not neighbors in memory."""

Messages = tuple[list[bytes], list[int]]
"""Messages, and the number of the MAG that sends each."""


class Population:
    """``size`` nodes are registered by ``fill``; the LMA knows others after them, which are fresh."""

    def __init__(self, lma: Lma, size: int) -> None:
        self.lma = lma
        self.size = size
        self.requests = Requests(lma.address)
        self.requests.check()
        self.clients: Clients = lma.clients(self.requests.size)
        self._homes = array("I", bytes(4 * size))
        self._mags = array("B", (node % MAGS for node in range(size)))
        self._turn = 0
        self._fresh = size

    def fill(self, lifetime: Callable[[], int] = lambda: LIFETIME, chunk: int = _CHUNK) -> None:
        """Register, or renew, everybody who is to be registered, ``chunk`` at a time, each for a ``lifetime``.

        ServerError: not everybody was accepted.
        """
        for first in range(0, self.size, chunk):
            nodes = range(first, min(first + chunk, self.size))
            heard = self.closed_loop(self._asking(nodes, lifetime=lifetime()))
            if accepted(heard.replies) < len(nodes):
                raise ServerError(f"{self.lma.name} refuses or loses registrations: {_codes(heard.replies)}")
            if not self._homes[first]:
                for reply in heard.replies:
                    self._homes[node_in(reply)] = home_address_in(reply)

    def renewals(self, number: int) -> Messages:
        return self.asking(self.whose_turn(number))

    def asking(self, nodes: Sequence[int]) -> Messages:
        """Renewals of registered ``nodes``."""
        return self._asking(nodes)

    def fresh(self, number: int) -> Messages:
        """First registrations: of nodes whose keys were not used before."""
        nodes = range(self._fresh, self._fresh + number)
        self._fresh += number
        return self._asking(nodes)

    def handovers(self, number: int) -> Messages:
        """Registrations at the next MAG. The one before is told by the LMA, and acknowledges that."""
        nodes = self.whose_turn(number)
        for node in nodes:
            self._mags[node] = (self._mags[node] + 1) % MAGS
        return self._asking(nodes)

    def forgeries(self, number: int) -> Messages:
        """Renewals with wrong authenticators; one of ``FORGED_OF`` is genuine."""
        genuine, via = self.renewals(number // FORGED_OF * FORGED_OF)
        messages = [
            request if (place + 1) % FORGED_OF == 0 else forged(request)
            for place, request in enumerate(genuine)
        ]
        return messages, via

    def closed_loop(self, messages: Messages, window: int = WINDOW) -> Heard:
        return self.clients.closed_loop(*messages, window, respond=as_a_mag)

    def settle(self) -> None:
        """Acknowledge the revocations that still come."""
        self.clients.settle(as_a_mag)

    def whose_turn(self, number: int) -> list[int]:
        """Registered nodes whose turn it is."""
        nodes = [(self._turn + turn) * _STRIDE % self.size for turn in range(number)]
        self._turn += number
        return nodes

    def _asking(self, nodes: Sequence[int], lifetime: int = LIFETIME) -> Messages:
        wall = time.time()
        registered = self.size
        homes, mags, addresses, signed = self._homes, self._mags, self.lma.mags, self.requests.signed
        via = [mags[node] if node < registered else node % MAGS for node in nodes]
        messages = [
            signed(
                node,
                addresses[mag],
                home_address=homes[node] if node < registered else 0,
                lifetime=lifetime,
                wall=wall,
            )
            for node, mag in zip(nodes, via, strict=True)
        ]
        return messages, via


def as_a_mag(message: bytes) -> bytes | None:
    """Revocations are acknowledged."""
    return acknowledgment(message) if message[0] == REVOCATION else None


def only_acceptances(message: bytes) -> bytes | None:
    """Refusals are not waited for: the LMA limits them."""
    return None if accepted((message,)) else b""


def _codes(replies: Sequence[bytes]) -> str:
    codes = sorted({reply[1] for reply in replies})
    return f"{len(replies)} replies, codes {', '.join(map(str, codes)) or 'none'}"
