"""Stations that are heard although no access point has let them in here: one of the two has forgotten something (AA27).

A radio's access point passes nothing on before it has asked us. If it does so all the same, we were restarted since,
and the station would wait for ever: it has to be examined again, for which it is thrown off.
"""

from hashlib import blake2s

import attrs

from pmip_tw.addresses import Mac
from pmip_tw.mag.newest import Newest
from pmip_tw.mobility.clock import Now

PATIENCE = 5.0
"""Seconds for which somebody must have been heard: an access point on a cable lets frames pass while it examines."""

HELD = 10.0
"""Seconds for which who has a slot keeps it against all others: long enough to be thrown off."""

RECENT = 60.0
"""Seconds after which it counts no more that somebody was heard: he may have been let in since, and have left."""

AGAIN_AFTER = 600.0
"""Seconds until the same one is thrown off once more; most who stay are no stations."""

PACE = 1.0
"""Seconds from one to the next, whoever they are: a flood of MACs is not to become one of requests."""

SLOTS = 4096
_KEY_SIZE = 16


@attrs.frozen(slots=True)
class _Heard:
    mac: Mac
    since: float


class Strangers:
    """Remembers since when each has been heard, in the slot that its MAC has: nobody can choose whose slot he takes.

    However many MACs somebody makes up, each takes one slot, for a while: a real station has its own sooner or later.
    """

    def __init__(self) -> None:
        self._slots: dict[int, _Heard] = {}
        self._thrown_off: Newest[Mac, float] = Newest(int(AGAIN_AFTER / PACE))
        self._next_at = float("-inf")
        self._key = b""

    def stays(self, mac: Mac, now: Now) -> bool:
        """A frame of ``mac``: whether it is to be thrown off now."""
        monotonic = now.monotonic
        if self._thrown_off.get(mac, float("-inf")) + AGAIN_AFTER - PATIENCE > monotonic:
            return False
        slot = self._slot(mac, now)
        heard = self._slots.get(slot)
        if heard is None or heard.since + (RECENT if heard.mac == mac else HELD) < monotonic:
            heard = self._slots[slot] = _Heard(mac, monotonic)
        if heard.mac != mac or monotonic < heard.since + PATIENCE or monotonic < self._next_at:
            return False
        del self._slots[slot]
        self._thrown_off[mac] = monotonic
        self._next_at = monotonic + PACE
        return True

    def _slot(self, mac: Mac, now: Now) -> int:
        self._key = self._key or now.entropy(_KEY_SIZE)
        return int.from_bytes(blake2s(mac, digest_size=4, key=self._key).digest(), "big") % SLOTS
