"""How often an LMA answers what costs nothing to provoke."""

from collections import OrderedDict
from itertools import islice

from pmip_tw.addresses import Ipv4
from pmip_tw.mobility.clock import Now

ANSWER_INTERVAL = 1.0
"""Seconds between two such answers: 131 to one source (H4), a duplicate's (L5)."""


class AnswerLimit:
    """Once in the interval for each source address or NAI."""

    def __init__(self) -> None:
        self._answered: OrderedDict[Ipv4 | bytes, float] = OrderedDict()

    def allows(self, whom: Ipv4 | bytes, now: Now) -> bool:
        """Whether ``whom`` may be answered now; if so, not again for a while.

        Two old entries go for each that comes, so that a flood is forgotten.
        """
        if self._answered.get(whom, float("-inf")) + ANSWER_INTERVAL > now.monotonic:
            return False
        self._answered.pop(whom, None)
        self._answered[whom] = now.monotonic
        for old in list(islice(self._answered, 2)):
            if self._answered[old] + ANSWER_INTERVAL <= now.monotonic:
                del self._answered[old]
        return True

    def __len__(self) -> int:
        return len(self._answered)
