"""What an LMA's agent does with accounting: a session is as long as its home address has an entry, wherever that leads.

A renewal that changes nothing is not heard of here.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pmip_tw.aaa.accounting.records import TerminateCause
from pmip_tw.agents.session_book import IPages
from pmip_tw.lma.accounted import stay_of, stays_of
from pmip_tw.lma.bindings import Binding
from pmip_tw.lma.engine import LmaEngine
from pmip_tw.lma.registration.commitment import Commit, SessionOver
from pmip_tw.mobility.tunnels import AnchorKey, Counters, EntryKey

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred


class AccountingAtLma:
    """``pages``: of the book of sessions. ``by_technology``: owners are no NAIs (``lma/owners.py``)."""

    def __init__(self, engine: LmaEngine, pages: IPages, *, by_technology: bool = False) -> None:
        self._engine = engine
        self._pages = pages
        self._by_technology = by_technology
        # Why entries are over that are removed next.
        self._causes: dict[EntryKey, TerminateCause] = {}

    def start(self) -> None:
        """Before anybody is brought back. StoreError: what accounting has left cannot be read, and why."""
        self._pages.start()

    def begun(self) -> None:
        """Everybody is back."""
        self._pages.back(stays_of(self._engine.bindings, by_technology=self._by_technology))

    def carried(self, commits: Iterable[Commit]) -> None:
        """They are durable, and in the packet plane."""
        for commit in commits:
            binding, before = commit.binding, commit.carried
            if before is not None and (binding is None or binding.key != before.key):
                cause = TerminateCause.NAS_REQUEST if commit.answers else TerminateCause.USER_REQUEST
                self._pages.over(before.key, cause)
            if binding is not None:
                self._serves(binding)

    def key_given(self, nai: bytes) -> None:
        """AAA has been asked about the node, and has perhaps given something else for accounting."""
        owners = [nai + bytes((number,)) for number in range(256)] if self._by_technology else [nai]
        for owner in owners:
            bound = self._engine.bindings.get(owner)
            carried = None if bound is None else self._engine.carried_at(bound.key)
            if carried is not None:
                self._serves(carried)

    def because(self, effect: SessionOver) -> None:
        """Its entry is removed next."""
        self._causes[effect.key] = effect.terminate_cause

    def removed(self, key: EntryKey, counters: Counters) -> None:
        """The packet plane does not have it any more; whoever has asked for that says what it means."""
        assert isinstance(key, AnchorKey)
        self._pages.removed(key, counters)

    def ended(self, key: EntryKey, counters: Counters) -> None:
        """As ``removed``, of what is over; if nobody has said why, its lifetime was."""
        assert isinstance(key, AnchorKey)
        self._pages.removed(key, counters)
        self._pages.over(key, self._causes.pop(key, TerminateCause.LOST_SERVICE))

    def stop(self, *, survive: bool) -> "Deferred[None] | None":
        """Before the packet plane closes: what it has counted is saved. Not ``survive``: no session comes back."""
        return self._pages.stop(survive=survive)

    def _serves(self, binding: Binding) -> None:
        self._causes.pop(binding.key, None)
        self._pages.serves(stay_of(binding, self._engine.keys))
