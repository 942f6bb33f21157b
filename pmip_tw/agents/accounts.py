"""Between an agent and its accounting: what the packet plane serves and has counted becomes records."""

from collections.abc import Iterable
from typing import Generic, TypeVar

from twisted.internet.defer import Deferred

from pmip_tw.aaa.accounting.records import AccountingSession, TerminateCause, Usage
from pmip_tw.aaa.accounting.sessions import Effect, Sessions, Tell
from pmip_tw.interfaces import IAccounting, IClock, IForwardingPlane
from pmip_tw.mobility.tunnels import AccessKey, AnchorKey, Counters

Key = TypeVar("Key", AccessKey, AnchorKey)


class Accounts(Generic[Key]):
    """``clock``: its own, as it wakes up by itself."""

    def __init__(
        self,
        sessions: Sessions[Key],
        accounting: IAccounting,
        forwarding: IForwardingPlane,
        clock: IClock,
    ) -> None:
        self.sessions: Sessions[Key] = sessions
        self._accounting = accounting
        self._forwarding = forwarding
        self._clock = clock
        self._running = False

    def start(self) -> None:
        """Before the agent brings anybody back. StoreError: what is wrong with the spool."""
        self._accounting.start()
        self._running = True
        self._do(self.sessions.left(self._accounting.left_open(), self._clock.now()))

    def begun(self, still_here: Iterable[tuple[Key, str]]) -> None:
        """All are back whom the agent could bring back, served already or not: ``still_here``, with their sessions."""
        for key, session_id in still_here:
            self.resume(key, session_id)
        self._carry_out(self.sessions.begun(self._clock.now()))

    def resume(self, key: Key, session_id: str) -> None:
        """A restart has brought back who had that session, if it was left: before all are back."""
        if self.sessions.resume(key, session_id, self._clock.now()):
            self._arm()

    def serves(self, key: Key, session: AccountingSession) -> None:
        """The packet plane has an entry for it."""
        effects = self.sessions.serves(key, session, self._moved(key), self._clock.now())
        self._carry_out(effects)

    def removed(self, key: Key, counters: Counters) -> None:
        """The packet plane has it no more; it had counted that much."""
        self.sessions.entry_gone(key, Usage.of(counters))

    def over(self, session_id: str, terminate_cause: TerminateCause, *, continues: bool = False) -> None:
        key = self.sessions.key_of(session_id)
        moved = Usage() if key is None else self._moved(key)
        now = self._clock.now()
        self._carry_out(self.sessions.over(session_id, terminate_cause, moved, now, continues=continues))

    def stop(self, *, survive: bool) -> "Deferred[None] | None":
        """Before the packet plane closes: what it has counted is written down. Not ``survive``: nobody comes back.

        Fires when everything is on the disk, and AAA has been told what it takes at once. Idempotent.
        """
        if self._running:
            self._running = False
            self._shut(survive)
        return self._accounting.stop()

    def _shut(self, survive: bool) -> None:
        now = self._clock.now()
        self._clock.wake_at(None, self._wake)
        moved = {session_id: self._moved(key) for session_id, key in self.sessions.all_open()}
        if survive:
            self._carry_out([self.sessions.last_known(one, used, now) for one, used in moved.items()])
        else:
            self._carry_out(self.sessions.shut(moved, now))

    def _wake(self) -> None:
        now = self._clock.now()
        for session_id, key in self.sessions.due(now):
            self._do(self.sessions.looked_at(session_id, self._moved(key), now))
        self._arm()

    def _moved(self, key: Key) -> Usage:
        return Usage.of(self._forwarding.counters(key))

    def _carry_out(self, effects: Iterable[Effect]) -> None:
        self._do(effects)
        self._arm()

    def _do(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Tell):
                self._accounting.record(effect.record)
            else:
                self._accounting.keep(effect.record)

    def _arm(self) -> None:
        if not self._running:
            return
        self._clock.wake_at(self.sessions.next_deadline(), self._wake)
