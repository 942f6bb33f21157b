"""What an LMA's packet plane remembers of one mobile node."""

from typing import TYPE_CHECKING

import attrs

from pmip_tw.forwarding.paths import Way
from pmip_tw.forwarding.session import Session
from pmip_tw.mobility.tunnels import AnchorEntry

if TYPE_CHECKING:
    from pmip_tw.forwarding.anchor_domain import AnchorDomain


@attrs.define(slots=True, eq=False, kw_only=True)
class AnchorSession(Session):
    """``copies``: further ways that every packet goes (L3).

    ``ends``: the tunnels' ends, from which nothing may go in (T2); ``ours``: in whose name the node's echo requests
    are answered here; ``special``: where a packet of the node may be for us to handle. All are four octets long.
    """

    entry: AnchorEntry
    domain: "AnchorDomain"
    copies: tuple[Way, ...]
    ends: frozenset[bytes]
    ours: frozenset[bytes]
    special: frozenset[bytes]

    @property
    def ways(self) -> tuple[Way, ...]:
        return (self.way, *self.copies)
