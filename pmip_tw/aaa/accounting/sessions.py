"""When AAA is told of a session: its beginning, how it goes on, its end; and what a restart makes of it (AA20).

A session is known by its Acct-Session-Id. What it moves is counted by an entry in the packet plane, which comes and
goes: what former entries, and former processes, have counted is the base to which the present one's counters are added.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Generic, TypeVar

import attrs
from msgspec import Struct
from msgspec.structs import replace

from pmip_tw.aaa.accounting.records import (
    AccountingRecord,
    AccountingSession,
    StatusType,
    TerminateCause,
    Usage,
)
from pmip_tw.mobility.clock import Now
from pmip_tw.mobility.timers import Wheel

LEAST_INTERIM = 60
"""Seconds between two Interims of a session, whatever anybody asks for (RFC 2869 5.16)."""

_GRANULARITY = 1.0

Key = TypeVar("Key")


@attrs.frozen(slots=True)
class Tell:
    """An effect: AAA is to be told."""

    record: AccountingRecord


@attrs.frozen(slots=True)
class Keep:
    """An effect: nobody is told, but it is what is known of the session if the process ends."""

    record: AccountingRecord


Effect = Tell | Keep


class _Open(Struct, Generic[Key], gc=False):
    """A session that goes on. ``key``: of its entry; ``counted``: that one counts for it, and for no other session.

    ``began``: monotonic, perhaps before this process; ``base``: what the present entry has not counted; ``kept``: what
    was last told or written down. ``interim_at``, ``keep_at``: when the next is due, monotonic.
    """

    session: AccountingSession
    key: Key
    began: float
    base: Usage
    kept: Usage
    interim_at: float
    keep_at: float
    counted: bool = True


class Sessions(Generic[Key]):
    """``interim_interval``: seconds, where AAA asks for nothing, 0: none then. ``keep_interval``: how often what is
    moved is written down, so that a crash loses no more than that. Not ``on_off``: AAA never hears On or Off.
    """

    def __init__(
        self, *, interim_interval: float, keep_interval: float = float("inf"), on_off: bool = True
    ) -> None:
        self._interim_interval = interim_interval
        self._keep_interval = keep_interval
        self._open: dict[str, _Open[Key]] = {}
        self._by_key: dict[Key, str] = {}
        # What entries that are still there have counted for sessions that are over.
        self._spent: dict[Key, Usage] = {}
        self._left: dict[str, AccountingRecord] = {}
        self._on_off = on_off
        self._on_told = not on_off
        self._due: Wheel[str] = Wheel(_GRANULARITY, self._deadline)

    def __len__(self) -> int:
        return len(self._open)

    def of(self, key: Key) -> AccountingSession | None:
        """Whose the entry of ``key`` is."""
        found = self._open.get(self._by_key.get(key, ""))
        return None if found is None else found.session

    def key_of(self, session_id: str) -> Key | None:
        """The entry of the session that AAA knows by this id."""
        found = self._open.get(session_id)
        return None if found is None else found.key

    @property
    def keys(self) -> Collection[Key]:
        """Those of all entries that count for somebody."""
        return self._by_key.keys()

    # The beginning

    def left(self, records: Iterable[AccountingRecord], now: Now) -> list[Effect]:
        """The last that a former process has written down of each session that it had; before anything else.

        If that is nothing, nothing can go on, and AAA hears that we begin (On).
        """
        self._left.update({record.session_id: record for record in records})
        return [] if self._left else self._on(now)

    @property
    def not_resumed(self) -> Collection[AccountingRecord]:
        """Of those, whom nobody has claimed yet."""
        return self._left.values()

    def resume(self, key: Key, session_id: str, now: Now) -> bool:
        """A restart has brought back who had that session: it goes on, and nobody is told. False: it was not left."""
        record = self._left.pop(session_id, None)
        if record is None or record.session is None:
            return False
        away = max(0.0, now.wall - record.at)
        began = now.monotonic - record.session_time - away
        self._begin(record.session, key, began, record.usage, now, spread=1.0)
        return True

    def begun(self, now: Now) -> list[Effect]:
        """Everything that a former process has left is resumed, or over: it ends with what was last known of it.

        AAA hears that we begin (On) only if nothing goes on, as it ends all that it believes to go on here.
        """
        dead = sorted(self._left.values(), key=lambda record: record.at)
        self._left.clear()
        effects: list[Effect] = [
            Tell(
                AccountingRecord(
                    status=StatusType.STOP,
                    at=record.at,
                    session=record.session,
                    session_time=record.session_time,
                    usage=record.usage,
                    terminate_cause=TerminateCause.NAS_REBOOT,
                )
            )
            for record in dead
        ]
        return effects if self._open else [*effects, *self._on(now)]

    def _on(self, now: Now) -> list[Effect]:
        if self._on_told:
            return []
        self._on_told = True
        return [Tell(AccountingRecord(status=StatusType.ACCOUNTING_ON, at=int(now.wall)))]

    # Sessions

    def serves(self, key: Key, session: AccountingSession, moved: Usage, now: Now) -> list[Effect]:
        """The packet plane has the entry of ``key`` for ``session``, and has counted ``moved`` there so far.

        The first time that is its Start. When it serves it at another place, the Interim of that is due at once.
        """
        found = self._open.get(session.id)
        if found is None and self.resume(key, session.id, now):
            found = self._open[session.id]
        if found is not None:
            if found.session.aaa_session_id not in (b"", session.aaa_session_id):
                # Another authentication may have another name; what was started under one goes on under it.
                session = replace(session, aaa_session_id=found.session.aaa_session_id)
            before, found.session = found.session, session
            if _moves(before, session):
                self._expect(found, now.monotonic)
            elif before.interim_interval != session.interim_interval:
                self._expect(found, now.monotonic + self._interval(session))
            if not found.counted or found.key != key:
                self._link(found, key, moved)
            if before == session or found.interim_at <= now.monotonic:
                return []
            # What AAA has changed, and is not told soon, outlives us all the same.
            return [Keep(self._record(found, StatusType.INTERIM_UPDATE, _used(found, moved), now))]
        base = Usage() - self._release(key, moved)
        self._begin(session, key, now.monotonic, base, now)
        started = self._record(self._open[session.id], StatusType.START, Usage(), now)
        return [Tell(started)]

    def entry_gone(self, key: Key, moved: Usage) -> None:
        """The entry of ``key`` was removed; ``moved``: all that it has counted. Its session may get another one."""
        self._spent.pop(key, None)
        found = self._open.get(self._by_key.get(key, ""))
        if found is not None and found.counted:
            found.base += moved
            found.counted = False

    def over(
        self,
        session_id: str,
        terminate_cause: TerminateCause,
        moved: Usage,
        now: Now,
        *,
        continues: bool = False,
    ) -> list[Effect]:
        """It has ended; ``moved``: by its entry, if that is still there. Nothing if there is no such session."""
        found = self._open.pop(session_id, None)
        if found is None:
            return []
        if self._by_key.get(found.key) == session_id:
            del self._by_key[found.key]
            if found.counted and moved != Usage():
                self._spent[found.key] = moved
        record = self._record(found, StatusType.STOP, _used(found, moved), now)
        return [Tell(replace(record, terminate_cause=terminate_cause, continues=continues))]

    # Time

    def due(self, now: Now) -> list[tuple[str, Key]]:
        """Whose counters are to be looked at, and which; some at a time."""
        return [(one, self._open[one].key) for one in self._due.due(now.monotonic)]

    def looked_at(self, session_id: str, moved: Usage, now: Now) -> list[Effect]:
        """``moved``: what the entry of a session that was due has counted."""
        found = self._open[session_id]
        used = _used(found, moved)
        record = self._record(found, StatusType.INTERIM_UPDATE, used, now)
        effects: list[Effect] = []
        if found.interim_at <= now.monotonic:
            found.interim_at = now.monotonic + self._interval(found.session)
            effects.append(Tell(record))
        elif used != found.kept:
            effects.append(Keep(record))
        found.kept = used
        found.keep_at = now.monotonic + self._keep_interval
        self._file(session_id, found)
        return effects

    def next_deadline(self) -> float | None:
        """When to ask for who is ``due``."""
        return self._due.next_deadline()

    # The end of the process

    def all_open(self) -> list[tuple[str, Key]]:
        return [(session_id, found.key) for session_id, found in self._open.items()]

    def last_known(self, session_id: str, moved: Usage, now: Now) -> Keep:
        """What the next process goes on with."""
        found = self._open[session_id]
        return Keep(self._record(found, StatusType.INTERIM_UPDATE, _used(found, moved), now))

    def shut(self, moved: Mapping[str, Usage], now: Now) -> list[Effect]:
        """Nothing goes on after this process: what each has ``moved``, by session; then Off."""
        effects: list[Effect] = []
        for session_id, used in moved.items():
            effects += self.over(session_id, TerminateCause.ADMIN_REBOOT, used, now)
        off = Tell(AccountingRecord(status=StatusType.ACCOUNTING_OFF, at=int(now.wall)))
        return [*effects, off] if self._on_off else effects

    def _begin(
        self,
        session: AccountingSession,
        key: Key,
        began: float,
        base: Usage,
        now: Now,
        *,
        spread: float = 0.5,
    ) -> None:
        """The first Interim comes by up to ``spread`` of the interval earlier: thousands may begin at once."""
        interval = self._interval(session)
        found = self._open[session.id] = _Open(
            session=session,
            key=key,
            began=began,
            base=base,
            kept=base,
            interim_at=now.monotonic + interval * (1 - spread * now.random_fraction()),
            keep_at=now.monotonic + self._keep_interval * (1 - spread * now.random_fraction()),
        )
        self._by_key[key] = session.id
        self._file(session.id, found)

    def _release(self, key: Key, moved: Usage) -> Usage:
        """The entry of ``key`` counts for another session from now on; what of ``moved`` is not that one's."""
        spent = self._spent.pop(key, Usage())
        former = self._open.get(self._by_key.pop(key, ""))
        if former is None or not former.counted:
            return spent
        former.base += moved
        former.counted = False
        return moved

    def _link(self, found: _Open[Key], key: Key, moved: Usage) -> None:
        """Of what the entry of ``key`` has counted nothing is anybody else's."""
        if self._by_key.get(found.key) == found.session.id:
            del self._by_key[found.key]
        if self._by_key.get(key) != found.session.id:
            found.base -= self._release(key, moved)
        found.key, found.counted = key, True
        self._by_key[key] = found.session.id

    def _interval(self, session: AccountingSession) -> float:
        asked = session.interim_interval or self._interim_interval
        return max(asked, LEAST_INTERIM) if asked else float("inf")

    def _record(self, found: _Open[Key], status: StatusType, usage: Usage, now: Now) -> AccountingRecord:
        return AccountingRecord(
            status=status,
            at=int(now.wall),
            session=found.session,
            session_time=max(0, int(now.monotonic - found.began)),
            usage=usage,
        )

    def _deadline(self, session_id: str) -> float | None:
        found = self._open.get(session_id)
        if found is None:
            return None
        deadline = min(found.interim_at, found.keep_at)
        return None if deadline == float("inf") else deadline

    def _expect(self, found: _Open[Key], interim_at: float) -> None:
        found.interim_at = interim_at
        self._file(found.session.id, found)

    def _file(self, session_id: str, found: _Open[Key]) -> None:
        deadline = min(found.interim_at, found.keep_at)
        if deadline != float("inf"):
            self._due.file(session_id, deadline)


def _used(found: _Open[Key], moved: Usage) -> Usage:
    return found.base + moved if found.counted else found.base


def _moves(before: AccountingSession, after: AccountingSession) -> bool:
    """Whether AAA should know soon: it is reached elsewhere."""
    return (before.home_address, before.home_agent, before.care_of_address) != (
        after.home_address,
        after.home_agent,
        after.care_of_address,
    )
