"""Between a MAG's loop and its store: what is decided is written down, and what rests on that happens afterwards.

A MAG is there for its nodes (docs/decisions/0013). Where the store fails, or takes its time, what was to wait happens
all the same; the records are appended again until they are durable, and somebody is told.
"""

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice

import attrs

from pmip_tw.errors import StoreError
from pmip_tw.interfaces import IBindingStore
from pmip_tw.mag.effects import MagEffect, Save
from pmip_tw.mag.journal.records import MagRecord
from pmip_tw.mag.observed import journal_failed, journal_slow, journal_works_again

PATIENCE = 0.5
"""Seconds that something may wait for the store: a DHCP client or an LMA that waits does not ask again before (M8)."""

TRY_AGAIN = 1.0
"""Seconds after a failure."""

MOST_AT_ONCE = 1000
"""Records that are appended again together."""

_Thing = tuple[object, ...]


@attrs.define(slots=True, eq=False)
class _Waiting:
    """What rests on an append; ``until``: how long it may wait, monotonic."""

    until: float
    effects: list[MagEffect]


class Keeping:
    """``carry_on(effects)``: what has waited happens now."""

    def __init__(self, store: IBindingStore, carry_on: Callable[[Sequence[MagEffect]], None]) -> None:
        self._store = store
        self._carry_on = carry_on
        self._records: list[MagRecord] = []
        self._effects: list[MagEffect] = []
        self._waiting: deque[_Waiting] = deque()
        self._appending = False
        self._slow = self._failing = False
        # The newest record about each thing of which none is durable or on its way that is newer still.
        self._unsaved: dict[_Thing, MagRecord] = {}
        self._try_at = 0.0

    def save(self, saved: Save) -> None:
        """With everything else of this wake-up."""
        self._records += saved.records
        self._effects += saved.then
        if self._unsaved:
            for record in saved.records:
                self._unsaved.pop(record.thing, None)

    def has_to_wait(self, effects: Sequence[MagEffect]) -> bool:
        """Whether ``effects``, which follow from what was decided before, wait for that to be durable: they do then."""
        if self._records:
            self._effects += effects
        elif self._waiting:
            self._waiting[-1].effects += effects
        else:
            return False
        return True

    def append(self, monotonic: float) -> None:
        """The wake-up is over. A store may answer at once, and what follows from that is appended as well."""
        if self._appending:
            return
        self._appending = True
        try:
            while self._records:
                waiting = _Waiting(monotonic + PATIENCE, self._effects)
                records, self._records, self._effects = self._records, [], []
                self._waiting.append(waiting)
                self._store.append(records, partial(self._done, records, waiting))
        finally:
            self._appending = False

    def wake(self, monotonic: float) -> None:
        """Time has passed: what has waited long enough happens, and what has failed is tried again."""
        overdue: list[MagEffect] = []
        while self._waiting and self._waiting[0].until <= monotonic:
            overdue += self._waiting.popleft().effects
            if not self._slow:
                self._slow = True
                overdue.append(journal_slow(PATIENCE))
        if overdue:
            self._carry_on(overdue)
        if self._unsaved and self._try_at <= monotonic:
            self._again(monotonic)

    def stop(self, monotonic: float) -> None:
        """Nothing is tried later: what has failed is tried once more, with whatever waits."""
        self.append(monotonic)
        records = [*self._unsaved.values()]
        self._unsaved.clear()
        if records:
            self._store.append(records, partial(self._done, records, None))

    def next_deadline(self) -> float | None:
        """When to call ``wake`` at the latest, monotonic."""
        deadlines = [self._try_at] if self._unsaved else []
        if self._waiting:
            deadlines.append(self._waiting[0].until)
        return min(deadlines, default=None)

    def _again(self, monotonic: float) -> None:
        things = list(islice(self._unsaved, MOST_AT_ONCE))
        records = [self._unsaved.pop(thing) for thing in things]
        records = [record for record in records if record.deadline > monotonic]
        self._try_at = monotonic + TRY_AGAIN
        if records:
            self._store.append(records, partial(self._done, records, None))

    def _done(self, records: list[MagRecord], waiting: _Waiting | None, error: StoreError | None) -> None:
        """``waiting``: None if ``records`` were appended before, and have failed."""
        if error is None:
            self._saved(waiting)
            return
        for record in reversed(records):
            self._unsaved.setdefault(record.thing, record)
        # Who has failed takes all with it that waits behind: it happens now, the oldest first.
        effects: list[MagEffect] = [] if waiting is None else [journal_failed(str(error), len(records))]
        while self._waiting:
            effects += self._waiting.popleft().effects
        self._failing = True
        self._carry_on(effects)

    def _saved(self, waiting: _Waiting | None) -> None:
        self._slow = False
        effects: list[MagEffect] = []
        if waiting is None:
            self._try_at = 0.0  # it works: the rest at once
        elif waiting in self._waiting:
            self._waiting.remove(waiting)
            effects += waiting.effects
        if self._failing and not self._unsaved:
            self._failing = False
            effects.append(journal_works_again())
        if effects or waiting is None:
            self._carry_on(effects)
