"""Which accounting session each home address of an LMA has: one book for all of its workers, kept by worker 0.

It is where the packet plane is, whose counters are what is told; so a worker that ends, or is another one after a
restart, takes nothing with it. Each worker says of its own nodes who is served, and who is no longer.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from pmip_tw.aaa.accounting.records import AccountingSession, TerminateCause
from pmip_tw.addresses import Ipv4
from pmip_tw.agents.accounts import Accounts
from pmip_tw.agents.rows.tables import Row
from pmip_tw.agents.sessions_by_id import SessionsById
from pmip_tw.interfaces import IClock, ISessions
from pmip_tw.lma.accounted import Stay, session_of
from pmip_tw.mobility.tunnels import AnchorKey, Counters, EntryKey

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred


class IPages(Protocol):
    """The book as one worker has it. Nothing is asked of it, so that it may be in another process."""

    def start(self) -> None:
        """Before anybody is brought back. StoreError: what accounting has left cannot be read, and why."""

    def back(self, stays: Iterable[Stay]) -> None:
        """All who are back after a restart: sessions of those who had one go on, others begin, and others' are over."""

    def serves(self, stay: Stay) -> None:
        """The packet plane has an entry for it. An address that another node had until now is that one's no more."""

    def over(self, key: AnchorKey, terminate_cause: TerminateCause) -> None:
        """The node has its home address no longer."""

    def removed(self, key: AnchorKey, counters: Counters) -> None:
        """The packet plane does not have its entry any more, if that is in this process."""

    def stop(self, *, survive: bool) -> "Deferred[None] | None":
        """Before the packet plane closes: what it has counted is saved. Not ``survive``: no session comes back."""


class SessionBook:
    """``home_agent``: our address. ``clock``: only read."""

    def __init__(
        self, accounts: Accounts[AnchorKey], home_agent: Ipv4, clock: IClock, workers: int = 1
    ) -> None:
        self._accounts = accounts
        self._home_agent = home_agent
        self._clock = clock
        self._number = workers
        # Who has not said yet who is back.
        self._awaited = set(range(workers))
        self._begun = False
        # What a former process has left, by whose it was.
        self._left: dict[tuple[AnchorKey, bytes], str] = {}
        # Of a worker that is about to say who is back: who has no session yet, and who it has not named.
        self._new: defaultdict[int, list[Stay]] = defaultdict(list)
        self._missing: dict[int, set[AnchorKey]] = {}
        # The other workers' nodes; all others are worker 0's.
        self._workers: dict[AnchorKey, int] = {}

    def pages(self, worker: int = 0) -> "Pages":
        return Pages(self, worker)

    def by_id(self, sessions: ISessions) -> ISessions:
        """``sessions``, the agent's, for whoever names them by what accounting has called them."""
        return SessionsById(sessions, self._accounts.sessions)

    def rows(self, together: Iterable[Row]) -> list[Row]:
        """For people: what is so of all workers ``together``, and how many sessions each has."""
        counted = Counter(self._workers.values())
        counted[0] = len(self._accounts.sessions) - counted.total()
        rows: list[Row] = [{"worker": "all", **row} for row in together]
        return rows + [{"worker": worker, "sessions": counted[worker]} for worker in range(self._number)]

    def start(self) -> None:
        self._accounts.start()
        left = self._accounts.sessions.not_resumed
        for record in sorted(left, key=lambda record: record.at):
            if record.session is not None:  # of two of one node the newer one goes on
                self._left[_key_of(record.session), record.session.nai] = record.session.id

    def begins(self, worker: int) -> None:
        """It is a new process; the sessions of its former life go on until it says otherwise."""
        self._new.pop(worker, None)
        self._missing[worker] = {key for key, whose in self._workers.items() if whose == worker}

    def back(self, worker: int, stays: Iterable[Stay], *, last: bool) -> None:
        """Some of those who are back. After the ``last`` ones the sessions of others are over."""
        missing, new = self._missing.get(worker, set()), self._new[worker]
        for stay in stays:
            missing.discard(stay.key)
            if not self._goes_on(worker, stay):
                new.append(stay)
        if not last:
            return
        self._awaited.discard(worker)
        if not self._awaited and not self._begun:
            self._begun = True
            self._left.clear()
            self._accounts.begun(())
        for key in self._missing.pop(worker, ()):
            self.over(worker, key, TerminateCause.NAS_REBOOT)
        for stay in self._new.pop(worker):
            self.serves(worker, stay)

    def _goes_on(self, worker: int, stay: Stay) -> bool:
        """Whether the node has its session, and nothing about that is new."""
        present = self._accounts.sessions.of(stay.key)
        if present is None:
            session_id = self._left.pop((stay.key, stay.nai), "")
            self._accounts.resume(stay.key, session_id)
            present = self._accounts.sessions.of(stay.key)
            self._note(worker, stay.key)
        if present is None or present.nai != stay.nai:
            return False
        return session_of(stay, self._home_agent, present, self._clock.now()) == present

    def serves(self, worker: int, stay: Stay) -> None:
        key = stay.key
        self._note(worker, key)
        present = self._accounts.sessions.of(key)
        session = session_of(stay, self._home_agent, present, self._clock.now())
        self._accounts.serves(key, session)
        if present is not None and present.id != session.id:
            self._accounts.over(present.id, TerminateCause.NAS_REQUEST)

    def _note(self, worker: int, key: AnchorKey) -> None:
        if worker:
            self._workers[key] = worker
        elif self._workers:
            self._workers.pop(key, None)

    def over(self, worker: int, key: AnchorKey, terminate_cause: TerminateCause) -> None:
        """Unless the address is another worker's by now: they wander."""
        session = self._accounts.sessions.of(key)
        if session is None or self._workers.get(key, 0) != worker:
            return
        self._workers.pop(key, None)
        self._accounts.over(session.id, terminate_cause)

    def removed(self, key: EntryKey, counters: Counters) -> None:
        """The packet plane does not have it any more; whoever has asked for that says what it means."""
        assert isinstance(key, AnchorKey)
        self._accounts.removed(key, counters)

    def stop(self, *, survive: bool) -> "Deferred[None] | None":
        return self._accounts.stop(survive=survive)


class Pages:
    """Those of worker 0, or of another whose pipe ends here (IPages)."""

    def __init__(self, book: SessionBook, worker: int) -> None:
        self._book = book
        self._worker = worker

    def start(self) -> None:
        self._book.start()

    def back(self, stays: Iterable[Stay]) -> None:
        self._book.back(self._worker, stays, last=True)

    def serves(self, stay: Stay) -> None:
        self._book.serves(self._worker, stay)

    def over(self, key: AnchorKey, terminate_cause: TerminateCause) -> None:
        self._book.over(self._worker, key, terminate_cause)

    def removed(self, key: AnchorKey, counters: Counters) -> None:
        self._book.removed(key, counters)

    def stop(self, *, survive: bool) -> "Deferred[None] | None":
        return self._book.stop(survive=survive)


def _key_of(session: AccountingSession) -> AnchorKey:
    return AnchorKey(session.home_address, session.domain)
