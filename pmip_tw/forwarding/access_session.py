"""What a MAG's packet plane remembers of one mobile node."""

import attrs

from pmip_tw.forwarding.session import Session
from pmip_tw.mobility.tunnels import AccessEntry


@attrs.define(slots=True, eq=False, kw_only=True)
class AccessSession(Session):
    """``header`` is what stands before a frame to the node; ``awaited`` the keepalive without answer, 0 if none."""

    entry: AccessEntry
    header: bytes
    awaited: int = 0
