"""When something went through a path last, and who waits for what comes back (N38, N59)."""

from typing import TYPE_CHECKING

import attrs

from pmip_tw.mobility.tunnels import Activity

if TYPE_CHECKING:
    from pmip_tw.forwarding.access_session import AccessSession


@attrs.define(slots=True, eq=False)
class PathTraffic:
    """Of all ways of a path, one for each GRE key. Instants are monotonic, 0 = never.

    ``waiting``: nodes that have sent and got nothing since, with the instant, who began first first. Traffic that is
    answered comes and goes here with every question: a set that stays small.
    """

    ways: int = 0
    sent: float = 0.0
    heard: float = 0.0
    waiting: "dict[AccessSession, float]" = attrs.field(factory=dict)

    @property
    def activity(self) -> Activity:
        for session, since in self.waiting.items():
            return Activity(sent=self.sent, heard=self.heard, waiting=session.entry.key, waiting_since=since)
        return Activity(sent=self.sent, heard=self.heard)
