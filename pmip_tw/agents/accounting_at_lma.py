"""What an LMA's agent does with accounting: a session is as long as its home address has an entry, wherever that leads.

A renewal that changes nothing is not heard of here.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.agents.accounts import Accounts
from pmip_tw.agents.sessions_by_id import SessionsById
from pmip_tw.interfaces import IClock, ISessions
from pmip_tw.lma.accounted import owners_of, session_of
from pmip_tw.lma.bindings import Binding
from pmip_tw.lma.engine import LmaEngine
from pmip_tw.lma.registration.commitment import Commit, SessionOver
from pmip_tw.mobility.tunnels import AnchorKey, Counters, EntryKey

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred


class AccountingAtLma:
    """``clock``: only read."""

    def __init__(self, engine: LmaEngine, accounts: Accounts[AnchorKey], clock: IClock) -> None:
        self._engine = engine
        self._accounts = accounts
        self._clock = clock
        # Why entries are over that are removed next.
        self._causes: dict[EntryKey, TerminateCause] = {}

    def by_id(self, sessions: ISessions) -> ISessions:
        """``sessions``, the agent's, for whoever names them by what accounting has called them."""
        return SessionsById(sessions, self._accounts.sessions)

    def start(self) -> None:
        """Before anybody is brought back. StoreError: what accounting has left cannot be read, and why."""
        self._accounts.start()

    def begun(self) -> None:
        """Everybody is back: sessions of those who had one go on, others begin."""
        left = {
            AnchorKey(session.home_address, session.domain): session
            for record in self._accounts.sessions.not_resumed
            for session in (record.session,)
            if session is not None
        }
        back: list[tuple[AnchorKey, str]] = []
        new: list[AnchorKey] = []
        for key, owner in owners_of(self._engine.bindings):
            session = left.get(key)
            if session is not None and owner.startswith(session.nai):
                back.append((key, session.id))
            else:
                new.append(key)
        self._accounts.begun(back)
        for key in new:
            binding = self._engine.bound_to(key)
            if binding is not None:
                self._serves(binding)

    def carried(self, commits: Iterable[Commit]) -> None:
        """They are durable, and in the packet plane."""
        for commit in commits:
            binding, before = commit.binding, commit.carried
            if before is not None and (binding is None or binding.key != before.key):
                cause = TerminateCause.NAS_REQUEST if commit.answers else TerminateCause.USER_REQUEST
                self._over(before.key, cause)
            if binding is not None:
                self._serves(binding)

    def because(self, effect: SessionOver) -> None:
        """Its entry is removed next."""
        self._causes[effect.key] = effect.terminate_cause

    def removed(self, key: EntryKey, counters: Counters) -> None:
        """The packet plane does not have it any more; whoever has asked for that says what it means."""
        assert isinstance(key, AnchorKey)
        self._accounts.removed(key, counters)

    def ended(self, key: EntryKey, counters: Counters) -> None:
        """As ``removed``, of what is over; if nobody has said why, its lifetime was."""
        self.removed(key, counters)
        assert isinstance(key, AnchorKey)
        self._over(key, self._causes.pop(key, TerminateCause.LOST_SERVICE))

    def stop(self, *, survive: bool) -> "Deferred[None] | None":
        """Before the packet plane closes: what it has counted is saved. Not ``survive``: no session comes back."""
        return self._accounts.stop(survive=survive)

    def _serves(self, binding: Binding) -> None:
        """An address that another node had until now is that one's no more."""
        key = binding.key
        self._causes.pop(key, None)
        present = self._accounts.sessions.of(key)
        session = session_of(binding, self._engine.address, present, self._clock.now())
        self._accounts.serves(key, session)
        if present is not None and present.id != session.id:
            self._accounts.over(present.id, TerminateCause.NAS_REQUEST)

    def _over(self, key: AnchorKey, cause: TerminateCause) -> None:
        session = self._accounts.sessions.of(key)
        if session is not None:
            self._accounts.over(session.id, cause)
