"""Is the peer of a connection still there? The algorithm of RFC 3539 3.4.1, while the connection is open.

```
            Tw over, no answer to DWR             Tw over
   OKAY ----------------------------> SUSPECT ------------> closed
     ^                                   |
     +------- anything is received ------+
     ^
     +---- three DWAs ---- REOPEN <---- connected again after it was closed above
```
"""

from enum import Enum
from typing import Final

from pmip_tw.mobility.clock import Now

JITTER: Final = 2.0
"""Seconds that Tw varies either way (RFC 3539 3.4.1)."""

_ANSWERS_TO_RETURN: Final = 3


class Health(Enum):
    OKAY = "okay"
    SUSPECT = "suspect"
    REOPEN = "reopen"


class Step(Enum):
    """What there is to do when Tw is over."""

    NOTHING = "nothing"
    SEND = "send a DWR"
    FAIL_OVER = "use another peer"
    CLOSE = "close the connection"


class Watchdog:
    """``interval``: Tw in seconds. ``reopened``: the connection before this one was closed by its watchdog."""

    def __init__(self, interval: float, now: Now, *, reopened: bool = False) -> None:
        self._interval = interval
        self._pending = False
        self._answers = 0
        self.health = Health.REOPEN if reopened else Health.OKAY
        self.deadline = 0.0 if reopened else self._next(now)
        """Monotonic. A peer that comes back is asked at once."""

    def heard(self, now: Now, *, answer: bool) -> None:
        """Something was received; ``answer``: it was a DWA."""
        if answer:
            self._pending = False
        if self.health is Health.REOPEN:
            if answer:
                self._answers = max(0, self._answers) + 1
                if self._answers >= _ANSWERS_TO_RETURN:
                    self.health = Health.OKAY
            return  # the next DWR is due when it is, whatever comes in between
        self.health = Health.OKAY
        self.deadline = self._next(now)

    def expired(self, now: Now) -> Step:
        """``deadline`` is over."""
        self.deadline = self._next(now)
        if not self._pending:
            self._pending = True
            return Step.SEND
        if self.health is Health.OKAY:
            self.health = Health.SUSPECT
            return Step.FAIL_OVER
        if self.health is Health.REOPEN and self._answers >= 0:
            self._answers = -1  # one more interval
            return Step.NOTHING
        return Step.CLOSE

    def _next(self, now: Now) -> float:
        jitter = min(JITTER, self._interval / 3)
        return now.monotonic + self._interval + jitter * (2 * now.random_fraction() - 1)
