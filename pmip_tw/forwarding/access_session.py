"""What a MAG's packet plane remembers of one mobile node."""

import attrs
from msgspec import Struct

from pmip_tw.forwarding.session import Session
from pmip_tw.mobility.tunnels import AccessEntry, Counters


class LocalTraffic(Struct, eq=False, gc=False):
    """What went past the tunnel (N58); mutable, because it changes with every packet."""

    packets_up: int = 0
    octets_up: int = 0
    packets_down: int = 0
    octets_down: int = 0

    def counters(self) -> Counters:
        return Counters(
            packets_up=self.packets_up,
            octets_up=self.octets_up,
            packets_down=self.packets_down,
            octets_down=self.octets_down,
        )


class AccessSession(Session, eq=False, kw_only=True, gc=False):
    """``header`` is what stands before a frame to the node; ``awaited`` the keepalive without answer, 0 if none.

    ``last_sent``: when something of it went into the tunnel, monotonic. ``waits``: nothing came for it since it sent.
    ``local``: None if it never had local breakout.
    """

    entry: AccessEntry
    header: bytes
    awaited: int = 0
    last_sent: float = 0.0
    waits: bool = False
    local: LocalTraffic | None = None

    def sent(self, now: float) -> None:
        """Something of it went into its tunnel."""
        traffic = self.way.traffic
        traffic.sent = self.last_sent = now
        if not self.waits:
            self.waits = True
            traffic.waiting[self] = now

    def heard(self, now: float) -> None:
        """Something for it came out of its tunnel."""
        traffic = self.way.traffic
        traffic.heard = now
        if self.waits:
            self.waits = False
            del traffic.waiting[self]

    def forget(self) -> None:
        """It is no session any more, or another one goes on with its counters."""
        if self.waits:
            del self.way.traffic.waiting[self]

    def counters(self) -> Counters:
        local = None if self.local is None else self.local.counters()
        return attrs.evolve(super().counters(), last_sent=self.last_sent, local=local)
