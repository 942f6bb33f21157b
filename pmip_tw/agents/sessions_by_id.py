"""An LMA's sessions by the ids that accounting has told AAA (RFC 5176 3): the engine knows NAI and home address."""

import attrs
from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from pmip_tw.aaa.accounting.sessions import Sessions
from pmip_tw.aaa.dynamic_authorization import NOT_FOUND, Change, Outcome, Selection
from pmip_tw.interfaces import ISessions
from pmip_tw.mobility.tunnels import AnchorKey


@implementer(ISessions)
@attrs.frozen(eq=False, repr=False)
class SessionsById:
    """``sessions``: the agent's, who are asked; ``accounts``: what has been told of them."""

    _sessions: ISessions
    _accounts: Sessions[AnchorKey]

    def disconnect(self, selection: Selection) -> "Deferred[Outcome]":
        meant = self._by_address(selection)
        return succeed(NOT_FOUND) if meant is None else self._sessions.disconnect(meant)

    def change(self, selection: Selection, change: Change) -> "Deferred[Outcome]":
        meant = self._by_address(selection)
        return succeed(NOT_FOUND) if meant is None else self._sessions.change(meant, change)

    def reauthorize(self, selection: Selection, state: bytes) -> "Deferred[Outcome]":
        meant = self._by_address(selection)
        return succeed(NOT_FOUND) if meant is None else self._sessions.reauthorize(meant, state)

    def _by_address(self, selection: Selection) -> Selection | None:
        """The same by NAI and home address. None: nobody has that id any more, or who has it is another (AA15)."""
        if selection.accounting_session is None:
            return selection
        key = self._accounts.key_of(selection.accounting_session)
        session = None if key is None else self._accounts.of(key)
        if session is None or session.id != selection.accounting_session:
            return None
        if selection.multi_session not in (None, session.multi_id):
            return None
        if selection.home_address not in (None, session.home_address):
            return None
        nai = session.nai.decode(errors="replace")
        return attrs.evolve(
            selection,
            accounting_session=None,
            multi_session=None,
            home_address=session.home_address,
            user_name=nai if selection.user_name is None else selection.user_name,
        )
