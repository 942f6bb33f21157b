"""How often an LMA answers what costs nothing to provoke."""

import math
from collections import OrderedDict
from itertools import islice

from pmip_tw.addresses import Ipv4
from pmip_tw.mobility.clock import Now

ANSWER_INTERVAL = 1.0
"""Seconds between two such answers: 131 to one source (H4), a duplicate's (L5)."""


class AnswerLimit:
    """Once in the interval for each source address or NAI, and not more often than ``most`` for all together."""

    def __init__(self, most: float = math.inf) -> None:
        self._most = most
        self._opened = -math.inf
        self._given = 0
        self._answered: OrderedDict[Ipv4 | bytes, float] = OrderedDict()

    def allows(self, whom: Ipv4 | bytes, now: Now) -> bool:
        """Whether ``whom`` may be answered now; if so, not again for a while.

        Two old entries go for each that comes, so that a flood is forgotten.
        """
        if self._answered.get(whom, float("-inf")) + ANSWER_INTERVAL > now.monotonic:
            return False
        if self._opened + ANSWER_INTERVAL <= now.monotonic:
            self._opened, self._given = now.monotonic, 0
        if self._given >= self._most:
            return False
        self._given += 1
        self._answered.pop(whom, None)
        self._answered[whom] = now.monotonic
        for old in list(islice(self._answered, 2)):
            if self._answered[old] + ANSWER_INTERVAL <= now.monotonic:
                del self._answered[old]
        return True

    def __len__(self) -> int:
        return len(self._answered)
