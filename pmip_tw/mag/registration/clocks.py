"""The Identification of a MAG's requests: a timestamp that each LMA accepts (I3, I4, I9, P17, P33)."""

from pmip_tw.addresses import Ipv4
from pmip_tw.mag.newest import Newest
from pmip_tw.mobility.replay import later, ntp_seconds, ntp_timestamp

TIMESTAMP_WINDOW = 7.0
"""Seconds by which an LMA's clock may be from ours before it is followed: what LMAs usually take (I6, P33)."""

_UNSUPPLIED = 1 << 11
"""A clock that is a 64-bit float says the time since 1900 in steps of this many 2^-32 of a second."""

_REMEMBERED = 100_000
_SIGN = 1 << 31


class Identifications:
    """The next Identification for a mobile node at an LMA: strictly later than any used before for that node.

    The bits that the clock does not supply count the requests (I3): replies are told apart by the low half, which
    would repeat itself whenever two requests leave a whole number of seconds apart.
    """

    def __init__(self, window: float) -> None:
        self._window = window
        self._offsets: dict[Ipv4, int] = {}
        self._last: Newest[str, int] = Newest(_REMEMBERED)
        self._count = 0

    def next(self, nai: str, lma: Ipv4, wall: float) -> int:
        identification = ntp_timestamp(wall + self._offsets.get(lma, 0)) + self._count % _UNSUPPLIED
        self._count += 1
        last = self._last.get(nai)
        if last is not None and not later(identification, last):
            identification = (last + 1) & 0xFFFFFFFFFFFFFFFF
        self._last[nai] = identification
        return identification

    def last(self, nai: str) -> int:
        """What was used for ``nai`` last; 0: nothing that is remembered."""
        return self._last.get(nai, 0)

    def recall(self, nai: str, lma: Ipv4, identification: int, offset: int) -> None:
        """What a former process knew: the last one for ``nai``, and how far ``lma``'s clock is ahead of ours."""
        self._last[nai] = identification
        if offset:
            self._offsets[lma] = offset

    def resynchronize(self, nai: str, lma: Ipv4, reply_identification: int, wall: float) -> int:
        """Code 133 came with the LMA's time in the high half. The seconds by which the LMA's clock is ahead of ours.

        If that is within the window of our clock, as we know it to be for this LMA, only this node's Identification is
        raised, or else each hop would drag the whole fleet forward (P33). Otherwise all its nodes follow the LMA's
        clock, or ours alone again if that agrees: somebody has set it right since.
        Only an Identification that the LMA would find too far ahead is ever taken back (I4).
        """
        high = reply_identification >> 32
        ahead = _difference(high, ntp_seconds(wall))
        off = ahead - self._offsets.get(lma, 0)
        # Both are whole seconds: a window behind us may be a little more, and raising would not help then.
        if off > self._window or off <= -self._window:
            if abs(ahead) >= self._window:
                self._offsets[lma] = ahead
            else:
                self._offsets.pop(lma, None)
            self._last.pop(nai, None)
        else:
            raised = high << 32 | 0xFFFFFFFF & ntp_timestamp(wall)
            last = self._last.get(nai, raised)
            ahead_of_lma = (last - raised) & 0xFFFFFFFFFFFFFFFF
            self._last[nai] = last if ahead_of_lma <= self._window * 2**32 else raised
        return ahead

    def offset(self, lma: Ipv4) -> int:
        """Seconds by which requests to ``lma`` are ahead of our clock."""
        return self._offsets.get(lma, 0)


def _difference(one: int, other: int) -> int:
    """Seconds from ``other`` to ``one``, both the high half of a timestamp (I11)."""
    difference = (one - other) & 0xFFFFFFFF
    return difference - (1 << 32) if difference >= _SIGN else difference
