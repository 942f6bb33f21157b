"""What mobile nodes do: they come, stay, move and leave, in an order that a seed decides."""

from random import Random

import attrs

from tests.durability.ledger import Ledger

LIFETIMES = (5, 20, 60)
"""Seconds: some bindings expire during a run, and some before a restart is over."""

_RENEWALS, _HANDOVERS = 0.60, 0.25
"""Shares of what a registered node does; the rest de-registers."""

_TRIES = 8

_RESTLESS = 8
"""Nodes that flap between two MAGs. Their revocations come faster than the seconds that number them, so that an LMA
that has been restarted can not go by its clock alone."""

_THEIR_SHARE = 0.03
"""Of all requests."""


@attrs.frozen(slots=True)
class Wish:
    """A request that a node wants its MAG to send. ``lifetime`` 0: it de-registers; ``home_address`` 0: any."""

    kind: str
    node: int
    mag: int
    lifetime: int
    home_address: int


class Behavior:
    """Of so many ``nodes`` at so many ``mags``."""

    def __init__(self, random: Random, ledger: Ledger, *, nodes: int, mags: int) -> None:
        self._random = random
        self._ledger = ledger
        self._nodes = nodes
        self._mags = mags

    def next(self, now: float) -> Wish | None:
        """None: everybody who was looked at waits for an answer."""
        for _ in range(_TRIES):
            among = _RESTLESS if self._random.random() < _THEIR_SHARE else self._nodes
            node = int(self._random.random() * among)
            if not self._ledger.waits(node, now):
                return self._of(node, now)
        return None

    def _of(self, node: int, now: float) -> Wish:
        random, grant = self._random, self._ledger.grant_of(node, now)
        lifetime = LIFETIMES[int(random.random() * len(LIFETIMES))]
        if node < _RESTLESS and grant is not None and not self._ledger.uncertain(node):
            return Wish("handover", node, 1 if grant.mag == 0 else 0, LIFETIMES[-1], grant.home_address)
        if grant is None:
            return Wish("new", node, int(random.random() * self._mags), lifetime, 0)
        share = random.random()
        # Where it is uncertain, only staying tells what is true.
        if share < _RENEWALS or self._ledger.uncertain(node):
            return Wish("renewal", node, grant.mag, lifetime, grant.home_address)
        if share < _RENEWALS + _HANDOVERS:
            other = (grant.mag + 1 + int(random.random() * (self._mags - 1))) % self._mags
            return Wish("handover", node, other, lifetime, grant.home_address)
        return Wish("de-registration", node, grant.mag, 0, grant.home_address)
