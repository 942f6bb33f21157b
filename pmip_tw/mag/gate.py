"""Who may be asked about at AAA now: a flood of strangers costs the server nothing more (P83)."""

from itertools import islice

from pmip_tw.addresses import Mac

MAX_HELD_OFF = 65536


class Gate:
    """Counts authentications under way and remembers who is held off, until when."""

    def __init__(self, max_outstanding: int) -> None:
        self._max_outstanding = max_outstanding
        self._outstanding = 0
        self._held_off: dict[Mac, float] = {}

    @property
    def full(self) -> bool:
        return self._outstanding >= self._max_outstanding

    def is_held_off(self, mac: Mac, monotonic: float) -> bool:
        until = self._held_off.get(mac)
        if until is None:
            return False
        if until > monotonic:
            return True
        del self._held_off[mac]
        return False

    def began(self) -> None:
        self._outstanding += 1

    def ended(self) -> None:
        self._outstanding -= 1

    def hold_off(self, mac: Mac, monotonic: float, seconds: float) -> None:
        """Do not ask about ``mac`` for ``seconds``. The oldest go first if there are too many."""
        self._held_off.pop(mac, None)
        self._held_off[mac] = monotonic + seconds
        for old in list(islice(self._held_off, 2)):
            if self._held_off[old] <= monotonic or len(self._held_off) > MAX_HELD_OFF:
                del self._held_off[old]
