"""Who may be asked about at AAA now: a flood of strangers costs the server nothing more (P83)."""

from itertools import islice

from pmip_tw.addresses import Mac
from pmip_tw.mag.authentication.pace import Pace
from pmip_tw.mag.newest import Newest

MAX_HELD_OFF = 65536
PER_SECOND = 500.0
"""Authentications that may begin; each costs us a good quarter of a millisecond, which served nodes would wait for."""

BURST = 32
"""As many more may begin at once: hosts that arrive together."""


class Gate:
    """Counts authentications under way, paces them, and remembers who is held off, until when."""

    def __init__(self, max_outstanding: int) -> None:
        self._max_outstanding = max_outstanding
        self._outstanding = 0
        self._pace = Pace(PER_SECOND, BURST)
        self._held_off: Newest[Mac, float] = Newest(MAX_HELD_OFF)

    def is_full(self, monotonic: float) -> bool:
        """Whether nobody may be asked about now: too many are under way, or began just before."""
        return self._outstanding >= self._max_outstanding or not self._pace.allows(monotonic)

    def is_held_off(self, mac: Mac, monotonic: float) -> bool:
        until = self._held_off.get(mac)
        if until is None:
            return False
        if until > monotonic:
            return True
        del self._held_off[mac]
        return False

    def began(self, monotonic: float) -> None:
        self._outstanding += 1
        self._pace.spend(monotonic)

    def ended(self) -> None:
        self._outstanding -= 1

    def hold_off(self, mac: Mac, monotonic: float, seconds: float) -> None:
        """Do not ask about ``mac`` for ``seconds``. The oldest go first if there are too many."""
        self._held_off[mac] = monotonic + seconds
        for old in list(islice(self._held_off, 2)):
            if self._held_off[old] <= monotonic:
                del self._held_off[old]
