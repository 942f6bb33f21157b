"""What an LMA's packet plane remembers of one mobile node."""

from collections.abc import Callable

from pmip_tw.forwarding.paths import Way
from pmip_tw.forwarding.session import Session
from pmip_tw.forwarding.tunnel_ends import TunnelEnds
from pmip_tw.mobility.tunnels import AnchorEntry


class AnchorSession(Session, eq=False, kw_only=True, gc=False):
    """``to_host`` gives what the node sends to its address space's own stack (False: lost and counted).

    ``copies``: further ways that every packet goes (L3). ``ends``: the tunnels' ends, from which nothing may go in
    (T2); ``ours``: in whose name the node's echo requests are answered here; ``special``: where a packet of the node
    may be for us to handle. These addresses are four octets long.
    """

    entry: AnchorEntry
    to_host: Callable[[bytes], bool]
    copies: tuple[Way, ...]
    ends: frozenset[bytes]
    ours: frozenset[bytes]
    special: frozenset[bytes]

    @property
    def ways(self) -> tuple[Way, ...]:
        return (self.way, *self.copies)

    def way_of(self, ends: TunnelEnds) -> Way:
        """Through which its packets come out of the tunnel with these ``ends``, one of its own."""
        return next(way for way in self.ways if way.ends == ends)
