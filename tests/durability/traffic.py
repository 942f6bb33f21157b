"""The MAGs of a run: they send what their nodes wish for, a given number each second, and remember every answer."""

import select
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress

from bench.generator import Clients
from bench.nodes import is_authentic, node_in
from bench.requests import REGISTRATION_REPLY, REVOCATION, Requests, acknowledgment
from pmip_tw.addresses import Ipv4
from pmip_tw.wire.registration import RegistrationReply
from pmip_tw.wire.revocation import Revocation
from tests.durability.behavior import Behavior
from tests.durability.ledger import Ledger
from tests.durability.seen import Asked

WINDOW = 256
"""Requests on their way; what is more waits, so that a slow LMA is not flooded."""

_SILENCE = 0.2
"""Seconds without any answer after which what is on its way counts as lost."""

_BURST = 32
_LARGEST = 2048


class Traffic:
    """Between the ``clients``, one for each of the ``mags``, and an LMA. ``rate``: requests a second, at most."""

    def __init__(
        self,
        clients: Clients,
        requests: Requests,
        mags: Sequence[Ipv4],
        *,
        ledger: Ledger,
        behavior: Behavior,
        rate: float,
    ) -> None:
        self._sockets = clients.sockets
        self._requests = requests
        self._mags = mags
        self._ledger = ledger
        self._behavior = behavior
        self._rate = rate
        self._poll = select.poll()
        for one in self._sockets:
            self._poll.register(one, select.POLLIN)
        self._on_their_way = 0
        self.sent: Counter[str] = Counter()
        self.answered = 0
        self.seconds = 0.0

    def run(self, seconds: float) -> None:
        """Load for so long."""
        began = heard = time.monotonic()
        sent = 0
        self._on_their_way = 0
        while (now := time.monotonic()) - began < seconds:
            due = min(int((now - began) * self._rate) + 1 - sent, WINDOW - self._on_their_way, _BURST)
            for _ in range(due):
                self._ask(now)
            sent += max(0, due)
            if self._read():
                heard = now
            elif now - heard > _SILENCE:
                self._on_their_way, heard = 0, now
            elif due <= 0:
                self._poll.poll(1)
        self.seconds += time.monotonic() - began

    def listen(self, silence: float) -> None:
        """Hear what still comes, until there was silence for so many seconds."""
        while self._poll.poll(int(1000 * silence)):
            if not self._read():
                return  # only errors came: nobody is there any more

    def repeat(self, captured: Iterable[Asked]) -> int:
        """Send them as they were, as somebody who heard them might; how many."""
        number = 0
        for asked in captured:
            with suppress(OSError):
                self._sockets[asked.mag].send(asked.message)
            number += 1
            if number % _BURST == 0:
                self._read()
        return number

    def _ask(self, now: float) -> None:
        wish = self._behavior.next(now)
        if wish is None:
            return
        message = self._requests.signed(
            wish.node,
            self._mags[wish.mag],
            home_address=wish.home_address,
            lifetime=wish.lifetime,
            wall=time.time(),
        )
        sequence = int.from_bytes(message[20:24], "big")
        self._ledger.asked(Asked(wish.node, sequence, wish.mag, wish.lifetime, now, message))
        # An LMA that is gone answers by ICMP; what does not fit into a buffer is lost, as in a network.
        with suppress(OSError):
            self._sockets[wish.mag].send(message)
        self._on_their_way += 1
        self.sent[wish.kind] += 1

    def _read(self) -> bool:
        """Whether a message was there."""
        found = False
        for mag, one in enumerate(self._sockets):
            for _ in range(_BURST):
                try:
                    message = one.recv(_LARGEST)
                except OSError:
                    break
                found = True
                self._heard(mag, message)
        return found

    def _heard(self, mag: int, message: bytes) -> None:
        if message[0] == REVOCATION:
            told = Revocation.decode(message)
            node = node_in(message)
            self._ledger.revoked(told.home_address, mag, told.identifier, node)
            with suppress(OSError):
                self._sockets[mag].send(acknowledgment(message))
        elif message[0] == REGISTRATION_REPLY and is_authentic(message):
            reply = RegistrationReply.decode(message)
            node, sequence = node_in(message), reply.identification & 0xFFFFFFFF
            at = time.monotonic()
            support = reply.revocation
            if self._ledger.answered(
                node,
                sequence,
                reply.code,
                reply.lifetime,
                reply.home_address,
                at,
                timestamp=None if support is None else support.timestamp,
            ):
                self._on_their_way -= 1
                self.answered += 1
