"""Timestamps as the Identification of registrations (RFC 5944 5.7.1)."""

from collections import OrderedDict, deque

from msgspec import Struct

from pmip_tw.mobility.clock import NTP_EPOCH
from pmip_tw.mobility.spread_dict import SpreadDict

_WHOLE = 1 << 64
_HALF = 1 << 63


def ntp_timestamp(wall: float) -> int:
    """The 64-bit NTP timestamp of a Unix time (I3)."""
    return int((wall + NTP_EPOCH) * 2**32) % _WHOLE


def ntp_seconds(wall: float) -> int:
    """The high half of the NTP timestamp of a Unix time."""
    return int(wall + NTP_EPOCH) & 0xFFFFFFFF


def later(one: int, other: int) -> bool:
    """Whether ``one`` is strictly after ``other``, in 64-bit serial arithmetic: era 0 ends in 2036 (I11)."""
    return 0 < (one - other) % _WHOLE < _HALF


def seconds_between(identification: int, wall: float) -> float:
    """How far the timestamp lies ahead of (negative: behind) the clock, in seconds."""
    difference = (identification - ntp_timestamp(wall)) % _WHOLE
    return (difference - _WHOLE if difference >= _HALF else difference) / 2**32


class TimestampWindow:
    """Rule I6. ``seconds``: how far an Identification may lie from our clock, either way."""

    __slots__ = ("_earliest", "_size", "_wall")

    def __init__(self, seconds: float) -> None:
        # In units of the timestamp: everything that arrives is compared by integers.
        self._size = 2 * int(seconds * 2**32)
        self._wall: float | None = None
        self._earliest = 0

    def admits(self, identification: int, last_accepted: int | None, wall: float) -> bool:
        """Whether it is inside the window around our clock, and later than what was accepted before."""
        if wall != self._wall:  # one instant serves a whole batch of datagrams
            self._wall = wall
            self._earliest = ntp_timestamp(wall) - self._size // 2
        if (identification - self._earliest) % _WHOLE > self._size:
            return False
        # As ``later``, of which every datagram that arrives would cost a call.
        return last_accepted is None or 0 < (identification - last_accepted) % _WHOLE < _HALF


def resynchronizing(request: int, last_accepted: int | None, wall: float, window: float) -> int:
    """The Identification of a reply with code 133: low half of the request, high half our clock (I8).

    Where a MAG with a fast clock was accepted before, our clock alone would not help its successor: the high half
    then lies beyond the last accepted one, inside the window (P33).
    """
    own = ntp_seconds(wall)
    ahead = 0
    if last_accepted is not None:
        beyond = (last_accepted >> 32) + 1
        if later(beyond << 32, own << 32):
            ahead = min((beyond - own) & 0xFFFFFFFF, int(window) - 1)
    return ((own + ahead) & 0xFFFFFFFF) << 32 | (request & 0xFFFFFFFF)


class _Floor(Struct, gc=False, eq=False):
    identity: bytes
    identification: int
    until: float


class ReplayFloors:
    """The last valid Identification of identities without a binding, so that nothing captured works again (I10).

    An entry lives ``retention`` seconds of the monotonic clock: past the window its replays are too old anyway.
    """

    def __init__(self, retention: float) -> None:
        self._retention = retention
        self._floors: SpreadDict[bytes, _Floor] = SpreadDict()
        # In the order of their age; one that was noted again is there twice, and only the last is a floor.
        self._by_age: deque[_Floor] = deque()

    def last_valid(self, identity: bytes, accepted: int | None) -> int | None:
        """The floor, or the one that was ``accepted`` last if that is no earlier (I6b); None: neither is known."""
        if not self._by_age:
            return accepted
        found = self._floors.get(identity)
        if found is None or (accepted is not None and not later(found.identification, accepted)):
            return accepted
        return found.identification

    def note(self, identity: bytes, identification: int, monotonic: float) -> int:
        """Remember ``identification`` from now on, or what was later: a floor never sinks. The floor."""
        known = self._floors.get(identity)
        if known is not None and later(known.identification, identification):
            identification = known.identification
        floor = _Floor(identity, identification, monotonic + self._retention)
        self._floors[identity] = floor
        self._by_age.append(floor)
        return identification

    def still_count(self, noted_at: float, monotonic: float) -> bool:
        """Whether one that was noted then is remembered still."""
        return noted_at + self._retention > monotonic

    def forget_old(self, monotonic: float, limit: int = 1000) -> None:
        """Drop at most ``limit`` entries that have served their time."""
        while self._by_age and limit > 0 and self._by_age[0].until <= monotonic:
            limit -= 1
            floor = self._by_age.popleft()
            if self._floors.get(floor.identity) is floor:
                self._floors.pop(floor.identity)

    def next_deadline(self) -> float | None:
        """When to call ``forget_old``, at the latest."""
        return self._by_age[0].until if self._by_age else None

    def __len__(self) -> int:
        return len(self._floors)


class RefusedAhead:
    """Identifications that were refused because they lie ahead of our clock: their time comes, and whoever captured
    such a request must not be able to use it then (I8, I10).

    A peer makes few of them before it follows our clock, so few are kept for each identity; without a key nobody makes
    any.
    """

    def __init__(self, window: float, most_identities: int = 10_000, most_each: int = 8) -> None:
        self._window = window
        self._most_identities = most_identities
        self._most_each = most_each
        self._refused: OrderedDict[bytes, tuple[int, ...]] = OrderedDict()

    def holds(self, identity: bytes, identification: int) -> bool:
        return bool(self._refused) and identification in self._refused.get(identity, ())

    def note(self, identity: bytes, identification: int, wall: float) -> bool:
        """Remember ``identification``, which was refused, if it is ahead; the oldest go if there are too many.

        Whether it is.
        """
        if seconds_between(identification, wall) <= self._window:
            return False
        self.recall(identity, identification, wall)
        return True

    def recall(self, identity: bytes, identification: int, wall: float) -> None:
        """Remember ``identification``, which was refused then, unless its time has passed."""
        if seconds_between(identification, wall) < -self._window:
            return
        known = self._refused.pop(identity, ())
        # What is behind the window by now is invalid anyway.
        coming = [
            one for one in known if one != identification and seconds_between(one, wall) >= -self._window
        ]
        self._refused[identity] = (*coming, identification)[-self._most_each :]
        if len(self._refused) > self._most_identities:
            self._refused.popitem(last=False)
