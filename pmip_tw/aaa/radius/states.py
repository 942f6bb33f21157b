"""What a server is taken for, as a table.

                    silent                     given up
        ALIVE ---------------> SUSPECT ------------------> DEAD <----------+
          ^                       |                         |              | given up
          |       answered        |                         | asked        |
          +<----------------------+<------------------------|-----> PROBING+
          +<--------------------------- answered -----------+---------|
          +<----------------------------------------------------------+ answered

SUSPECT is asked if nobody is ALIVE, DEAD by one question at a time, which makes it PROBING.
"""

from collections.abc import Mapping
from enum import Enum


class State(Enum):
    ALIVE = "alive"
    SUSPECT = "suspect"
    DEAD = "dead"
    PROBING = "probing"


class Event(Enum):
    """``ANSWERED``: a verified answer came, to whatever. ``SILENT``: nothing has been heard since a request that should
    have been answered by now. ``GIVEN_UP``: nor after all tries, or a connection could not be made. ``ASKED``: a
    question is on its way to one that is dead.
    """

    ANSWERED = "answered"
    SILENT = "silent"
    GIVEN_UP = "given up"
    ASKED = "asked"


NEXT: Mapping[tuple[State, Event], State] = {
    (State.ALIVE, Event.SILENT): State.SUSPECT,
    (State.ALIVE, Event.GIVEN_UP): State.DEAD,
    (State.SUSPECT, Event.ANSWERED): State.ALIVE,
    (State.SUSPECT, Event.GIVEN_UP): State.DEAD,
    (State.DEAD, Event.ANSWERED): State.ALIVE,
    (State.DEAD, Event.ASKED): State.PROBING,
    (State.PROBING, Event.ANSWERED): State.ALIVE,
    (State.PROBING, Event.GIVEN_UP): State.DEAD,
}
"""Whatever is not here changes nothing."""

USABLE = frozenset({State.ALIVE, State.SUSPECT})
"""Whom more than one may ask."""
