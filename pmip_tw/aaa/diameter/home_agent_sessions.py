"""Sessions that AAA servers keep for registrations that they have brought to an LMA (RFC 4004 4.1.3).

The server frees what it has when the LMA says that a session is over: when the node has de-registered by way of AAA,
or when its authorization is over and no other has come.
"""

from typing import Final

import attrs

from pmip_tw.mobility.timers import Wheel

MOST: Final = 100_000
"""Sessions that are kept; a further one is refused."""

ENDLESS: Final = 0xFFFFFFFF
"""Authorization-Lifetime (RFC 6733 8.9)."""


@attrs.frozen(slots=True, kw_only=True)
class Brought:
    """A session: of whom, at which server, and until when the node is authorized, monotonic; None: without end."""

    id: str
    user: str
    server: str
    deadline: float | None


class HomeAgentSessions:
    """By Session-Id; a node has one."""

    def __init__(self) -> None:
        self._by_id: dict[str, Brought] = {}
        self._by_user: dict[str, str] = {}
        self._deadlines: Wheel[str] = Wheel(1.0, self._deadline)

    def __len__(self) -> int:
        return len(self._by_id)

    @property
    def is_full(self) -> bool:
        return len(self._by_id) >= MOST

    def find(self, session: str) -> Brought | None:
        return self._by_id.get(session)

    def accepted(
        self, session: str, user: str, lifetime: int, monotonic: float, server: str = ""
    ) -> Brought | None:
        """It begins, or goes on, for ``lifetime`` seconds, 0 or ENDLESS for good; that of the node before, if it was
        another, which is over."""
        before = self._by_user.get(user)
        former = None if before in (None, session) else self.over(before or "")
        deadline = None if lifetime in (0, ENDLESS) else monotonic + lifetime
        self._by_id[session] = Brought(id=session, user=user, server=server, deadline=deadline)
        self._by_user[user] = session
        if deadline is not None:
            self._deadlines.file(session, deadline)
        return former

    def over(self, session: str) -> Brought | None:
        """None: there is no such session."""
        found = self._by_id.pop(session, None)
        if found is not None:
            del self._by_user[found.user]
        return found

    def expired(self, monotonic: float) -> list[Brought]:
        """Whose authorization is over."""
        return [found for session in self._deadlines.due(monotonic) if (found := self.over(session))]

    def next_deadline(self) -> float | None:
        return self._deadlines.next_deadline()

    def _deadline(self, session: str) -> float | None:
        found = self._by_id.get(session)
        return None if found is None else found.deadline
