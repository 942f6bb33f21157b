"""Stations that are heard although no access point has let them in here: one of the two has forgotten something (AA27).

A radio's access point passes nothing on before it has asked us. If it does so all the same, we were restarted since,
and the station would wait for ever: it has to be examined again, for which it is thrown off.
"""

from pmip_tw.addresses import Mac
from pmip_tw.mag.newest import Newest

PATIENCE = 5.0
"""Seconds for which somebody must have been heard: an access point on a cable lets frames pass while it examines."""

RECENT = 60.0
"""Seconds after which it counts no more that somebody was heard: he may have been let in since, and have left."""

AGAIN_AFTER = 600.0
"""Seconds until the same one is thrown off once more; most who stay are no stations."""

PACE = 1.0
"""Seconds from one to the next, whoever they are: a flood of MACs is not to become one of requests."""

MOST_REMEMBERED = 1024


class Strangers:
    """Remembers since when each has been heard."""

    def __init__(self) -> None:
        self._heard: Newest[Mac, float] = Newest(MOST_REMEMBERED)
        self._next_at = float("-inf")

    def stays(self, mac: Mac, monotonic: float) -> bool:
        """A frame of ``mac``: whether it is to be thrown off now."""
        since = self._heard.get(mac)
        if since is None or since + RECENT < monotonic:
            since = self._heard[mac] = monotonic
        if monotonic < since + PATIENCE or monotonic < self._next_at:
            return False
        self._heard[mac] = monotonic + AGAIN_AFTER - PATIENCE
        self._next_at = monotonic + PACE
        return True
