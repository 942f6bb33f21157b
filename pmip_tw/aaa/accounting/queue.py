"""Accounting records on their way to AAA: which of them may be submitted now, and what gives way if there are too many.

Of one session the next one goes when the one before it was taken; of several sessions the oldest goes first. On and Off
say something of all sessions: what came before them goes before, what came after them waits.
"""

import heapq
import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from enum import Enum

import attrs

from pmip_tw.aaa.accounting.records import AccountingRecord, StatusType
from pmip_tw.mobility.clock import Now

WINDOW = 32
"""Records that servers are asked to take at the same time."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds until servers that take nothing are asked once more; doubled each time. Asking takes its time as well."""

LONGEST_OWN_PAUSE = 300.0
"""Of a record that is not taken although others are: something about it is wrong, and it must hold nobody up."""

FAILS_BY_ITSELF = 3
"""Failures after which On and Off do not wait for a record any more, nor others for them, and nobody who is not taken
although others are says anything about servers.
"""

PATIENCE = 86_400.0
"""Seconds for which such a record is tried."""


class NotTaken(Enum):
    """What to make of a record that nobody took."""

    NOBODY = "servers may take none at all"
    STUCK = "from now on it is known that they take others"
    STILL_STUCK = "as before"
    GIVEN_UP = "it is not tried any more"


@attrs.define(slots=True, kw_only=True, eq=False)
class Waiting:
    """``octets``: how much it takes on the disk. ``durable``: it is there. ``failures``: how often nobody took it,
    ``alone``: how often although others had been taken meanwhile: ``taken_before`` is how many that were until then.
    ``stuck_since``: when that became too often, monotonic.
    """

    number: int
    record: AccountingRecord
    octets: int
    durable: bool = False
    underway: bool = False
    failures: int = 0
    alone: int = 0
    taken_before: int = 0
    stuck_since: float | None = None

    @property
    def may_be_replaced(self) -> bool:
        """A newer Interim says more than it."""
        return self.record.status is StatusType.INTERIM_UPDATE and not self.underway


class AccountingQueue:
    """``most_octets``: what may wait on the disk. Numbers are in the order in which records came."""

    def __init__(self, *, most_octets: int, window: int = WINDOW) -> None:
        self._most_octets = most_octets
        self._window = window
        self._all: dict[int, Waiting] = {}
        # Lists, of which a short one takes a tenth of what a deque does: hardly any session has more than three.
        self._by_session: dict[str, list[Waiting]] = {}
        self._interims: dict[int, Waiting] = {}
        self._about_all: deque[int] = deque()
        # Numbers of what is the first of its session and not on its way; also of what is gone since.
        self._ready: list[int] = []
        self._resting: list[tuple[float, int]] = []
        # What failed when nothing was taken: all others are tried before it is tried again.
        self._failed: list[int] = []
        self._taken = 0
        self._next = 1
        self._underway = 0
        self._pause = 0.0
        self._paused_until = 0.0
        self.octets = 0
        self.stuck = 0
        """How many are not taken although others are."""

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Waiting]:
        """Oldest first."""
        return iter(self._all.values())

    @property
    def underway(self) -> int:
        """How many servers are being asked to take."""
        return self._underway

    @property
    def is_refused(self) -> bool:
        """Whether the last answer was that nobody takes anything."""
        return self._pause > 0

    def restore(self, number: int, record: AccountingRecord, octets: int) -> None:
        """What the disk has, oldest first."""
        self._next = max(self._next, number + 1)
        self._add(Waiting(number=number, record=record, octets=octets, durable=True))

    def add(self, record: AccountingRecord, octets: int) -> tuple[Waiting, list[Waiting]]:
        """A new record, and what gives way to it for good: an older Interim of the session that was not told yet.

        See ``overflow`` for what gives way because there are too many.
        """
        gone = []
        if record.status is StatusType.INTERIM_UPDATE:
            line = self._by_session.get(record.session_id)
            if line and line[-1].may_be_replaced:
                gone.append(line[-1])
                self._forget(line[-1])
        waiting = Waiting(number=self._next, record=record, octets=octets)
        self._next += 1
        self._add(waiting)
        return waiting, gone

    def overflow(self) -> list[Waiting]:
        """What must go so that the rest fits: Interims first, as a Stop says it all, then the oldest. It is to be told.

        What is on its way stays.
        """
        gone = []
        while self.octets > self._most_octets:
            found = _first_at_rest(self._interims.values()) or _first_at_rest(self._all.values())
            if found is None:
                break
            gone.append(found)
            self._forget(found)
        return gone

    def durable(self, number: int) -> None:
        """The disk has it, or cannot have it: it may be submitted."""
        waiting = self._all.get(number)
        if waiting is not None:
            waiting.durable = True
            if self._is_first(waiting):
                heapq.heappush(self._ready, number)

    def submit(self, now: Now) -> list[Waiting]:
        """What servers are to be asked to take now."""
        found: list[Waiting] = []
        if now.monotonic < self._paused_until:
            return found
        self._paused_until = 0.0
        while self._resting and self._resting[0][0] <= now.monotonic:
            heapq.heappush(self._ready, heapq.heappop(self._resting)[1])
        self._take_ready(found)
        if self._failed and not self._underway:
            self._try_failed()
            self._take_ready(found)
        return found

    def _take_ready(self, found: list[Waiting]) -> None:
        window = 1 if self._pause else self._window
        while self._ready and self._underway < window:
            waiting = self._all.get(self._ready[0])
            if waiting is None or waiting.underway or not waiting.durable or not self._is_first(waiting):
                heapq.heappop(self._ready)
            elif self._has_to_wait(waiting):
                break  # all that follow are younger
            else:
                heapq.heappop(self._ready)
                waiting.underway = True
                if not waiting.failures:
                    waiting.taken_before = self._taken
                self._underway += 1
                found.append(waiting)

    def _try_failed(self) -> None:
        for number in self._failed:
            heapq.heappush(self._ready, number)
        self._failed.clear()

    def taken(self, number: int) -> None:
        """A server has it for good, and perhaps takes what nobody took before."""
        self._pause = self._paused_until = 0.0
        self._taken += 1
        self._try_failed()
        waiting = self._all.get(number)
        if waiting is not None and waiting.underway:
            self._underway -= 1
            self._forget(waiting)

    def not_taken(self, number: int, now: Now) -> tuple[Waiting, NotTaken] | None:
        """Nobody has it, as far as we know. Others are tried before it is tried again. None: nobody was asked.

        One that is not taken although others are goes for good some day, and an On or Off soon: later it would end at
        AAA what has begun since.
        """
        waiting = self._all.get(number)
        if waiting is None or not waiting.underway:
            return None
        self._underway -= 1
        waiting.underway = False
        waiting.failures += 1
        before, waiting.taken_before = waiting.taken_before, self._taken
        if before != self._taken:
            waiting.alone += 1
        if waiting.alone >= FAILS_BY_ITSELF:
            return waiting, self._not_taken_alone(waiting, before != self._taken, now)
        self._pause = min(self._pause * 2 or FIRST_PAUSE, LONGEST_PAUSE)
        self._paused_until = now.monotonic + self._pause
        if before == self._taken:
            self._failed.append(number)
        else:
            self._rest(waiting, now)
        return waiting, NotTaken.NOBODY

    def _not_taken_alone(self, waiting: Waiting, others_are: bool, now: Now) -> NotTaken:
        """Nobody else waits because of it. ``others_are`` taken, since it was tried before."""
        since = waiting.stuck_since
        impatient = waiting.record.session is None or (
            since is not None and now.monotonic - since >= PATIENCE and others_are
        )
        if impatient:
            self._forget(waiting)
            return NotTaken.GIVEN_UP
        self._rest(waiting, now)
        if since is not None:
            return NotTaken.STILL_STUCK
        waiting.stuck_since = now.monotonic
        self.stuck += 1
        return NotTaken.STUCK

    def _rest(self, waiting: Waiting, now: Now) -> None:
        own = min(FIRST_PAUSE * 2 ** min(waiting.alone, 20), LONGEST_OWN_PAUSE)
        heapq.heappush(self._resting, (now.monotonic + own, waiting.number))

    def next_deadline(self) -> float | None:
        """When ``submit`` may have something without any news, monotonic."""
        if self._paused_until:
            return self._paused_until
        return self._resting[0][0] if self._resting else None

    def _add(self, waiting: Waiting) -> None:
        self._all[waiting.number] = waiting
        self.octets += waiting.octets
        if waiting.record.session is None:
            self._about_all.append(waiting.number)
        elif waiting.record.status is StatusType.INTERIM_UPDATE:
            self._interims[waiting.number] = waiting
        self._by_session.setdefault(waiting.record.session_id, []).append(waiting)
        if waiting.durable and self._is_first(waiting):
            heapq.heappush(self._ready, waiting.number)

    def _forget(self, waiting: Waiting) -> None:
        del self._all[waiting.number]
        self._interims.pop(waiting.number, None)
        self.octets -= waiting.octets
        self.stuck -= waiting.stuck_since is not None
        session = waiting.record.session_id
        line = self._by_session[session]
        was_first = line[0] is waiting
        line.remove(waiting)
        if line and was_first:
            heapq.heappush(self._ready, line[0].number)
        elif not line:
            del self._by_session[session]
        if waiting.record.session is None:
            self._about_all.remove(waiting.number)

    def _is_first(self, waiting: Waiting) -> bool:
        return self._by_session[waiting.record.session_id][0] is waiting

    def _has_to_wait(self, waiting: Waiting) -> bool:
        """On and Off wait for all that came before, and all that came after for them; not for ever."""
        if not self._about_all:
            return False
        about_all = self._about_all[0]
        if waiting.number != about_all:
            return waiting.number > about_all and self._all[about_all].failures < FAILS_BY_ITSELF
        before = itertools.takewhile(lambda one: one.number < about_all, self._all.values())
        return any(one.failures < FAILS_BY_ITSELF for one in before)


def _first_at_rest(some: Iterable[Waiting]) -> Waiting | None:
    return next((one for one in some if not one.underway), None)
