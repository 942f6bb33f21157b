"""The sessions that Diameter servers keep for our mobile nodes (RFC 6733 8): who has which, and how they are named."""

from typing import Final

import attrs

from pmip_tw.addresses import Mac
from pmip_tw.wire.diameter.codes import Application

MOST_CONVERSATIONS: Final = 4096
"""EAP conversations that are kept; the oldest is forgotten, and begins anew when its node goes on."""

Place = tuple[Mac, str]
"""MAC and access port."""

_EAP: Final = "eap"
_MAC: Final = "mac"


@attrs.define(slots=True, kw_only=True)
class Session:
    """What a server knows by ``id``.

    ``server``: its Origin-Host, "" until it has answered; ``states``: what it wants to have back. ``stateless``: it
    keeps nothing, and wants to hear of no end (RFC 6733 8.11).
    """

    id: str
    application: int
    user_name: str
    server: str = ""
    states: tuple[bytes, ...] = ()
    stateless: bool = False
    rounds: int = 0


class Sessions:
    """``host``: our identity, with which the names of our sessions begin."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._since_start = ""
        self._conversations: dict[str, Session] = {}
        self._by_id: dict[str, tuple[Place, Session]] = {}
        self._by_place: dict[Place, Session] = {}

    def new(self, fresh_id: str, application: int, user_name: str) -> Session:
        """The name ends with what it is about, which can be told after a restart too."""
        self._since_start = fresh_id.rpartition(";")[0] + ";"
        kind = _EAP if application == Application.EAP else _MAC
        return Session(id=f"{fresh_id};{kind}", application=application, user_name=user_name)

    # --- before they are accepted -----------------------------------------------------------------------

    def converse(self, session: Session) -> str:
        """A name for what the node's next response goes on with; each round has another."""
        while len(self._conversations) >= MOST_CONVERSATIONS:
            del self._conversations[next(iter(self._conversations))]
        session.rounds += 1
        name = f"{session.id} {session.rounds}"
        self._conversations[name] = session
        return name

    def go_on(self, name: str) -> Session | None:
        """The conversation of that name, which goes on once."""
        return self._conversations.pop(name, None)

    # --- accepted ---------------------------------------------------------------------------------------

    def at(self, place: Place) -> Session | None:
        return self._by_place.get(place)

    def accepted(self, place: Place, session: Session) -> Session | None:
        """The one that was there before, which has no other end than this."""
        before = self._by_place.get(place)
        self._by_place[place] = session
        self._by_id[session.id] = (place, session)
        if before is None or before.id == session.id:
            return None
        del self._by_id[before.id]
        return before

    def over(self, name: str) -> Session | None:
        """The session of that name, which is no more; None if it is none of ours."""
        found = self._by_id.pop(name, None)
        if found is not None:
            place, session = found
            del self._by_place[place]
            return session
        return self.former(name)

    def former(self, name: str) -> Session | None:
        """One from before our start: the servers of its realm know whose it is. None: it is none of ours."""
        if not name.startswith(f"{self._host};"):
            return None
        if self._since_start and name.startswith(self._since_start):
            return None  # it is over already
        application = Application.EAP if name.endswith(f";{_EAP}") else Application.NASREQ
        return Session(id=name, application=application, user_name="")
